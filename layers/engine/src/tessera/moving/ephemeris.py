"""Where a moving target is: positions at times, and between them.

Positions are interpolated as directions in space, so right ascension may pass 0 and a pole is a place like any other.
A target is nowhere before its first and after its last position, nor in a long gap between two.

Two clocks are known. An observer's clock tells when light arrives at the spacecraft, or at the Earth, which is at most
1.5 light seconds away; ephemerides tabulate that. The barycentre's tells when it would have arrived there: a cube's
TIME, which for a frame is (TSTART + TSTOP) / 2, the spacecraft's time plus BARYCORR. That differs by up to 8.5 minutes.

What the Earth's centre sees is not what the spacecraft sees: at 1 au the parallax is up to 9 arc minutes, 25 pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.errors import InvalidInputError
from tessera.sky.sphere import unit_vectors
from tessera.tpf.cards import BJDREFI

Clock: TypeAlias = Literal["observer", "barycentre"]
"""Whose clock the times are of."""
Floats: TypeAlias = NDArray[np.float64]
Interpolation: TypeAlias = "Literal['cubic', 'linear'] | Callable[[Floats, Floats, Floats], Floats]"
"""Between positions: a polynomial through the nearest four, or two, or ``f(days, directions, wanted_days)`` with arrays
of shapes (n,), (n, 3) and (m,), which returns one of (m, 3)."""

GAP_STEPS = 20
"""Where positions are so many times farther apart than those before and after, nothing is known between them."""
_NODES = {"cubic": 4, "linear": 2}
_SLACK = 1e-8
"""Days by which a time may lie outside of an ephemeris and be its end: a Julian day in one number is no better."""


@dataclass(frozen=True)
class Ephemeris:
    """Positions of a target as the spacecraft sees it.

    Parameters
    ----------
    time : Time
        Any format and scale, in any order; shape (n,), at least two.
    ra, dec : ndarray
        Astrometric ICRS degrees, as a frame's WCS has them, and not the apparent place of date; shape (n,).
    clock : {'observer', 'barycentre'}, optional
        Whose clock the times are of.
    name : str, optional
        Of the target.

    Raises
    ------
    InvalidInputError
        When these are no positions, or two differ at the same time.
    """

    time: Time
    ra: Floats = field(repr=False)
    dec: Floats = field(repr=False)
    clock: Clock = "observer"
    name: str = ""

    def __post_init__(self) -> None:
        if self.clock not in ("observer", "barycentre"):
            raise InvalidInputError("clock", self.clock, "'observer', 'barycentre'")
        for name in ("ra", "dec"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64))
        shapes = {self.time.shape, self.ra.shape, self.dec.shape}
        if len(shapes) != 1 or self.ra.ndim != 1 or len(self.ra) < 2:
            raise InvalidInputError("ephemeris", shapes, "at least two times, each with one ra and one dec")
        days = self._days
        if not np.isfinite([days, self.ra, self.dec]).all() or (np.abs(self.dec) > 90).any():
            raise InvalidInputError(
                "ephemeris", "a value", "finite times, and degrees of which dec is within -90 to 90"
            )
        days = self._track[0]
        if (np.diff(days) == 0).any():
            first = int(np.argmin(np.diff(days)))
            raise InvalidInputError("ephemeris", f"at two places at BTJD {days[first]:.6f}", "one place at a time")

    @property
    def _days(self) -> Floats:
        tdb = self.time.tdb
        return np.asarray((tdb.jd1 - BJDREFI) + tdb.jd2, np.float64)

    @cached_property
    def _track(self) -> tuple[Floats, Floats]:
        """Days, strictly increasing, and directions; what is given twice is there once."""
        rows = np.column_stack([self._days, unit_vectors(self.ra, self.dec)])
        rows = np.unique(rows, axis=0)
        return rows[:, 0], rows[:, 1:]

    @property
    def span(self) -> tuple[float, float]:
        """First and last time: TDB in days since JD 2457000, of the ephemeris' clock."""
        days = self._track[0]
        return float(days[0]), float(days[-1])

    @property
    def places(self) -> tuple[Floats, Floats, Floats]:
        """Days as in `span`, increasing, and the positions: ra and dec in degrees."""
        days, vectors = self._track
        return days, *_angles(vectors)

    def at(self, days: Floats, method: Interpolation = "cubic") -> tuple[Floats, Floats]:
        """Positions at some times.

        Parameters
        ----------
        days : ndarray
            TDB in days since JD 2457000, of the ephemeris' clock.
        method : {'cubic', 'linear'} or callable, optional
            See `Interpolation`.

        Returns
        -------
        tuple of ndarray
            ra and dec, degrees; NaN before the first and after the last position, and in gaps (`GAP_STEPS`).
        """
        known, vectors = self._track
        wanted = np.asarray(days, np.float64)
        ra, dec = np.full(wanted.shape, np.nan), np.full(wanted.shape, np.nan)
        inside = (wanted >= known[0] - _SLACK) & (wanted <= known[-1] + _SLACK) & ~_in_gaps(known, wanted)
        if callable(method):
            found = np.asarray(method(known, vectors, wanted[inside]), np.float64)
        elif method in _NODES:
            found = _polynomial(known, vectors, wanted[inside], _NODES[method])
        else:
            raise InvalidInputError("interpolation", method, "'cubic', 'linear', or a function")
        ra[inside], dec[inside] = _angles(found)
        return ra, dec

    def at_cadences(self, cube: Cube, method: Interpolation = "cubic") -> tuple[Floats, Floats]:
        """Positions in the middle of every cadence of a cube; see `at`."""
        return self.at(cadence_days(cube, self.clock), method)

    @classmethod
    def from_table(cls, table: Table, clock: Clock = "observer", name: str = "") -> Ephemeris:
        """Make one of the table that `center_on_path` takes.

        Parameters
        ----------
        table : Table
            With the columns ``time`` (Time) and ``position`` (SkyCoord, of any frame).
        clock, name
            See the class.
        """
        try:
            time, sky = Time(table["time"]), SkyCoord(table["position"]).icrs
        except (KeyError, ValueError, TypeError) as error:
            allowed = "a table with the columns time (Time) and position (SkyCoord)"
            raise InvalidInputError("path", getattr(table, "colnames", table), allowed, f"{error}.") from error
        return cls(np.atleast_1d(time), np.atleast_1d(sky.ra.deg), np.atleast_1d(sky.dec.deg), clock, name)


def cadence_days(cube: Cube, clock: Clock) -> Floats:
    """Mid-times of a cube's cadences by a clock: TDB in days since JD 2457000; shape (n_cadences,).

    The times of SPOC frames are the barycentre's and lose BARYCORR; those of TICA frames are the spacecraft's already.
    """
    series: dict[str, NDArray[Any]] = cube.series
    middle = (series["start"] + series["stop"]) / 2
    return np.asarray(middle - series["barycorr"] if clock == "observer" else middle, np.float64)


def _angles(vectors: Floats) -> tuple[Floats, Floats]:
    """Degrees of directions of any length."""
    x, y, z = vectors.T
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))


def _in_gaps(known: Floats, wanted: Floats) -> NDArray[np.bool_]:
    """Which times lie between two positions that are much farther apart than those beside them."""
    steps = np.diff(known)
    if len(steps) == 1:
        return np.zeros(wanted.shape, bool)
    beside = np.maximum(np.r_[0.0, steps[:-1]], np.r_[steps[1:], 0.0])
    before = np.clip(np.searchsorted(known, wanted, "right") - 1, 0, len(steps) - 1)
    between = (wanted > known[before] + _SLACK) & (wanted < known[before + 1] - _SLACK)
    return np.asarray(between & (steps[before] > GAP_STEPS * beside[before]))


def _polynomial(known: Floats, vectors: Floats, wanted: Floats, n_nodes: int) -> Floats:
    """Lagrange's polynomials through the nearest positions, as many on either side where there are."""
    n_nodes = min(n_nodes, len(known))
    first = np.clip(np.searchsorted(known, wanted, "right") - n_nodes // 2, 0, len(known) - n_nodes)
    nodes = first[:, None] + np.arange(n_nodes)
    days = known[nodes]
    found = np.zeros((len(wanted), 3))
    for node in range(n_nodes):
        others = np.arange(n_nodes) != node
        weight = ((wanted[:, None] - days[:, others]) / (days[:, [node]] - days[:, others])).prod(axis=1)
        found += weight[:, None] * vectors[nodes[:, node]]
    return found
