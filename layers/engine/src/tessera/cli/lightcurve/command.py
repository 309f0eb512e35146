"""The command ``tessera lightcurve``: its arguments."""

from __future__ import annotations

import argparse
import os
from typing import Any

from tessera.cli.arguments import add_quiet, quality_flags
from tessera.cli.lists.arguments import add_list_arguments, check_list_arguments, interrupted_list
from tessera.cli.sources import add_sources, add_targets
from tessera.errors import InvalidInputError
from tessera.lightcurves.quality import BITS


def add_lightcurve(groups: Any) -> None:
    """Add the command to a parser's groups."""
    command = groups.add_parser(
        "lightcurve",
        help="make light curves of targets",
        description="Make a light curve of each sector and CCD that sees a target: the sum of the pixels around it.",
        epilog="Without -o, the light curve is printed as CSV, with the columns of /v1/preview.csv. Several light "
        "curves are one table, with the columns target, sector, camera and ccd in front. The exit code is 0 if every "
        "light curve was made, otherwise 1.",
    )
    add_targets(command)
    add_sources(command)
    _add_measures(command)
    command.add_argument(
        "-o",
        "--output",
        action="append",
        default=[],
        metavar="FILE",
        help="file to write: .csv, .ecsv, .fits (for lightkurve) or .png; repeatable. Several light curves get the "
        "target, sector, camera and CCD at the end of the name. FOLDER/, with a slash at its end, is for lists of "
        "targets: each cube is read once, and the light curves become a catalogue of Parquet files",
    )
    _add_lists(command)
    add_quiet(command)
    command.set_defaults(run=_run, interrupted=_interrupted)


def _add_lists(command: argparse.ArgumentParser) -> None:
    group = add_list_arguments(command)
    group.add_argument(
        "--format",
        action="append",
        choices=("parquet", "fits"),
        help="light curves in FOLDER/: a catalogue of Parquet files, or a FITS file each; repeatable (default parquet)",
    )


def _add_measures(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-s",
        "--size",
        default="11",
        help="pixels around the target: one number, or ROWSxCOLUMNS: pixels, or angles such as 2arcmin "
        "(default %(default)s)",
    )
    command.add_argument(
        "--mask",
        "--aperture",
        default="default",
        metavar="MASK",
        help="pixels to sum: threshold, all, or the hexadecimal digits of the web page (default: threshold, the pixels "
        "of the target that are three standard deviations above the median)",
    )
    command.add_argument("--no-background", action="store_true", help="do not subtract the background")
    command.add_argument(
        "--quality",
        type=quality_flags,
        default="default",
        metavar="BITS",
        help=f"leave out cadences with one of these quality bits: a number, or {', '.join(BITS)} (default %(default)s)",
    )


def _is_list(options: argparse.Namespace) -> bool:
    """Whether the output is a folder."""
    return any(path.endswith(os.sep) or os.path.isdir(path) for path in options.output)  # noqa: PTH112 - any text may be given


def _interrupted(options: argparse.Namespace) -> str:
    if options.plan or _is_list(options):
        return interrupted_list(options)
    if not options.output:
        return "interrupted; nothing was printed"
    return "interrupted; the light curves that are complete stay; run the same command again to make all of them"


def _run(options: argparse.Namespace) -> int:
    is_list = _is_list(options)
    hint = "it together with --plan, or with a folder: -o FOLDER/"
    check_list_arguments(options, is_list=is_list, hint=hint)
    if options.plan or is_list:
        from tessera.cli.lightcurve.listing import measure_list  # noqa: PLC0415 - takes time to load

        return measure_list(options)
    if options.format:
        raise InvalidInputError("--format", options.format[0], hint)
    from tessera.cli.lightcurve.measuring import measure  # noqa: PLC0415 - takes time to load

    return measure(options)
