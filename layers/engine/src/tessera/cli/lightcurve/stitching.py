"""``tessera lightcurve --stitch``: one light curve of all sectors of each target."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tessera.cli.cutting import read_size
from tessera.cli.lightcurve.measuring import free_path, measures_of, plain_name, quoted, read_outputs
from tessera.cli.search import complain_missing
from tessera.cli.sources import read_targets, search_arguments
from tessera.cli.terminal import complain, describe_error, say
from tessera.coverage.result import SearchResult
from tessera.coverage.search import search
from tessera.coverage.stitched import ServedVectors, stitch_rows
from tessera.errors import InvalidInputError, NoOverlapError
from tessera.lightcurves.masks import check_mask_text
from tessera.progress import counting
from tessera.stitching.curve import StitchedCurve
from tessera.stitching.files import stitched_csv
from tessera.stitching.levels import GAP_DAYS

_LEVELS = {"divide": "each sector divided by its median", "shift": "sectors shifted to one median", "none": "as it was"}


def stitch_targets(options: argparse.Namespace) -> int:
    """Run the command.

    Returns
    -------
    int
        Exit code: 1 if a target is on no cube, a light curve could not be made, or a sector of it could not be used.
    """
    outputs = read_outputs(options)
    check_mask_text(options.mask, "--mask")
    read_size(options.size)
    found = search(read_targets(options.targets), **search_arguments(options), progress=not options.quiet)
    stitched = _Stitched(options, found)
    if outputs:
        _write(stitched, outputs, several=stitched.n_targets > 1, quiet=options.quiet)
    else:
        for line in _csv_lines(list(stitched)):
            say(line)
    complain_missing(found)
    return 1 if stitched.failed or found.missing or found.unread else 0


class _Stitched:
    """The stitched light curves of the targets of a search, one after the other. What fails is said and counted."""

    def __init__(self, options: argparse.Namespace, found: SearchResult) -> None:
        self._options, self._found, self._served = options, found, ServedVectors.of(found.service)
        self._numbers = list(dict.fromkeys(row.target.number for row in found.rows))
        self.n_targets = len(self._numbers)
        self.failed = False

    def __iter__(self) -> Iterator[tuple[str, StitchedCurve]]:
        of_row = np.array([row.target.number for row in self._found.rows])
        with counting(not self._options.quiet and self.n_targets > 1, "light curve", self.n_targets) as counter:
            for number in self._numbers:
                some = self._found[of_row == number]
                name = some.rows[0].target.name
                try:
                    curve = self._stitch(some)
                except NoOverlapError as error:
                    self.failed = True
                    complain(f"{name}: {describe_error(error)}")
                else:
                    self._tell(name, curve)
                    yield name, curve
                counter.add()

    def _stitch(self, some: SearchResult) -> StitchedCurve:
        options = self._options
        gap, level = GAP_DAYS if options.gap is None else options.gap, options.level or "divide"
        size, measures = read_size(options.size), measures_of(options)
        return stitch_rows(some, size, measures, level, gap, options=None, progress=None, served=self._served)

    def _tell(self, name: str, curve: StitchedCurve) -> None:
        """Say which CCDs are not used. Warnings have said which of them failed."""
        for one in curve.left_out:
            self.failed |= one.failed
            if not (one.failed or self._options.quiet):
                complain(f"{name}: {one.name} is left out: {one.reason}")


def _write(stitched: _Stitched, outputs: list[Path], *, several: bool, quiet: bool) -> None:
    """Write each light curve to each output, and say so."""
    taken = set[Path]()
    for name, curve in stitched:
        for output in outputs:
            path = curve.write(free_path(output, plain_name(name) if several else "", taken))
            if not quiet:
                say(f"{path}: {_about(curve)}")


def _about(curve: StitchedCurve) -> str:
    numbers = ", ".join(str(one.sector) for one in curve.sectors)
    word = "sector" if len(curve.sectors) == 1 else "sectors"
    longest = max((gap.days for gap in curve.gaps), default=0.0)
    gaps = f"{len(curve.gaps)} gaps, the longest of {longest:.1f} days" if curve.gaps else "no gaps"
    gaps = f"a gap of {longest:.1f} days" if len(curve.gaps) == 1 else gaps
    background = f"background {'' if curve.background_subtracted else 'not '}subtracted"
    return f"{len(curve):,} points of {word} {numbers}, {_LEVELS[curve.level]}, {gaps}, {background}"


def _csv_lines(made: list[tuple[str, StitchedCurve]]) -> list[str]:
    """Light curves as lines of CSV: one as it is, several with the name of the target in front."""
    tables = [(name, stitched_csv(curve).splitlines()) for name, curve in made]
    if len(tables) < 2:
        return [line for _, table in tables for line in table]
    if len({table[0] for _, table in tables}) > 1:
        allowed = "SPOC or TICA, because the times of both kinds of frames do not fit into one table"
        raise InvalidInputError("--product", "any", allowed)
    return [f"target,{tables[0][1][0]}", *(f"{quoted(name)},{line}" for name, table in tables for line in table[1:])]
