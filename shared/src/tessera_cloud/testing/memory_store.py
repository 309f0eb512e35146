"""The object store in memory, with the rules of S3. It records all requests."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tessera.builds.plan import MIN_PART_BYTES
from tessera_cloud.errors import FatalError, NoSuchUploadError, ObjectChangedError, ObjectMissingError, TransientError
from tessera_cloud.ports import Body, Buffer, ObjectInfo, RequestPace, UploadedPart


def _whole(data: Body) -> bytes:
    return bytes(data.read()) if isinstance(data, io.RawIOBase) else bytes(memoryview(data).cast("B"))


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@dataclass
class MemoryStore:
    """Objects in a dictionary.

    Parameters
    ----------
    objects : dict
        (bucket, key) to bytes.
    requests : list
        One (operation, bucket, key) per call, in order.
    clock : callable
        Returns the time of a write, in seconds since 1970.
    """

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    uploads: dict[str, tuple[str, str, dict[int, bytes]]] = field(default_factory=dict)
    clock: Callable[[], float] = lambda: 0.0
    written: dict[tuple[str, str], float] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def _note(self, operation: str, bucket: str, key: str) -> None:
        with self._lock:
            self.requests.append((operation, bucket, key))

    def _get(self, bucket: str, key: str) -> bytes:
        try:
            return self.objects[bucket, key]
        except KeyError as error:
            raise ObjectMissingError(f"s3://{bucket}/{key}") from error

    def _info(self, bucket: str, key: str, data: bytes) -> ObjectInfo:
        return ObjectInfo(key, len(data), _etag(data), self.written.get((bucket, key), 0.0))

    def _put(self, bucket: str, key: str, data: bytes) -> str:
        self.objects[bucket, key] = data
        self.written[bucket, key] = self.clock()
        return _etag(data)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """See `ObjectLister.list_objects`."""
        self._note("list", bucket, prefix)
        for (other, key), data in sorted(self.objects.items()):
            if other == bucket and key.startswith(prefix):
                yield self._info(bucket, key, data)

    def list_folders(self, bucket: str, prefix: str) -> Iterator[str]:
        """See `ObjectLister.list_folders`."""
        self._note("list", bucket, prefix)
        rests = {key.removeprefix(prefix) for other, key in self.objects if other == bucket and key.startswith(prefix)}
        yield from sorted({rest.partition("/")[0] + "/" for rest in rests if "/" in rest})

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """See `ObjectReader.head`."""
        self._note("head", bucket, key)
        return self._info(bucket, key, self._get(bucket, key))

    def read(self, bucket: str, key: str) -> tuple[bytes, ObjectInfo]:
        """See `ObjectReader.read`."""
        self._note("read", bucket, key)
        data = self._get(bucket, key)
        return data, self._info(bucket, key, data)

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
        if pace:
            pace.take()
        self._note("read_range", bucket, key)
        data = self._get(bucket, key)
        if etag is not None and _etag(data) != etag:
            raise ObjectChangedError(f"s3://{bucket}/{key}: its ETag is no longer {etag}")
        piece = data[start : start + length]
        if len(piece) != length:
            raise TransientError(f"s3://{bucket}/{key}: received {len(piece)} bytes for {start}-{start + length - 1}")
        return memoryview(piece)  # as S3's, it has no methods of bytes

    def write(self, bucket: str, key: str, data: Body, *, only_over: str | None = None, only_new: bool = False) -> str:
        """See `ObjectWriter.write`."""
        self._note("write", bucket, key)
        with self._lock:
            existing = self.objects.get((bucket, key))
            if only_new and existing is not None:
                raise ObjectChangedError(f"s3://{bucket}/{key} exists")
            if only_over is not None and (existing is None or _etag(existing) != only_over):
                raise ObjectChangedError(f"s3://{bucket}/{key} is not {only_over}")
            return self._put(bucket, key, _whole(data))

    def begin_upload(self, bucket: str, key: str) -> str:
        """See `Uploads.begin_upload`."""
        self._note("begin_upload", bucket, key)
        with self._lock:
            upload_id = f"upload-{len(self.requests)}"
            self.uploads[upload_id] = (bucket, key, {})
            self.begun[upload_id] = self.clock()
        return upload_id

    def list_uploads(self, bucket: str, prefix: str) -> Iterator[tuple[str, str, float]]:
        """See `Uploads.list_uploads`."""
        self._note("list_uploads", bucket, prefix)
        found = sorted((key, upload_id) for upload_id, (other, key, _) in self.uploads.items() if other == bucket)
        return ((key, name, self.begun.get(name, 0.0)) for key, name in found if key.startswith(prefix))

    def _parts(self, upload_id: str) -> dict[int, bytes]:
        if upload_id not in self.uploads:
            raise NoSuchUploadError(f"upload {upload_id}")
        return self.uploads[upload_id][2]

    def upload_part(self, bucket: str, key: str, upload_id: str, number: int, data: Body) -> str:
        """See `Uploads.upload_part`."""
        self._note("upload_part", bucket, key)
        if not 1 <= number <= 10_000:
            raise FatalError(f"part number {number} is not in 1..10000")
        part = _whole(data)
        with self._lock:
            self._parts(upload_id)[number] = part
        return _etag(part)

    def list_parts(
        self, bucket: str, key: str, upload_id: str, *, first: int = 1, count: int | None = None
    ) -> list[UploadedPart]:
        """See `Uploads.list_parts`."""
        self._note("list_parts", bucket, key)
        with self._lock:
            parts = sorted((number, data) for number, data in self._parts(upload_id).items() if number >= first)
        return [UploadedPart(number, len(data), _etag(data)) for number, data in parts[:count]]

    def complete_upload(self, bucket: str, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> str:
        """See `Uploads.complete_upload`."""
        self._note("complete_upload", bucket, key)
        with self._lock:
            stored = self._parts(upload_id)
            self._check_completion(stored, parts)
            if (bucket, key) in self.objects:
                raise ObjectChangedError(f"s3://{bucket}/{key} exists")
            etag = self._put(bucket, key, b"".join(stored[part.number] for part in parts))
            del self.uploads[upload_id]
        return etag

    @staticmethod
    def _check_completion(stored: dict[int, bytes], parts: Sequence[UploadedPart]) -> None:
        numbers = [part.number for part in parts]
        if numbers != sorted(set(numbers)):
            raise FatalError("InvalidPartOrder")
        for part in parts:
            if part.number not in stored or _etag(stored[part.number]) != part.etag:
                raise FatalError(f"InvalidPart: {part.number}")
        if any(len(stored[number]) < MIN_PART_BYTES for number in numbers[:-1]):
            raise FatalError("EntityTooSmall")

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """See `Uploads.abort_upload`."""
        self._note("abort_upload", bucket, key)
        self.uploads.pop(upload_id, None)

    def delete(self, bucket: str, key: str) -> None:
        """See `ObjectWriter.delete`."""
        self._note("delete", bucket, key)
        self.objects.pop((bucket, key), None)

    def presign(self, bucket: str, key: str, seconds: int, file_name: str, content_type: str = "") -> str:
        """See `Links.presign`."""
        kind = f"&type={content_type}" if content_type else ""
        return f"https://{bucket}.example/{key}?expires={seconds}&name={file_name}{kind}"

    def presign_upload(self, bucket: str, key: str, seconds: int, n_bytes: int) -> str:
        """See `Links.presign_upload`."""
        return f"https://{bucket}.example/{key}?expires={seconds}&bytes={n_bytes}"
