"""Which light curves a catalogue has, and where each is: the columns of its files that are no lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from astropy.coordinates import angular_separation
from astropy.table import Table
from numpy.typing import NDArray

from tessera.bulk.catalogue.files import CatalogueFile
from tessera.bulk.catalogue.parts import ParquetParts
from tessera.bulk.parquet_files import arrow_errors
from tessera.bulk.products.columns import HEALPIX, PURPOSE, target_columns
from tessera.extras import import_extra
from tessera.io.ranges import REQUESTS_IN_FLIGHT
from tessera.io.sources import open_source

FILE, GROUP, AT = "_file", "_group", "_at"
"""Columns that say where a row is: number of the file, of the row group in it, and of the row in that."""
_OWN = (FILE, GROUP, AT, HEALPIX)
_KINDS = {"string": "U1", "bool": "?"}
Values: TypeAlias = NDArray[Any]
_EMPTY: dict[str, Values] = {
    **{column.name: np.zeros(0, _KINDS.get(column.kind, column.kind)) for column in target_columns()},
    **{name: np.zeros(0, np.int64) for name in (FILE, GROUP, AT)},
}


def read_index(files: Sequence[CatalogueFile], numbers: Iterable[int]) -> Table:
    """Read the columns that are no lists, and where each row is.

    Parameters
    ----------
    files : sequence of CatalogueFile
        All files of the catalogue.
    numbers : iterable of int
        Places of the files that are read.

    Returns
    -------
    Table
        One row for each light curve, by row of the list, sector, camera and CCD.

    Raises
    ------
    UnreadableFileError
        When a file is damaged or cannot be read.
    """
    with ThreadPoolExecutor(REQUESTS_IN_FLIGHT) as pool:
        parts = [_EMPTY, *pool.map(lambda number: _read_file(files[number], number), numbers)]
    table = Table({name: np.concatenate([part[name] for part in parts]) for name in _EMPTY})
    table.sort(["row", "sector", "camera", "ccd"])
    for column in target_columns():
        table[column.name].description = column.about
        table[column.name].unit = column.unit or None
    return table


def without_places(index: Table) -> Table:
    """The columns of an index that are for users."""
    table = index.copy()
    table.remove_columns(_OWN)
    return table


def _read_file(file: CatalogueFile, number: int) -> dict[str, Values]:
    with closing(open_source(file.location)) as source:
        parts = ParquetParts(source)
        read = parts.read(n_columns=len(target_columns()))
    groups = np.array(parts.groups, np.int64)
    with arrow_errors(source.name):
        values = {column.name: _values(read[column.name].combine_chunks(), column.kind) for column in target_columns()}
    n_rows = int(groups.sum())
    starts = np.repeat(np.cumsum(groups) - groups, groups)
    values[FILE] = np.full(n_rows, number)
    values[GROUP] = np.repeat(np.arange(len(groups)), groups)
    values[AT] = np.arange(n_rows) - starts
    return values


def _values(column: Any, kind: str) -> Values:
    return np.array(column.to_pylist(), np.str_) if kind == "string" else np.asarray(column.to_numpy())


def touched(files: Sequence[CatalogueFile], ra: float, dec: float, degrees: float) -> list[int]:
    """Places of the files whose partitions a circle touches, at least."""
    healpix = import_extra("astropy_healpix", PURPOSE).HEALPix
    pixels: dict[int, set[int]] = {}
    for order in {file.order for file in files}:
        grid = healpix(1 << order, "nested")
        found = grid.cone_search_lonlat(ra * u.deg, dec * u.deg, min(180.0, degrees) * u.deg)
        near = grid.lonlat_to_healpix(ra * u.deg, dec * u.deg)
        pixels[order] = {int(pixel) for pixel in found} | {int(near)}
    return [place for place, file in enumerate(files) if file.pixel in pixels[file.order]]


def within(index: Table, ra: float, dec: float, degrees: float) -> Table:
    """Rows of an index in a circle, with their separation in arcseconds, the nearest first."""
    table = without_places(index)
    given = np.deg2rad([np.asarray(index["ra"], float), np.asarray(index["dec"], float)])
    separation = np.rad2deg(angular_separation(*np.deg2rad([ra, dec]), *given))
    table["separation"] = separation * 3600 * u.arcsec
    table = table[separation <= degrees]
    table.sort(["separation", "row", "sector", "camera", "ccd"])
    return table


def best_by_sector(entries: Table) -> dict[int, Any]:
    """The entry of the better CCD of each sector, by sector."""
    best: dict[int, Any] = {}
    for entry in entries:
        sector = int(entry["sector"])
        if sector not in best or (bool(entry["best"]) and not bool(best[sector]["best"])):
            best[sector] = entry
    return best
