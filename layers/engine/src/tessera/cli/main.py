"""The command ``tessera``: its arguments, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence

from tessera import __version__
from tessera.cli.arguments import Parser
from tessera.cli.combine import add_combine
from tessera.cli.completion import add_completion
from tessera.cli.cubes import add_cube
from tessera.cli.cut import add_cut
from tessera.cli.images import add_image
from tessera.cli.lightcurve.command import add_lightcurve
from tessera.cli.moving import add_moving
from tessera.cli.search import add_search
from tessera.cli.terminal import TRACEBACK, complain, describe_error, plain_output, say

COMMANDS = (add_search, add_cut, add_lightcurve, add_moving, add_image, add_combine, add_cube, add_completion)
"""Functions that add a command. Each sets `run`, a function of the options that returns the exit code. A command that
writes sets `interrupted`, too: a function of the options that returns what to say after Ctrl-C."""
_ABOUT = "Search TESS full-frame images, cut targets out of them, and make cubes of frames."
_GROUPS = {
    "Find and cut targets": ("search", "cut", "lightcurve", "moving cut"),
    "Cut and combine images": ("image cut", "combine"),
    "Make cubes of frames": ("cube make", "cube update", "cube info", "cube verify", "cube plan"),
    "Help your shell": ("completion",),
}
"""Commands in the help, by what they are for."""
_EXAMPLES = """\
examples:
  tessera search "pi Men"                            which sectors see a star
  tessera cut "pi Men" --sector 1 --size 15          its pixels in one of them
  tessera lightcurve "pi Men" --sector 1 -o pi.png   its brightness over time
  tessera cut stars.csv --cube my-cubes -o cutouts   many stars from your own cubes
"""
_END = f"""\
'tessera COMMAND --help' shows the options of a command.
Errors are one line. With {TRACEBACK}=1 in the environment, Python shows where they come from.
"""


class _TopParser(Parser):
    """Parser of the whole command line. Its help lists all commands, by what they are for."""

    def format_help(self) -> str:
        """Text of ``tessera --help``."""
        about = dict(leaf_commands(self))
        titles = {name: title for title, names in _GROUPS.items() for name in names}
        width = max(map(len, about)) + 2
        text = f"usage: {self.prog} COMMAND ...\n\n{self.description}\n"
        for title in _GROUPS:
            lines = [f"  {name:{width}}{line}\n" for name, line in about.items() if titles.get(name) == title]
            text += f"\n{title}:\n{''.join(lines)}"
        return f"{text}\n{_EXAMPLES}\n{self.epilog}"


def leaf_commands(parser: argparse.ArgumentParser, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names of the commands of a parser and of the groups in it, each with the line of its help."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - see above
            about = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001 - see above
            for name, command in action.choices.items():
                below = list(leaf_commands(command, f"{prefix}{name} "))
                yield from below or [(f"{prefix}{name}", about.get(name, ""))]


def build_parser() -> Parser:
    """The parser of the command line. The documentation is made from it."""
    parser = _TopParser(prog="tessera", description=_ABOUT, epilog=_END)
    parser.add_argument("--version", action="version", version=__version__)
    groups = parser.add_subparsers(dest="group", metavar="COMMAND", parser_class=Parser)
    parser.set_defaults(run=lambda _options: _help(parser), interrupted=lambda _: "interrupted; nothing was written")
    for add in COMMANDS:
        add(groups)
    return parser


def _help(parser: argparse.ArgumentParser) -> int:
    say(parser.format_help().rstrip())
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments of the command line; by default those of the process.

    Returns
    -------
    int
        Exit code: 0 after success; 1 when a check found a problem, the input is not allowed or a file cannot be used;
        130 when interrupted. Arguments that cannot be parsed end the process with 2.
    """
    with plain_output():
        options = build_parser().parse_args(arguments)
        try:
            code: int = options.run(options)
        except KeyboardInterrupt:
            complain(options.interrupted(options))
            return 130
        except (SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # the panics of Rust packages are no Exceptions
            if os.environ.get(TRACEBACK):
                raise
            complain(describe_error(error))
            return 1
        return code
