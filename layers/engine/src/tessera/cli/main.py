"""The command ``tessera``: its arguments, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib import import_module

from tessera import __version__
from tessera.cli.arguments import Parser
from tessera.cli.terminal import TRACEBACK, complain, plain_output, say

COMMANDS = {
    "search": "search",
    "cut": "cut",
    "lightcurve": "lightcurve.command",
    "moving": "moving",
    "image": "images",
    "combine": "combine",
    "verify": "verify.command",
    "cube": "cubes",
    "completion": "completion",
}
"""Commands and groups of commands, each with the module of its function ``add_...``, which is loaded when it is called.
A command sets `run`, a function of the options that returns the exit code. One that writes sets `interrupted`, too: a
function of the options that returns what to say after Ctrl-C."""
_ABOUT = "Search TESS full-frame images, cut targets out of them, and make cubes of frames."
_GROUPS = {
    "Find and cut targets": {
        "search": "find the cubes that see a target",
        "cut": "make cutouts of targets: a target pixel file of each sector",
        "lightcurve": "make light curves of targets",
        "moving cut": "make a target pixel file of each cube that a target crosses",
    },
    "Cut and combine images": {
        "image cut": "make cutouts of FITS or ASDF images, one file for each",
        "combine": "combine cutouts of images into one file",
    },
    "Make cubes of frames": {
        "cube make": "make a cube of frames",
        "cube update": "add frames to a cube",
        "cube grow": "add frames to a growing cube, as a segment",
        "cube info": "describe a cube",
        "cube measure": "make the reference frame and cotrending vectors of a cube, and list its changes",
        "cube verify": "check a cube's checksums and compare it with its frames",
        "cube plan": "describe a build in the cloud and its cost, without running it",
    },
    "Check what you have": {"verify": "make products again from what they were made of, and compare"},
    "Help your shell": {"completion": "print a script with which a shell completes commands, options and files"},
}
"""Commands in the help, by what they are for, each with the line of its own help."""
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
        width = max(len(name) for lines in _GROUPS.values() for name in lines) + 2
        text = f"usage: {self.prog} COMMAND ...\n\n{self.description}\n"
        for title, lines in _GROUPS.items():
            text += f"\n{title}:\n" + "".join(f"  {name:{width}}{line}\n" for name, line in lines.items())
        return f"{text}\n{_EXAMPLES}\n{self.epilog}"


def leaf_commands(parser: argparse.ArgumentParser, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names of the commands of a parser and of the groups in it, each with the line of its help."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - see above
            about = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001 - see above
            for name, command in action.choices.items():
                below = list(leaf_commands(command, f"{prefix}{name} "))
                yield from below or [(f"{prefix}{name}", about.get(name, ""))]


def build_parser(called: str | None = None) -> Parser:
    """The parser of the command line. The documentation is made from it.

    Parameters
    ----------
    called : str, optional
        Name of the only command or group whose arguments are added, because each takes time to load; by default all.
    """
    parser = _TopParser(prog="tessera", description=_ABOUT, epilog=_END)
    parser.add_argument("--version", action="version", version=__version__)
    groups = parser.add_subparsers(dest="group", metavar="COMMAND", parser_class=Parser)
    parser.set_defaults(run=lambda _options: _help(parser), interrupted=lambda _: "interrupted; nothing was written")
    for name, module in COMMANDS.items():
        if called in (None, name):
            getattr(import_module(f"tessera.cli.{module}"), f"add_{name}")(groups)
        else:
            groups.add_parser(name)
    return parser


def _help(parser: argparse.ArgumentParser) -> int:
    say(parser.format_help().rstrip())
    return 0


def _run(options: argparse.Namespace) -> int:
    """Run a command, and sign the records of its products if it was given a key."""
    with ExitStack() as stack:
        if (key := getattr(options, "sign", None)) is not None:
            from tessera.provenance.signing import sign_records  # noqa: PLC0415 - few commands need it

            stack.enter_context(sign_records(key))
        code: int = options.run(options)
    return code


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
    given = sys.argv[1:] if arguments is None else list(arguments)
    called = next((word for word in given if not word.startswith("-")), "")
    with plain_output():
        parser = build_parser(called)
        options = parser.parse_args(given)
        try:
            code = _run(options)
        except KeyboardInterrupt:
            complain(options.interrupted(options))
            return 130
        except (SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # the panics of Rust packages are no Exceptions
            if os.environ.get(TRACEBACK):
                raise
            complain(parser.called(options).describe(error))
            return 1
        return code
