"""The command ``tessera lightcurve``: its arguments."""

from __future__ import annotations

import argparse
import os
from typing import Any

from tessera.cli.arguments import add_quiet, add_sign, quality_flags, real_number
from tessera.cli.lists.arguments import add_list_arguments, check_list_arguments, interrupted_list
from tessera.cli.sources import add_sources, add_targets
from tessera.errors import InvalidInputError
from tessera.lightcurves.background import MODELS
from tessera.lightcurves.detrending.words import DETRENDINGS
from tessera.lightcurves.quality import BITS
from tessera.stitching.levels import GAP_DAYS, LEVELS

_SIGNED = "it with -o FILE.fits, -o FILE.ecsv without --stitch, or -o FOLDER/: others have no record"


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
    _add_stitching(command)
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
    add_sign(command)
    add_quiet(command)
    command.set_defaults(run=_run, interrupted=_interrupted)


def _add_stitching(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("one light curve of all sectors")
    group.add_argument(
        "--stitch",
        action="store_true",
        help="stitch the sectors of each target. Of several CCDs of a sector, the one is taken on which the target is "
        "farthest from the edge. A .fits file has the joined light curve, that of each sector, and tables of the "
        "sectors, the gaps, and what is left out",
    )
    group.add_argument(
        "--level",
        choices=LEVELS,
        help="what brings sectors to one level: divide by the median flux of each (the default), shift to the median "
        "of all, or none",
    )
    group.add_argument(
        "--gap",
        type=real_number,
        metavar="DAYS",
        help=f"longest time without points that is no gap (default {GAP_DAYS})",
    )


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
    _add_corrections(command)
    command.add_argument(
        "--quality",
        type=quality_flags,
        default="default",
        metavar="BITS",
        help=f"leave out cadences with one of these quality bits: a number, or {', '.join(BITS)} (default %(default)s)",
    )


def _add_corrections(command: argparse.ArgumentParser) -> None:
    background = command.add_mutually_exclusive_group()
    background.add_argument(
        "--background",
        choices=MODELS,
        help="what is subtracted: the median of the pixels outside the mask (default), the median of each row, or what "
        "the principal components of these pixels explain",
    )
    background.add_argument("--no-background", action="store_true", help="do not subtract the background")
    command.add_argument(
        "--detrend",
        choices=DETRENDINGS,
        default="none",
        help="take away what comes from the instrument: pld, what the pixels explain; cbv, what cotrending vectors "
        "of the CCD explain (default %(default)s)",
    )
    command.add_argument(
        "--vectors",
        metavar="FILE",
        help="file of cotrending vectors, or the folder with those of all cubes, for --detrend cbv (default: beside "
        "each cube)",
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


def _check_stitching(options: argparse.Namespace, *, is_list: bool) -> None:
    """Refuse options of stitching without it, and stitching of lists."""
    given = {"--level": options.level, "--gap": options.gap}
    for name, value in given.items():
        if value is not None and not options.stitch:
            raise InvalidInputError(name, value, "it together with --stitch")
    if options.stitch and is_list:
        raise InvalidInputError(
            "--stitch", "given with --plan or a folder", "--stitch with files, such as -o star.fits"
        )


def _recorded(options: argparse.Namespace) -> tuple[str, ...]:
    """Ends of the names of files that have a record."""
    return (".fits",) if options.stitch else (".fits", ".ecsv")


def _run(options: argparse.Namespace) -> int:
    is_list = _is_list(options)
    _check_stitching(options, is_list=is_list or options.plan)
    hint = "it together with --plan, or with a folder: -o FOLDER/"
    check_list_arguments(options, is_list=is_list, hint=hint)
    if options.sign and not (is_list or any(path.lower().endswith(_recorded(options)) for path in options.output)):
        raise InvalidInputError("--sign", options.sign, _SIGNED)
    if options.plan or is_list:
        from tessera.cli.lightcurve.listing import measure_list  # noqa: PLC0415 - takes time to load

        return measure_list(options)
    if options.format:
        raise InvalidInputError("--format", options.format[0], hint)
    if options.stitch:
        from tessera.cli.lightcurve.stitching import stitch_targets  # noqa: PLC0415 - takes time to load

        return stitch_targets(options)
    from tessera.cli.lightcurve.measuring import measure  # noqa: PLC0415 - takes time to load

    return measure(options)
