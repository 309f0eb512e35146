"""Answers of the API: small ones are sent inline, large ones become objects, and clients are redirected to them."""

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
"""Largest size in bytes of an inline answer. In base64 it has 5.3 MB, and Lambda allows 6 MB."""
PART_BYTES = 16_000_000
LINK_SECONDS = 900
NO_DATA = "No FFIs found for input target. Cutout not performed."


def order_id(*parts: object) -> str:
    """Hash of a request and the versions of its data: 32 hexadecimal digits.

    Parameters
    ----------
    parts : object
        Values that JSON can hold. The hash also depends on the version of Tessera, because another version may give
        other bytes.
    """
    return hashlib.sha256(json.dumps([__version__, *parts], sort_keys=True).encode()).hexdigest()[:32]


class ResultStore(ObjectWriter, Uploads, Protocol):
    """Store of results: small ones are written whole, large ones in parts."""


class ResultWriter(io.RawIOBase):
    """A file that is uploaded part by part, or stays in memory if it is small.

    While a part is uploaded, the next one can be written.

    Parameters
    ----------
    store : ResultStore
        Store of the object.
    bucket, key : str
        Bucket and key of the object.
    """

    def __init__(self, store: ResultStore, bucket: str, key: str) -> None:
        self._store, self._bucket, self._key = store, bucket, key
        self._pending = io.BytesIO()
        self._upload_id: str | None = None
        self._parts: list[UploadedPart] = []
        self._pool = ThreadPoolExecutor(1)
        self._sending: Future[UploadedPart] | None = None
        self.n_bytes = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Add bytes to the file."""
        rest = view = memoryview(data).cast("B")
        self.n_bytes += len(view)
        while rest:
            rest = rest[self._pending.write(rest[: PART_BYTES - self._pending.tell()]) :]
            if self._pending.tell() == PART_BYTES:
                self._send(self._pending.getvalue())
                self._pending = io.BytesIO()
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
        """Wait until the current part is uploaded."""
        if self._sending is not None:
            sending, self._sending = self._sending, None
            self._parts.append(sending.result())

    def finish(self) -> bytes | None:
        """End the file. Returns its content if it can be sent inline, else None after the upload is complete."""
        if self._upload_id is None and self.n_bytes <= INLINE_LIMIT:
            return self._pending.getvalue()
        self.keep()
        return None

    def keep(self) -> None:
        """End the file and write its object, even if it is small."""
        if self._upload_id is None:
            self._store.write(self._bucket, self._key, self._pending.getvalue())
            return
        if self._pending.tell():
            self._send(self._pending.getvalue())
        self._arrive()
        try:
            self._store.complete_upload(self._bucket, self._key, self._upload_id, self._parts)
        except ObjectChangedError:  # another request has stored the same answer meanwhile
            self._store.abort_upload(self._bucket, self._key, self._upload_id)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Abort the upload after an error."""
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
