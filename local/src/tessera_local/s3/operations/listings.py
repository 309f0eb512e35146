"""Lists of objects and of uploads."""

from typing import Any
from urllib.parse import quote

from aiohttp import web

from tessera_local.s3.disk_store import DiskStore, Stored
from tessera_local.s3.protocol.answers import S3Error, iso_time, xml_answer
from tessera_local.s3.protocol.calls import Call

_PAGE = 1000
_LAST = "\U0010ffff"
_OWNER = {"ID": "local", "DisplayName": "local"}


class Listings:
    """Lists of a store."""

    def __init__(self, store: DiskStore) -> None:
        self._store = store

    async def buckets(self, _call: Call) -> web.StreamResponse:
        """ListBuckets."""
        entries = [{"Name": name, "CreationDate": iso_time(created)} for name, created in self._store.buckets()]
        return xml_answer("ListAllMyBucketsResult", {"Owner": _OWNER, "Buckets": {"Bucket": entries}})

    async def objects(self, call: Call) -> web.StreamResponse:
        """ListObjectsV2 and ListObjects."""
        second, query, most = call.query.get("list-type") == "2", call.query, call.number("max-keys", _PAGE, _PAGE)
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "") if second else query.get("marker", "")
        found = self._entries(call.bucket, prefix, delimiter, after, most + 1) if most else []
        page = found[:most]
        shown = _shown(call)
        items = [entry for entry in page if isinstance(entry, Stored)]
        content: dict[str, Any] = {
            "Name": call.bucket,
            "Prefix": shown(prefix),
            "Delimiter": shown(delimiter) if delimiter else None,
            "MaxKeys": most,
            "EncodingType": query.get("encoding-type"),
            "IsTruncated": len(found) > len(page),
            "Contents": [{"Key": shown(item.key), **_described(item)} for item in items],
            "CommonPrefixes": [{"Prefix": shown(entry)} for entry in page if isinstance(entry, str)],
        }
        last = (page[-1] if isinstance(page[-1], str) else page[-1].key) if page else None
        last = last if len(found) > len(page) else None
        if second:
            content |= {"KeyCount": len(page), "ContinuationToken": query.get("continuation-token")}
            content |= {"StartAfter": query.get("start-after"), "NextContinuationToken": last}
        else:
            content |= {"Marker": shown(after), "NextMarker": shown(last) if last is not None and delimiter else None}
        return xml_answer("ListBucketResult", content)

    def _entries(self, bucket: str, prefix: str, delimiter: str, after: str, count: int) -> list[Stored | str]:
        """Objects and common prefixes behind `after`, in their order; at most `count`."""
        entries: list[Stored | str] = []
        first = max(prefix, after)
        while True:
            for item in self._store.listing(bucket, first):
                if len(entries) == count or not item.key.startswith(prefix):
                    return entries
                cut = item.key.find(delimiter, len(prefix)) if delimiter else -1
                if cut >= 0:
                    folder = item.key[: cut + len(delimiter)]
                    entries += [folder] if folder != after else []
                    first = folder + _LAST  # behind all of it
                    break
                entries += [item] if item.key > after else []
            else:
                return entries

    async def uploads(self, call: Call) -> web.StreamResponse:
        """ListMultipartUploads."""
        query, prefix, most = call.query, call.query.get("prefix", ""), call.number("max-uploads", _PAGE, _PAGE)
        if query.get("delimiter"):
            raise S3Error("NotImplemented", "A delimiter in a list of uploads is not implemented on one machine.")
        marker = query.get("key-marker", ""), query.get("upload-id-marker", "")
        all_of_them = sorted(self._store.uploads(call.bucket), key=lambda upload: (upload.key, upload.id))
        found = [each for each in all_of_them if each.key.startswith(prefix) and _is_behind(each.key, each.id, marker)]
        page, shown = found[:most], _shown(call)
        truncated = len(found) > len(page)
        content = {
            "Bucket": call.bucket,
            "Prefix": shown(prefix),
            "KeyMarker": shown(marker[0]),
            "UploadIdMarker": marker[1],
            "NextKeyMarker": shown(page[-1].key) if truncated else None,
            "NextUploadIdMarker": page[-1].id if truncated else None,
            "EncodingType": query.get("encoding-type"),
            "MaxUploads": most,
            "IsTruncated": truncated,
            "Upload": [
                {"Key": shown(each.key), "UploadId": each.id, "Initiated": iso_time(each.started)} for each in page
            ],
        }
        return xml_answer("ListMultipartUploadsResult", content)


def _is_behind(key: str, upload: str, marker: tuple[str, str]) -> bool:
    return (key, upload) > marker if marker[1] else key > marker[0]


def _shown(call: Call) -> Any:
    """How names are written: as they are, or as in an address if the client asks for it."""
    return (lambda text: quote(text, safe="/")) if call.query.get("encoding-type") == "url" else (lambda text: text)


def _described(item: Stored) -> dict[str, str | int]:
    return {
        "LastModified": iso_time(item.modified),
        "ETag": f'"{item.etag}"',
        "Size": item.size,
        "StorageClass": "STANDARD",
    }
