"""What the command line prints: results, progress, warnings and errors. Each message is one line."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tessera.errors import DataWarning, DownloadWarning, InputWarning, TesseraError
from tessera.progress import print_line

TRACEBACK = "TESSERA_TRACEBACK"
"""Variable of the environment. If it has a value, errors are raised, so that Python prints where they come from."""
_LONGEST = 600


def one_line(text: str) -> str:
    """Text as one line of printable characters, shortened where it is very long."""
    shown = printable(" ".join(text.split()))
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 4]} ..."


def printable(text: str) -> str:
    """Text whose characters can all be printed. Others, such as line ends, become escapes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


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
    print_line(f"tessera: {text}")


def say(text: str) -> None:
    """Print a line on standard output. The work goes on when the program that reads it has ended.

    Parameters
    ----------
    text : str
        The line.

    Raises
    ------
    OSError
        When the line cannot be printed, for example on a full disk.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OSError(error.errno, error.strerror, "standard output") from error


def report(results: Iterable[tuple[str, str]], *, quiet: bool) -> int:
    """Print a line for each result of a job.

    Parameters
    ----------
    results : iterable of (str, str)
        Status and line of each result.
    quiet : bool
        Whether to print only errors, on standard error; or all lines there, if no result is "ok".

    Returns
    -------
    int
        Exit code: 1 if a result has the status "error" or none is "ok".
    """
    listed = list(results)
    good = any(status == "ok" for status, _ in listed)
    for status, line in listed:
        if not quiet:
            say(line)
        elif status == "error" or not good:
            complain(line)
    return 1 if not good or any(status == "error" for status, _ in listed) else 0


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
