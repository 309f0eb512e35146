"""The object store on S3: obstore reads objects and ranges, boto3 does everything else.

A GET through boto3 takes ten times the processor time of a GET through obstore, and holds the GIL
(docs/adr/0006-obstore-reads-boto3-writes.md).
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import obstore
from botocore.config import Config
from obstore.exceptions import BaseError

from tessera.io.ranges import SeekableFile
from tessera_cloud.adapters.aws_errors import call, read_error
from tessera_cloud.errors import NoSuchUploadError, ObjectMissingError, TransientError
from tessera_cloud.patience import Patience
from tessera_cloud.ports import Body, Buffer, ObjectInfo, RequestPace, UploadedPart

_PAGE = 1000
_POOL = 64
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
"""Hosts of this machine. On the way to them no SHA-256 of a body is signed. Its CRC-32 is sent and checked anyway."""


def client_config(endpoint: str | None, user_agent: str, **more: Any) -> Config:
    """Options of a boto3 client of S3 at an endpoint, or None for AWS's own, with `more` instead of the usual ones."""
    # With "auto", a signed address has no region. It then leads to the wrong place while a bucket is new.
    options: dict[str, Any] = {"addressing_style": "path" if endpoint else "virtual"}
    if urlsplit(endpoint or "").hostname in _THIS_MACHINE:
        options["payload_signing_enabled"] = False
    usual: dict[str, Any] = {
        "max_pool_connections": _POOL,
        "retries": {"mode": "standard", "max_attempts": 6},
        "read_timeout": 60,
        "user_agent_extra": user_agent,
        "s3": options,
    }
    return Config(**(usual | more))


class _PartBody(SeekableFile):
    """File over a buffer, which boto3 sends without a copy."""

    def __init__(self, data: Buffer) -> None:
        self._view = memoryview(data).cast("B")

    def __len__(self) -> int:
        return len(self._view)

    def _end(self) -> int:
        return len(self)

    def read(self, size: int | None = -1) -> Any:
        stop = len(self._view) if size is None or size < 0 else min(self._position + size, len(self._view))
        piece = self._view[self._position : stop]
        self._position = stop
        return piece


def _body(data: Body) -> io.RawIOBase:
    return data if isinstance(data, io.RawIOBase) else _PartBody(data)


def _info(key: str, size: int, etag: str, modified: datetime.datetime) -> ObjectInfo:
    return ObjectInfo(key, size, etag.strip('"'), modified.timestamp())


def _of_upload(what: str, operation: Callable[..., Any], **arguments: Any) -> Any:
    """Call a method about an upload. One that is over is "no such key" to Ceph."""
    try:
        return call(what, operation, **arguments)
    except ObjectMissingError as error:
        raise NoSuchUploadError(*error.args) from error


class S3Store:
    """Objects in S3.

    Parameters
    ----------
    client : boto3 S3 client
        Client with standard retries.
    open_bucket : callable
        Opens the obstore store of a bucket by its name. The store must not retry, because its retries would ignore the
        pace of the task.
    patience : Patience
        Rules for repeated requests.
    open_public : callable, optional
        Opens a client without credentials, at its first use. It lists buckets and sends HEAD requests.
    public : frozenset of str, optional
        Names of buckets that are read without credentials. `open_public` opens their client.
    """

    def __init__(
        self,
        client: Any,
        open_bucket: Callable[[str], Any],
        patience: Patience,
        *,
        open_public: Callable[[], Any] | None = None,
        public: frozenset[str] = frozenset(),
    ) -> None:
        self._client = client
        self._patience = patience
        self._bucket = lru_cache(maxsize=None)(open_bucket)
        self._public = public
        self._public_client = lru_cache(maxsize=None)(open_public or (lambda: client))

    def _reader(self, bucket: str) -> Any:
        """Client that lists a bucket and sends HEAD requests for its objects."""
        return self._public_client() if bucket in self._public else self._client

    def _pages(self, bucket: str, prefix: str, **more: str) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            what = f"list s3://{bucket}/{prefix}"
            page = call(what, self._reader(bucket).list_objects_v2, Bucket=bucket, Prefix=prefix, **more, **token)
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def list_objects(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """See `ObjectLister.list_objects`."""
        for page in self._pages(bucket, prefix):
            for entry in page.get("Contents", []):
                yield _info(entry["Key"], entry["Size"], entry["ETag"], entry["LastModified"])

    def list_folders(self, bucket: str, prefix: str) -> Iterator[str]:
        """See `ObjectLister.list_folders`."""
        for page in self._pages(bucket, prefix, Delimiter="/"):
            yield from (entry["Prefix"].removeprefix(prefix) for entry in page.get("CommonPrefixes", []))

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """See `ObjectReader.head`."""
        answer = call(f"head s3://{bucket}/{key}", self._reader(bucket).head_object, Bucket=bucket, Key=key)
        return _info(key, answer["ContentLength"], answer["ETag"], answer["LastModified"])

    def _get(self, bucket: str, key: str, what: str, options: Any = None) -> tuple[Any, Any]:
        """Send one GET, and return the body and obstore's metadata of the object."""
        try:
            answer = obstore.get(self._bucket(bucket), key, options=options)
            return answer.bytes(), answer.meta
        except FileNotFoundError as error:
            raise ObjectMissingError(what) from error
        except BaseError as error:
            raise read_error(error, what) from error

    def read(self, bucket: str, key: str) -> tuple[bytes, ObjectInfo]:
        """See `ObjectReader.read`."""
        body, meta = self._patience.insist(lambda: self._get(bucket, key, f"read s3://{bucket}/{key}"))
        return bytes(body), _info(key, len(body), meta["e_tag"], meta["last_modified"])

    def read_range(
        self,
        bucket: str,
        key: str,
        start: int,
        length: int,
        etag: str | None = None,
        *,
        pace: RequestPace | None = None,
    ) -> Buffer:
        """See `RangeReader.read_range`."""
        what = f"read s3://{bucket}/{key} bytes {start}-{start + length - 1}"
        options: dict[str, Any] = {"range": (start, start + length)}
        if etag is not None:
            options["if_match"] = f'"{etag}"'

        def once() -> Buffer:
            data, _ = self._get(bucket, key, what, options)
            if len(data) != length:
                raise TransientError(f"{what}: received {len(data)} bytes")
            return data

        return self._patience.insist(once, pace)

    def write(self, bucket: str, key: str, data: Body, *, only_over: str | None = None, only_new: bool = False) -> str:
        """See `ObjectWriter.write`."""
        # Without quotes, as in the examples of AWS: Ceph takes quotes for a part of the ETag.
        condition = {"IfMatch": only_over} if only_over else {"IfNoneMatch": "*"} if only_new else {}
        what = f"write s3://{bucket}/{key}"
        answer = call(what, self._client.put_object, Bucket=bucket, Key=key, Body=_body(data), **condition)
        return str(answer["ETag"].strip('"'))

    def begin_upload(self, bucket: str, key: str) -> str:
        """See `Uploads.begin_upload`."""
        what = f"begin upload of s3://{bucket}/{key}"
        return str(call(what, self._client.create_multipart_upload, Bucket=bucket, Key=key)["UploadId"])

    def upload_part(self, bucket: str, key: str, upload_id: str, number: int, data: Body) -> str:
        """See `Uploads.upload_part`."""
        upload = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
        what = f"part {number} of s3://{bucket}/{key}"
        answer = _of_upload(what, self._client.upload_part, PartNumber=number, Body=_body(data), **upload)
        return str(answer["ETag"].strip('"'))

    def list_parts(
        self, bucket: str, key: str, upload_id: str, *, first: int = 1, count: int | None = None
    ) -> list[UploadedPart]:
        """See `Uploads.list_parts`."""
        upload = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
        parts: list[UploadedPart] = []
        marker = first - 1
        while count is None or len(parts) < count:
            size = _PAGE if count is None else min(_PAGE, count - len(parts))
            what = f"parts of s3://{bucket}/{key}"
            page = _of_upload(what, self._client.list_parts, PartNumberMarker=marker, MaxParts=size, **upload)
            parts += [
                UploadedPart(part["PartNumber"], part["Size"], part["ETag"].strip('"'))
                for part in page.get("Parts", [])
            ]
            if not page.get("IsTruncated"):
                break
            marker = page["NextPartNumberMarker"]
        return parts

    def list_uploads(self, bucket: str, prefix: str) -> Iterator[tuple[str, str, float]]:
        """See `Uploads.list_uploads`."""
        marker: dict[str, str] = {}
        while True:
            what = f"uploads of s3://{bucket}/{prefix}"
            page = call(what, self._client.list_multipart_uploads, Bucket=bucket, Prefix=prefix, **marker)
            for entry in page.get("Uploads", []):
                yield entry["Key"], entry["UploadId"], entry["Initiated"].timestamp()
            if not page.get("IsTruncated"):
                return
            marker = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def complete_upload(self, bucket: str, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> str:
        """See `Uploads.complete_upload`."""
        listed = {"Parts": [{"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in parts]}
        upload: dict[str, Any] = {"Bucket": bucket, "Key": key, "UploadId": upload_id, "IfNoneMatch": "*"}
        what = f"complete s3://{bucket}/{key}"
        answer = _of_upload(what, self._client.complete_multipart_upload, MultipartUpload=listed, **upload)
        return str(answer["ETag"].strip('"')) or self.head(bucket, key).etag  # Ceph leaves it out

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """See `Uploads.abort_upload`."""
        upload = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
        try:
            _of_upload(f"abort s3://{bucket}/{key}", self._client.abort_multipart_upload, **upload)
        except NoSuchUploadError:
            return

    def delete(self, bucket: str, key: str) -> None:
        """See `ObjectWriter.delete`."""
        call(f"delete s3://{bucket}/{key}", self._client.delete_object, Bucket=bucket, Key=key)

    def presign(self, bucket: str, key: str, seconds: int, file_name: str, content_type: str = "") -> str:
        """See `Links.presign`."""
        disposition = f'attachment; filename="{file_name}"'
        params = {"Bucket": bucket, "Key": key, "ResponseContentDisposition": disposition}
        params |= {"ResponseContentType": content_type} if content_type else {}
        return str(self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds))

    def presign_upload(self, bucket: str, key: str, seconds: int, n_bytes: int) -> str:
        """See `Links.presign_upload`."""
        params = {"Bucket": bucket, "Key": key, "ContentLength": n_bytes}  # the length is signed too
        return str(self._client.generate_presigned_url("put_object", Params=params, ExpiresIn=seconds))
