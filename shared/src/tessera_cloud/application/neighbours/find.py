"""Finds the stars around a position. A request reads the numbers of stars in the cells there, and then these stars."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tessera_cloud import keys
from tessera_cloud.application.backend import HasStore
from tessera_cloud.application.neighbours.layout import (
    INDEX_BYTES,
    OFFSET,
    RECORD,
    Floats,
    Records,
    StarFile,
    cells_around,
    distances,
    moved,
)
from tessera_cloud.errors import ObjectMissingError, TooLargeError
from tessera_cloud.ports import ObjectReader

MOST_READ = 100_000
"""Largest number of stars that a request reads: 3.6 MB."""
_READS_AT_ONCE = 16
_ROUNDING = 1e-9


class Circle(NamedTuple):
    """Centre and radius of a circle on the sky: ICRS degrees, with a right ascension from 0 to 360."""

    ra: float
    dec: float
    radius: float


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Stars around a position, the brightest first.

    Parameters
    ----------
    file : StarFile
        The catalogue.
    epoch : float
        Julian year of `ra` and `dec`.
    n_found : int
        Number of stars inside the circle, which may be more than are here.
    records : structured ndarray, shape (n,)
        The stars as in the file.
    ra, dec : ndarray, shape (n,)
        Positions at `epoch`, ICRS degrees.
    distance : ndarray, shape (n,)
        Angles to the centre, degrees.
    """

    file: StarFile
    epoch: float
    n_found: int
    records: Records
    ra: Floats
    dec: Floats
    distance: Floats


def read_star_file(store: ObjectReader, bucket: str) -> StarFile | None:
    """Read what the current file of stars has; None if there is no catalogue."""
    try:
        return StarFile.model_validate_json(store.read(bucket, keys.STAR_DOCUMENT)[0])
    except ObjectMissingError:
        return None


def find_neighbours(
    circle: Circle, backend: HasStore, *, epoch: float | None = None, most: int = 1000
) -> Neighbours | None:
    """Find the stars in a circle.

    Parameters
    ----------
    circle : Circle
        The circle.
    backend : HasStore
        Store of the catalogue.
    epoch : float, optional
        Julian year to which proper motions bring the stars; by default that of the catalogue.
    most : int, optional
        Largest number of stars, of which the brightest are kept.

    Returns
    -------
    Neighbours or None
        The stars; None if there is no catalogue.

    Raises
    ------
    TooLargeError
        If there are too many stars to read.
    """
    bucket = backend.settings.cube_bucket
    file = read_star_file(backend.store, bucket)
    if file is None:
        return None
    try:
        return _find(file, circle, backend, epoch=epoch, most=most)
    except ObjectMissingError:  # an operator has just replaced it
        newer = read_star_file(backend.store, bucket)
        return None if newer is None else _find(newer, circle, backend, epoch=epoch, most=most)


def _find(file: StarFile, circle: Circle, backend: HasStore, *, epoch: float | None, most: int) -> Neighbours:
    epoch = file.epoch if epoch is None else epoch
    years = epoch - file.epoch
    reach = min(circle.radius + file.fastest * abs(years) / 3.6e6 + _ROUNDING, 180.0)

    def read(start: int, length: int) -> Any:
        return backend.store.read_range(backend.settings.cube_bucket, file.key, start, length) if length else b""

    records = _read_cells(cells_around(circle.ra, circle.dec, reach), circle.radius, read)
    ra, dec = moved(records, years)
    distance = distances(ra, dec, (circle.ra, circle.dec))
    inside = np.flatnonzero(distance <= circle.radius)
    chosen = inside[np.argsort(records["magnitude"][inside], kind="stable")][:most]
    return Neighbours(file, epoch, len(inside), records[chosen], ra[chosen], dec[chosen], distance[chosen])


def _read_cells(runs: list[tuple[int, int]], radius: float, read: Callable[[int, int], Any]) -> Records:
    """Read the stars of ranges of cells."""

    def span(run: tuple[int, int]) -> tuple[int, int]:
        first, stop = run
        numbers = np.frombuffer(read(first * OFFSET.itemsize, (stop - first + 1) * OFFSET.itemsize), OFFSET)
        return int(numbers[0]), int(numbers[-1])

    def stars(first_and_stop: tuple[int, int]) -> Records:
        first, stop = first_and_stop
        size = RECORD.itemsize
        return np.frombuffer(read(INDEX_BYTES + first * size, (stop - first) * size), RECORD)

    with ThreadPoolExecutor(min(_READS_AT_ONCE, len(runs))) as pool:
        spans = list(pool.map(span, runs))
        if sum(stop - first for first, stop in spans) > MOST_READ:
            allowed = f"a smaller radius; the cells there have more than {MOST_READ:,} stars"
            raise TooLargeError.about("radius", radius, allowed)
        return np.concatenate(list(pool.map(stars, spans)))
