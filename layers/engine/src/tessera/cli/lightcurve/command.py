"""The command ``tessera lightcurve``: its arguments."""

from __future__ import annotations

import argparse
from typing import Any

from tessera.cli.arguments import add_quiet, quality_flags
from tessera.cli.sources import add_sources, add_targets
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
        "target, sector, camera and CCD at the end of the name",
    )
    add_quiet(command)
    command.set_defaults(run=_run, interrupted=_interrupted)


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


def _interrupted(options: argparse.Namespace) -> str:
    if not options.output:
        return "interrupted; nothing was printed"
    return "interrupted; the light curves that are complete stay; run the same command again to make all of them"


def _run(options: argparse.Namespace) -> int:
    from tessera.cli.lightcurve.measuring import measure  # noqa: PLC0415 - takes time to load

    return measure(options)
