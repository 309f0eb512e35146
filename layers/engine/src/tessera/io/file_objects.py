"""Read files of images by ranges of bytes: local, remote, packed or open files. astropy reads through `SourceFile`."""

from __future__ import annotations

import abc
import os
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, BinaryIO, TypeAlias, cast

from astropy.io import fits

from tessera.io.filesystems import FsspecSource
from tessera.io.locations import S3, InFileSystem, location_text, scheme_of
from tessera.io.ranges import REQUESTS_IN_FLIGHT, ByteRange, SeekableFile, plan_requests
from tessera.io.sources import FIRST_BYTES, Location, Source, open_source
from tessera.io.temporary import unpacked

MERGE_GAP = 16 << 10
"""Largest gap in bytes between two ranges that is read to save a request."""
LARGEST_READ = 2 << 20
"""Largest number of bytes of one request. Longer ranges are divided, because several connections are faster."""

ImageInput: TypeAlias = "Location | BinaryIO | Source | fits.HDUList"
"""Local path, ``s3://`` or ``https://`` URL, binary file object, `Source`, or HDUList."""


class ReadingSource(abc.ABC):
    """Base of sources that only define how bytes are read; see `tessera.io.sources.Source`.

    Parameters
    ----------
    name : str
        File name.
    size : int
        Size of the file in bytes.
    version : str, optional
        See `tessera.io.sources.Source`. The default is the size.
    """

    remote = False

    def __init__(self, name: str, size: int, version: str = "") -> None:
        self.name, self.size = name, size
        self.version = version or str(size)

    @abc.abstractmethod
    def read(self, start: int, length: int) -> bytes:
        """See `tessera.io.sources.Source.read`."""

    def read_buffer(self, start: int, length: int) -> bytes:
        """See `tessera.io.sources.Source.read_buffer`."""
        return self.read(start, length)

    def read_pieces(self, start: int, length: int, at_least: int) -> Iterator[bytes]:  # noqa: ARG002 - all at once
        """See `tessera.io.sources.Source.read_pieces`. One piece."""
        yield self.read(start, length)

    def read_into(self, start: int, out: Any) -> None:
        """See `tessera.io.sources.Source.read_into`."""
        view = memoryview(out).cast("B")
        view[:] = self.read(start, len(view))

    @property
    def key(self) -> tuple[Any, ...] | None:
        """See `tessera.io.sources.Source.key`."""
        return None

    def confirm(self) -> None:  # noqa: B027 - see below
        """See `tessera.io.sources.Source.confirm`."""

    def expect(self, ranges: Iterable[ByteRange], pool: Executor) -> None:  # noqa: B027 - see below
        """See `tessera.io.sources.Source.expect`."""

    def check_unchanged(self) -> None:  # noqa: B027 - what is pinned or in memory does not change
        """See `tessera.io.sources.Source.check_unchanged`."""

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """See `tessera.io.sources.Source.close`."""


class MemorySource(ReadingSource):
    """A file whose bytes are in memory.

    Parameters
    ----------
    name : str
        File name.
    data : bytes
        Content of the file.
    """

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(name, len(data))
        self._data = data

    def read(self, start: int, length: int) -> bytes:
        """See `tessera.io.sources.Source.read`."""
        data = self._data[start : start + length]
        if len(data) != length:
            raise OSError(f"{self.name} ends at byte {self.size:,}; {length:,} bytes from byte {start:,} are needed")
        return data


class FileObjectSource(ReadingSource):
    """A binary file object that the user opened. `close` does not close it.

    Parameters
    ----------
    file : file object
        Binary file object with ``read`` and ``seek``.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(str(getattr(file, "name", "") or "file"), file.seek(0, os.SEEK_END))
        self._file, self._lock = file, threading.Lock()

    def read(self, start: int, length: int) -> bytes:
        """See `tessera.io.sources.Source.read`."""
        with self._lock:
            self._file.seek(start)
            data = self._file.read(length)
        if len(data) != length:
            raise OSError(f"{self.name} ends at byte {start + len(data):,}, {length - len(data):,} bytes too early")
        return data


def label_of(item: ImageInput, number: int) -> Location:
    """Name of an input in results: its path or URL as it was given, or the name of an open file or HDUList."""
    if isinstance(item, (str, os.PathLike)):
        return item
    name = item.filename() if isinstance(item, fits.HDUList) else getattr(item, "name", None)
    return str(name) if isinstance(name, (str, os.PathLike)) else f"input-{number + 1}"


def open_image_source(item: Location | BinaryIO | Source, fsspec_options: Mapping[str, Any] | None = None) -> Source:
    """Open a file of images for reading by ranges.

    A file that is packed with gzip, bzip2 or xz cannot be read in parts. It is read and unpacked as a whole.

    Parameters
    ----------
    item : str, Path, file object or Source
        File to open. A `MemorySource` is used as it is.
    fsspec_options : mapping, optional
        Arguments for fsspec. With them, fsspec opens all URLs.

    Raises
    ------
    OSError
        When the file cannot be read or unpacked.
    """
    if isinstance(item, (str, os.PathLike)):
        text = location_text(item)
        if not fsspec_options or isinstance(text, InFileSystem) or scheme_of(text) in ("", "file"):
            return open_source(item)
        source: Source = FsspecSource(text, _with_access(text, fsspec_options))
    elif isinstance(item, ReadingSource):
        source = item
    else:
        source = FileObjectSource(cast("BinaryIO", item))
    try:
        return unpacked(source)
    except BaseException:
        source.close()
        raise


def _with_access(url: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Arguments of a file system. S3 is read anonymously if they contain no credentials."""
    said = {"anon", "key", "secret", "token", "profile", "session"} & set(options)
    return options if said or scheme_of(url) not in S3 else {"anon": True, **options}


@lru_cache
def _pool() -> ThreadPoolExecutor:
    """Threads that read ranges. All images share them, so a batch does not create more threads."""
    return ThreadPoolExecutor(REQUESTS_IN_FLIGHT, "tessera-ranges")


def read_ranges(source: Source, ranges: Sequence[ByteRange]) -> list[Any]:
    """Read ranges of bytes, and return them in order. Ranges of a remote file are read simultaneously."""
    if not source.remote or len(ranges) == 1:
        return [source.read_buffer(item.start, item.length) for item in ranges]
    return list(_pool().map(lambda item: source.read_buffer(item.start, item.length), ranges))


class SourceFile(SeekableFile):
    """A file object through which astropy reads a source.

    `prefetch` reads ranges in advance. Other bytes are read in larger pieces, which are kept.

    Parameters
    ----------
    source : Source
        Source to read. Closing the file object does not close it.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._starts: list[int] = []
        self._pieces: dict[int, Any] = {}
        self.name = source.name

    def _end(self) -> int:
        return self._source.size

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` bytes from the position, and move the position. At the end of the file there are fewer."""
        left = max(0, self._source.size - self._position)
        data = self.read_at(self._position, left if size is None or size < 0 else min(size, left))
        self._position += len(data)
        return data

    def read_at(self, start: int, length: int) -> bytes:
        """Return exactly `length` bytes, or raise an OSError. Missing bytes are read now, with some that follow."""
        pieces = []
        while length:
            piece = self._piece(start, length)
            pieces.append(piece)
            start, length = start + len(piece), length - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def prefetch(self, ranges: Iterable[ByteRange]) -> None:
        """Read ranges of bytes together and keep them, so that a later read does not wait."""
        requests = plan_requests(ranges, MERGE_GAP, LARGEST_READ)
        wanted = [item for item in requests if len(self._known(item.start, item.length)) < item.length]
        for item, data in zip(wanted, read_ranges(self._source, wanted), strict=True):
            self._keep(item.start, data)

    def has(self, start: int, length: int) -> bool:
        """Whether these bytes are in memory, so that a read does not wait."""
        return len(self._known(start, length)) == length

    def forget(self) -> None:
        """Release all bytes in memory except the beginning of the file."""
        self._starts = self._starts[: bisect_right(self._starts, 0)]
        self._pieces = {start: self._pieces[start] for start in self._starts}

    def _known(self, start: int, length: int) -> bytes:
        """The first of these bytes, as many as one piece in memory holds."""
        for first in reversed(self._starts[: bisect_right(self._starts, start)]):
            data = self._pieces[first]
            if start < first + len(data):
                return bytes(memoryview(data)[start - first : start - first + length])
        return b""

    def _piece(self, start: int, length: int) -> bytes:
        """At least the first of these bytes; they are read if no piece in memory holds them."""
        known = self._known(start, length)
        if known:
            return known
        most = max(length, min(FIRST_BYTES, self._source.size - start))
        self._keep(start, self._source.read_buffer(start, most))
        return self._known(start, length)

    def _keep(self, start: int, data: Any) -> None:
        if start not in self._pieces or len(self._pieces[start]) < len(data):
            if start not in self._pieces:
                self._starts.insert(bisect_right(self._starts, start), start)
            self._pieces[start] = data
