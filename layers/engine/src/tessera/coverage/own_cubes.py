"""Search cubes of one's own: their headers and info tables are read, and their WCS says what they see."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tessera.coverage.rows import Sighting, Wanted, utc_text
from tessera.cubes.reader import Cube
from tessera.cutouts.batching import cut_cubes
from tessera.cutouts.cadences import cadence_seconds, middle_time
from tessera.cutouts.open_cube import open_cube
from tessera.cutouts.placing import find_pixels
from tessera.errors import InvalidInputError
from tessera.io.filesystems import in_filesystem
from tessera.io.locations import scheme_of
from tessera.io.sources import Location, check_locations
from tessera.lightcurves.preview import edge_distance
from tessera.progress import ProgressInput, counting
from tessera.targets.target import TargetList
from tessera.tess.times import to_mast_mjd, to_utc_mjd


@dataclass(frozen=True)
class CubeSearch:
    """What was found on one cube.

    Parameters
    ----------
    rows : list of Sighting
        Targets on the cube.
    error : Exception or None
        Why the cube cannot be read.
    """

    rows: list[Sighting]
    error: Exception | None = None


def list_cubes(cubes: Any, filesystem: Any = None) -> list[Location]:
    """Check the cubes that a user gave, and list the cubes of local folders among them.

    Parameters
    ----------
    cubes : str, Path, or several of them
        Paths and URLs of cubes, and local folders of cubes.
    filesystem : fsspec file system, optional
        File system of the cubes. Its folders are not listed.

    Raises
    ------
    InvalidInputError
        When there is no cube, or an item is neither a path nor a URL.
    """
    listed = check_locations("cubes", [cubes] if isinstance(cubes, (str, os.PathLike)) else cubes)
    if filesystem is not None:
        return in_filesystem(filesystem, listed)
    return [cube for location in listed for cube in _in_folder(location)]


def _in_folder(location: Location) -> Iterable[Location]:
    if scheme_of(os.fspath(location)) or not Path(location).is_dir():
        return [location]
    found = sorted(Path(location).glob("*cube*.fits*"))
    if not found:
        raise InvalidInputError("cubes", os.fspath(location), "a folder with files whose names are like *cube*.fits")
    return found


def search_cubes(
    cubes: Iterable[Location],
    targets: TargetList,
    wanted: Wanted,
    progress: ProgressInput = None,
) -> list[CubeSearch]:
    """Find targets on cubes.

    Parameters
    ----------
    cubes : list of str or Path
        The cubes; several are read at the same time.
    targets : TargetList
        The targets.
    wanted : Wanted
        Sectors and product that are searched.
    progress : bool or callable, optional
        See `tessera.progress.ProgressInput`; the items are cubes.

    Returns
    -------
    list of CubeSearch
        One for each cube.
    """

    def search(cube: tuple[int, Location]) -> CubeSearch:
        with open_cube(cube[1]) as file:
            found = CubeSearch(find_sightings(file.cube, cube[1], targets, wanted))
        counter.reach(cube[0], 1)
        return found

    def failed(cube: tuple[int, Location], error: Exception) -> CubeSearch:
        counter.reach(cube[0], 1)
        return CubeSearch([], error)

    listed = list(enumerate(cubes))
    with counting(progress, "cube", len(listed)) as counter:
        return cut_cubes(listed, search, failed, counter)


def find_sightings(cube: Cube, location: Location, targets: TargetList, wanted: Wanted) -> list[Sighting]:
    """Targets on one cube, where they are in the middle of its times.

    Parameters
    ----------
    cube : Cube
        The cube.
    location : str or Path
        Its path or address.
    targets, wanted
        See `search_cubes`.
    """
    sector, camera, ccd = (_integer(cube.primary.get(keyword)) for keyword in ("SECTOR", *cube.product.detector))
    if not wanted.has(sector, cube.product.name):
        return []
    rows, columns = find_pixels(cube, *targets.positions.at(middle_time(cube)))
    start, end = _day(cube, "start", np.fmin), _day(cube, "stop", np.fmax)
    name = location if isinstance(location, str) else os.fspath(location)
    facts = (cube.product.name, sector, camera, ccd, start, end, cadence_seconds(cube), cube.layout.n_cadences)
    found = []
    for number in np.flatnonzero(np.isfinite(rows)):
        row, column = float(rows[number]), float(columns[number])
        edge = round(edge_distance(cube.layout, row, column), 1)
        found.append(Sighting(targets.targets[number], *facts, round(row, 3), round(column, 3), edge, name))
    return found


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _day(cube: Cube, name: str, choose: np.ufunc) -> str:
    """First or last time of a cube as text in UTC."""
    days = float(choose.reduce(cube.series[name]))
    return utc_text(to_utc_mjd(cube.product, to_mast_mjd(cube.product, days)))
