"""How files are written: every byte or an error, and visible only when they are whole."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedWriter
from itertools import count
from pathlib import Path

from tessera.errors import InvalidInputError


def write_all(descriptor: int, data: bytes | memoryview, position: int) -> None:
    """Write every byte of a buffer, however many system calls it takes.

    Parameters
    ----------
    descriptor : int
        Of a file that is open for writing.
    data : bytes or memoryview
        What to write; a view is contiguous and of single bytes.
    position : int
        Byte of the file where the first one goes.

    Raises
    ------
    OSError
        When the file cannot take them all, such as on a full disk.
    """
    view = memoryview(data)
    while view:
        n = os.pwrite(descriptor, view, position)
        if n == 0:
            raise OSError(errno.EIO, f"The system took none of {len(view):,} bytes at byte {position:,}")
        view, position = view[n:], position + n


def _flush_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut, where its file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems flush no folders
            raise
    finally:
        os.close(descriptor)


def publish(descriptor: int, partial: Path, path: Path, size: int, *, flush: bool = True) -> None:
    """Put a file that is whole in its place.

    Parameters
    ----------
    descriptor : int
        Of the file that was written.
    partial, path : Path
        Its present name, and the one that it gets; both in one folder.
    size : int
        How many bytes it must have.
    flush : bool, optional
        Whether file and folder are flushed to the disk, so that a power cut leaves the old file or the new one.

    Raises
    ------
    OSError
        When it has another size, or the disk fails.
    """
    found = os.fstat(descriptor).st_size
    if found != size:
        raise OSError(errno.EIO, f"{found:,} bytes were written instead of {size:,}", str(path))
    if flush:
        os.fsync(descriptor)
    partial.replace(path)
    if flush:
        _flush_folder(path.parent)


@contextmanager
def lock_output(argument: str, path: Path) -> Iterator[None]:
    """Keep every other process from writing a path, until the end of the block.

    The lock is on ``.NAME.lock`` beside the file, which is removed at the end. A process that is killed leaves this
    file behind, without a lock on it.

    Parameters
    ----------
    argument : str
        Name of the caller's argument, for the error.
    path : Path
        What will be written; its folder is made where there is none.

    Raises
    ------
    InvalidInputError
        When another run writes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    descriptor = _take(lock)
    if descriptor is None:
        raise InvalidInputError(argument, str(path), "a path that no other run is writing")
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)  # before the lock goes, so that nobody else's file is removed
        os.close(descriptor)


def _take(lock: Path) -> int | None:
    """Descriptor of the locked file, or None when another has it."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if lock.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the run before removed this file between our open and our lock


def output_folder(location: str | os.PathLike[str] | None) -> Path | None:
    """The folder for files that are written, which is made where it does not exist; None where none was given."""
    if location is None:
        return None
    folder = Path(location)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_pieces(path: Path, pieces: Iterable[bytes | memoryview], *, flush: bool = True) -> Path:
    """Write a file piece by piece; it appears at its path when it is whole.

    Parameters
    ----------
    path : Path
        Where it will be. Several processes may write it at once: the last one to end wins, and its file is whole.
    pieces : iterable of bytes or memoryview
        Content, in order.
    flush : bool, optional
        Whether the file is on the disk, and not only in the system's memory, before it appears. Files that are made by
        the hundred are not flushed: 200 target pixel files of 250 kB take 0.7 s, and 2.2 s when each is flushed. After
        a power cut, such a file of the last half minute may be empty.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    OSError
        When not every byte can be written; then nothing is left behind.
    """
    file = _open_new(path)
    partial = Path(file.name)
    try:
        with file:
            file.writelines(pieces)
            file.flush()
            publish(file.fileno(), partial, path, file.tell(), flush=flush)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return path


def _open_new(path: Path) -> BufferedWriter:
    """A file beside a path that nobody else has opened: the first free of ``.NAME.0.partial`` and so on."""
    for number in count():
        try:
            return path.with_name(f".{path.name}.{number}.partial").open("xb")
        except FileExistsError:
            continue
    raise AssertionError
