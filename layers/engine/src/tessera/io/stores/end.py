"""The end of a remote file, in advance."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from tessera.io.sources import version_of
from tessera.io.stores.forks import Connections

_PARTS = 2
"""Number of requests that share the end."""
_CHUNK_BYTES = 64 << 10


class FileEnd:
    """The last bytes of a file, which are asked for together with the first ones, before its size is known.

    A range that is counted from the end reaches to the end. So two requests share the work: one reads the last half,
    and the other one is ended when it comes to that half. With one request, a first cutout takes a tenth longer.

    They are only an advance: if they do not come, or come from another version, they are asked for when they are read.

    Parameters
    ----------
    n_bytes : int
        Number of bytes, a multiple of two; 0 to ask for none.
    """

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes
        self._parts: list[_Part] = []

    def ask(self, store: Any, key: str) -> None:
        """Ask for them, in threads."""
        if self._n_bytes and not Connections.lost:
            pool = ThreadPoolExecutor(_PARTS, "tessera-end")
            length = self._n_bytes // _PARTS
            self._parts = [_Part(length) for _ in range(_PARTS)]
            for number, part in enumerate(self._parts):
                pool.submit(part.receive, store, key, self._n_bytes - number * length)
            pool.shutdown(wait=False)

    def reaches(self, stop: int, about: Any) -> bool:
        """Whether a range that ends before byte `stop` of the file has some of these bytes."""
        return bool(self._parts) and stop > int(about["size"]) - self._n_bytes

    def read(self, start: int, stop: int, about: Any) -> bytes:
        """The bytes up to `stop`, from `start` or from the first one that was asked for; none if there are none.

        It waits until these bytes have arrived.

        Parameters
        ----------
        start, stop : int
            Place of the first byte in the file, and of the byte after the last one.
        about : mapping
            Size and version of the file, as obstore returns them. Bytes of another version are not returned.
        """
        size, length = int(about["size"]), self._n_bytes // _PARTS
        if not self.reaches(stop, about):
            return b""
        edges = [max(0, size - number * length) for number in range(_PARTS, -1, -1)]
        start, found = max(start, edges[0]), []
        for part, (first, last) in zip(self._parts, pairwise(edges), strict=True):
            if start < last and first < stop:
                data = part.read(first, max(start, first), min(stop, last), about)
                if not data:
                    return b""
                found.append(data)
        return b"".join(found)


class _Part:
    """Bytes that one request receives, of which the first `length` are wanted."""

    def __init__(self, length: int) -> None:
        self._length, self._data, self._ended = length, bytearray(), False
        self._answer: Any = None
        self._changed = threading.Condition()

    def receive(self, store: Any, key: str, n_last: int) -> None:
        """Ask for the last `n_last` bytes, and receive those that are wanted."""
        from obstore import get  # noqa: PLC0415 - slow to import

        try:
            answer = get(store, key, options={"range": {"suffix": n_last}})
            self._answer = version_of(answer.meta), answer.range[0]
            for piece in answer.stream(min_chunk_size=_CHUNK_BYTES):
                with self._changed:
                    self._data += piece
                    self._changed.notify_all()
                if len(self._data) >= self._length:
                    break
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def read(self, first: int, start: int, stop: int, about: Any) -> bytes:
        """Bytes of the file, if `first` is the place of the part's first byte; none if they do not come."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(self._data) >= stop - first)
            data = bytes(self._data[start - first : stop - first])
        return data if self._answer == (version_of(about), first) and len(data) == stop - start else b""
