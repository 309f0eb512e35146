"""Search cubes of one's own: their headers and info tables are read, and their WCS says what they see."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tessera.coverage.rows import SearchRow, Wanted, utc_text
from tessera.cubes.reader import Cube
from tessera.cutouts.batching import cut_cubes
from tessera.cutouts.cadences import cadence_seconds, middle_time
from tessera.cutouts.open_cube import open_cube
from tessera.cutouts.placing import find_pixels
from tessera.io.sources import Location
from tessera.lightcurves.preview import edge_distance
from tessera.progress import ProgressInput, counting
from tessera.sky.positions import Floats, path_pixels
from tessera.targets.target import Target, TargetList
from tessera.tess.times import to_mast_mjd, to_utc_mjd


@dataclass(frozen=True)
class CubeSearch:
    """What was found on one cube.

    Parameters
    ----------
    rows : list of SearchRow
        Targets on the cube.
    error : Exception or None
        Why the cube cannot be read.
    """

    rows: list[SearchRow]
    error: Exception | None = None


def search_cubes(
    cubes: Sequence[Location], targets: TargetList, wanted: Wanted, progress: ProgressInput = None
) -> list[CubeSearch]:
    """Find targets on cubes.

    Parameters
    ----------
    cubes : list of str or Path
        The cubes; several are read at the same time.
    targets : TargetList
        The targets.
    wanted : Wanted
        Product that is searched. Cubes of all sectors are, because a missing target may be in another sector.
    progress : bool or callable, optional
        See `tessera.progress.ProgressInput`; the items are cubes.

    Returns
    -------
    list of CubeSearch
        One for each cube.
    """

    def search(location: Location, cube: Cube) -> Iterator[SearchRow]:
        if wanted.product not in (None, cube.product.name):
            return iter(())
        rows, columns = find_pixels(cube, *targets.positions.at(middle_time(cube)))
        numbers = np.flatnonzero(np.isfinite(rows))
        found = [targets.targets[number] for number in numbers]
        return _rows(location, cube, found, rows[numbers], columns[numbers])

    return _read_cubes(cubes, search, progress)


def locate_rows(
    rows: Mapping[str, Sequence[SearchRow]], targets: TargetList, progress: ProgressInput = None
) -> list[CubeSearch]:
    """Read the cubes of rows, and say what the WCS and the info tables tell.

    Parameters
    ----------
    rows : mapping
        For each cube, its rows.
    targets : TargetList
        All targets of the search.
    progress : bool or callable, optional
        See `search_cubes`.

    Returns
    -------
    list of CubeSearch
        For each cube as many rows as there were. A pixel beyond the frame stays, with a negative distance to the edge;
        it is unknown if the WCS has none.
    """

    def locate(location: Location, cube: Cube) -> Iterator[SearchRow]:
        old = rows[os.fspath(location)]
        ra, dec = (values[[row.target.number for row in old]] for values in targets.positions.at(middle_time(cube)))
        new = _rows(location, cube, [row.target for row in old], *path_pixels(cube.wcs, ra, dec))
        return (
            replace(one, sector=row.sector, camera=row.camera, ccd=row.ccd) for one, row in zip(new, old, strict=True)
        )

    return _read_cubes(list(rows), locate, progress)


def _read_cubes(
    cubes: Sequence[Location], read: Callable[[Location, Cube], Iterator[SearchRow]], progress: ProgressInput
) -> list[CubeSearch]:
    """Open cubes at the same time, and read the rows of each."""

    def search(numbered: tuple[int, Location]) -> CubeSearch:
        with open_cube(numbered[1], tried_again=True) as file:
            found = CubeSearch(list(read(numbered[1], file.cube)))
        counter.reach(numbered[0], 1)
        return found

    def failed(numbered: tuple[int, Location], error: Exception) -> CubeSearch:
        counter.reach(numbered[0], 1)
        return CubeSearch([], error)

    with counting(progress, "cube", len(cubes)) as counter:
        return cut_cubes(list(enumerate(cubes)), search, failed, counter)


def _rows(
    location: Location, cube: Cube, targets: Sequence[Target], rows: Floats, columns: Floats
) -> Iterator[SearchRow]:
    """Rows of targets and their pixels on the frame, shape (n,)."""
    sector, camera, ccd = cube.detector
    start, end = _day(cube, "start", np.fmin), _day(cube, "stop", np.fmax)
    for target, row, column in zip(targets, rows.tolist(), columns.tolist(), strict=True):
        known = math.isfinite(row)
        yield SearchRow(
            target=target,
            product=cube.product.name,
            sector=sector,
            camera=camera,
            ccd=ccd,
            start=start,
            end=end,
            cadence=cadence_seconds(cube),
            n_cadences=cube.layout.n_cadences,
            row=round(row, 3) if known else None,
            column=round(column, 3) if known else None,
            edge=round(edge_distance(cube.layout, row, column), 1) if known else None,
            cube=location if isinstance(location, str) else os.fspath(location),
        )


def _day(cube: Cube, name: str, choose: np.ufunc) -> str:
    """First or last time of a cube as text in UTC."""
    days = float(choose.reduce(cube.series[name]))
    return utc_text(to_utc_mjd(cube.product, to_mast_mjd(cube.product, days)))
