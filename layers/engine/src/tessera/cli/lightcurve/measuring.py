"""The work of ``tessera lightcurve``: search, cut, sum the pixels, and write or print the light curves."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tessera.cli.cutting import read_size
from tessera.cli.search import complain_missing
from tessera.cli.sources import read_targets, search_arguments
from tessera.cli.terminal import complain, say
from tessera.coverage.cutouts import TargetCutout
from tessera.coverage.result import SearchResult
from tessera.coverage.search import search
from tessera.coverage.stitched import TREND_ERRORS, ServedVectors, measure_target
from tessera.errors import InvalidInputError
from tessera.lightcurves.curve_files import check_curve_path, curve_csv
from tessera.lightcurves.facts import place_texts
from tessera.lightcurves.light_curve import LightCurve
from tessera.lightcurves.masks import check_mask_text
from tessera.progress import counting
from tessera.windows import Side

_AT_ONCE = 32
"""Number of cutouts that are in memory at the same time."""
_NO_NAME = re.compile(r"[^A-Za-z0-9.+-]+")


def measure(options: argparse.Namespace) -> int:
    """Run the command.

    Returns
    -------
    int
        Exit code: 1 if a target is on no cube, or a light curve could not be made.
    """
    outputs = read_outputs(options)
    check_mask_text(options.mask, "--mask")
    size = read_size(options.size)
    found = search(read_targets(options.targets), **search_arguments(options), progress=not options.quiet)
    curves = _Curves(options, size, found)
    lines = _write(curves, outputs, several=len(found) > 1) if outputs else _csv_lines(list(curves))
    for line in lines:
        if not (options.quiet and outputs):
            say(line)
    complain_missing(found)
    for line in curves.failed:
        complain(line)
    return 1 if curves.failed or found.missing or found.unread else 0


def read_outputs(options: argparse.Namespace) -> list[Path]:
    """Files to write, which may be written. Vectors that nothing uses are refused, too, before the search."""
    if options.vectors is not None and options.detrend != "cbv":
        raise InvalidInputError("--vectors", options.vectors, "a file or folder together with --detrend cbv")
    return [_output(path) for path in dict.fromkeys(options.output)]


def measures_of(options: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments of `TargetPixels.to_lightcurve`."""
    background: Any = False if options.no_background else options.background or "default"
    measures = {"mask": options.mask, "background": background, "quality": options.quality}
    return measures | {"detrend": options.detrend, "vectors": options.vectors}


def _output(path: str) -> Path:
    if not Path(path).suffix:
        allowed = "a name that ends with .csv, .ecsv, .fits or .png; or a folder, with a slash at its end, for a list"
        raise InvalidInputError("-o", path, allowed)
    return check_curve_path(path, "-o")


class _Curves:
    """The light curves of a search, one after the other. Cutouts that fail are left out and counted."""

    def __init__(self, options: argparse.Namespace, size: list[Side], found: SearchResult) -> None:
        self._options, self._size, self._found = options, size, found
        self._served = ServedVectors.of(found.service)
        self.failed: list[str] = []

    def __iter__(self) -> Iterator[tuple[TargetCutout, LightCurve]]:
        with counting(not self._options.quiet and len(self._found) > 1, "light curve", len(self._found)) as counter:
            for start in range(0, len(self._found), _AT_ONCE):
                for cutout in self._found[start : start + _AT_ONCE].cut(self._size):
                    curve, reason = self._try(cutout) if cutout.status == "ok" else (None, cutout.reason)
                    if curve is not None:
                        yield cutout, curve
                    else:
                        self.failed.append(f"{cutout.target.name}, {cutout.cube}: {reason}")
                    counter.add()

    def _try(self, cutout: TargetCutout) -> tuple[LightCurve | None, str]:
        """The light curve, or why it cannot be detrended: that concerns this one only."""
        try:
            return measure_target(cutout, measures_of(self._options), self._served), ""
        except TREND_ERRORS as error:
            return None, str(error)


def _write(curves: _Curves, outputs: list[Path], *, several: bool) -> list[str]:
    """Write each light curve to each output. Returns a line about each file."""
    lines, taken = [], set[Path]()
    for cutout, curve in curves:
        for output in outputs:
            path = free_path(output, _name(cutout) if several else "", taken)
            lines.append(f"{curve.write(path)}: {_about(curve)}")
    return lines


def free_path(output: Path, name: str, taken: set[Path]) -> Path:
    """Take the path of a file: that of the output, with a name at the end of its stem, and a number if it is taken."""
    path = output.with_stem(f"{output.stem}-{name}") if name else output
    stem, number = path.stem, 2
    while path in taken:
        path, number = path.with_stem(f"{stem}-{number}"), number + 1
    taken.add(path)
    return path


def plain_name(target: str) -> str:
    """Name of a target as a part of a file name."""
    return _NO_NAME.sub("_", target).strip("_")


def _name(cutout: TargetCutout) -> str:
    """Target, sector, camera and CCD, as a part of a file name."""
    words = [plain_name(cutout.target.name)]
    row = cutout.row
    if row is not None and row.sector is not None:
        words += [*(["tica"] if row.product == "TICA" else []), f"s{row.sector:04d}", str(row.camera), str(row.ccd)]
    return "-".join(words)


def _about(curve: LightCurve) -> str:
    words = [f"{len(curve):,} points", *place_texts(curve.facts)]
    if curve.mask is not None:
        words.append(f"{curve.mask.sum()} of {curve.mask.size} pixels")
    words.append(f"background {'' if curve.background_subtracted else 'not '}subtracted")
    return ", ".join([*words, *([f"detrended by {curve.detrended}"] if curve.detrended else [])])


def _csv_lines(made: list[tuple[TargetCutout, LightCurve]]) -> list[str]:
    """Light curves as lines of CSV: one as it is, several with the columns of their origin in front."""
    tables = [(cutout, curve_csv(curve).splitlines()) for cutout, curve in made]
    if len(tables) < 2:
        return [line for _, table in tables for line in table]
    if len({table[0] for _, table in tables}) > 1:
        allowed = "SPOC or TICA, because the times of both kinds of frames do not fit into one table"
        raise InvalidInputError("--product", "any", allowed)
    lines = [f"target,sector,camera,ccd,{tables[0][1][0]}"]
    for cutout, table in tables:
        row = cutout.row
        place = (row.sector, row.camera, row.ccd) if row is not None else (None, None, None)
        front = ",".join([quoted(cutout.target.name), *("" if number is None else str(number) for number in place)])
        lines += [f"{front},{line}" for line in table[1:]]
    return lines


def quoted(text: str) -> str:
    """Text as a value of CSV."""
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if re.search(r'[",\r\n]', text) else text
