"""Circles on the sky."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.sky.shapes.arcs import TOUCH, Arc
from tessera.sky.shapes.shape import Booleans, Shape
from tessera.sky.sphere import unit_vectors

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Circle(Shape):
    """A circle. `parse_shape` makes it from text and checks its values.

    Parameters
    ----------
    ra, dec : float
        Middle, ICRS degrees; right ascension from 0 to 360.
    radius : float
        Radius in degrees, greater than 0 and at most 180.
    """

    ra: float
    dec: float
    radius: float

    @property
    def middle(self) -> tuple[float, float]:
        """The middle: right ascension and declination, degrees."""
        return self.ra, self.dec

    def __str__(self) -> str:
        """``CIRCLE ra dec radius``."""
        return f"CIRCLE {self.ra!r} {self.dec!r} {self.radius!r}"

    @cached_property
    def _axis(self) -> Floats:
        return np.asarray(unit_vectors(np.array([self.ra]), np.array([self.dec]))[0])

    @property
    def arcs(self) -> tuple[Arc, ...]:
        """The edge; empty when the radius is 180 degrees."""
        if self.radius >= 180.0:
            return ()
        least = np.eye(3)[np.argmin(np.abs(self._axis))]
        aside = np.cross(self._axis, least)
        aside /= np.linalg.norm(aside)
        reach = np.radians(self.radius)
        return (Arc(self._axis, np.cos(reach) * self._axis + np.sin(reach) * aside, 2 * np.pi),)

    def holds(self, directions: Floats) -> Booleans:
        """Find the directions inside; see `Shape.holds`."""
        chord = 2 * np.sin(np.radians(self.radius) / 2)
        return np.asarray(np.linalg.norm(directions - self._axis, axis=1) <= chord + TOUCH)
