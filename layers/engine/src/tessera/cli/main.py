"""The command ``tessera``: its arguments, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from tessera import __version__
from tessera.cli.arguments import Parser
from tessera.cli.cubes import add_cube, run_cube, unfinished_cube
from tessera.cli.images import add_image, run_image
from tessera.cli.moving import add_moving, run_moving
from tessera.cli.terminal import TRACEBACK, complain, describe_error, plain_output, say


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line. The documentation is made from it."""
    parser = Parser(
        prog="tessera",
        description="Make cubes from full-frame images, and make cutouts of cubes and images.",
        epilog=f"Errors are one line. With {TRACEBACK}=1 in the environment, Python shows where they come from.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    groups = parser.add_subparsers(dest="group", required=True)
    add_cube(groups)
    add_moving(groups)
    add_image(groups)
    return parser


def _run(options: argparse.Namespace) -> int:
    if options.group == "cube":
        return run_cube(options)
    lines, code = run_moving(options) if options.group == "moving" else run_image(options)
    for line in lines:
        say(line)
    return code


def _interrupted(options: argparse.Namespace) -> str:
    if cube := unfinished_cube(options):
        return f"interrupted; run the same command again to continue {cube}"
    if options.group != "cube":
        return f"interrupted; the files that are complete are in {options.output}"
    return "interrupted; nothing was written"


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
            return _run(options)
        except KeyboardInterrupt:
            complain(_interrupted(options))
            return 130
        except (SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # the panics of Rust packages are no Exceptions
            if os.environ.get(TRACEBACK):
                raise
            complain(describe_error(error))
            return 1
