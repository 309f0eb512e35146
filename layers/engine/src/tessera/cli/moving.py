"""The command ``tessera moving cut``."""

from __future__ import annotations

import argparse
from typing import Any

from tessera.cli.arguments import add_commands, add_flags, add_quiet, add_sign, complete_files
from tessera.cli.terminal import report
from tessera.errors import InvalidInputError
from tessera.framesets.find import read_frames
from tessera.io.locations import shown
from tessera.moving.batch import MovingResult, make_moving_cutouts
from tessera.moving.ephemeris_table import read_ephemeris, table_formats, table_scales
from tessera.moving.track import MovingOptions


def add_moving(groups: Any) -> None:
    """Add the command to a parser's groups."""
    commands = add_commands(groups, "moving", "cut moving targets")
    command = commands.add_parser("cut", help="make a target pixel file of each cube that a target crosses")
    command.add_argument("cubes", nargs="*", help="paths or URLs of cubes")
    about = "frame, folder of frames, or folder in S3 ending with a slash, where there is no cube yet; repeatable"
    command.add_argument("--frames", action="append", default=[], metavar="PATH", help=about)
    command.add_argument(
        "-e", "--ephemeris", required=True, help="times and positions: CSV, ECSV, JSON or an answer of JPL Horizons"
    )
    command.add_argument("-s", "--size", default="15", help="pixels: one number, or ROWSxCOLUMNS (default %(default)s)")
    command.add_argument("-o", "--output", default=".", help="folder of the files (default %(default)s)")
    command.add_argument("--no-check", action="store_true", help="cut cubes although their checksums are wrong")
    command.add_argument("--name", default="", help="name of the target")
    command.add_argument("--time-format", choices=table_formats(), help="by default the format in the table")
    command.add_argument(
        "--time-scale",
        help=f"{', '.join(table_scales())}; by default that of the table, or tdb for tjd and btjd, otherwise utc",
    )
    command.add_argument("--clock", choices=("observer", "barycentre"), help="clock that the times belong to")
    command.add_argument(
        "--edges", choices=("fill", "drop"), default="fill", help="fill boxes that reach beyond the frame, or drop them"
    )
    add_flags(command)
    add_sign(command)
    add_quiet(command)
    command.set_defaults(run=_run, interrupted=complete_files)


def _size(text: str) -> tuple[int, int]:
    try:
        rows, _, columns = text.partition("x")
        return int(rows), int(columns or rows)
    except ValueError as error:
        raise InvalidInputError("size", text, "a number of pixels, or ROWSxCOLUMNS") from error


def _run(options: argparse.Namespace) -> int:
    about = {name: getattr(options, name) for name in ("time_format", "time_scale", "clock", "name")}
    ephemeris = read_ephemeris(options.ephemeris, **about)
    how = MovingOptions(edges=options.edges, check=not options.no_check, flags=options.flags)
    size, show = _size(options.size), not options.quiet
    if not (options.cubes or options.frames):
        raise InvalidInputError("cubes", "none", "paths or URLs of cubes, or --frames")
    cubes = [*options.cubes, *(read_frames(options.frames) if options.frames else ())]
    results = make_moving_cutouts(cubes, ephemeris, size, options=how, output_dir=options.output, progress=show)
    return report(((result.status, _line(result)) for result in results), quiet=options.quiet)


def _line(result: MovingResult) -> str:
    if result.status != "ok":
        name = shown(result.cube)
        return f"{name}: {result.status}: {result.reason.removeprefix(f'{name} ')}"
    read = f"{result.n_cadences} cadences, {result.n_requests} reads, {result.n_bytes:,} bytes"
    return f"{result.path}: {read}" + (f"; {result.reason}" if result.reason else "")
