"""The command ``tessera image cut``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from tessera.errors import InvalidInputError
from tessera.images.batch import ImageCutoutResult, make_image_cutouts
from tessera.images.cut import ImageCutoutOptions


def add_image(groups: Any) -> None:
    """Add the command to a parser's groups."""
    commands = groups.add_parser("image", help="cut images").add_subparsers(dest="command", required=True)
    command = commands.add_parser("cut", help="make cutouts of FITS or ASDF images, one file for each")
    command.add_argument("files", nargs="+", help="paths or URLs of images: all FITS, or all ASDF")
    command.add_argument(
        "-t", "--target", required=True, action="append", help="'RA DEC' in degrees, such as '150.1 2.2'; repeatable"
    )
    command.add_argument("-s", "--size", default="25", help="pixels: one number, or ROWSxCOLUMNS (default %(default)s)")
    command.add_argument("-x", "--extension", help="name or number, or 'all'; by default the first image")
    command.add_argument("-o", "--output", default=".", help="folder of the files (default %(default)s)")
    command.add_argument("--full", action="store_true", help="keep the whole tree of ASDF files")


def _size(text: str) -> list[int]:
    """Columns and rows, in the order that the library expects."""
    try:
        rows, _, columns = text.partition("x")
        return [int(columns or rows), int(rows)]
    except ValueError as error:
        raise InvalidInputError("size", text, "a number of pixels, or ROWSxCOLUMNS") from error


def run_image(options: argparse.Namespace) -> tuple[Iterator[str], int]:
    """Run the command.

    Returns
    -------
    tuple
        Lines of output, and the exit code: 1 if a file failed or there is no cutout.
    """
    asdf = [file.lower().endswith(".asdf") for file in options.files]
    if any(asdf):
        if not all(asdf):
            raise InvalidInputError("files", options.files, "only FITS files, or only ASDF files")
        return iter(_cut_asdf(options)), 0
    name = options.extension
    extension = int(name) if name is not None and name.isdecimal() else name
    how = ImageCutoutOptions(extension=extension)
    results = make_image_cutouts(
        options.files, options.target, _size(options.size), options=how, output_dir=options.output
    )
    good = any(result.status == "ok" for result in results)
    failed = any(result.status == "error" for result in results)
    return map(_line, results), 1 if failed or not good else 0


def _cut_asdf(options: argparse.Namespace) -> Sequence[str]:
    from tessera.compat.roman.asdf_cutout import ASDFCutout  # noqa: PLC0415 - needs packages that FITS does not

    made = ASDFCutout(options.files, options.target, _size(options.size), lite=not options.full)
    return list(map(str, made.write_as_asdf(options.output)))


def _line(result: ImageCutoutResult) -> str:
    if result.status != "ok":
        return f"{result.file} {result.ra:.6f} {result.dec:.6f}: {result.status}: {result.reason}"
    return str(result.path)
