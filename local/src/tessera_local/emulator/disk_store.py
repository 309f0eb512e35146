"""S3 object store on disk for LocalStack 4.9.2, whose community edition forgets everything when it ends.

Bytes lie in immutable segment files, and an object is a list of segments. Each write makes a new segment, so a reader
never sees a half-written object. Completing a multipart upload joins the lists of its parts, without a copy. Metadata
(buckets, objects, uploads) are saved as one pickle, which is replaced atomically soon after a change and at the end.
Segments that the saved metadata do not name are removed a minute later, or at the next start. So after ``kill -9`` the
next start sees exactly the last saved state.
"""

import base64
import hashlib
import logging
import os
import pickle
import re
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from localstack.services.s3.models import S3Multipart, S3Object, S3Part, s3_stores
from localstack.services.s3.storage.core import LimitedStream, S3ObjectStore, S3StoredMultipart, S3StoredObject
from localstack.services.s3.utils import ObjectRange, get_s3_checksum

LOG = logging.getLogger(__name__)
CHUNK = 1 << 20
GRACE_SECONDS = 60.0
SAVE_EVERY_SECONDS = 0.5
_SEGMENT_NAME = re.compile(rb"segment-[0-9a-f]{32}")


class Segment(NamedTuple):
    """An immutable file, by its name and its size in bytes."""

    name: str
    size: int


class DiskObject(S3StoredObject):  # type: ignore[misc]  # LocalStack is not installed where mypy runs
    """Bytes of one object or part, read across its segments."""

    def __init__(
        self, store: "DiskStore", s3_object: S3Object | S3Part, mode: Literal["r", "w"], lock: "threading.RLock | None"
    ) -> None:
        super().__init__(s3_object=s3_object, mode=mode)
        self._store = store
        self._position = 0
        self._digest: bytes | None = None
        self.closed: bool
        self._lock = lock
        if lock:
            lock.acquire()

    @property
    def segments(self) -> list[Segment]:
        """Segments in the order of their bytes."""
        return getattr(self.s3_object, "segments", [])

    def close(self) -> None:
        """Release the writer's lock."""
        if self._lock and not self.closed:
            self._lock.release()
        self.closed = True

    def write(self, s: IO[bytes] | S3StoredObject | None) -> int:
        """Copy a stream into a new segment and make it the content of the object."""
        algorithm = self.s3_object.checksum_algorithm
        digest = get_s3_checksum(algorithm) if algorithm else None
        md5, size, name = hashlib.md5(usedforsecurity=False), 0, f"segment-{uuid.uuid4().hex}"
        with (self._store.root / name).open("wb") as file:  # the raw file may write less
            while s is not None and (data := s.read(CHUNK)):
                file.write(data)
                md5.update(data)
                if digest:
                    digest.update(data)
                size += len(data)
        self.s3_object.segments = [Segment(name, size)]
        self.s3_object.size, self.s3_object.etag = size, md5.hexdigest()
        self.s3_object.internal_last_modified = time.time_ns()
        self._digest = digest.digest() if digest else None
        return size

    def append(self, part: "DiskObject") -> int:
        """Append the segments of a part."""
        self.s3_object.segments = [*self.segments, *part.segments]
        self.s3_object.size = sum(segment.size for segment in self.segments)
        self.s3_object.internal_last_modified = time.time_ns()
        return sum(segment.size for segment in part.segments)

    def truncate(self, size: int | None = None) -> int:
        """Drop the content. Only the size 0 is used."""
        self.s3_object.segments = []
        self.s3_object.size = 0
        return 0

    def read(self, s: int = -1) -> bytes:
        """Read at most `s` bytes from the position. At the end of a segment there may be fewer, b"" only at the end."""
        if s is None or s < 0:
            return b"".join(self)
        start = 0
        for segment in self.segments:
            if self._position < start + segment.size:
                offset = self._position - start
                data = self._store.read_segment(segment, offset, min(s, segment.size - offset))
                self._position += len(data)
                return data
            start += segment.size
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position as `io.IOBase.seek` does."""
        base: int = (0, self._position, self.s3_object.size)[whence]
        self._position = max(0, base + offset)
        return self._position

    def __iter__(self) -> Iterator[bytes]:
        amount = CHUNK // 16
        while data := self.read(amount):
            yield data
            amount = min(CHUNK, 2 * amount)

    @property
    def last_modified(self) -> int:
        """Time of the last write in nanoseconds."""
        return int(self.s3_object.internal_last_modified)

    @property
    def etag(self) -> str:
        """MD5 in hexadecimal, as computed while writing."""
        return str(self.s3_object.etag)

    @property
    def checksum(self) -> str | None:
        """Checksum in the object's algorithm, in base64."""
        algorithm = self.s3_object.checksum_algorithm
        if not algorithm:
            return None
        return base64.b64encode(self._digest or self._digest_of_content(algorithm)).decode()

    def _digest_of_content(self, algorithm: str) -> bytes:
        digest = get_s3_checksum(algorithm)
        for data in DiskObject(self._store, self.s3_object, "r", None):
            digest.update(data)
        return bytes(digest.digest())


class DiskMultipart(S3StoredMultipart):  # type: ignore[misc]  # see DiskObject
    """A multipart upload. Each part is a list of one segment, kept on LocalStack's own S3Part."""

    def open(self, s3_part: S3Part, mode: Literal["r", "w"] = "r") -> DiskObject:
        """Open a part."""
        return DiskObject(self._s3_store, s3_part, mode, None)

    def remove_part(self, s3_part: S3Part) -> None:
        """Drop a part that failed its checks."""
        s3_part.segments = []

    def complete_multipart(self, parts: list[S3Part]) -> None:
        """Join the parts into the object without a copy, and read them only if a checksum was requested."""
        if not self.s3_multipart.checksum_algorithm:
            self.s3_multipart.object.checksum_algorithm = None
        with self._s3_store.open(self.bucket, self.s3_multipart.object, mode="w") as whole:
            whole.truncate()
            for part in parts:
                whole.append(self.open(part))

    def close(self) -> None:
        """Do nothing, because nothing is open."""

    def copy_from_object(
        self, s3_part: S3Part, src_bucket: str, src_s3_object: S3Object, range_data: ObjectRange | None
    ) -> None:
        """Fill a part from a stored object or a range of it."""
        with self._s3_store.open(src_bucket, src_s3_object) as source, self.open(s3_part, mode="w") as part:
            part.write(LimitedStream(source, range_data=range_data) if range_data else source)
            if s3_part.checksum_algorithm:
                s3_part.checksum_value = part.checksum


class DiskStore(S3ObjectStore):  # type: ignore[misc]  # see DiskObject
    """LocalStack's S3 storage in a directory, with the metadata that a restart needs."""

    def __init__(self, root_directory: str) -> None:
        self.root_directory = root_directory
        self.root = Path(root_directory) / "segments"
        self.root.mkdir(parents=True, exist_ok=True)
        self._metadata = Path(root_directory) / "metadata.pickle"
        self._key_locks: defaultdict[tuple[str, str], threading.RLock] = defaultdict(threading.RLock)
        self._save_lock = threading.Lock()
        self._changed = threading.Event()
        self._restore()
        threading.Thread(target=self._keep_saving, name="s3-metadata", daemon=True).start()

    def open(self, bucket: str, s3_object: S3Object, mode: Literal["r", "w"] = "r") -> DiskObject:
        """Open an object. Writers of one key wait for each other; readers never wait."""
        lock = self._key_locks[bucket, s3_object.key] if mode == "w" else None
        return DiskObject(self, s3_object, mode, lock)

    def read_segment(self, segment: Segment, offset: int, amount: int) -> bytes:
        """Read one piece of a segment file."""
        with (self.root / segment.name).open("rb", buffering=0) as file:
            return os.pread(file.fileno(), amount, offset)

    def remove(self, bucket: str, s3_object: S3Object | list[S3Object]) -> None:
        """Do nothing. Segments that the metadata do not name are removed later."""

    def copy(self, src_bucket: str, src_object: S3Object, dest_bucket: str, dest_object: S3Object) -> DiskObject:
        """Let two objects share their immutable segments."""
        dest_object.segments = list(src_object.segments)
        dest_object.size, dest_object.etag = src_object.size, src_object.etag
        dest_object.internal_last_modified = time.time_ns()
        return DiskObject(self, dest_object, "r", None)

    def get_multipart(self, bucket: str, upload_id: S3Multipart) -> DiskMultipart:
        """Open a multipart upload."""
        return DiskMultipart(self, bucket, upload_id)

    def remove_multipart(self, bucket: str, s3_multipart: S3Multipart) -> None:
        """Do nothing; see `remove`."""

    def note_change(self, _chain: object, context: Any, _response: object) -> None:
        """Response handler of LocalStack: save soon after each request that is not a plain read."""
        if context.request.method not in ("GET", "HEAD"):
            self._changed.set()

    def flush(self) -> None:
        """Write the metadata now, atomically."""
        with self._save_lock:
            state = _capture()
            fresh = self._metadata.with_suffix(".new")
            with fresh.open("wb") as file:
                file.write(state)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._metadata)
            self._sweep(state, older_than=time.time() - GRACE_SECONDS)

    def close(self) -> None:
        """Save the last time."""
        self.flush()

    def _keep_saving(self) -> None:
        """Save after changes, for at most a tenth of the time, and once after a quiet minute to remove old segments."""
        pause, swept = SAVE_EVERY_SECONDS, True
        while True:
            changed = self._changed.wait(GRACE_SECONDS + 1)
            if not changed and swept:
                continue
            time.sleep(pause)
            self._changed.clear()
            started = time.monotonic()
            try:
                self.flush()
            except OSError:
                LOG.exception("S3 metadata could not be saved; trying again")
                self._changed.set()
            pause = max(SAVE_EVERY_SECONDS, 10 * (time.monotonic() - started))
            swept = not changed

    def _sweep(self, state: bytes, older_than: float) -> None:
        named = {name.decode() for name in _SEGMENT_NAME.findall(state)}
        for entry in os.scandir(self.root):
            if entry.name not in named and entry.stat().st_mtime < older_than:
                Path(entry.path).unlink()

    def _restore(self) -> None:
        state = self._metadata.read_bytes() if self._metadata.exists() else b""
        try:
            accounts, universal = pickle.loads(state) if state else ({}, {})  # noqa: S301 - own file
        except Exception:
            LOG.exception("S3 metadata unreadable: starting with empty buckets")
            accounts, universal, state = {}, {}, b""
        for account, shared in accounts.items():
            s3_stores[account]["us-east-1"]._global.update(shared)
            for bucket in shared.get("buckets", {}).values():
                self._drop_incomplete(bucket)
        s3_stores._universal.update(universal)
        self._sweep(state, older_than=float("inf"))

    def _drop_incomplete(self, bucket: Any) -> None:
        for s3_object in bucket.objects.values(with_versions=True):
            if not all(self._is_whole(segment) for segment in getattr(s3_object, "segments", [])):
                LOG.error("%s/%s lost its bytes and is dropped", bucket.name, s3_object.key)
                bucket.objects.pop(s3_object.key)

    def _is_whole(self, segment: Segment) -> bool:
        path = self.root / segment.name
        return path.exists() and path.stat().st_size == segment.size


def _capture() -> bytes:
    """Pickle of the attributes of LocalStack's S3 stores: those of each account, and those of all accounts."""
    while True:
        try:
            accounts = {account: dict(regions._global) for account, regions in dict(s3_stores).items()}
            return pickle.dumps((accounts, dict(s3_stores._universal)), protocol=5)
        except RuntimeError:  # a request has just changed a dictionary
            time.sleep(0.01)
