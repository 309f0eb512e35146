"""Operations on uploads in parts."""

import hashlib
import time
from http import HTTPStatus
from itertools import pairwise
from xml.etree.ElementTree import Element

from aiohttp import web

from tessera_local.s3.disk_store import DiskStore, Segment, Span, Stored, Upload
from tessera_local.s3.notices import Notices
from tessera_local.s3.operations.objects import copied, kept_headers
from tessera_local.s3.protocol.answers import S3Error, iso_time, parse_xml, xml_answer
from tessera_local.s3.protocol.bodies import Received, read_document, receive
from tessera_local.s3.protocol.calls import Call
from tessera_local.s3.protocol.checksums import Digests
from tessera_local.s3.protocol.conditions import check_writing, find_range

LEAST_BYTES = 5 << 20
"""Smallest part but the last."""
MOST_PARTS = 10_000
PIECE = 1 << 20
"""Bytes that are copied at a time."""
_PAGE = 1000


class Uploads:
    """Operations on the uploads of a store, which tell of objects that they make."""

    def __init__(self, store: DiskStore, notices: Notices) -> None:
        self._store, self._notices = store, notices

    async def begin(self, call: Call) -> web.StreamResponse:
        """CreateMultipartUpload."""
        upload = self._store.begin_upload(call.bucket, call.key, kept_headers(call.request.headers))
        content = {"Bucket": call.bucket, "Key": call.key, "UploadId": upload}
        return xml_answer("InitiateMultipartUploadResult", content)

    async def put_part(self, call: Call) -> web.StreamResponse:
        """UploadPart and UploadPartCopy."""
        upload, number = self._upload(call), call.number("partNumber", 0, MOST_PARTS + 1)
        if not 1 <= number <= MOST_PARTS:
            raise S3Error("InvalidArgument", f"partNumber must be a whole number from 1 to {MOST_PARTS}")
        source = call.header("x-amz-copy-source")
        received = self._copy(call, source) if source else await receive(call, self._store)
        part = received.stored("", {})
        try:
            self._upload(call)  # it may have ended while the bytes came
        except S3Error:
            self._store.doom(part.segments)
            raise
        self._store.put_part(upload.id, number, part)
        if source:
            content = {"LastModified": iso_time(part.modified), "ETag": f'"{part.etag}"'}
            return xml_answer("CopyPartResult", content)
        return web.Response(headers={"ETag": f'"{part.etag}"', **received.checksums})

    async def complete(self, call: Call) -> web.StreamResponse:
        """CompleteMultipartUpload."""
        document = parse_xml(await read_document(call))
        upload = self._upload(call)
        check_writing(call.request.headers, self._store.find(call.bucket, call.key), call.key)
        parts = _chosen([_named(part) for part in document.iter("Part")], self._store.parts(upload.id))
        segments: tuple[Segment, ...] = sum((part.segments for part in parts), ())
        size = sum(part.size for part in parts)
        etag = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts), usedforsecurity=False).hexdigest()
        item = Stored(call.key, size, f"{etag}-{len(parts)}", int(time.time()), upload.headers, segments)
        self._store.end_upload(upload.id, (call.bucket, item))
        self._notices.tell(call.bucket, "ObjectCreated:CompleteMultipartUpload", item)
        content = {"Location": str(call.request.url), "Bucket": call.bucket, "Key": call.key}
        return xml_answer("CompleteMultipartUploadResult", {**content, "ETag": f'"{item.etag}"'})

    async def abort(self, call: Call) -> web.StreamResponse:
        """AbortMultipartUpload."""
        self._store.end_upload(self._upload(call).id)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def list_parts(self, call: Call) -> web.StreamResponse:
        """ListParts."""
        upload, most = self._upload(call), call.number("max-parts", _PAGE, _PAGE)
        marker = call.number("part-number-marker", 0, MOST_PARTS)
        parts = [(number, part) for number, part in self._store.parts(upload.id).items() if number > marker]
        page = parts[:most]
        content = {
            "Bucket": call.bucket,
            "Key": call.key,
            "UploadId": upload.id,
            "PartNumberMarker": marker,
            "NextPartNumberMarker": page[-1][0] if page else 0,
            "MaxParts": most,
            "IsTruncated": len(parts) > len(page),
            "Part": [{"PartNumber": number, **_described(part)} for number, part in page],
        }
        return xml_answer("ListPartsResult", content)

    def _upload(self, call: Call) -> Upload:
        upload = self._store.upload(call.query["uploadId"])
        if upload is None or (upload.bucket, upload.key) != (call.bucket, call.key):
            raise S3Error("NoSuchUpload", "The specified upload does not exist. It may have been aborted or completed.")
        return upload

    def _copy(self, call: Call, source: str) -> Received:
        """Write a range of an object to the disk once more."""
        old = copied(self._store, call, source)
        first, last = find_range(call.header("x-amz-copy-source-range"), old.size) or (0, old.size - 1)
        digests, path, size = Digests({}), self._store.new_path(), last + 1 - first
        with path.open("wb") as file:
            for place, offset, count in self._store.spans(old, first, last):
                for start in range(0, count, PIECE):
                    piece = Span(place, offset + start, min(PIECE, count - start)).read()
                    file.write(piece)
                    digests.update(piece)
        return Received((Segment(path.name, size),), size, digests.etag, {})


def _named(part: Element) -> tuple[int, str]:
    """Number and ETag of a part that a client names."""
    number = (part.findtext("PartNumber") or "").strip()
    if not number.isdecimal():
        raise S3Error("MalformedXML", f"PartNumber is {number!r} and must be a whole number")
    return int(number), (part.findtext("ETag") or "").strip('"')


def _chosen(named: list[tuple[int, str]], parts: dict[int, Stored]) -> list[Stored]:
    """The parts that a client names, which must be there, in order, and large enough."""
    numbers = [number for number, _ in named]
    if not named:
        raise S3Error("MalformedXML", "You must specify at least one part")
    if any(following <= number for number, following in pairwise(numbers)):
        raise S3Error("InvalidPartOrder", "The list of parts was not in ascending order.")
    for number, etag in named:
        if number not in parts or parts[number].etag != etag:
            raise S3Error("InvalidPart", f"Part {number} with the ETag {etag} could not be found.")
    chosen = [parts[number] for number in numbers]
    if any(part.size < LEAST_BYTES for part in chosen[:-1]):
        raise S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    return chosen


def _described(part: Stored) -> dict[str, str | int]:
    return {"LastModified": iso_time(part.modified), "ETag": f'"{part.etag}"', "Size": part.size}
