"""Arguments of the command line: numbers with their limits, and names from standard input."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TextIO

from tessera.checks import did_you_mean
from tessera.cli.terminal import describe_error, one_line
from tessera.errors import InvalidInputError
from tessera.lightcurves.quality import BITS, quality_bits

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Parser(argparse.ArgumentParser):
    """Parser that describes an error in one line, and names the word that was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Print the message and end the process with code 2."""
        self.exit(2, f"{self.prog}: {one_line(message)} ({self.prog} --help shows more)\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Add the word that was probably meant to the error of a word that is no choice."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += did_you_mean(value, map(str, action.choices or ()))
            raise

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse arguments. An unknown one is an error of the command that was called."""
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            command = self.called(options)
            words = [word for action in command._actions for word in action.option_strings]  # noqa: SLF001 - argparse has no public list
            meant = did_you_mean(unknown[0].partition("=")[0], words) if unknown[0].startswith("-") else ""
            command.error(f"unrecognized arguments: {' '.join(unknown)}{meant}")
        return options

    def describe(self, error: BaseException) -> str:
        """One line about an error. An argument of the library has the name of the option with which it was given."""
        text, argument = describe_error(error), getattr(error, "argument", "")
        for action in self._actions:
            words = [word for word in action.option_strings if word.startswith("--")]
            if words and action.dest == argument and text.startswith(f"{argument} is "):
                return f"{words[0]}{text.removeprefix(argument)}"
        return text

    def called(self, options: argparse.Namespace) -> Parser:
        """Parser of the command that was called."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - see parse_args
                below = action.choices.get(getattr(options, action.dest, ""))
                return self if below is None else below.called(options)
        return self


def add_commands(groups: Any, name: str, about: str) -> Any:
    """Add a group of commands, such as ``tessera cube``.

    Parameters
    ----------
    groups : object
        What `add_subparsers` returned for the group's parser.
    name, about : str
        Name of the group, and what its commands do.

    Returns
    -------
    object
        What `add_parser` of the commands is called on.
    """
    group: Parser = groups.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def complain_missing(_options: argparse.Namespace) -> int:
        group.error(f"a command is missing; allowed: {', '.join(commands.choices)}")

    group.set_defaults(run=complain_missing)
    return commands


def add_quiet(command: argparse.ArgumentParser) -> None:
    """Add the option -q."""
    command.add_argument("-q", "--quiet", action="store_true", help="print errors only")


def add_flags(command: argparse.ArgumentParser) -> None:
    """Add the option --flags."""
    about = "mark collateral pixels, and blank, repeated and saturated cadences (docs/explanation/formats.md)"
    command.add_argument("--flags", action="store_true", help=about)


def add_sign(command: argparse.ArgumentParser) -> None:
    """Add the option --sign, which `tessera.cli.main` obeys."""
    about = "sign the records of the files that are made now, with a private key of Ed25519 in PEM"
    command.add_argument("--sign", metavar="KEY", help=about)


def complete_files(options: argparse.Namespace) -> str:
    """What to say after Ctrl-C, where each file appears when it is complete and is made again by the next run."""
    return f"interrupted; the files that are complete are in {options.output}"


def real_number(text: str) -> float:
    """Read a number, whose limits the library knows."""
    try:
        return float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text[:80]!r}; allowed: a number") from error


def integer(text: str) -> int:
    """Read an integer, whose limits the library knows."""
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text[:80]!r}; allowed: an integer") from error


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


def quality_flags(text: str) -> int:
    """Read quality bits: the name of a set of them, or a number such as 175 or 0xaf."""
    try:
        return quality_bits(text if text in BITS else int(text, 0))
    except ValueError as error:
        allowed = f"{', '.join(BITS)}, or a whole number from 0 to {2**31 - 1}"
        raise argparse.ArgumentTypeError(f"{text[:80]!r}; allowed: {allowed}") from error


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
