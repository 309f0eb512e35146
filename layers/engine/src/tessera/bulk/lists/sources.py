"""Open lists: files, URLs, bytes and open files, packed or not, up to a number of bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, Any

from tessera.errors import UnreadableFileError
from tessera.io.sources import Source, open_source

_PIECE = 1 << 20


class _Limited(io.RawIOBase):
    """A stream that ends with an error after a number of bytes."""

    def __init__(self, inner: IO[bytes], name: str, most: int) -> None:
        self._inner, self._name, self._left, self._most = inner, name, most, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        try:
            piece = self._inner.read(min(len(view), _PIECE))
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise UnreadableFileError(self._name, f"it is damaged: {error}") from error
        self._left -= len(piece)
        if self._left < 0:
            raise UnreadableFileError(self._name, f"it has more than {self._most:,} bytes")
        view[: len(piece)] = piece
        return len(piece)


class _SourceStream(io.RawIOBase):
    """The bytes of a source from its beginning to its end."""

    def __init__(self, source: Source) -> None:
        self._source, self._place = source, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._source.read(self._place, min(len(view), self._source.size - self._place))
        self._place += len(piece)
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
            with io.BufferedReader(_SourceStream(file), _PIECE) as stream:
                yield file.name, _unpacked(stream, file.name, most_bytes)
        finally:
            file.close()
    else:
        name = PurePath(str(getattr(source, "name", "the list"))).name
        yield name, _unpacked(source, name, most_bytes)


def _unpacked(file: Any, name: str, most: int) -> io.BufferedReader[Any]:
    stream: io.BufferedReader[Any] = io.BufferedReader(_Limited(file, name, most), _PIECE)
    start = stream.peek(6)[:6]
    unpack: Any = None
    if start.startswith(b"\x1f\x8b"):
        unpack = gzip.GzipFile(fileobj=stream)
    elif start.startswith(b"BZh"):
        unpack = bz2.BZ2File(stream)
    elif start.startswith(b"\xfd7zXZ"):
        unpack = lzma.LZMAFile(stream)  # noqa: SIM115 - what it reads is closed
    if unpack is not None:
        stream = io.BufferedReader(_Limited(unpack, name, most), _PIECE)
    return stream
