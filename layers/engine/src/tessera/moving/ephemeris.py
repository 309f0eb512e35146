"""Positions of a moving target: given at some times, and interpolated between them.

Directions in space are interpolated, so right ascension may pass 0 and the target may pass a pole. The target has no
position before the first and after the last given position, and none in a long gap between two positions.

The times follow one of two clocks:

* The observer's clock gives the time when light arrives at the spacecraft, or at the Earth, which is at most 1.5 light
  seconds away. Published ephemerides use this clock.
* The barycentre's clock gives the time when the light would arrive at the barycentre of the solar system. A cube's TIME
  uses this clock if its frames are SPOC's: (TSTART + TSTOP) / 2, which is the spacecraft's time plus BARYCORR. TIME of
  TICA frames is the spacecraft's; for an ephemeris in this clock it is corrected for the target.

The two clocks differ by up to 8.5 minutes.

Positions must be as seen from the spacecraft. Seen from the centre of the Earth, a target at 1 au is up to 9 arc
minutes (25 pixels) away from that position.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from numpy.typing import NDArray

from tessera.checks import check_choice
from tessera.cubes.info_rows import InfoRows
from tessera.cubes.reader import Cube
from tessera.cutouts.barycentre import light_days, observer_positions
from tessera.errors import CubeFormatError, InvalidInputError
from tessera.sky.sphere import unit_vectors
from tessera.tess.clock import Time
from tessera.tpf.cards import BJDREFI

Clock: TypeAlias = Literal["observer", "barycentre"]
"""Clock of the times; see the top of this module."""
Floats: TypeAlias = NDArray[np.float64]
Interpolation: TypeAlias = "Literal['cubic', 'linear'] | Callable[[Floats, Floats, Floats], Floats]"
"""Interpolation between positions: a polynomial through the nearest four ('cubic') or two ('linear') positions, or a
function ``f(days, directions, wanted_days)``. Its arguments have the shapes (n,), (n, 3) and (m,); its result has the
shape (m, 3)."""

GAP_STEPS = 20
"""A step between two times is a gap if it is this many times longer than the steps before and after it."""
_NODES = {"cubic": 4, "linear": 2}
_SCALES = ("utc", "tai", "tt", "tdb", "tcb", "tcg")
"""Scales that convert to TDB without a place and without tables of the rotation of the Earth."""
_SLACK = 1e-8
"""Largest distance in days from an end of the ephemeris at which a time counts as this end: the precision of a Julian
date in one float."""


def check_interpolation(method: object) -> str:
    """Return the name of an interpolation, or an empty text for a function; raise `InvalidInputError` otherwise."""
    return "" if callable(method) else check_choice("interpolation", method, _NODES)


@dataclass(frozen=True)
class Ephemeris:
    """Positions of a target as seen from the spacecraft.

    Parameters
    ----------
    time : Time, shape (n,)
        Times in any format, scale and order; at least two.
    ra, dec : ndarray, shape (n,)
        Astrometric ICRS positions in degrees, as in the WCS of a frame. Apparent positions of date are not allowed.
    clock : {'observer', 'barycentre'}, optional
        Clock of the times; see the top of this module.
    name : str, optional
        Name of the target.

    Raises
    ------
    InvalidInputError
        When the arrays have different shapes or values that are not allowed, or when two different positions have the
        same time.
    """

    time: Time
    ra: Floats = field(repr=False)
    dec: Floats = field(repr=False)
    clock: Clock = "observer"
    name: str = ""

    def __post_init__(self) -> None:
        check_choice("clock", self.clock, get_args(Clock))
        if not isinstance(self.name, str):
            raise InvalidInputError("name", self.name, "text, the name of the target")
        if not isinstance(self.time, Time):
            raise InvalidInputError("time", self.time, "an astropy Time")
        if self.time.scale not in _SCALES:
            raise InvalidInputError("time scale", self.time.scale, ", ".join(map(repr, _SCALES)))
        for name in ("ra", "dec"):
            object.__setattr__(self, name, _degrees(name, getattr(self, name)))
        shapes = [self.time.shape, self.ra.shape, self.dec.shape]
        if len(set(shapes)) != 1 or self.ra.ndim != 1 or len(self.ra) < 2:
            raise InvalidInputError("ephemeris", shapes, "at least two times, each with one ra and one dec")
        limits = {"time": np.inf, "ra": 360.0, "dec": 90.0}
        for (name, limit), values in zip(limits.items(), (self._days, self.ra, self.dec), strict=True):
            bad = np.flatnonzero(~np.isfinite(values) | (np.abs(values) > limit))
            if len(bad):
                allowed = "a known time" if name == "time" else f"degrees from {-limit:g} to {limit:g}"
                raise InvalidInputError(f"{name} of row {bad[0] + 1}", float(values[bad[0]]), allowed)
        days = self._track[0]
        if (np.diff(days) == 0).any():
            first = int(np.argmin(np.diff(days)))
            raise InvalidInputError(
                "ephemeris", f"two positions at JD {BJDREFI + days[first]:.6f} TDB", "one position at each time"
            )

    @cached_property
    def _days(self) -> Floats:
        """Days since JD 2457000 in TDB; NaN where a time is masked."""
        with warnings.catch_warnings():
            # The leap seconds of times far ahead are not known, and there are no frames yet for which they matter.
            warnings.filterwarnings("ignore", message=".*dubious year")
            tdb = self.time.tdb
        return _plain((tdb.jd1 - BJDREFI) + tdb.jd2)

    @cached_property
    def _track(self) -> tuple[Floats, Floats]:
        """Days (strictly increasing) and directions, without rows that are given twice."""
        rows = np.column_stack([self._days, unit_vectors(self.ra, self.dec)])
        rows = np.unique(rows, axis=0)
        return rows[:, 0], rows[:, 1:]

    @property
    def span(self) -> tuple[float, float]:
        """First and last time: TDB in days since JD 2457000, in the clock of the ephemeris."""
        days = self._track[0]
        return float(days[0]), float(days[-1])

    @property
    def places(self) -> tuple[Floats, Floats, Floats]:
        """All times, increasing, in days as in `span`, and the positions: ra and dec in degrees."""
        days, vectors = self._track
        return days, *_angles(vectors)

    def at(self, days: Floats, method: Interpolation = "cubic") -> tuple[Floats, Floats]:
        """Interpolate positions.

        Parameters
        ----------
        days : ndarray, shape (m,)
            Times: TDB in days since JD 2457000, in the clock of the ephemeris.
        method : {'cubic', 'linear'} or callable, optional
            See `Interpolation`.

        Returns
        -------
        tuple of ndarray, shape (m,)
            ra and dec in degrees; NaN before the first and after the last position, and in gaps (`GAP_STEPS`).

        Raises
        ------
        InvalidInputError
            When the method is unknown.
        """
        known, vectors = self._track
        wanted = np.asarray(days, np.float64)
        ra, dec = np.full(wanted.shape, np.nan), np.full(wanted.shape, np.nan)
        inside = (wanted >= known[0] - _SLACK) & (wanted <= known[-1] + _SLACK) & ~_in_gaps(known, wanted)
        if callable(method):
            found = np.asarray(method(known, vectors, wanted[inside]), np.float64)
        else:
            found = _polynomial(known, vectors, wanted[inside], _NODES[check_interpolation(method)])
        ra[inside], dec[inside] = _angles(found)
        return ra, dec

    def at_cadences(self, cube: Cube, info: InfoRows, method: Interpolation = "cubic") -> tuple[Floats, Floats]:
        """Interpolate positions in the middle of every cadence of a cube, given its info table; see `at`."""
        days = cadence_days(cube, self.clock)
        if self.clock == "barycentre" and not cube.product.barycentric:
            days = self.to_barycentre(days, observer_positions(cube, info)[0])
        return self.at(days, method)

    def to_barycentre(self, days: Floats, positions: Floats) -> Floats:
        """Convert times of an observer to times of the target at the barycentre.

        Parameters
        ----------
        days : ndarray, shape (m,)
            Times of the observer: TDB in days since JD 2457000.
        positions : ndarray, shape (m, 3)
            Positions of the observer seen from the barycentre, km.
        """
        return days + light_days(positions, *self.at(np.clip(days, *self.span), "linear"))

    @classmethod
    def from_table(cls, table: Table, clock: Clock = "observer", name: str = "") -> Ephemeris:
        """Make an ephemeris of the table that `center_on_path` accepts.

        Parameters
        ----------
        table : Table
            Table with the columns ``time`` (Time) and ``position`` (SkyCoord, in any frame).
        clock, name
            See the class.

        Raises
        ------
        InvalidInputError
            When the table does not have these columns, or for the reasons of the class.
        """
        try:
            time, sky = Time(table["time"]), SkyCoord(table["position"]).icrs
            ra, dec = sky_degrees(sky)
        except (KeyError, ValueError, TypeError) as error:
            allowed = "a table with the columns time (Time) and position (SkyCoord)"
            raise InvalidInputError("path", getattr(table, "colnames", table), allowed, f"{error}.") from error
        return cls(np.atleast_1d(time), ra, dec, clock, name)


def sky_degrees(sky: SkyCoord) -> tuple[Floats, Floats]:
    """Right ascension and declination of positions, ICRS degrees, shape (n,); NaN where they are masked."""
    icrs = sky.icrs
    return np.atleast_1d(_plain(icrs.ra.deg)), np.atleast_1d(_plain(icrs.dec.deg))


def _plain(values: Any) -> Floats:
    """Numbers as an array; NaN where they are masked, in NumPy's or in astropy's way."""
    mask = np.asarray(getattr(values, "mask", False))
    bare = getattr(values, "unmasked", None)
    return np.where(mask, np.nan, np.asarray(np.ma.getdata(values) if bare is None else bare, np.float64))


def _degrees(name: str, values: Any) -> Floats:
    """Numbers of degrees, from numbers or from angles with a unit; NaN where they are masked."""
    try:
        unit = getattr(values, "unit", None)
        factor = 1.0 if unit is None else float(u.Unit(unit).to(u.deg))
        return factor * _plain(getattr(values, "value", values))
    except (ValueError, TypeError) as error:
        raise InvalidInputError(name, values, "degrees, or angles with a unit") from error


def cadence_days(cube: Cube, clock: Clock) -> Floats:
    """Middle of each cadence of a cube in a clock: TDB in days since JD 2457000, shape (n_cadences,).

    Times of SPOC frames are in the barycentre's clock; BARYCORR is subtracted for the observer's clock. Times of TICA
    frames are always in the observer's clock, because the barycentre's needs a direction; see
    `Ephemeris.to_barycentre`. Where a SPOC frame has no BARYCORR, it is interpolated in time.

    Raises
    ------
    CubeFormatError
        When no SPOC frame of the cube has a BARYCORR, and the clock is the observer's.
    """
    series: dict[str, NDArray[Any]] = cube.series
    middle = np.asarray((series["start"] + series["stop"]) / 2, np.float64)
    if clock == "barycentre" or not cube.product.barycentric:
        return middle
    known = np.isfinite(series["barycorr"]) & (series["barycorr"] != 0)
    if not known.any():
        raise CubeFormatError(
            f"{cube.name}: no frame has a BARYCORR, so the times at the spacecraft are not known; "
            "give positions with times at the barycentre (clock='barycentre')"
        )
    return np.asarray(middle - np.interp(middle, middle[known], series["barycorr"][known]), np.float64)


def _angles(vectors: Floats) -> tuple[Floats, Floats]:
    """Right ascension and declination in degrees of directions, which may have any length."""
    x, y, z = vectors.T
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))


def _in_gaps(known: Floats, wanted: Floats) -> NDArray[np.bool_]:
    """Which times are in a gap; see `GAP_STEPS`."""
    steps = np.diff(known)
    if len(steps) == 1:
        return np.zeros(wanted.shape, bool)
    beside = np.maximum(np.r_[0.0, steps[:-1]], np.r_[steps[1:], 0.0])
    before = np.clip(np.searchsorted(known, wanted, "right") - 1, 0, len(steps) - 1)
    between = (wanted > known[before] + _SLACK) & (wanted < known[before + 1] - _SLACK)
    return np.asarray(between & (steps[before] > GAP_STEPS * beside[before]))


def _polynomial(known: Floats, vectors: Floats, wanted: Floats, n_nodes: int) -> Floats:
    """Lagrange polynomials through the nearest positions: the same number before and after, except near the ends."""
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
