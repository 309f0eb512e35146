"""The object store in memory: the double for tests, with S3's rules, counting what is asked of it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tessera.plans import MIN_PART_BYTES
from tessera_cloud.errors import FatalError, NoSuchUploadError, ObjectChangedError, ObjectMissingError, TransientError
from tessera_cloud.ports import Buffer, ObjectInfo, UploadedPart


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
    """

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    uploads: dict[str, tuple[str, str, dict[int, bytes]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _note(self, operation: str, bucket: str, key: str) -> None:
        with self._lock:
            self.requests.append((operation, bucket, key))

    def _get(self, bucket: str, key: str) -> bytes:
        try:
            return self.objects[bucket, key]
        except KeyError as error:
            raise ObjectMissingError(f"s3://{bucket}/{key}") from error

    def list_objects(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """See `ObjectStore.list_objects`."""
        self._note("list", bucket, prefix)
        for (other, key), data in sorted(self.objects.items()):
            if other == bucket and key.startswith(prefix):
                yield ObjectInfo(key, len(data), _etag(data))

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        self._note("head", bucket, key)
        data = self._get(bucket, key)
        return ObjectInfo(key, len(data), _etag(data))

    def read(self, bucket: str, key: str) -> tuple[bytes, ObjectInfo]:
        """See `ObjectStore.read`."""
        self._note("read", bucket, key)
        data = self._get(bucket, key)
        return data, ObjectInfo(key, len(data), _etag(data))

    def read_range(self, bucket: str, key: str, start: int, length: int, etag: str | None = None) -> Buffer:
        """See `ObjectStore.read_range`."""
        self._note("read_range", bucket, key)
        data = self._get(bucket, key)
        if etag is not None and _etag(data) != etag:
            raise ObjectChangedError(f"s3://{bucket}/{key}: its ETag is no longer {etag}")
        piece = data[start : start + length]
        if len(piece) != length:
            raise TransientError(f"s3://{bucket}/{key}: {len(piece)} bytes came for {start}-{start + length - 1}")
        return piece

    def write(self, bucket: str, key: str, data: bytes, *, only_over: str | None = None, only_new: bool = False) -> str:
        """See `ObjectStore.write`."""
        self._note("write", bucket, key)
        with self._lock:
            existing = self.objects.get((bucket, key))
            if only_new and existing is not None:
                raise ObjectChangedError(f"s3://{bucket}/{key} exists")
            if only_over is not None and (existing is None or _etag(existing) != only_over):
                raise ObjectChangedError(f"s3://{bucket}/{key} is not {only_over}")
            self.objects[bucket, key] = bytes(data)
        return _etag(data)

    def begin_upload(self, bucket: str, key: str) -> str:
        """See `ObjectStore.begin_upload`."""
        self._note("begin_upload", bucket, key)
        upload_id = f"upload-{len(self.requests)}"
        self.uploads[upload_id] = (bucket, key, {})
        return upload_id

    def _parts(self, upload_id: str) -> dict[int, bytes]:
        if upload_id not in self.uploads:
            raise NoSuchUploadError(f"upload {upload_id}")
        return self.uploads[upload_id][2]

    def upload_part(self, bucket: str, key: str, upload_id: str, number: int, data: Buffer) -> str:
        """See `ObjectStore.upload_part`."""
        self._note("upload_part", bucket, key)
        if not 1 <= number <= 10_000:
            raise FatalError(f"part number {number} is not in 1..10000")
        part = bytes(memoryview(data).cast("B"))
        self._parts(upload_id)[number] = part
        return _etag(part)

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[UploadedPart]:
        """See `ObjectStore.list_parts`."""
        self._note("list_parts", bucket, key)
        parts = self._parts(upload_id)
        return [UploadedPart(number, len(data), _etag(data)) for number, data in sorted(parts.items())]

    def complete_upload(self, bucket: str, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> str:
        """See `ObjectStore.complete_upload`."""
        self._note("complete_upload", bucket, key)
        stored = self._parts(upload_id)
        numbers = [part.number for part in parts]
        if numbers != sorted(set(numbers)):
            raise FatalError("InvalidPartOrder")
        for part in parts:
            if part.number not in stored or _etag(stored[part.number]) != part.etag:
                raise FatalError(f"InvalidPart: {part.number}")
        if any(len(stored[number]) < MIN_PART_BYTES for number in numbers[:-1]):
            raise FatalError("EntityTooSmall")
        data = b"".join(stored[number] for number in numbers)
        self.objects[bucket, key] = data
        del self.uploads[upload_id]
        return _etag(data)

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """See `ObjectStore.abort_upload`."""
        self._note("abort_upload", bucket, key)
        self.uploads.pop(upload_id, None)

    def presign(self, bucket: str, key: str, seconds: int, file_name: str) -> str:
        """See `ObjectStore.presign`."""
        return f"https://{bucket}.example/{key}?expires={seconds}&name={file_name}"
