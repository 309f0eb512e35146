"""How the flux of a sector is brought to the level of the others, and where a light curve has gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from tessera.checks import check_choice, check_number
from tessera.errors import InvalidInputError
from tessera.lightcurves.photometry import MAD_TO_SIGMA, good_cadences

Level: TypeAlias = Literal["divide", "shift", "none"]
"""Rule that brings sectors to one level."""
LEVELS: tuple[str, ...] = get_args(Level)
GAP_DAYS = 0.5
"""Longest time between two points that is no gap: sectors have a gap of about a day in their middle."""


@dataclass(frozen=True)
class Measured:
    """Level and scatter of the flux of a sector.

    Parameters
    ----------
    level : float
        Median of the flux without quality bits; NaN if no flux is known.
    scatter : float
        1.4826 times the median distance from the median, in the unit of the flux.
    """

    level: float
    scatter: float


@dataclass(frozen=True)
class Scale:
    """What is done to the flux of a sector: ``flux * factor + offset``."""

    factor: float
    offset: float


@dataclass(frozen=True)
class Gap:
    """A time without points.

    Parameters
    ----------
    start, stop : float
        Times of the last point before and of the first point after it, days since JD 2457000.
    before, after : int
        Sectors of these points.
    """

    start: float
    stop: float
    before: int
    after: int

    @property
    def days(self) -> float:
        """Length."""
        return self.stop - self.start


def check_level(value: object) -> str:
    """Return the name of a rule for levels, or raise `InvalidInputError`."""
    return check_choice("level", value, LEVELS)


def check_gap(value: object) -> float:
    """Return a number of days above 0, or raise `InvalidInputError`."""
    allowed = "a number of days above 0"
    days = check_number("gap", value, allowed)
    if not 0 < days < np.inf:
        raise InvalidInputError("gap", value, allowed)
    return days


def measure_level(flux: NDArray[np.float64], quality: NDArray[np.integer[Any]]) -> Measured:
    """Measure the points without quality bits; all points, if all have some."""
    values = flux[good_cadences(quality)]
    values = values[np.isfinite(values)]
    if not values.size:
        return Measured(np.nan, np.nan)
    level = float(np.median(values))
    return Measured(level, float(MAD_TO_SIGMA * np.median(np.abs(values - level))))


def find_scales(levels: Sequence[float], rule: str) -> list[Scale | None]:
    """Scale of each sector; None where the rule has none.

    Parameters
    ----------
    levels : sequence of float
        Level of each sector.
    rule : {'divide', 'shift', 'none'}
        'divide' divides by the level, so that it becomes 1. A level that is not above 0 cannot divide. 'shift' adds
        what brings the level to the median of all levels. 'none' changes nothing.
    """
    if rule == "divide":
        return [Scale(1 / level, 0.0) if level > 0 else None for level in levels]
    known = [level for level in levels if np.isfinite(level)]
    if rule == "none" or not known:
        return [Scale(1.0, 0.0) if np.isfinite(level) else None for level in levels]
    middle = float(np.median(known))
    return [Scale(1.0, middle - level) if np.isfinite(level) else None for level in levels]


def find_gaps(
    time: NDArray[np.float64], flux: NDArray[np.float64], sector: NDArray[np.int32], days: float
) -> tuple[Gap, ...]:
    """Find times without a known flux that are longer than a number of days.

    Parameters
    ----------
    time, flux, sector : ndarray, shape (n_points,)
        A light curve in the order of time, and the sector of each point.
    days : float
        Longest time that is no gap.
    """
    known = np.flatnonzero(np.isfinite(flux))
    last = known[:-1][np.diff(time[known]) > days]
    first = known[1:][np.diff(time[known]) > days]
    pairs = zip(last.tolist(), first.tolist(), strict=True)
    return tuple(Gap(float(time[a]), float(time[b]), int(sector[a]), int(sector[b])) for a, b in pairs)
