"""Files of images as ranges of bytes: local, remote, packed, or already open; and a file object for astropy on top."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import threading
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, BinaryIO, TypeAlias, cast

from astropy.io import fits

from tessera.io.ranges import REQUESTS_IN_FLIGHT, ByteRange, plan_requests
from tessera.io.sources import FIRST_BYTES, Location, Source, open_source

MERGE_GAP = 16 << 10
"""Bytes that are read for nothing rather than that a request is sent for the next ones."""
LARGEST_READ = 2 << 20
"""Bytes of one request: longer ones are divided, as one connection is slower than several."""

ImageInput: TypeAlias = "Location | BinaryIO | Source | fits.HDUList"
"""Path, ``s3://`` or ``https://``, binary file object, source of ranges, or HDUList."""


class MemorySource:
    """A file whose bytes are at hand; see `tessera.io.sources.Source`.

    Parameters
    ----------
    name : str
        File name.
    data : bytes
        Its content.
    """

    remote = False

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self._data = name, data
        self.size = len(data)
        self.version = str(len(data))

    def read(self, start: int, length: int) -> bytes:
        """See `tessera.io.sources.Source.read`."""
        data = self._data[start : start + length]
        if len(data) != length:
            raise OSError(f"{self.name} ends at byte {self.size:,}; {length:,} bytes from {start:,} on are wanted")
        return data

    def read_buffer(self, start: int, length: int) -> bytes:
        """See `tessera.io.sources.Source.read_buffer`."""
        return self.read(start, length)

    def read_into(self, start: int, out: Any) -> None:
        """See `tessera.io.sources.Source.read_into`."""
        view = memoryview(out).cast("B")
        view[:] = self.read(start, len(view))

    def check_unchanged(self) -> None:
        """See `tessera.io.sources.Source.check_unchanged`; memory does not change."""

    def close(self) -> None:
        """See `tessera.io.sources.Source.close`."""


class FileObjectSource(MemorySource):
    """A binary file object that the user opened; it is not closed here.

    Parameters
    ----------
    file : file object
        With ``read`` and ``seek``.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(str(getattr(file, "name", "") or "file"), b"")
        self._file, self._lock = file, threading.Lock()
        self.size = file.seek(0, os.SEEK_END)
        self.version = str(self.size)

    def read(self, start: int, length: int) -> bytes:
        """See `tessera.io.sources.Source.read`."""
        with self._lock:
            self._file.seek(start)
            data = self._file.read(length)
        if len(data) != length:
            raise OSError(f"{self.name} ends at byte {start + len(data):,}, {length - len(data):,} bytes too early")
        return data


class FsspecSource(MemorySource):
    """An object that fsspec finds, for those who give it arguments of their own, such as credentials.

    Parameters
    ----------
    url : str
        With a protocol that fsspec knows.
    options : mapping
        Arguments of its file system.
    """

    remote = True

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        import fsspec  # noqa: PLC0415 - only those who give arguments for it need it

        self._files, self._path = fsspec.core.url_to_fs(url, **options)
        super().__init__(url.rpartition("/")[2], b"")
        about = self._files.info(self._path)
        self.size = int(about["size"])
        self.version = f"{self.size}-{about.get('ETag', '')}"

    def read(self, start: int, length: int) -> bytes:
        """See `tessera.io.sources.Source.read`; one request and no cache."""
        data = bytes(self._files.cat_file(self._path, start=start, end=start + length))
        if len(data) != length:
            raise OSError(f"{self.name}: {len(data)} of {length} bytes came from byte {start:,} on")
        return data


def label_of(item: ImageInput, number: int) -> Location:
    """How an input is called in results: as it was given, or what an open one says of itself."""
    if isinstance(item, (str, os.PathLike)):
        return item
    name = item.filename() if isinstance(item, fits.HDUList) else getattr(item, "name", None)
    return str(name) if isinstance(name, (str, os.PathLike)) else f"input-{number + 1}"


def open_image_source(item: Location | BinaryIO | Source, fsspec_options: Mapping[str, Any] | None = None) -> Source:
    """Open a file of images for reading by ranges.

    A file packed with gzip or bzip2 is fetched and unpacked whole, as it cannot be read in parts.

    Parameters
    ----------
    item : str, Path, file object or Source
        What to open; a source is taken as it is.
    fsspec_options : mapping, optional
        When given, addresses are opened by fsspec with these arguments.
    """
    source: Source
    if isinstance(item, MemorySource):
        source = item
    elif not isinstance(item, (str, os.PathLike)):
        source = FileObjectSource(cast("BinaryIO", item))
    elif "://" in os.fspath(item) and (fsspec_options or not os.fspath(item).startswith(("s3:", "http:", "https:"))):
        source = FsspecSource(os.fspath(item), _with_access(os.fspath(item), fsspec_options or {}))
    else:
        source = open_source(item)
    try:
        return _unpacked(source)
    except BaseException:
        source.close()
        raise


def _with_access(url: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Arguments of a file system; S3 is read anonymously if they say nothing of access."""
    said = {"anon", "key", "secret", "token", "profile", "session"} & set(options)
    return options if said or not url.startswith(("s3://", "s3a://")) else {"anon": True, **options}


def _unpacked(source: Source) -> Source:
    magic = source.read(0, min(source.size, 3))
    unpack = gzip.decompress if magic[:2] == b"\x1f\x8b" else bz2.decompress if magic == b"BZh" else None
    if unpack is None:
        return source
    try:
        data = unpack(source.read(0, source.size))
    except (OSError, EOFError, ValueError) as error:
        raise OSError(f"{source.name} cannot be unpacked: {error}") from error
    source.close()
    return MemorySource(source.name, data)


@lru_cache
def _pool() -> ThreadPoolExecutor:
    """Threads that read ranges, shared by all images: a batch does not multiply them."""
    return ThreadPoolExecutor(REQUESTS_IN_FLIGHT, "tessera-ranges")


def read_ranges(source: Source, ranges: Sequence[ByteRange]) -> list[Any]:
    """Read ranges of bytes, from a remote file all at once; the answers are in their order."""
    if not source.remote or len(ranges) == 1:
        return [source.read_buffer(item.start, item.length) for item in ranges]
    return list(_pool().map(lambda item: source.read_buffer(item.start, item.length), ranges))


class SourceFile(io.RawIOBase):
    """A file object on a source, for astropy, that reads what it was not told to fetch before in larger pieces.

    Parameters
    ----------
    source : Source
        It is not closed with the file object.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source, self._position = source, 0
        self._starts: list[int] = []
        self._pieces: dict[int, Any] = {}
        self.name = source.name

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._source.size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Bytes from the position on; fewer at the end of the file."""
        left = max(0, self._source.size - self._position)
        data = self.read_at(self._position, left if size is None or size < 0 else min(size, left))
        self._position += len(data)
        return data

    def read_at(self, start: int, length: int) -> bytes:
        """Exactly those bytes, or an OSError; what was not fetched before is read now, and somewhat more of it."""
        pieces = []
        while length:
            piece = self._piece(start, length)
            pieces.append(piece)
            start, length = start + len(piece), length - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def prefetch(self, ranges: Iterable[ByteRange]) -> None:
        """Fetch ranges of bytes together, so that reading them later does not wait."""
        requests = plan_requests(ranges, MERGE_GAP, LARGEST_READ)
        wanted = [item for item in requests if len(self._known(item.start, item.length)) < item.length]
        for item, data in zip(wanted, read_ranges(self._source, wanted), strict=True):
            self._keep(item.start, data)

    def forget(self) -> None:
        """Drop what was fetched, but for the begin of the file."""
        self._starts = self._starts[: bisect_right(self._starts, 0)]
        self._pieces = {start: self._pieces[start] for start in self._starts}

    def _known(self, start: int, length: int) -> bytes:
        """As many of those bytes as one piece holds."""
        for first in reversed(self._starts[: bisect_right(self._starts, start)]):
            data = self._pieces[first]
            if start < first + len(data):
                return bytes(memoryview(data)[start - first : start - first + length])
        return b""

    def _piece(self, start: int, length: int) -> bytes:
        """At least the first of those bytes."""
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
