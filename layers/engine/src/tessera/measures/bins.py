"""The cadences of a cube that are measured, and the bins of time in which its differences are looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.cutouts.cadences import mid_times
from tessera.errors import NoCadenceError
from tessera.lightcurves.quality import BITS
from tessera.measures.thresholds import BIN_DAYS

GOOD_BITS = BITS["default"]
"""A cadence with one of these quality bits is not good: lightkurve's default."""
MOST_BINS = 64
"""Bins are longer if there would be more of them, because all differences are in memory at once."""
FEWEST = 3
"""A bin has so many good cadences at least, so that its median leaves out a cosmic ray."""


@dataclass(frozen=True)
class TimeBins:
    """Good cadences of a cube, and those of each bin.

    Parameters
    ----------
    good : ndarray of int, shape (n_good,)
        Good cadences, increasing.
    first, stop : ndarray of int, shape (n_bins,)
        First good cadence of each bin, and the first one after it, counted among the good ones.
    start, end : ndarray of float, shape (n_bins,)
        Beginning of the first exposure of a bin and end of its last one, BTJD or TJD.
    """

    good: NDArray[np.intp]
    first: NDArray[np.intp]
    stop: NDArray[np.intp]
    start: NDArray[np.float64]
    end: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)

    @property
    def counts(self) -> NDArray[np.intp]:
        """Number of good cadences of each bin."""
        return self.stop - self.first


def good_cadences(cube: Cube) -> NDArray[np.bool_]:
    """Which cadences of a cube are good: none of `GOOD_BITS`, and a time.

    Raises
    ------
    NoCadenceError
        When none is good.
    """
    good = ((cube.series["quality"] & GOOD_BITS) == 0) & np.isfinite(mid_times(cube))
    if not good.any():
        raise NoCadenceError(f"{cube.name} has no cadence without quality bits of {GOOD_BITS}; nothing can be measured")
    return np.asarray(good)


def plan_bins(cube: Cube, bin_days: float = BIN_DAYS) -> TimeBins:
    """Put the good cadences of a cube into bins of equal length; bins of fewer than `FEWEST` cadences are left out.

    Parameters
    ----------
    cube : Cube
        The cube.
    bin_days : float, optional
        Length of a bin; see `MOST_BINS`.
    """
    good = np.flatnonzero(good_cadences(cube))
    times = mid_times(cube)[good]
    length = max(bin_days, float(np.ptp(times)) / (MOST_BINS - 1))
    numbers = np.floor((times - times.min()) / length).astype(np.intp)
    first = np.flatnonzero(np.r_[True, np.diff(numbers) != 0])
    stop = np.r_[first[1:], len(good)]
    enough = stop - first >= FEWEST
    first, stop = first[enough], stop[enough]
    start, end = cube.series["start"][good[first]], cube.series["stop"][good[stop - 1]]
    return TimeBins(good, first, stop, np.asarray(start, np.float64), np.asarray(end, np.float64))
