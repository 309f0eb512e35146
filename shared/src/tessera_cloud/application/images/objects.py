"""Files of images in an object store, for the engine: read by ranges, and pinned to the version that was listed."""

from __future__ import annotations

from typing import Any

from tessera.io.file_objects import ReadingSource
from tessera_cloud.application.images.messages import FoundImage
from tessera_cloud.errors import FatalError, ObjectChangedError, ObjectMissingError, TransientError
from tessera_cloud.ports import RangeReader

FIRST_BYTES = 34_560
"""Number of bytes that are read of a file first. They hold most headers, and are a multiple of a FITS block."""
STORE_ERRORS = (ObjectMissingError, ObjectChangedError, TransientError, FatalError)


class ObjectSource(ReadingSource):
    """An object as `tessera.io.sources.Source`.

    The engine turns every error into a reason. So `error` keeps the store's error for callers that need its class.

    Parameters
    ----------
    store : RangeReader
        Store of the object.
    found : FoundImage
        Place and version of the object.
    """

    remote = True

    def __init__(self, store: RangeReader, found: FoundImage) -> None:
        super().__init__(found.name, found.size, found.etag)
        self._store, self._found = store, found
        self._data = b""
        self.error: Exception | None = None

    def read(self, start: int, length: int) -> bytes:
        """See `tessera.io.sources.Source.read`."""
        if not self._data and self.size:
            self._data = self._ask(0, min(FIRST_BYTES, self.size))
        if start + length <= len(self._data):
            return self._data[start : start + length]
        if start + length > self.size:
            raise OSError(f"{self.name} ends at byte {self.size:,}; cannot read {length:,} bytes from {start:,} on")
        return self._ask(start, length)

    def _ask(self, start: int, length: int) -> bytes:
        found = self._found
        try:
            data: Any = self._store.read_range(found.bucket, found.key, start, length, found.etag)
        except STORE_ERRORS as error:
            self.error = error
            raise OSError(str(error)) from error
        return bytes(data)
