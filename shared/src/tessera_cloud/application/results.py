"""Answers on their way out: inline while they are small, and otherwise an object that clients are sent to."""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Protocol

from tessera import __version__
from tessera_cloud.errors import ObjectChangedError, ObjectMissingError
from tessera_cloud.ports import ObjectReader, ObjectWriter, UploadedPart, Uploads

INLINE_LIMIT = 4_000_000
"""Largest answer in bytes that is sent inline: base64 makes it 5.3 MB of Lambda's 6 MB."""
PART_BYTES = 16_000_000
LINK_SECONDS = 900
ZIP64_FROM = 2_000_000_000
"""Bytes from which a member of an archive is written with long sizes."""
NO_DATA = "No FFIs found for input target. Cutout not performed."


def order_id(*parts: object) -> str:
    """Hash of what is asked for and of what it is made of: 32 hexadecimal digits.

    Parameters
    ----------
    parts : object
        Values of JSON. The version of Tessera is always part of the hash, because another one may give other bytes.
    """
    return hashlib.sha256(json.dumps([__version__, *parts], sort_keys=True).encode()).hexdigest()[:32]


class ResultStore(ObjectWriter, Uploads, Protocol):
    """Where results go: small ones whole, large ones in parts."""


class ResultWriter(io.RawIOBase):
    """A file that becomes an object part by part, or stays in memory when it is small.

    A part is uploaded while the next one is made.

    Parameters
    ----------
    store : ResultStore
        Where it goes.
    bucket, key : str
        What it becomes.
    """

    def __init__(self, store: ResultStore, bucket: str, key: str) -> None:
        self._store, self._bucket, self._key = store, bucket, key
        self._pending = bytearray()
        self._upload_id: str | None = None
        self._parts: list[UploadedPart] = []
        self._pool = ThreadPoolExecutor(1)
        self._sending: Future[UploadedPart] | None = None
        self.n_bytes = 0

    def writable(self) -> bool:
        """Whether it can be written: always."""
        return True

    def write(self, data: Any) -> int:
        """Take some bytes."""
        view = memoryview(data).cast("B")
        self._pending += view
        self.n_bytes += len(view)
        while len(self._pending) >= PART_BYTES:
            self._send(bytes(self._pending[:PART_BYTES]))
            del self._pending[:PART_BYTES]
        return len(view)

    def _send(self, part: bytes) -> None:
        if self._upload_id is None:
            self._upload_id = self._store.begin_upload(self._bucket, self._key)
        self._arrive()
        self._sending = self._pool.submit(self._upload, self._upload_id, len(self._parts) + 1, part)

    def _upload(self, upload_id: str, number: int, part: bytes) -> UploadedPart:
        etag = self._store.upload_part(self._bucket, self._key, upload_id, number, part)
        return UploadedPart(number, len(part), etag)

    def _arrive(self) -> None:
        """Wait for the part that is under way."""
        if self._sending is not None:
            sending, self._sending = self._sending, None
            self._parts.append(sending.result())

    def finish(self) -> bytes | None:
        """The whole content where it is small enough to be sent inline; otherwise None, and the object is there."""
        if self._upload_id is None and self.n_bytes <= INLINE_LIMIT:
            return bytes(self._pending)
        self.keep()
        return None

    def keep(self) -> None:
        """Make the object, however small."""
        if self._upload_id is None:
            self._store.write(self._bucket, self._key, bytes(self._pending))
            return
        if self._pending:
            self._send(bytes(self._pending))
        self._arrive()
        try:
            self._store.complete_upload(self._bucket, self._key, self._upload_id, self._parts)
        except ObjectChangedError:  # the same answer was given to somebody else in the meantime
            self._store.abort_upload(self._bucket, self._key, self._upload_id)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing half-written behind."""
        self._pool.shutdown()
        if error is not None and self._upload_id is not None:
            self._store.abort_upload(self._bucket, self._key, self._upload_id)
        super().__exit__(kind, error, trace)


def exists(store: ObjectReader, bucket: str, key: str) -> bool:
    """Whether there is an object at a key."""
    try:
        store.head(bucket, key)
    except ObjectMissingError:
        return False
    return True
