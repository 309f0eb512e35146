"""Ranges of right ascension and declination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.sky.shapes.arcs import Arc
from tessera.sky.shapes.shape import Booleans, Shape
from tessera.sky.sphere import unit_vectors

Floats: TypeAlias = NDArray[np.float64]

_TOUCH = 1e-10
"""Distance in degrees at which a position is on the edge."""


@dataclass(frozen=True)
class Range(Shape):
    """A range of right ascension and declination. `parse_shape` makes it from text and checks its values.

    Parameters
    ----------
    ra_first : float
        First right ascension in degrees, at least 0 and below 360.
    ra_last : float
        Last right ascension in degrees, from `ra_first` to `ra_first` + 360. Above 360, the range crosses right
        ascension 0.
    dec_first, dec_last : float
        First and last declination in degrees, from -90 to 90.
    """

    ra_first: float
    ra_last: float
    dec_first: float
    dec_last: float

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of both ranges, degrees."""
        return (self.ra_first + self._width / 2) % 360.0, (self.dec_first + self.dec_last) / 2

    def __str__(self) -> str:
        """``RANGE ra ra dec dec``."""
        return f"RANGE {self.ra_first!r} {self.ra_last!r} {self.dec_first!r} {self.dec_last!r}"

    @property
    def _width(self) -> float:
        return self.ra_last - self.ra_first

    @property
    def arcs(self) -> tuple[Arc, ...]:
        """The edge: two parallels and two meridians, without what has no length or is inside."""
        pole, width = np.array([0.0, 0.0, 1.0]), float(np.radians(self._width))
        arcs = [
            Arc(pole, self._direction(self.ra_first, dec), width)
            for dec in (self.dec_first, self.dec_last)
            if width and abs(dec) < 90.0
        ]
        height = float(np.radians(self.dec_last - self.dec_first))
        if self._width < 360.0 and height:
            for ra in (self.ra_first, self.ra_last):
                axis = np.array([np.sin(np.radians(ra)), -np.cos(np.radians(ra)), 0.0])
                arcs.append(Arc(axis, self._direction(ra, self.dec_first), height))
        return tuple(arcs)

    @staticmethod
    def _direction(ra: float, dec: float) -> Floats:
        return np.asarray(unit_vectors(np.array([ra]), np.array([dec]))[0])

    def holds(self, directions: Floats) -> Booleans:
        """Find the directions inside; see `Shape.holds`."""
        x, y, z = directions.T
        aside = np.hypot(x, y)
        dec = np.degrees(np.arctan2(z, aside))
        after = (np.degrees(np.arctan2(y, x)) - self.ra_first) % 360.0
        slack = _TOUCH / np.maximum(aside, _TOUCH)  # all right ascensions at a pole
        in_ra = (after <= self._width + slack) | (after >= 360.0 - slack) | (aside < np.radians(_TOUCH))
        in_dec = (dec >= self.dec_first - _TOUCH) & (dec <= self.dec_last + _TOUCH)
        return np.asarray(in_ra & in_dec)
