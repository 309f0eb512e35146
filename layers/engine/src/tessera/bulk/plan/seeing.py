"""Find which of many cubes see which targets of a list, and at which pixels: one pass per cube over all targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tessera.bulk.epochs import julian_year
from tessera.bulk.options import LARGEST_SIDE, BulkOptions
from tessera.bulk.plan.costs import MOST_CUTOUTS
from tessera.bulk.plan.motion import with_motion
from tessera.bulk.plan.region import Region, frame_region
from tessera.bulk.plan.sightings import Floats, Ints, SightCube, Sightings
from tessera.bulk.target_rows import TargetRows
from tessera.errors import InvalidInputError
from tessera.lightcurves.preview import edge_distances
from tessera.sky.positions import path_pixels, sky_to_pixel
from tessera.sky.sphere import unit_vectors
from tessera.sky.wcs import frame_wcs
from tessera.tpf.cards import BJDREFI
from tessera.windows import Placement, place_axes

FOOTPRINT_MARGIN = 0.75
"""Degrees beyond the polygon through the corners of a frame where the distorted frame, and a window that touches it,
may be."""
_UNSURE = 2e-4
"""Pixels. astropy ends when no pixel of a call changes by more than 1e-4, so a pixel depends a little on the others."""
_YEARS = (2015.0, 2040.0)
"""Years between which frames may have been taken, for proper motions before a cube is opened."""


@dataclass(frozen=True)
class _Sky:
    """Targets by declination. Arrays have the shape (n_targets,).

    Parameters
    ----------
    place : ndarray of int64
        Places in `TargetRows`.
    dec : ndarray of float64
        Declinations in degrees, ascending.
    directions : ndarray of float64, shape (n_targets, 3)
        Unit vectors.
    motion, epoch : ndarray of float64, shape (n_moving,)
        Degrees a year of the targets that move, and the Julian years of their positions.
    """

    place: Ints
    dec: Floats
    directions: Floats
    motion: Floats
    epoch: Floats

    @classmethod
    def of(cls, rows: TargetRows) -> _Sky:
        order = np.argsort(rows.dec, kind="stable")
        motion = np.hypot(rows.pm_ra, rows.pm_dec) / 3.6e6
        moving = np.isfinite(motion) & np.isfinite(rows.epoch)
        sky = rows.dec[order], unit_vectors(rows.ra[order], rows.dec[order])
        return cls(order, *sky, motion[moving], rows.epoch[moving])

    def shift(self, *years: float) -> float:
        """Degrees by which a target moves at most until some years."""
        return max(float((np.abs(year - self.epoch) * self.motion).max(initial=0.0)) for year in years)

    def between(self, middle: Floats, reach: float) -> slice:
        """Targets whose declination is at most `reach` radians from a direction."""
        dec, wide = np.degrees(np.arcsin(np.clip(middle[2], -1, 1))), np.degrees(reach) + 1e-9
        first, stop = np.searchsorted(self.dec, (dec - wide, dec + wide), ("left"))
        return slice(int(first), int(stop))

    def inside(self, region: Region | None) -> Ints:
        """Places of the targets in a region, ascending; all if there is no region."""
        if region is None:
            return np.arange(len(self.place))
        some = self.between(region.middle, region.reach)
        return np.sort(self.place[some][region.contains(self.directions[some])])


def may_see(rows: TargetRows, footprints: Floats) -> NDArray[np.bool_]:
    """Find the cubes that may see a target of a list, from their footprints alone, before the cubes are opened.

    Parameters
    ----------
    rows : TargetRows
        Targets of the list.
    footprints : ndarray, shape (n_cubes, n_vertices, 3)
        Vertices of the footprints as unit vectors; see `tessera.sky.footprint.footprint_vectors`.

    Returns
    -------
    ndarray of bool, shape (n_cubes,)
        False for cubes that see no target.
    """
    sky, found = _Sky.of(rows), np.zeros(len(footprints), np.bool_)
    margin = np.radians(FOOTPRINT_MARGIN + sky.shift(*_YEARS))
    for number, vertices in enumerate(footprints):
        middle = vertices.mean(axis=0)
        middle /= np.linalg.norm(middle)
        reach = min(float(np.arccos(np.clip(vertices @ middle, -1, 1)).max()) + margin, np.pi)
        some = sky.between(middle, reach)
        found[number] = bool((sky.directions[some] @ middle >= np.cos(reach) - 1e-12).any())
    return found


def find_sightings(
    rows: TargetRows, cubes: Sequence[SightCube], options: BulkOptions | None = None, most: int = MOST_CUTOUTS
) -> Sightings:
    """Find the cubes that see targets, and the window of each.

    A target is on a cube if its window has at least one pixel of the frame. Pixel and window are those of
    `tessera.make_cutouts`: by the full WCS of the cube, at the position in the middle of its times.

    Parameters
    ----------
    rows : TargetRows
        Targets of the list.
    cubes : sequence of SightCube
        Cubes of the product that is wanted.
    options : BulkOptions, optional
        Of these, `best_only` counts: then sightings that are not the best of their sector are left out.
    most : int, optional
        Largest number of sightings.

    Raises
    ------
    InvalidInputError
        When there are more sightings.
    NoWcsError
        When the WCS of a cube cannot be used.
    """
    sky, parts, n_found = _Sky.of(rows), list[Sightings](), 0
    for number, cube in enumerate(cubes):
        found = _on_cube(rows, sky, number, cube)
        n_found += len(found)
        if n_found > most:
            allowed = f"at most {most:,}; ask for fewer targets or fewer sectors"
            raise InvalidInputError("number of cutouts of the list", n_found, allowed)
        parts.append(found)
    joined = _join(parts)
    joined.best[:] = _best(joined, cubes)
    return joined.take(np.flatnonzero(joined.best)) if options is not None and options.best_only else joined


def _join(parts: list[Sightings]) -> Sightings:
    """Sightings of all cubes. Column by column, so that little is in memory twice."""
    empty = Sightings(**{one.name: np.zeros(0, _TYPES.get(one.name, np.float64)) for one in fields(Sightings)})
    return Sightings(
        **{one.name: np.concatenate([getattr(part, one.name) for part in (empty, *parts)]) for one in fields(Sightings)}
    )


_TYPES = {"target": np.int64, "best": np.bool_} | dict.fromkeys(
    ("cube", "first_row", "first_column", "n_rows", "n_columns"), np.int32
)


def _wanted(rows: TargetRows, places: Ints, sector: int) -> Ints:
    """Those of the targets that want a sector."""
    chosen = np.array([some is None or sector in some for some in rows.sector_sets], np.bool_)
    return places if chosen.all() else places[chosen[rows.sector_set[places]]]


def _on_cube(rows: TargetRows, sky: _Sky, number: int, cube: SightCube) -> Sightings:
    """Sightings of one cube."""
    wcs, layout = frame_wcs(cube.wcs_cards), cube.layout
    side = max(LARGEST_SIDE, int(rows.n_rows.max(initial=1)), int(rows.n_columns.max(initial=1)))
    shift = sky.shift(julian_year(cube.middle + BJDREFI))
    region = frame_region(wcs, layout.n_rows, layout.n_columns, side / 2 + 2, shift)
    places = _wanted(rows, sky.inside(region), cube.sector)
    given = [values[places] for values in (rows.ra, rows.dec, rows.pm_ra, rows.pm_dec, rows.epoch)]
    ra, dec = with_motion(*given).at(cube.middle)
    row, column = path_pixels(wcs, ra, dec)
    near = _near_border(row, rows.n_rows[places]) | _near_border(column, rows.n_columns[places])
    for unsure in np.flatnonzero(near):
        row[unsure], column[unsure] = sky_to_pixel(wcs, ra[unsure], dec[unsure]) or (np.nan, np.nan)
    known = np.flatnonzero(np.isfinite(row))
    places, row, column = places[known], row[known], column[known]
    n_rows, n_columns = rows.n_rows[places], rows.n_columns[places]
    first_row, first_column = _first(row, n_rows), _first(column, n_columns)
    on = (first_row < layout.n_rows) & (first_row + n_rows > 0)
    on &= (first_column < layout.n_columns) & (first_column + n_columns > 0)
    found = Sightings(
        places,
        np.full(len(places), number, np.int32),
        row,
        column,
        first_row,
        first_column,
        n_rows,
        n_columns,
        edge_distances(layout, row, column),
        np.ones(len(places), np.bool_),
    )
    chosen = np.flatnonzero(on)
    return found.take(chosen[np.lexsort((places[chosen], first_column[chosen], first_row[chosen]))])


def _near_border(pixels: Floats, sizes: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether pixels are so near to a limit between two windows that a little more or less gives the other one.

    The limits are borders of pixels for windows of odd size, and centres of pixels for windows of even size.
    """
    shifted = pixels + sizes % 2 / 2
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(shifted - np.rint(shifted)) < _UNSURE)


def _first(pixels: Floats, sizes: NDArray[np.int32]) -> NDArray[np.int32]:
    """First pixel of each window; the rule is `Placement.CENTRE`."""
    first = np.empty(len(pixels), np.int32)
    for size in np.unique(sizes).tolist():
        some = np.flatnonzero(sizes == size)
        first[some] = place_axes(pixels[some], size, Placement.CENTRE)[0]
    return first


def _sectors(sightings: Sightings, cubes: Sequence[SightCube]) -> Iterator[Ints]:
    """Places of the sightings of each sector."""
    limits = np.searchsorted(sightings.cube, np.arange(len(cubes) + 1))
    of_sector: dict[int, list[Ints]] = {}
    for number, cube in enumerate(cubes):
        of_sector.setdefault(cube.sector, []).append(np.arange(limits[number], limits[number + 1]))
    return (np.concatenate(places) for places in of_sector.values())


def _best(sightings: Sightings, cubes: Sequence[SightCube]) -> NDArray[np.bool_]:
    """Whether each sighting is the best of its target in its sector."""
    best = np.zeros(len(sightings), np.bool_)
    detector = np.array([4 * cube.camera + cube.ccd for cube in cubes], np.int64)
    for places in _sectors(sightings, cubes):
        target, cube = sightings.target[places], sightings.cube[places]
        order = np.lexsort((cube, detector[cube], -sightings.edge[places], target))
        ordered = target[order]
        best[places[order[np.flatnonzero(np.diff(ordered, prepend=-1))]]] = True
    return best
