"""Operations on objects."""

import time
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import unquote

from aiohttp import web

from tessera_local.s3.disk_store import DiskStore, Stored
from tessera_local.s3.notices import Notices
from tessera_local.s3.protocol.answers import S3Error, iso_time, parse_xml, xml_answer
from tessera_local.s3.protocol.bodies import read_document, receive, send
from tessera_local.s3.protocol.calls import Call
from tessera_local.s3.protocol.checksums import PREFIX
from tessera_local.s3.protocol.conditions import check_reading, check_writing, find_range

_KEPT = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_META = "x-amz-meta-"
_REFUSED = ("x-amz-tagging", "x-amz-object-lock-", "x-amz-website-redirect-", "x-amz-server-side-encryption-customer-")
_RESPONSE = "response-"


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of a request that the answers about the object repeat, in lower case.

    Raises
    ------
    S3Error
        If a header asks for what this server has not.
    """
    lower = {name.lower(): text for name, text in headers.items()}
    for name in lower:
        if name.startswith(_REFUSED):
            raise S3Error("NotImplemented", f"The header {name} is not implemented on one machine.")
    kept = {name: text for name, text in lower.items() if name in _KEPT or name.startswith(_META)}
    return {"content-type": "binary/octet-stream"} | kept


def existing(store: DiskStore, bucket: str, key: str) -> Stored:
    """The object of a key.

    Raises
    ------
    S3Error
        If there is none.
    """
    if item := store.find(bucket, key):
        return item
    raise S3Error("NoSuchKey", f"The specified key does not exist: {key}")


class Objects:
    """Operations on the objects of a store, which tell of changes."""

    def __init__(self, store: DiskStore, notices: Notices) -> None:
        self._store, self._notices = store, notices

    async def get(self, call: Call) -> web.StreamResponse:
        """GetObject and HeadObject."""
        item, asked = existing(self._store, call.bucket, call.key), call.request.headers
        check_reading(asked, item)
        span = find_range(asked.get("Range"), item.size)
        headers = _about(item) | {
            name[len(_RESPONSE) :]: text for name, text in call.query.items() if name.startswith(_RESPONSE)
        }
        if span or asked.get("x-amz-checksum-mode", "").upper() != "ENABLED":
            headers = {name: text for name, text in headers.items() if not name.startswith(PREFIX)}
        if span:
            headers["content-range"] = f"bytes {span[0]}-{span[1]}/{item.size}"
        status = HTTPStatus.PARTIAL_CONTENT if span else HTTPStatus.OK
        first, last = span or (0, item.size - 1)
        if call.request.method == "HEAD":
            return web.Response(status=status, headers={**headers, "content-length": str(last + 1 - first)})
        return await send(call, self._store, item, (first, last), status=status, headers=headers)

    async def put(self, call: Call) -> web.StreamResponse:
        """PutObject and CopyObject."""
        headers = kept_headers(call.request.headers)
        self._check(call)
        if source := call.header("x-amz-copy-source"):
            return self._copy(call, source, headers)
        received = await receive(call, self._store)
        item = received.stored(call.key, headers)
        try:
            self._check(call)
        except S3Error:
            self._store.doom(item.segments)
            raise
        self._store.put(call.bucket, item)
        self._notices.tell(call.bucket, "ObjectCreated:Put", item)
        return web.Response(headers={"ETag": f'"{item.etag}"', **received.checksums})

    def _check(self, call: Call) -> None:
        check_writing(call.request.headers, self._store.find(call.bucket, call.key), call.key)

    def _copy(self, call: Call, source: str, headers: Mapping[str, str]) -> web.Response:
        old = copied(self._store, call, source)
        kept = headers if call.header("x-amz-metadata-directive") == "REPLACE" else old.headers
        modified = int(time.time())
        item = replace(old, key=call.key, modified=modified, headers=kept, segments=self._store.share(old.segments))
        self._store.put(call.bucket, item)
        self._notices.tell(call.bucket, "ObjectCreated:Copy", item)
        return xml_answer("CopyObjectResult", {"LastModified": iso_time(modified), "ETag": f'"{item.etag}"'})

    async def delete(self, call: Call) -> web.StreamResponse:
        """DeleteObject."""
        self._delete(call.bucket, call.key)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def delete_many(self, call: Call) -> web.StreamResponse:
        """DeleteObjects."""
        root = parse_xml(await read_document(call))
        keys = [element.text or "" for element in root.iter("Key")]
        for key in keys:
            self._delete(call.bucket, key)
        quiet = root.findtext("Quiet") == "true"
        return xml_answer("DeleteResult", {"Deleted": [] if quiet else [{"Key": key} for key in keys]})

    def _delete(self, bucket: str, key: str) -> None:
        if item := self._store.find(bucket, key):
            self._store.remove(bucket, key)
            self._notices.tell(bucket, "ObjectRemoved:Delete", item)


def copied(store: DiskStore, call: Call, source: str) -> Stored:
    """The object that a request copies.

    Raises
    ------
    S3Error
        If there is none, or if the request has conditions on it.
    """
    if any(name.lower().startswith("x-amz-copy-source-if-") for name in call.request.headers) or "?" in source:
        raise S3Error("NotImplemented", "Conditions and versions of a copy are not implemented on one machine.")
    bucket, _, key = unquote(source).removeprefix("/").partition("/")
    return existing(store, bucket, key)


def _about(item: Stored) -> dict[str, str]:
    """Headers of an answer about an object."""
    return {
        **item.headers,
        "accept-ranges": "bytes",
        "etag": f'"{item.etag}"',
        "last-modified": _date(item.modified),
    }


@lru_cache
def _date(seconds: int) -> str:
    """Time in headers, which many requests for one object ask for."""
    return formatdate(seconds, usegmt=True)
