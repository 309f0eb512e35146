"""What the command line prints: results, progress, warnings and errors. Each message is one line."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Self

from tessera.errors import DataWarning, DownloadWarning, InputWarning, TesseraError

TRACEBACK = "TESSERA_TRACEBACK"
"""Variable of the environment. If it has a value, errors are raised, so that Python prints where they come from."""
_LONGEST = 600


def one_line(text: str) -> str:
    """Text as one line of printable characters, shortened where it is very long."""
    line = " ".join(text.split())
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 4]} ..."


def describe_error(error: BaseException) -> str:
    """One line about an error, in words."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return one_line(f"{os.fsdecode(error.filename)}: {error.strerror}")
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    if isinstance(error, (TesseraError, OSError)):
        return one_line(str(error)) or type(error).__name__
    return one_line(f"unexpected {type(error).__name__}: {error}") + f" ({TRACEBACK}=1 shows where it comes from)"


def complain(text: str) -> None:
    """Print a line on standard error, if somebody can read it."""
    with suppress(OSError, ValueError):
        print(f"tessera: {text}", file=sys.stderr, flush=True)


def say(text: str, *, needed: bool = True) -> None:
    """Print a line on standard output. The work goes on when the program that reads it has ended.

    Parameters
    ----------
    text : str
        The line.
    needed : bool, optional
        Whether it is an error if the line cannot be printed, for example on a full disk.

    Raises
    ------
    OSError
        When the line is needed and cannot be printed.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return
        if needed:
            raise OSError(error.errno, error.strerror, "standard output") from error
        complain(f"standard output: {error.strerror}")


@contextmanager
def plain_output() -> Iterator[None]:
    """Print warnings as lines, and names that are not text as they are, until the end of the block."""
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="surrogateescape" if sys.stdout.encoding.lower() == "utf-8" else "backslashreplace")
    with warnings.catch_warnings():
        for kind in (DataWarning, DownloadWarning, InputWarning):
            warnings.simplefilter("always", kind)
        warnings.showwarning = lambda message, *_arguments, **_more: complain(one_line(str(message)))
        yield


class _Lines:
    """Reports progress as plain lines, for logs."""

    def __call__(self, block: int, n_blocks: int) -> None:
        say(f"block {block + 1} of {n_blocks}", needed=False)


class _Bar:
    """Reports progress as a bar on a terminal."""

    def __init__(self, tqdm: Any) -> None:
        self._bar = tqdm(unit="block")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            self._bar.close()

    def __call__(self, block: int, n_blocks: int) -> None:
        self._bar.total = n_blocks
        with suppress(OSError):  # the terminal is gone
            self._bar.update(block + 1 - self._bar.n)


def progress(*, quiet: bool) -> AbstractContextManager[Callable[[int, int], None] | None]:
    """Return what reports finished blocks: a bar on a terminal where tqdm is installed, otherwise lines."""
    if quiet:
        return nullcontext(None)
    if sys.stderr is not None and sys.stderr.isatty():
        with suppress(ImportError):
            from tqdm import tqdm  # noqa: PLC0415 - only a terminal needs it, and it may be missing

            return _Bar(tqdm)
    return nullcontext(_Lines())
