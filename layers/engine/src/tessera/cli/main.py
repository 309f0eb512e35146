"""The commands ``tessera cube make|update|info|verify|plan``, ``tessera moving cut`` and ``tessera image cut``."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Self

from tessera import __version__
from tessera.builds.plan import MIB
from tessera.builds.report import describe_cube, describe_plan, verify_cube
from tessera.cli.images import add_image, run_image
from tessera.cli.moving import add_moving, run_moving
from tessera.compat.tess.cube_factory import CubeFactory
from tessera.cubes.layout import CubeLayout
from tessera.errors import DataWarning, TesseraError
from tessera.io.sources import open_source
from tessera.tess.products import PRODUCTS, SPOC


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tessera", description="Make cubes from full-frame images, and make cutouts.")
    parser.add_argument("--version", action="version", version=__version__)
    groups = parser.add_subparsers(dest="group", required=True)
    cube = groups.add_parser("cube", help="make and check cubes")
    commands = cube.add_subparsers(dest="command", required=True)
    _add_builders(commands)
    info = commands.add_parser("info", help="describe a cube")
    info.add_argument("cube", help="path or URL of the cube")
    verify = commands.add_parser("verify", help="check a cube's checksums and compare it with its frames")
    verify.add_argument("cube", help="path or URL of the cube")
    verify.add_argument("frames", nargs="*", help="its frames, to compare every pixel; without frames, checksums only")
    _add_plan(commands)
    add_moving(groups)
    add_image(groups)
    return parser


def _add_builders(commands: Any) -> None:
    for name, help_text in (("make", "make a cube of frames"), ("update", "add frames to a cube")):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("frames", nargs="+", help="paths or URLs of frames; '-' reads a list from standard input")
        command.add_argument(
            "-o", "--cube", required=name == "update", default="img-cube.fits", help="path of the cube"
        )
        command.add_argument("--product", choices=sorted(PRODUCTS), default=SPOC.name, help="kind of frames")
        command.add_argument(
            "--sector", type=int, help="value of the SECTOR card; by default the sector in the file names"
        )
        command.add_argument(
            "--max-memory", type=float, default=2.0, metavar="GB", help="memory for pixels (default %(default)s)"
        )
        command.add_argument("--threads", type=int, help="number of threads; by default one per processor")
        command.add_argument(
            "--skip-unreadable", action="store_true", help="leave out unreadable frames and report them"
        )
        command.add_argument("-q", "--quiet", action="store_true", help="print errors only")


def _add_plan(commands: Any) -> None:
    plan = commands.add_parser("plan", help="describe a build in the cloud and its cost, without running it")
    plan.add_argument("--frames", type=int, required=True, help="number of frames")
    plan.add_argument("--rows", type=int, default=2078, help="rows of a frame (default %(default)s)")
    plan.add_argument("--columns", type=int, default=2136, help="columns of a frame (default %(default)s)")
    plan.add_argument("--product", choices=sorted(PRODUCTS), default=SPOC.name, help="kind of frames")
    plan.add_argument(
        "--memory", type=int, default=2048, metavar="MB", help="memory of a block task (default %(default)s)"
    )
    plan.add_argument("--concurrency", type=int, default=8, help="simultaneous block tasks (default %(default)s)")


def _frames(arguments: Sequence[str]) -> list[str]:
    if list(arguments) == ["-"]:
        return sys.stdin.read().split("\n")[:-1] or [""]
    return list(arguments)


class _Lines:
    """Reports progress as plain lines, for logs."""

    def __call__(self, block: int, n_blocks: int) -> None:
        print(f"block {block + 1} of {n_blocks}", flush=True)


class _Bar:
    """Reports progress as a bar on a terminal."""

    def __init__(self) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - only a terminal needs it

        self._bar = tqdm(unit="block")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()

    def __call__(self, block: int, n_blocks: int) -> None:
        self._bar.total = n_blocks
        self._bar.update(block + 1 - self._bar.n)


def _progress(quiet: bool) -> AbstractContextManager[Callable[[int, int], None] | None]:
    if quiet:
        return nullcontext(None)
    if sys.stderr.isatty():
        return _Bar()
    return nullcontext(_Lines())


def _build(options: argparse.Namespace) -> int:
    factory = CubeFactory(
        options.max_memory, threads=options.threads, on_unreadable="skip" if options.skip_unreadable else "fail"
    )
    factory.product = PRODUCTS[options.product]
    with warnings.catch_warnings(), _progress(options.quiet) as on_block:
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = lambda message, *_arguments, **_more: print(f"tessera: {message}", file=sys.stderr)
        method = factory.make_cube if options.command == "make" else factory.update_cube
        method(_frames(options.frames), options.cube, options.sector, verbose=False, on_block=on_block)
    if not options.quiet:
        print(options.cube)
    return 0


def _info(options: argparse.Namespace) -> int:
    source = open_source(options.cube)
    print("\n".join(describe_cube(source)))
    return 0


def _verify(options: argparse.Namespace) -> int:
    problems = verify_cube(options.cube, _frames(options.frames))
    for problem in problems:
        print(problem)
    if not problems:
        compared = f"; all pixels equal those of {len(options.frames)} frames" if options.frames else ""
        print(f"{options.cube}: checksums are correct{compared}")
    return 1 if problems else 0


def _plan(options: argparse.Namespace) -> int:
    layout = CubeLayout(options.rows, options.columns, options.frames, PRODUCTS[options.product].n_planes)
    print("\n".join(describe_plan(layout, options.memory * MIB, options.concurrency)))
    return 0


def _cut(options: argparse.Namespace) -> int:
    lines, code = run_moving(options) if options.group == "moving" else run_image(options)
    print("\n".join(lines))
    return code


_COMMANDS = {"cut": _cut, "make": _build, "update": _build, "info": _info, "verify": _verify, "plan": _plan}


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
        130 when interrupted.
    """
    options = _parser().parse_args(arguments)
    try:
        return _COMMANDS[options.command](options)
    except BrokenPipeError:  # the program that reads our output has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (TesseraError, OSError) as error:
        print(f"tessera: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        where = Path(getattr(options, "cube", "")).name
        print(f"tessera: interrupted; run the same command again to continue {where}", file=sys.stderr)
        return 130
