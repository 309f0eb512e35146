"""Arguments of the command line: numbers with their limits, and names from standard input."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TextIO

from tessera.cli.terminal import one_line
from tessera.errors import InvalidInputError

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Parser(argparse.ArgumentParser):
    """Parser that describes an error in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message and end the process with code 2."""
        self.exit(2, f"{self.prog}: {one_line(message)} ({self.prog} --help shows more)\n")


def add_quiet(command: argparse.ArgumentParser) -> None:
    """Add the option -q."""
    command.add_argument("-q", "--quiet", action="store_true", help="print errors only")


def complete_files(options: argparse.Namespace) -> str:
    """What to say after Ctrl-C, where each file appears when it is complete and is made again by the next run."""
    return f"interrupted; the files that are complete are in {options.output}"


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Return a function that reads an integer from `lowest` to `highest`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = lowest - 1
        if not lowest <= number <= highest:
            raise argparse.ArgumentTypeError(f"{text[:80]!r}; allowed: a whole number from {lowest} to {highest}")
        return number

    return read


def gigabytes(text: str) -> float:
    """Read a size of memory in GB."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text[:80]!r}; allowed: a number above 0, up to 1000000")
    return number


def read_names(argument: str, names: Sequence[str]) -> list[str]:
    """Return names, with those from standard input in place of '-'.

    Standard input has one name per line, with any line ends, or names that end with NUL. Blank lines do not count. The
    last line needs no end. Names may have blanks, and need not be UTF-8.

    Parameters
    ----------
    argument : str
        Name of the argument, for the error.
    names : sequence of str
        Names as they were given.

    Raises
    ------
    InvalidInputError
        When standard input has no name.
    """
    listed: list[str] = []
    for name in names:
        if name != "-":
            listed.append(name)
        elif found := _split(_read_all(sys.stdin)):
            listed += found
        else:
            raise InvalidInputError(argument, "-", "a list of names on standard input, which is empty")
    return listed


def _read_all(stream: TextIO | None) -> bytes:
    if stream is None:  # it was closed when the process began
        return b""
    return stream.buffer.read()


def _split(content: bytes) -> list[str]:
    content = content.removeprefix(_BYTE_ORDER_MARK)
    lines = content.split(b"\0") if b"\0" in content else _LINE_END.split(content)
    return [os.fsdecode(line) for line in lines if line.strip()]
