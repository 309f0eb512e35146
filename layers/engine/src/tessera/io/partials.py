"""Files that help to write others: unfinished files and locks. They lie beside the file that is written."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import suppress
from itertools import count
from pathlib import Path

NAME_BYTES = 255
"""Longest file name of common file systems."""


def beside(path: Path, kind: str) -> Path:
    """Where a file that helps to write another lies: ``.NAME.KIND`` in the same folder.

    Where this name would be too long, a hash stands for NAME.
    """
    name = f".{path.name}.{kind}"
    if len(os.fsencode(name)) > NAME_BYTES:
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()}.{kind}"
    return path.with_name(name)


def drop(descriptor: int, partial: Path) -> None:
    """Remove and close a file that is not complete."""
    partial.unlink(missing_ok=True)  # before its lock is released, so that no other run's file is removed
    os.close(descriptor)


def open_new(path: Path) -> tuple[int, Path]:
    """Create an empty file beside a path, and lock it: the first of ``.NAME.0.partial``, ``.NAME.1.partial``, ...

    Files that killed runs left have no lock. The first is written again, and the others are removed.
    """
    numbered = (beside(path, f"{number}.partial") for number in count())
    for partial in numbered:
        descriptor = _create(partial)
        if descriptor is None:
            descriptor = _take_left(partial)
        if descriptor is not None:
            for other in numbered:
                if not other.exists():
                    break
                if (left := _take_left(other)) is not None:
                    drop(left, other)
            return descriptor, partial
    raise AssertionError


def _create(partial: Path) -> int | None:
    """Create and lock a file. Return its descriptor, or None when it exists or another process has taken it."""
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = is_same_file(descriptor, partial)
    except BlockingIOError:
        ours = False
    except OSError:
        ours = True  # the file system has no locks
    if ours:
        return descriptor
    os.close(descriptor)
    return None


def _take_left(partial: Path) -> int | None:
    """Take a file that a killed run left, and empty it. Return its descriptor, or None when it is not free."""
    with suppress(OSError):  # it belongs to another user, or the file system has no locks
        descriptor = take_lock(partial, os.O_RDWR)
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
        return descriptor
    return None


def is_same_file(descriptor: int, path: Path) -> bool:
    """Whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def take_lock(lock: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int | None:
    """Open a file, lock it and return its descriptor, or None when another process has the lock.

    Raises
    ------
    OSError
        When the file cannot be opened, or its file system has no locks.
    """
    while True:
        descriptor = os.open(lock, flags | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            os.close(descriptor)
            raise OSError(error.errno, f"No file can be locked here: {error.strerror}", str(lock)) from error
        if is_same_file(descriptor, lock):
            return descriptor
        os.close(descriptor)  # another run removed this file between our open and our lock
