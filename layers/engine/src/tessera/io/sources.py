"""Read files, URLs and S3 objects by ranges of bytes. The rest of the library reads all its input this way."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from weakref import finalize

from tessera.errors import InvalidInputError, MissingFileError, UnreadableFileError
from tessera.io.locations import S3, WEB, InFileSystem, OpensItself, local_path, location_text, scheme_of
from tessera.io.ranges import ByteRange

FIRST_BYTES = 12 * 2880
"""Bytes that the first request to a remote file reads: enough for the headers of a frame or a cube."""

SETTLED_NS = 2_000_000_000
"""Nanoseconds after a change in which a local file may change again and keep its times: many systems count coarsely."""

Location: TypeAlias = "str | os.PathLike[str]"
"""Local path, or URL: ``s3://bucket/key``, ``http://...``, ``https://...``, ``file://...`` or another one of fsspec."""

_WORDS = {
    errno.ENOENT: "there is no such file",
    errno.ENOTDIR: "a part of its path is not a folder",
    errno.EACCES: "you are not permitted to read it",
    errno.EPERM: "you are not permitted to read it",
    errno.ELOOP: "its symbolic links lead in a circle",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
}
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class Source(Protocol):
    """A file from which ranges of bytes are read. Several threads may use it at the same time."""

    name: str
    """File name, without folders."""
    remote: bool
    """Whether every read is a request over the network, so that simultaneous reads are faster."""

    @property
    def size(self) -> int:
        """Size of the file in bytes."""

    @property
    def version(self) -> str:
        """Text that changes when the content changes; it contains the ETag or the time of modification."""

    @property
    def key(self) -> tuple[Any, ...] | None:
        """Place and version of the file: equal keys mean equal bytes. None if nothing tells versions apart for sure."""

    def read(self, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from byte `start`, or raise an OSError."""

    def read_buffer(self, start: int, length: int) -> Any:
        """Return the same bytes as a buffer, which saves a copy. The caller must not change it."""

    def read_pieces(self, start: int, length: int, at_least: int) -> Iterator[Any]:
        """Yield the same bytes as buffers, as they arrive: `at_least` bytes or more each, but for the last."""

    def read_into(self, start: int, out: Any) -> None:
        """Fill a writable buffer with the bytes from byte `start`, or raise an OSError."""

    def expect(self, ranges: Iterable[ByteRange], pool: Executor) -> None:
        """Begin to read ranges that are likely to be read soon, in threads, if that saves time."""

    def check_unchanged(self) -> None:
        """Raise `ReplacedError` when the bytes that were read may come from different versions of the file."""

    def confirm(self) -> None:
        """Make sure that the file is there, with the version of `key`: with a request, if there was none so far.

        A remote file that is opened with an earlier answer sends its first request when it is read. What is said of
        such a file without reading it needs to be confirmed. `ReplacedError` is raised if there is another version.
        """

    def close(self) -> None:
        """Close the file."""


@dataclass(frozen=True)
class FirstAnswer:
    """The first answer for a remote file.

    Parameters
    ----------
    about : mapping
        Size and ETag, as obstore returns them.
    start : bytes
        The first bytes.
    """

    about: Any
    start: bytes


class Answers(Protocol):
    """First answers for remote files, by place and access. With one of them, a file is opened without a request."""

    def get(self, place: tuple[Any, ...]) -> FirstAnswer | None:
        """The answer, if it is known."""

    def put(self, place: tuple[Any, ...], answer: FirstAnswer) -> None:
        """Keep an answer."""

    def forget(self, place: tuple[Any, ...]) -> None:
        """Forget an answer, because the file was replaced."""


def version_of(about: Any) -> str:
    """Version of an object, from what obstore says about it: its size, and its ETag or the time of its last change."""
    return f"{about['size']}-{about.get('e_tag') or about.get('last_modified')}"


class LocalFile:
    """A file on this machine.

    Parameters
    ----------
    path : Path
        Path of the file, or the name of an open file.
    descriptor : int, optional
        Descriptor of the open file, which `close` closes. Without it, the path is opened.

    Raises
    ------
    MissingFileError
        When there is no such file.
    UnreadableFileError
        When it cannot be read, or is a folder, a pipe or a device.
    """

    remote = False

    def __init__(self, path: Path, descriptor: int | None = None) -> None:
        self._descriptor = _open_regular(path) if descriptor is None else descriptor
        self.close = finalize(self, os.close, self._descriptor)
        """See `Source.close`. A file that nobody uses any more is closed, too."""
        self.path, self.on_disk = path, descriptor is None
        """Path, and whether it leads to the file; a temporary file has no path."""
        self.name = path.name
        self._first = self.size, self.version = self._known()

    def _known(self) -> tuple[int, str]:
        status = os.fstat(self._descriptor)
        return status.st_size, f"{status.st_size}-{status.st_mtime_ns}"

    @property
    def key(self) -> tuple[Any, ...] | None:
        """See `Source.key`: a program can set the time of modification, but not that of the last change."""
        status = os.fstat(self._descriptor)
        if not self.on_disk or time.time_ns() - status.st_ctime_ns < SETTLED_NS:
            return None
        return self.name, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def confirm(self) -> None:
        """See `Source.confirm`. The file is open."""

    def expect(self, ranges: Iterable[ByteRange], pool: Executor) -> None:
        """See `Source.expect`. It would save no time."""

    def read(self, start: int, length: int) -> bytes:
        """See `Source.read`."""
        return bytes(self.read_buffer(start, length))

    def read_buffer(self, start: int, length: int) -> Any:
        """See `Source.read_buffer`."""
        data = bytearray(length)
        self.read_into(start, data)
        return data

    def read_pieces(self, start: int, length: int, at_least: int) -> Iterator[Any]:
        """See `Source.read_pieces`."""
        stop = start + length
        for place in range(start, stop, at_least):
            yield self.read_buffer(place, min(at_least, stop - place))

    def read_into(self, start: int, out: Any) -> None:
        """See `Source.read_into`."""
        view = memoryview(out).cast("B")
        while len(view):
            try:
                n = os.preadv(self._descriptor, [view], start)
            except OSError as error:
                raise _unreadable(self.path, error) from error
            if n == 0:
                raise OSError(f"{self.path} ends at byte {start:,}, {len(view):,} bytes too early")
            view, start = view[n:], start + n

    def check_unchanged(self) -> None:
        """See `Source.check_unchanged`. A new file at the same path does no harm: the old file is still open."""
        if self._known() != self._first:
            raise ReplacedError(str(self.path), "changed")


def _open_regular(path: Path) -> int:
    """Open a regular file. A pipe or a device is refused before it is opened, because that could wait for ever."""
    try:
        _check_regular(path, path.stat())
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:  # ValueError: a path with the character NUL
        if isinstance(error, UnreadableFileError):
            raise
        raise _unreadable(path, error) from error
    try:
        _check_regular(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_regular(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        code = errno.EISDIR if stat.S_ISDIR(status.st_mode) else errno.EINVAL
        raise UnreadableFileError(str(path), f"it is {kind}, not a file", code)


def _unreadable(path: Path, error: Exception) -> UnreadableFileError:
    code = error.errno if isinstance(error, OSError) else None
    reason = _WORDS.get(code or 0) or (getattr(error, "strerror", None) or str(error)).lower()
    kind = MissingFileError if code == errno.ENOENT else UnreadableFileError
    return kind(repr(str(path)) if "\0" in str(path) else str(path), reason, code)


class ReplacedError(UnreadableFileError):
    """A file was changed, replaced or removed while it was read.

    Parameters
    ----------
    name : str
        Path or URL of the file.
    how : str
        What happened to it: one word.
    """

    def __init__(self, name: str, how: str) -> None:
        super().__init__(name, f"it was {how} while it was read")
        self.args = (f"{name} was {how} while it was read",)


def open_source(
    location: Location, *, unpack: bool = True, answers: Answers | None = None, n_end_bytes: int = 0
) -> Source:
    """Open a file, URL or S3 object for reading by ranges.

    Parameters
    ----------
    location : str or Path
        Local path or URL. ``s3://``, ``http://`` and ``https://`` are read with obstore, and other URLs with fsspec. A
        location of `tessera.io.filesystems.in_filesystem` is read with its file system.
    unpack : bool, optional
        Whether a file that is packed with gzip, bzip2 or xz is unpacked; see `tessera.io.temporary`.
    answers : Answers, optional
        Earlier answers, with which a remote file is opened without a request; see `Source.confirm`.
    n_end_bytes : int, optional
        Number of bytes at the end of a remote file that are asked for together with the first ones.

    Raises
    ------
    MissingFileError
        When there is no such file.
    UnreadableFileError
        When the file cannot be read. Remote files raise its subclass `RemoteError`.
    """
    from tessera.io.temporary import unpacked  # noqa: PLC0415 - the modules below import this one

    if isinstance(location, OpensItself):
        source: Source = location.open_source()
        return source
    source = _open(location, answers, n_end_bytes)
    if not unpack:
        return source
    try:
        return unpacked(source)
    except BaseException:
        source.close()
        raise


def _open(location: Location, answers: Answers | None, n_end_bytes: int) -> Source:
    text = location_text(location)
    scheme, given = scheme_of(text), isinstance(text, InFileSystem)
    if not given and scheme in (*WEB, *S3):
        from tessera.io.remote import RemoteFile  # noqa: PLC0415 - see open_source

        return RemoteFile(text, answers, n_end_bytes)
    if given or scheme not in ("", "file"):
        from tessera.io.filesystems import FsspecSource  # noqa: PLC0415 - see open_source

        return FsspecSource(text)
    return LocalFile(local_path(text))


def check_locations(argument: str, locations: Iterable[Location]) -> list[Location]:
    """Check a list of files that a user gave, and return it as a list.

    Raises
    ------
    InvalidInputError
        When `locations` is a single string or path, is empty, or contains an item that is not a path.
    """
    if isinstance(locations, (str, os.PathLike)):
        raise InvalidInputError(argument, locations, "a list of paths or URLs, such as [path]")
    if isinstance(locations, bytes) or not isinstance(locations, Iterable):  # type: ignore[unreachable] # users may
        raise InvalidInputError(argument, locations, "a list of paths or URLs, such as [path]")
    listed = list(locations)
    if not listed:
        raise InvalidInputError(argument, listed, "a list with at least one path or URL")
    for location in listed:
        if not isinstance(location, (str, os.PathLike)) or location == "":
            raise InvalidInputError(argument, location, "paths or URLs")
    return listed
