"""The file of a star catalogue: the stars by cells of the sky, so that a request reads only those near its position.

The file begins with ``N_CELLS + 1`` numbers (little-endian uint32): the number of stars before each cell, and that of
all stars. The records of the stars follow, in the order of their cells. docs/operations/running.md describes the file.

Cells are fields of about a quarter of a degree: bands of declination that are cut along right ascension. Two
multiplications find the cell of a position, and a request needs one range of bytes for each band that it touches.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera_cloud.contracts import Wire

Floats: TypeAlias = NDArray[np.float64]
Records: TypeAlias = NDArray[Any]

RECORD = np.dtype(
    [("id", "<i8"), ("ra", "<f8"), ("dec", "<f8"), ("pm_ra", "<f4"), ("pm_dec", "<f4"), ("magnitude", "<f4")]
)
"""A star: its number, ICRS degrees, mas a year (NaN if unknown), TESS magnitude."""
OFFSET = np.dtype("<u4")
MOST_STARS = 2**32 - 1
_PER_DEGREE = 4
_BANDS = 180 * _PER_DEGREE


def _cells_of_bands() -> NDArray[np.int64]:
    middles = np.radians((np.arange(_BANDS) + 0.5) / _PER_DEGREE - 90)
    return np.maximum(1, np.round(360 * _PER_DEGREE * np.cos(middles))).astype(np.int64)


_IN_BAND = _cells_of_bands()
_FIRST = np.concatenate([[0], np.cumsum(_IN_BAND)])
N_CELLS = int(_FIRST[-1])
INDEX_BYTES = (N_CELLS + 1) * OFFSET.itemsize


class StarFile(Wire):
    """The document ``stars/catalogue.json``: what the current file of stars has.

    Parameters
    ----------
    name : str
        Name of the catalogue, such as ``Gaia DR3``. With the number of a star, it is the name of the star.
    key : str
        Key of the file.
    n_stars : int
        Number of stars.
    epoch : float
        Julian year of the positions.
    faintest : float
        Largest TESS magnitude.
    fastest : float
        Largest proper motion, mas a year.
    """

    name: str
    key: str
    n_stars: int
    epoch: float
    faintest: float
    fastest: float


def _band_of(dec: float) -> int:
    return min(max(math.floor((dec + 90) * _PER_DEGREE), 0), _BANDS - 1)


def cells_of(ra: Floats, dec: Floats) -> NDArray[np.int64]:
    """Cells of positions, ICRS degrees with right ascensions from 0 to 360."""
    bands = np.clip(np.floor((dec + 90) * _PER_DEGREE), 0, _BANDS - 1).astype(np.int64)
    places = np.floor(ra / 360 * _IN_BAND[bands]).astype(np.int64)
    return np.asarray(_FIRST[bands] + np.clip(places, 0, _IN_BAND[bands] - 1), np.int64)


def cells_around(ra: float, dec: float, radius: float) -> list[tuple[int, int]]:
    """Ranges of cells, each first and one after the last, that together have all of a circle. Angles are in degrees."""
    reaches_pole = abs(dec) + radius >= 90
    half = (
        180.0 if reaches_pole else math.degrees(math.asin(math.sin(math.radians(radius)) / math.cos(math.radians(dec))))
    )
    runs: list[tuple[int, int]] = []
    for band in range(_band_of(dec - radius), _band_of(dec + radius) + 1):
        start, n_cells = int(_FIRST[band]), int(_IN_BAND[band])
        first, last = (math.floor((ra + side) / 360 * n_cells) for side in (-half, half))
        if last - first + 1 >= n_cells:
            runs.append((start, start + n_cells))
        elif first % n_cells <= last % n_cells:
            runs.append((start + first % n_cells, start + last % n_cells + 1))
        else:  # across right ascension 0
            runs += [(start, start + last % n_cells + 1), (start + first % n_cells, start + n_cells)]
    return runs


def moved(records: Records, years: float) -> tuple[Floats, Floats]:
    """Positions of stars after some years, ICRS degrees. Stars without a known proper motion stay where they are.

    Distance and radial velocity are not known. They would change the position by less than 0.1 arcseconds in 50 years,
    but for a few of the nearest stars.
    """
    ra, dec = np.radians(records["ra"]), np.radians(records["dec"])
    step = math.radians(1 / 3.6e6) * years
    east, north = (np.nan_to_num(records[name].astype(np.float64)) * step for name in ("pm_ra", "pm_dec"))
    x = np.cos(dec) - north * np.sin(dec)  # towards the meridian of the star
    z = np.sin(dec) + north * np.cos(dec)
    longitude = np.degrees(ra + np.arctan2(east, x)) % 360
    latitude = np.degrees(np.arctan2(z, np.hypot(x, east)))
    still = (east == 0) & (north == 0)
    return np.where(still, records["ra"], longitude), np.where(still, records["dec"], latitude)


def distances(ra: Floats, dec: Floats, at: tuple[float, float]) -> Floats:
    """Angles between positions and one position, in degrees."""
    (ra_0, dec_0), (ra, dec) = np.radians(at), (np.radians(ra), np.radians(dec))
    half = np.sin((dec - dec_0) / 2) ** 2 + np.cos(dec) * np.cos(dec_0) * np.sin((ra - ra_0) / 2) ** 2
    return np.asarray(np.degrees(2 * np.arcsin(np.minimum(1, np.sqrt(half)))), np.float64)
