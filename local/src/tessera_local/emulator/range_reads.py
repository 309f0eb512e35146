"""Answers range requests for objects before LocalStack sees them, for a fifth of the processor time.

A cutout sends a GET for each row of its window, and LocalStack spends 1.5 ms on each: on parsing it by the model of all
operations, on a thread for each piece of the answer, and on its log. Only plain requests are answered here: a GET of an
object by path with the headers ``Range: bytes=FIRST-LAST`` and, perhaps, ``If-Match``. Any other request, and any that
would be an error, goes to LocalStack. The answers lack ``x-amz-expiration`` and ``x-amz-tagging-count``, which nothing
here reads.
"""

import re
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from localstack.services.s3.models import S3Bucket, S3Object, s3_stores
from rolo.serving.twisted import TwistedGateway
from twisted.web.http_headers import Headers
from twisted.web.resource import IResource
from twisted.web.server import Request
from zope.interface import implementer

from tessera_local.emulator.disk_store import DiskStore

MOST_BYTES = 8 << 20
"""Longest range that is answered here: it is read while no other request is."""
_RANGE = re.compile(rb"bytes=(\d{1,18})-(\d{1,18})")
_PATH = re.compile(rb"/([a-z0-9.-]{3,63})/(.+)")
_UNDERSTOOD = frozenset(
    b"accept accept-encoding authorization connection host if-match range user-agent x-amz-content-sha256 x-amz-date"
    b" x-amz-security-token".split()
)
_LOOPBACK = re.compile(rb"(127\.0\.0\.1|localhost)(:\d+)?")


class Found(NamedTuple):
    """A range of an object."""

    bucket: str
    item: S3Object
    first: int
    last: int


@implementer(IResource)
class RangeRead:
    """A range of an object, as twisted serves it."""

    isLeaf = True  # noqa: N815 - twisted's name

    def __init__(self, found: Found, store: DiskStore) -> None:
        self._found, self._store = found, store

    def render(self, request: Request) -> bytes:
        """Bytes of the range; sets the status and the headers."""
        _, item, first, last = self._found
        data, reader = bytearray(), self._store.open(self._found.bucket, item)
        reader.seek(first)
        while len(data) <= last - first:
            piece = reader.read(last + 1 - first - len(data))
            if not piece:
                raise EOFError(f"{self._found.bucket}/{item.key} is shorter than {item.size:,} bytes on the disk")
            data += piece
        request.setResponseCode(206)
        for name, text in (
            ("Accept-Ranges", "bytes"),
            ("Content-Range", f"bytes {first}-{last}/{item.size}"),
            ("Content-Type", item.system_metadata.get("ContentType", "binary/octet-stream")),
            ("ETag", f'"{item.etag}"'),
            ("Last-Modified", formatdate(item.last_modified.timestamp(), usegmt=True)),
        ):
            request.setHeader(name, text)
        if item.encryption:
            request.setHeader("x-amz-server-side-encryption", item.encryption)
        return bytes(data)


def find_range(method: bytes, uri: bytes, headers: Headers) -> Found | None:
    """The range that a request asks for, or None if LocalStack must answer."""
    path, names = _PATH.fullmatch(uri), {name.lower() for name, _ in headers.getAllRawHeaders()}
    span = _RANGE.fullmatch(headers.getRawHeaders(b"range", [b""])[0])
    plain = method == b"GET" and b"?" not in uri and names <= _UNDERSTOOD
    if not (plain and path and span and _LOOPBACK.fullmatch(headers.getRawHeaders(b"host", [b""])[0])):
        return None
    bucket = _bucket(path[1].decode())
    item = bucket and bucket.objects.get(unquote_to_bytes(path[2]).decode(errors="replace"))
    if bucket is None or not isinstance(item, S3Object) or _is_special(bucket, item):
        return None
    first, last = int(span[1]), min(int(span[2]), item.size - 1)
    etags = headers.getRawHeaders(b"if-match", [b'"%s"' % item.etag.encode()])
    if etags != [b'"%s"' % item.etag.encode()] or not first <= last < first + MOST_BYTES:
        return None
    return Found(bucket.name, item, first, last)


def _bucket(name: str) -> S3Bucket | None:
    for account in list(s3_stores.values()):
        for store in list(account.values()):
            if found := store.buckets.get(name):
                return found
    return None


def _is_special(bucket: Any, item: S3Object) -> bool:
    """Whether answers about an object have headers that plain ones have not."""
    return bool(
        bucket.versioning_status
        or item.user_metadata
        or item.system_metadata.keys() - {"ContentType"}
        or item.expires
        or item.sse_key_hash
        or item.kms_key_id
        or item.restore
        or item.website_redirect_location
        or item.storage_class != "STANDARD"
        or not hasattr(item, "segments")
    )


def serve_ranges(store: DiskStore) -> None:
    """Let the server of LocalStack answer plain range requests from the store."""
    usual: Callable[[TwistedGateway, Request], IResource] = TwistedGateway.getResourceFor

    def resource_for(gateway: TwistedGateway, request: Request) -> IResource:
        found = find_range(request.method, request.uri, request.requestHeaders)
        return usual(gateway, request) if found is None else RangeRead(found, store)

    TwistedGateway.getResourceFor = resource_for
