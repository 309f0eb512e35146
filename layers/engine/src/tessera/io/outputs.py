"""Check where output goes before the work begins. Only a regular file is ever replaced, and never an input."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tessera.errors import InvalidInputError
from tessera.io.locations import local_path
from tessera.io.partials import beside, take_lock

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(/|:.*://)")


def output_path(argument: str, location: object) -> Path:
    """Return a path of this machine that a user gave for output.

    Parameters
    ----------
    argument : str
        Name of the caller's argument, for the error.
    location : str or Path
        The path.

    Raises
    ------
    InvalidInputError
        When it is not a path, is empty, or is a URL.
    """
    if not isinstance(location, (str, os.PathLike)) or not isinstance(text := os.fspath(location), str):
        raise InvalidInputError(argument, location, "a path, as text or Path")
    if not text or "\0" in text:
        raise InvalidInputError(argument, text, "a path with at least one character, and without NUL")
    if _URL.match(text):
        raise InvalidInputError(argument, text, "a path on this machine; output is not written to URLs")
    return Path(text)


def check_output(argument: str, location: object, inputs: Iterable[str | os.PathLike[str]] = ()) -> Path:
    """Refuse the path of an output file before the work, if it cannot be written or something else would be lost.

    Parameters
    ----------
    argument : str
        Name of the caller's argument, for the error.
    location : str or Path
        Path to write. Folders that do not exist are created later.
    inputs : iterable of str or Path
        Files that the output is made from. URLs are never the same as a path.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    InvalidInputError
        When the path is a URL; leads to a folder, a pipe, a socket, a device, a protected file or one of the inputs; or
        is in a folder that cannot be written.
    """
    path = output_path(argument, location)
    real = _real(argument, path)
    as_folder = str(location).endswith(os.sep)
    if as_folder or (real.exists() and not stat.S_ISREG(real.stat().st_mode)):
        allowed = "the path of a file, not of a folder, a pipe, a socket or a device"
        raise InvalidInputError(argument, str(location), allowed)
    if real.exists():
        if not os.access(real, os.W_OK):
            raise InvalidInputError(argument, str(path), "the path of a file that you may write")
        for item in inputs:
            if _is_same(real, item):
                raise InvalidInputError(argument, str(path), f"a path other than that of the input {os.fspath(item)}")
    _check_writable(argument, path, real.parent)
    return path


def check_space(argument: str, path: Path, n_bytes: int) -> None:
    """Refuse the path of an output file before the work, if its disk has too little space.

    Parameters
    ----------
    argument : str
        Name of the caller's argument, for the error.
    path : Path
        Path to write. What is in ``.NAME.partial`` beside it is part of the output.
    n_bytes : int
        Size of the file.

    Raises
    ------
    InvalidInputError
        When it does not fit. The message says how much is needed and how much is free.
    """
    status = os.statvfs(path.parent)
    if status.f_blocks == 0:  # a file system that does not say what it has
        return
    free = status.f_frsize * (status.f_bfree if os.geteuid() == 0 else status.f_bavail)
    with suppress(FileNotFoundError):
        free += beside(path, "partial").stat().st_blocks * 512
    if n_bytes > free:
        needed = f"a path on a disk with {n_bytes:,} free bytes; this disk has {free:,}"
        raise InvalidInputError(argument, str(path), needed)


def output_folder(location: object, argument: str = "output_dir") -> Path | None:
    """Return the folder for output files, and create it if it does not exist. None stays None.

    Raises
    ------
    InvalidInputError
        When it is a URL or a file, or cannot be written.
    """
    return None if location is None else create_folder(location, argument)


def create_folder(location: object, argument: str = "output_dir") -> Path:
    """Return the folder for output files, and create it if it does not exist; see `output_folder`."""
    folder = check_folder(location, argument)
    Path(os.path.realpath(folder)).mkdir(parents=True, exist_ok=True)  # a link to a missing folder stays a link
    return folder


def check_folder(location: object, argument: str) -> Path:
    """Return the folder for output files without creating it; see `output_folder`."""
    folder = output_path(argument, location)
    real = _real(argument, folder)
    if real.exists() and not real.is_dir():
        raise InvalidInputError(argument, str(folder), "the path of a folder, not of a file")
    _check_writable(argument, folder, real)
    return folder


def file_in_folder(output_dir: object, name: object, argument: str) -> Path:
    """Create the folder of an output file, check the file's path with `check_output`, and return it."""
    path = create_folder(output_dir) / output_path(argument, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return check_output(argument, path)


def _is_same(path: Path, item: str | os.PathLike[str]) -> bool:
    """Whether an input is the file at a path. A URL of a server is not, and neither is what does not exist."""
    with suppress(OSError, ValueError):
        return path.samefile(local_path(os.fspath(item)))
    return False


def _real(argument: str, path: Path) -> Path:
    """Where a path leads. Errors such as a loop of links become errors of the argument."""
    real = Path(os.path.realpath(path))
    try:
        real.stat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise InvalidInputError(argument, str(path), f"a path that can be written ({error.strerror})") from error
    return real


def _check_writable(argument: str, path: Path, folder: Path) -> None:
    existing = next(item for item in (folder, *folder.parents) if item.exists())
    if not existing.is_dir():
        raise InvalidInputError(argument, str(path), f"a path below folders; {existing} is a file")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InvalidInputError(argument, str(path), f"a path in a folder that you may write, unlike {existing}")


@contextmanager
def lock_output(argument: str, path: Path) -> Iterator[Path]:
    """Prevent other processes from writing a path until the end of the block.

    The lock is on the file ``.NAME.lock`` beside the path, which is removed at the end. A process that is killed leaves
    the file without a lock. Two symbolic links to one file have one lock.

    Parameters
    ----------
    argument : str
        Name of the caller's argument, for the error.
    path : Path
        Path to write. Its folder is created if it does not exist.

    Yields
    ------
    Path
        The file that `path` leads to. A symbolic link stays, and its target is written.

    Raises
    ------
    InvalidInputError
        When another run is writing the path.
    OSError
        When the folder cannot be written, or its file system has no locks.
    """
    real = Path(os.path.realpath(path))
    real.parent.mkdir(parents=True, exist_ok=True)
    lock = beside(real, "lock")
    try:
        descriptor = take_lock(lock)
    except PermissionError:
        if not lock.exists():
            raise
        descriptor = take_lock(lock, os.O_RDONLY)  # a killed run of another user left it
    except FileNotFoundError as error:  # such as /proc, where no file can be made
        raise OSError(error.errno, "No file can be made in its folder", str(path)) from error
    except OSError:
        lock.unlink(missing_ok=True)
        raise
    if descriptor is None:
        raise InvalidInputError(argument, str(path), "a path that no other run is writing")
    try:
        yield real
    finally:
        with suppress(PermissionError):  # in a folder such as /tmp, only its owner may remove it
            lock.unlink(missing_ok=True)  # before the lock is released, so that no other run's file is removed
        os.close(descriptor)
