"""Measures light curves of a list of targets again, by their records: Parquet and FITS files."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO

from tessera.bulk.curve_record import band_of, options_of
from tessera.bulk.plan.stored import StoredBand
from tessera.bulk.products.curve_fits import curve_file
from tessera.bulk.products.parquet import CurveTable
from tessera.bulk.work.made import BulkCurve
from tessera.bulk.work.making import make_band
from tessera.bulk.work.order import reading_pool
from tessera.cubes.reader import Cube
from tessera.cutouts.open_cube import open_cube
from tessera.errors import ProvenanceError
from tessera.io.sources import Location
from tessera.lightcurves.detrending.vectors import AlignedVectors
from tessera.provenance.record import Record
from tessera.verify.compare import MOST_NAMED
from tessera.verify.origins import origin_problems
from tessera.verify.products.product import MadeAgain, in_window
from tessera.verify.report import Problem
from tessera.verify.vectors import Find, vectors_again


class _Memory:
    """A folder in memory that keeps its last file; see `tessera.bulk.products.folder.Folder`."""

    content = b""

    @contextmanager
    def create(self, _name: str) -> Iterator[IO[bytes]]:
        """Open a new file for writing."""
        file = io.BytesIO()
        yield file
        self.content = file.getvalue()


def curves_again(record: Record, location: Location, find: Find) -> MadeAgain:
    """Measure the light curves of a Parquet file again; see `tessera.verify.made_again.make_again`."""
    measured, folder = _measure(record, location, find), _Memory()
    named = {"record": record.text, "sha256": record.sha256, "signature": record.signature}
    named = {name: value for name, value in named.items() if value}
    options, nothing = options_of(record.request), lambda _file, _places: None
    table = CurveTable(folder, measured.band, options, nothing, sys.maxsize, named=named)
    for place, curve in measured.curves:
        table.add(place, curve)
    table.finish()
    return MadeAgain(folder.content, lambda _: {}, measured.problems)


def curve_file_again(record: Record, location: Location, find: Find) -> MadeAgain:
    """Measure the light curve of a FITS file again; see `tessera.verify.made_again.make_again`."""
    measured = _measure(record, location, find)
    [(place, curve)] = measured.curves
    content = curve_file(measured.cube, measured.band, measured.band.targets(), place, curve)
    pixel = in_window(measured.band.window(place))
    return MadeAgain(content, lambda index: pixel(index) or {"cadence": index[0]}, measured.problems)


@dataclass(frozen=True)
class _Measured:
    """Light curves with their places in the band, and what differs about the cube or could not be measured."""

    band: StoredBand
    cube: Cube
    curves: list[tuple[int, BulkCurve]]
    problems: list[Problem]


def _measure(record: Record, location: Location, find: Find) -> _Measured:
    """Measure the targets of a record."""
    options = replace(options_of(record.request), outputs=("parquet",))
    opened, problems = vectors_again(record.request["vectors"], location, find)
    vectors = None if opened is None else AlignedVectors(opened.vectors, opened.gap)
    curves, lost = list[tuple[int, BulkCurve]](), list[Problem]()
    with open_cube(location) as file, reading_pool(file.source) as pool:
        problems += origin_problems(record.origin, file.source, file.cube.digest)
        band = band_of(record.request, file.cube)
        read = file.source.read_buffer
        for made in make_band(band, file.cube, read, options, pool=pool, vectors=vectors):
            if made.curve is not None:
                curves.append((made.sighting, made.curve))
                continue
            target, row = band.name[made.sighting], int(band.row[made.sighting])
            text = f"the light curve of {target} (row {row} of the list) cannot be made again: {made.reason}"
            lost.append(Problem("source", text, {"target": target, "list_row": row}))
    if not curves:
        raise ProvenanceError(lost[0].text if lost else "its record has no targets")
    return _Measured(band, file.cube, curves, problems + lost[:MOST_NAMED])
