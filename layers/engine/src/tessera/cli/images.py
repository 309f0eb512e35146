"""The command ``tessera image cut``."""

from __future__ import annotations

import argparse
import contextlib
import math
import re
from functools import partial
from typing import Any

from astropy import units as u

from tessera.cli.arguments import add_commands, add_quiet, add_sign, complete_files
from tessera.cli.terminal import report
from tessera.errors import InvalidInputError
from tessera.images.batch import ImageCutoutResult, make_image_cutouts
from tessera.images.cut import ImageCutoutOptions
from tessera.images.cut_targets import DAMAGED
from tessera.images.inputs import ImagePixel
from tessera.io.file_objects import open_image_source
from tessera.io.locations import file_name, scheme_of, shown
from tessera.progress import Counter, ProgressInput, counting
from tessera.windows import Side

_UNITS: dict[str, u.Unit | None] = {
    **dict.fromkeys(("px", "pix", "pixel", "pixels"), None),
    **dict.fromkeys(("mas",), u.mas),
    **dict.fromkeys(("arcsec", "arcsecond", "arcseconds", "as", '"', "''"), u.arcsec),
    **dict.fromkeys(("arcmin", "arcminute", "arcminutes", "'"), u.arcmin),
    **dict.fromkeys(("deg", "degree", "degrees", "d", "°"), u.deg),
}
_NUMBER = r"\s*((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*"
_UNIT = f"({'|'.join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))})?\\s*"
_SIZE = re.compile(f"{_NUMBER}{_UNIT}(?:x{_NUMBER}{_UNIT})?", re.IGNORECASE)


def add_image(groups: Any) -> None:
    """Add the command to a parser's groups."""
    commands = add_commands(groups, "image", "cut images")
    command = commands.add_parser("cut", help="make cutouts of FITS or ASDF images, one file for each")
    command.add_argument("files", nargs="+", help="paths or URLs of images, FITS or ASDF")
    command.add_argument(
        "-t",
        "--target",
        default=[],
        action="append",
        help="position: '150.1 2.2' (degrees), '10:00:24 +2:12:00'; repeatable",
    )
    command.add_argument(
        "-p",
        "--pixel",
        default=[],
        action="append",
        help="in place of a position: 'ROW COLUMN' on a FITS image, from 0; repeatable",
    )
    command.add_argument(
        "-s",
        "--size",
        default="25",
        help="one number, or ROWSxCOLUMNS: pixels, or angles such as 30arcsec and 2x3arcmin (default %(default)s)",
    )
    command.add_argument(
        "-x",
        "--extension",
        action="append",
        help="name, number, NAME,EXTVER, several of them with commas, or 'all'; repeatable; by default the first image",
    )
    command.add_argument("-o", "--output", default=".", help="folder of the files (default %(default)s)")
    command.add_argument("--full", action="store_true", help="keep the whole tree of ASDF files")
    add_sign(command)
    add_quiet(command)
    command.set_defaults(run=_run, interrupted=complete_files)


def parse_size(text: str) -> list[Side]:
    """Columns and rows, in the order that the library expects, of ROWSxCOLUMNS or one size for both.

    A unit after the second number is that of both, unless the first has its own.
    """
    allowed = "pixels or angles: one such as 25, 30arcsec or 0.1deg, or ROWSxCOLUMNS such as 300x200 or 2x3arcmin"
    match = _SIZE.fullmatch(text.lower())
    if match is None:
        raise InvalidInputError("size", text, allowed)
    rows, rows_unit, columns, columns_unit = match.groups()
    given = [(rows, rows_unit or columns_unit), (columns or rows, columns_unit or (None if columns else rows_unit))]
    sides: list[Side] = []
    for word, name in reversed(given):
        number, unit = float(word), _UNITS[name or "px"]
        if not 0 < number < math.inf:
            raise InvalidInputError("size", text, allowed)
        sides.append(number * unit if unit is not None else int(number) if number.is_integer() else number)
    return sides


def _targets(options: argparse.Namespace) -> list[str | ImagePixel]:
    """Positions and pixels of the command line."""
    pixels = []
    for text in options.pixel:
        try:
            row, column = (float(word) for word in re.split(r"[\s,]+", text.strip()))
        except ValueError as error:
            raise InvalidInputError("pixel", text, "'ROW COLUMN', two numbers from 0") from error
        pixels.append(ImagePixel(row, column))
    if not options.target and not pixels:
        raise InvalidInputError("target", options.target, "a position with -t, or a pixel with -p")
    return [*options.target, *pixels]


def _is_asdf(file: str) -> bool:
    """Whether a file is an ASDF file, by its content. A remote file with a usual name is not read twice for this."""
    name = file_name(file).lower()
    if scheme_of(file) and any(name.endswith((kind, f"{kind}.gz", f"{kind}.xz")) for kind in (".asdf", ".fits")):
        return ".asdf" in name
    try:
        with contextlib.closing(open_image_source(file)) as source:
            return source.read(0, min(5, source.size)) == b"#ASDF"
    except DAMAGED:
        return name.endswith(".asdf")


def _run(options: argparse.Namespace) -> int:
    size, targets = parse_size(options.size), _targets(options)
    how = ImageCutoutOptions(extension=_extensions(options.extension))
    asdf = [file for file in dict.fromkeys(options.files) if _is_asdf(file)]
    plain = [file for file in options.files if file not in asdf]
    results: list[ImageCutoutResult] = []
    with counting(not options.quiet, "target", (len(plain) + len(asdf)) * len(targets)) as counter:
        if plain:
            show = partial(_count, counter, "FITS")
            results += make_image_cutouts(plain, targets, size, options=how, output_dir=options.output, progress=show)
        if asdf:
            results += _cut_asdf(asdf, targets, size, options, partial(_count, counter, "ASDF"))
    return report(((result.status, _line(result)) for result in results), quiet=options.quiet)


def _count(counter: Counter, part: str, done: int, _total: int) -> None:
    counter.reach(part, done)


def _extensions(given: list[str] | None) -> list[str] | str | None:
    """Extensions as the library takes them."""
    return "all" if given and "all" in [item.strip().lower() for item in given] else given


def _cut_asdf(
    files: list[str],
    targets: list[str | ImagePixel],
    size: list[Side],
    options: argparse.Namespace,
    progress: ProgressInput,
) -> list[ImageCutoutResult]:
    from tessera.roman.batch import make_asdf_cutouts  # noqa: PLC0415 - it takes time to load, and FITS needs it not
    from tessera.roman.cut import AsdfOptions  # noqa: PLC0415 - see above

    how = AsdfOptions(math.nan, not options.full, {"memmap": True})
    return make_asdf_cutouts(files, targets, size, how, options.output, progress=progress)


def _line(result: ImageCutoutResult) -> str:
    if result.status == "ok":
        return str(result.path)
    where = f" ({result.path})" if result.path is not None else ""
    place = f", extension {result.extension}" if result.extension > 0 else ""
    name = shown(result.file)
    reason = result.reason.removeprefix(f"{name} ")
    return f"{name}{place} {result.ra:.6f} {result.dec:.6f}: {result.status}: {reason}{where}"
