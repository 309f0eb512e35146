"""Read files by ranges of bytes through file systems of fsspec, such as s3fs."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar, cast
from weakref import ref

from tessera.errors import InvalidInputError, RemoteError
from tessera.io.failures import as_remote_error
from tessera.io.locations import InFileSystem, OpensItself, file_name, scheme_of, shown
from tessera.io.ranges import ByteRange
from tessera.io.sources import FIRST_BYTES, LocalFile, ReplacedError

_VERSION = (
    "ETag",
    "etag",
    "e_tag",
    "VersionId",
    "LastModified",
    "Last-Modified",
    "mtime",
    "modified",
    "created",
    "CRC",
)
_OF_CONTENT = ("ETag", "etag", "e_tag", "VersionId")
"""What only one content of a file has. Times may be too coarse."""
Item = TypeVar("Item")
_NEAR = frozenset({"file", "local", "memory"})


def check_filesystem(filesystem: Any) -> Any:
    """Return a file system or None, or raise `InvalidInputError` for anything else."""
    wanted = ("cat_file", "info", "_strip_protocol")
    if filesystem is None or (not isinstance(filesystem, type) and all(hasattr(filesystem, name) for name in wanted)):
        return filesystem
    allowed = "a file system of fsspec such as s3fs.S3FileSystem(), or None"
    raise InvalidInputError("filesystem", filesystem, allowed)


def in_filesystem(filesystem: Any, locations: Item) -> Item:
    """Say which file system contains the files that a user names.

    Parameters
    ----------
    filesystem : fsspec file system, or None
        File system such as an `s3fs.S3FileSystem`. With None, `locations` is returned unchanged.
    locations : str, Path, or list
        Location, or list of locations. Other items, such as open files, stay as they are.

    Raises
    ------
    InvalidInputError
        When `filesystem` is no file system.
    """
    if check_filesystem(filesystem) is None:
        return locations
    found: Any = locations
    if isinstance(found, (list, tuple)):
        found = [in_filesystem(filesystem, item) for item in found]
    elif isinstance(found, (str, os.PathLike)) and not isinstance(found, OpensItself):
        found = InFileSystem(os.fspath(found), filesystem)
    return cast("Item", found)


class FsspecSource:
    """A file in a file system of fsspec; see `tessera.io.sources.Source`.

    Parameters
    ----------
    location : str
        URL, or location of `in_filesystem`. The scheme of a URL chooses its file system.
    options : mapping, optional
        Arguments of the file system that the scheme chooses.

    Raises
    ------
    RemoteError
        When the file does not exist or cannot be reached.
    """

    def __init__(self, location: str, options: Mapping[str, Any] | None = None) -> None:
        self._location, self._shown = location, shown(location)
        with as_remote_error(location):
            if isinstance(location, InFileSystem):
                self._files: Any = location.filesystem
                scheme = scheme_of(location)
                text = scheme + location[len(scheme) :]  # fsspec knows schemes in lower case only
                self._path = self._files._strip_protocol(text)  # noqa: SLF001 - fsspec has no public name for it
            else:
                from fsspec.core import url_to_fs  # noqa: PLC0415 - only these files need it

                self._files, self._path = url_to_fs(location, **(options or {}))
            about = self._files.info(self._path)
        if about.get("type") == "directory":
            raise RemoteError(self._shown, "it is a folder, not a file")
        self._start = b""
        self._whole = self._read_whole() if about.get("size") is None else None
        self.size = int(about["size"]) if self._whole is None else self._whole.size
        self.name, self.version = file_name(location), _version(about)
        of_content = [str(about[name]) for name in _OF_CONTENT if about.get(name)]
        self._confirmed = False
        self._sure = bool(of_content) and not of_content[0].startswith("W/")
        protocol = self._files.protocol
        self.remote = not _NEAR & {*([protocol] if isinstance(protocol, str) else protocol)}
        asynchronous = getattr(self._files, "async_impl", False)
        self._lock: AbstractContextManager[Any] = nullcontext() if asynchronous else threading.Lock()

    @property
    def key(self) -> tuple[Any, ...] | None:
        """See `tessera.io.sources.Source.key`. The file system said the version when the file was opened."""
        return (ref(self._files), self._path, self.version) if self._sure and self._whole is None else None

    def confirm(self) -> None:
        """See `tessera.io.sources.Source.confirm`. At its opening, the file system may have answered from a listing."""
        if self.key is not None and not self._confirmed:
            self.check_unchanged()

    def expect(self, ranges: Iterable[ByteRange], pool: Executor) -> None:
        """See `tessera.io.sources.Source.expect`. File systems answer with whole bytes, which would take memory."""

    def _read_whole(self) -> LocalFile:
        from tessera.io.temporary import keep  # noqa: PLC0415 - few servers do not say how large a file is

        with as_remote_error(self._location), self._files.open(self._path, "rb") as file:
            return keep(self._location, iter(lambda: file.read(1 << 20), b""))

    def read(self, start: int, length: int) -> bytes:
        """See `tessera.io.sources.Source.read`. The first bytes are kept; other calls send one request each."""
        first = min(FIRST_BYTES, self.size)
        if self._whole is not None or start + length > first:
            return self._request(start, length)
        self._start = self._start or self._request(0, first)
        return self._start[start : start + length]

    def _request(self, start: int, length: int) -> bytes:
        if self._whole is not None:
            return self._whole.read(start, length)
        with as_remote_error(self._location), self._lock:
            data = bytes(self._files.cat_file(self._path, start=start, end=start + length)) if length else b""
        if len(data) == self.size > length:
            from tessera.io.temporary import keep  # noqa: PLC0415 - few servers do this

            self._whole = keep(self._location, iter([data]))
            return data[start : start + length]
        if len(data) != length:
            raise RemoteError(self._shown, f"{len(data):,} of {length:,} bytes from byte {start:,} were received")
        return data

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

    def check_unchanged(self) -> None:
        """See `tessera.io.sources.Source.check_unchanged`. It asks the file system for size and version once more."""
        if self._whole is not None:
            return
        with as_remote_error(self._location), self._lock:
            try:
                self._files.invalidate_cache(self._path)
                about = self._files.info(self._path)
            except FileNotFoundError:
                raise ReplacedError(self._shown, "removed") from None
        if (int(about["size"]), _version(about)) != (self.size, self.version):
            raise ReplacedError(self._shown, "replaced")
        self._confirmed = True

    def close(self) -> None:
        """See `tessera.io.sources.Source.close`. The file system stays open."""
        if self._whole is not None:
            self._whole.close()


def _version(about: Mapping[str, Any]) -> str:
    """Version of a file: its size, and what its file system says about its content and its time."""
    return "-".join(str(about[name]) for name in ("size", *_VERSION) if about.get(name) is not None)
