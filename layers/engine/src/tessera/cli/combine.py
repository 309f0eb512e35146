"""The command ``tessera combine``."""

from __future__ import annotations

import argparse
from typing import Any

from tessera.cli.arguments import add_quiet, read_names
from tessera.cli.terminal import say
from tessera.io.outputs import check_output

DEFAULT_FILE = "cutout.fits"


def add_combine(groups: Any) -> None:
    """Add the command to a parser's groups."""
    command = groups.add_parser(
        "combine",
        help="combine cutouts of images into one file",
        description="Combine cutouts of images that share a pixel grid: the mean of the images that have data, "
        "extension by extension.",
    )
    command.add_argument(
        "files", nargs="+", help="paths or URLs of cutouts; '-' reads names from standard input, one per line"
    )
    command.add_argument(
        "-o", "--output", default=DEFAULT_FILE, metavar="FILE", help="path of the file (default %(default)s)"
    )
    command.add_argument(
        "-x",
        "--extension",
        action="append",
        help="name or number of an extension, or several of them with commas; repeatable; by default all images",
    )
    command.add_argument(
        "--reproject",
        nargs="?",
        const="interp",
        choices=("interp", "adaptive", "exact"),
        help="reproject images onto the grid of the first one (default method interp); otherwise they are an error",
    )
    add_quiet(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from tessera.compat.images.cutouts_combiner import CutoutsCombiner  # noqa: PLC0415 - takes time to load

    names = read_names("files", options.files)
    check_output("-o", options.output, names)
    show = not options.quiet
    combiner = CutoutsCombiner(names, options.extension, reproject=options.reproject or False, progress=show)
    path = combiner.combine(options.output)
    if not options.quiet:
        say(str(path))
    return 0
