"""Targets with proper motion: where they are at the time of a cube.

The positions of a catalogue are those of its epoch, such as 2016.0 in Gaia DR3. A star with a proper motion of 10
arcseconds a year is six pixels away from there in 2028, so a cutout is placed where the star is in the middle of the
cube's times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from astropy.coordinates import Distance, RadialDifferential, SkyCoord
from numpy.typing import NDArray

from tessera.errors import InvalidInputError
from tessera.sky.coordinates import Coordinates, iter_positions, plain_values, why_unusable
from tessera.tess.clock import Time
from tessera.tess.star import Star

_BJDREFI = 2457000
_J2000 = 2451545.0 - _BJDREFI
"""The epoch J2000.0, BTJD."""
_MAS_PER_YEAR = u.mas / u.yr
_KM_PER_MAS_PER_YEAR = 4.740470463
"""Speed in km/s of a star at 1 kpc that moves by 1 mas a year."""
_SPEED = 100.0
"""Speed across the sky in km/s that is assumed where the distance is not known. It does not change the direction."""
_FASTEST = 1000.0
"""Speed in km/s above which a distance or a radial velocity cannot be right."""
_LARGEST_MOTION = 1e5
"""Largest proper motion in mas a year; Barnard's star has 10,400."""

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Targets:
    """Positions and proper motions of n targets.

    Parameters
    ----------
    ra, dec : ndarray, shape (n,)
        Positions as they were given, ICRS degrees; NaN where there is none.
    pm_ra, pm_dec : ndarray, shape (n,)
        Proper motions in mas a year, along right ascension with cos(dec), and along declination; 0 if none was given,
        NaN if it is masked or not finite.
    epoch : ndarray, shape (n,)
        Times of the positions, Julian date TDB; NaN for targets without proper motion.
    parallax, radial_velocity : ndarray, shape (n,)
        Parallaxes in mas and radial velocities in km/s; NaN if unknown.
    unusable : dict
        Number of a target without a position to the reason.
    """

    ra: Floats
    dec: Floats
    pm_ra: Floats
    pm_dec: Floats
    epoch: Floats
    parallax: Floats
    radial_velocity: Floats
    unusable: dict[int, str]

    def __len__(self) -> int:
        """Number of targets."""
        return len(self.ra)

    @classmethod
    def still(cls, ra: Floats, dec: Floats, unusable: dict[int, str] | None = None) -> Targets:
        """Targets without proper motion, at positions in ICRS degrees, shape (n,)."""
        zeros, nothing = np.zeros(len(ra)), np.full(len(ra), np.nan)
        return cls(ra, dec, zeros, zeros, nothing, nothing, nothing, unusable or {})

    @classmethod
    def join(cls, parts: Sequence[Targets]) -> Targets:
        """Targets of several objects, one after the other."""
        first, unusable = 0, dict[int, str]()
        for part in parts:
            unusable |= {first + number: reason for number, reason in part.unusable.items()}
            first += len(part)
        return cls(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}, unusable=unusable
        )

    def why_unusable(self, number: int) -> InvalidInputError | None:
        """Error that says why a target has no position; None if it has one."""
        if number not in self.unusable:
            return None
        return InvalidInputError(f"coordinates[{number}]", self.unusable[number], "a position that is known")

    def known_motion(self, number: int) -> tuple[float, float]:
        """Proper motion that `at` uses for a target, in mas a year; 0 if it is not known."""
        pm_ra, pm_dec = float(self.pm_ra[number]), float(self.pm_dec[number])
        return (0.0, 0.0) if np.isnan(pm_ra) else (pm_ra, pm_dec)

    def with_motion(self, number: int, star: Star | None = None) -> Star | None:
        """What is known about a target: `star`, with the proper motion that `at` uses if there is one."""
        pm_ra, pm_dec = self.known_motion(number)
        return replace(star or Star(), pm_ra=pm_ra, pm_dec=pm_dec) if pm_ra or pm_dec else star

    def catalogued(self, number: int) -> tuple[float, float]:
        """Position of a target for RA_OBJ and DEC_OBJ: at J2000.0 if its proper motion is known, else as given.

        lightkurve, and the files of the mission, take RA_OBJ and DEC_OBJ for positions at J2000.0 wherever PMRA and
        PMDEC are not zero.
        """
        ra, dec = self._at_j2000
        return float(ra[number]), float(dec[number])

    @cached_property
    def _at_j2000(self) -> tuple[Floats, Floats]:
        return self.at(_J2000)

    def take(self, numbers: NDArray[np.intp]) -> Targets:
        """Some of the targets, by their numbers."""
        arrays = {name: getattr(self, name)[numbers] for name in _ARRAYS}
        kept = {place: self.unusable[int(old)] for place, old in enumerate(numbers) if int(old) in self.unusable}
        return Targets(**arrays, unusable=kept)

    def at(self, btjd: float) -> tuple[Floats, Floats]:
        """Positions at a time.

        Parameters
        ----------
        btjd : float
            Barycentric Julian date (TDB) minus 2,457,000.

        Returns
        -------
        tuple of ndarray, shape (n,)
            Right ascension and declination, ICRS degrees. Targets without a known proper motion stay where they were.
        """
        ra, dec = self.ra.copy(), self.dec.copy()
        moving = np.flatnonzero(np.isfinite(ra) & (np.hypot(self.pm_ra, self.pm_dec) > 0))
        if len(moving):
            moved = self._sky(moving).apply_space_motion(new_obstime=Time(_BJDREFI, btjd, format="jd", scale="tdb"))
            ra[moving], dec[moving] = moved.ra.deg, moved.dec.deg
        return ra, dec

    def _sky(self, moving: NDArray[np.intp]) -> SkyCoord:
        """Targets in space. A distance that is missing or too large for the motion is replaced, and so is a speed."""
        one = self.take(moving)
        motion = np.hypot(one.pm_ra, one.pm_dec)
        known = one.parallax > _KM_PER_MAS_PER_YEAR * motion / _FASTEST
        parallax = np.where(known, one.parallax, np.maximum(_KM_PER_MAS_PER_YEAR * motion / _SPEED, 1e-3))
        speed = np.where(known & (np.abs(one.radial_velocity) < _FASTEST), one.radial_velocity, 0.0)
        return SkyCoord(
            ra=one.ra * u.deg,
            dec=one.dec * u.deg,
            pm_ra_cosdec=one.pm_ra * _MAS_PER_YEAR,
            pm_dec=one.pm_dec * _MAS_PER_YEAR,
            distance=Distance(parallax=parallax * u.mas),
            radial_velocity=speed * u.km / u.s,
            obstime=Time(one.epoch, format="jd", scale="tdb"),
        )


_ARRAYS = ("ra", "dec", "pm_ra", "pm_dec", "epoch", "parallax", "radial_velocity")


def read_targets(coordinates: Coordinates | Targets) -> Targets:
    """Convert positions that a user gave.

    Parameters
    ----------
    coordinates : SkyCoord, str, or list of them
        One or many positions, in any frame that does not depend on an observer. Targets that were read before are
        returned as they are.

    Raises
    ------
    InvalidInputError
        When there is no position, an item is not a position, or there is a proper motion without obstime.
    """
    if isinstance(coordinates, Targets):
        return coordinates
    with np.errstate(all="ignore"):  # of distances that are 0 or NaN, which are not used
        parts = [_read(sky) for sky in iter_positions(coordinates)]
    return Targets.join(parts)


def _read(sky: SkyCoord) -> Targets:
    pm_ra, pm_dec = _motion(sky)
    unusable = why_unusable(sky)
    ra, dec = plain_values(sky.ra, u.deg), plain_values(sky.dec, u.deg)
    for number in unusable:
        ra[number] = dec[number] = np.nan
    if (np.hypot(pm_ra, pm_dec) > _LARGEST_MOTION).any():
        raise InvalidInputError(
            "coordinates", sky, f"proper motions below {_LARGEST_MOTION / 1000:g} arcseconds a year"
        )
    if not (np.hypot(pm_ra, pm_dec) > 0).any():  # SkyCoord takes a millisecond to say that it has no speed
        nothing = np.full(sky.size, np.nan)
        return Targets(ra, dec, pm_ra, pm_dec, nothing, nothing, nothing, unusable)
    return Targets(ra, dec, pm_ra, pm_dec, _epoch(sky), _parallax(sky), _speed(sky), unusable)


def _motion(sky: SkyCoord) -> tuple[Floats, Floats]:
    differentials: dict[str, Any] = sky.data.differentials
    if "s" not in differentials or isinstance(differentials["s"], RadialDifferential):
        return np.zeros(sky.size), np.zeros(sky.size)
    motion = differentials["s"]
    spherical = hasattr(motion, "d_lon_coslat")  # what was given, also where the distance is not a number
    given = (motion.d_lon_coslat, motion.d_lat) if spherical else (sky.pm_ra_cosdec, sky.pm_dec)
    pair = [np.round(plain_values(value, _MAS_PER_YEAR), 9) for value in given]
    unknown = ~np.isfinite(pair).all(axis=0)
    pm_ra, pm_dec = (np.where(unknown, np.nan, values) for values in pair)
    return pm_ra, pm_dec


def _epoch(sky: SkyCoord) -> Floats:
    if sky.obstime is None:
        allowed = "positions with obstime, the time of the positions, such as Time(2016.0, format='jyear') for Gaia DR3"
        raise InvalidInputError("coordinates", sky, allowed, "Proper motions need the time of the positions.")
    try:
        days = plain_values(sky.obstime.tdb.jd * u.day, u.day)
    except ValueError as error:  # ERFA knows no such date
        raise InvalidInputError("coordinates.obstime", sky.obstime, "a date from the year -4799 on") from error
    return np.array(np.broadcast_to(days if days.size > 1 else days[0], (sky.size,)), np.float64)


def _parallax(sky: SkyCoord) -> Floats:
    distance = getattr(sky, "distance", None)
    if distance is None or distance.unit.physical_type != "length":
        return np.full(sky.size, np.nan)
    kpc = plain_values(distance, u.kpc)
    return np.where(kpc > 0, 1 / np.where(kpc > 0, kpc, 1), np.nan)


def _speed(sky: SkyCoord) -> Floats:
    try:
        return plain_values(sky.radial_velocity, u.km / u.s)
    except (AttributeError, ValueError, u.UnitsError):
        return np.full(sky.size, np.nan)
