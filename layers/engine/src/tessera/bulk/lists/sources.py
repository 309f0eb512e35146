"""Open lists: files, URLs, bytes and open files, packed or not, up to a number of bytes."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, Any

from tessera.errors import UnreadableFileError
from tessera.io.sources import open_source
from tessera.io.temporary import SourceReader, find_unpacker, packing_errors

_PIECE = 1 << 20


class _Limited(io.RawIOBase):
    """A stream that ends with an error after a number of bytes."""

    def __init__(self, inner: IO[bytes], name: str, most: int) -> None:
        self._inner, self._name, self._left, self._most = inner, name, most, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        with packing_errors(self._name):
            piece = self._inner.read(min(len(view), _PIECE))
        self._left -= len(piece)
        if self._left < 0:
            raise UnreadableFileError(self._name, f"it has more than {self._most:,} bytes")
        view[: len(piece)] = piece
        return len(piece)


@contextmanager
def open_list(source: Any, most_bytes: int) -> Iterator[tuple[str, io.BufferedReader[Any]]]:
    """Open a list.

    Parameters
    ----------
    source : str, Path, bytes, or binary file object
        Path or URL; the content; or an open file, which is read from where it is and stays open.
    most_bytes : int
        Largest number of bytes, after they are unpacked.

    Yields
    ------
    name : str
        Name of the file.
    stream : BufferedReader
        The unpacked bytes. After `most_bytes` bytes it raises an `UnreadableFileError`.

    Raises
    ------
    UnreadableFileError
        When the file cannot be read.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield "the list", _unpacked(io.BytesIO(source), "the list", most_bytes)
    elif isinstance(source, (str, os.PathLike)):
        file = open_source(source, unpack=False)
        try:
            with io.BufferedReader(SourceReader(file), _PIECE) as stream:
                yield file.name, _unpacked(stream, file.name, most_bytes)
        finally:
            file.close()
    else:
        name = PurePath(str(getattr(source, "name", "the list"))).name
        if not _gives_bytes(source):
            raise UnreadableFileError(name, "it is closed, or open as text; allowed: a file that is open in mode 'rb'")
        yield name, _unpacked(source, name, most_bytes)


def _gives_bytes(file: Any) -> bool:
    try:
        return isinstance(file.read(0), bytes)
    except (OSError, ValueError, TypeError):
        return False


def _unpacked(file: Any, name: str, most: int) -> io.BufferedReader[Any]:
    stream: io.BufferedReader[Any] = io.BufferedReader(_Limited(file, name, most), _PIECE)
    unpack = find_unpacker(stream.peek(6)[:6])
    return stream if unpack is None else io.BufferedReader(_Limited(unpack(stream), name, most), _PIECE)
