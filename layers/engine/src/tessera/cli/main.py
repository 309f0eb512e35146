"""The command ``tessera``: its arguments, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from tessera import __version__
from tessera.cli.arguments import Parser
from tessera.cli.cubes import add_cube
from tessera.cli.cut import add_cut
from tessera.cli.images import add_image
from tessera.cli.moving import add_moving
from tessera.cli.search import add_search
from tessera.cli.terminal import TRACEBACK, complain, describe_error, plain_output

COMMANDS = (add_search, add_cut, add_cube, add_moving, add_image)
"""Functions that add a command. Each sets `run`, a function of the options that returns the exit code. A command that
writes sets `interrupted`, too: a function of the options that returns what to say after Ctrl-C."""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line. The documentation is made from it."""
    parser = Parser(
        prog="tessera",
        description="Make cubes from full-frame images, and make cutouts of cubes and images.",
        epilog=f"Errors are one line. With {TRACEBACK}=1 in the environment, Python shows where they come from.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    groups = parser.add_subparsers(dest="group", required=True)
    parser.set_defaults(interrupted=lambda _options: "interrupted; nothing was written")
    for add in COMMANDS:
        add(groups)
    return parser


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
