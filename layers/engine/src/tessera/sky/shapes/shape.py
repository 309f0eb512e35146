"""What circles, polygons and ranges have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.sky.footprint import find_points
from tessera.sky.shapes.arcs import Arc, join_segments
from tessera.sky.sphere import unit_vectors

Floats: TypeAlias = NDArray[np.float64]
Booleans: TypeAlias = NDArray[np.bool_]


class Shape(ABC):
    """A connected part of the sky. Its edge belongs to it."""

    @property
    @abstractmethod
    def middle(self) -> tuple[float, float]:
        """A position inside: right ascension from 0 to 360 and declination, degrees."""

    @abstractmethod
    def __str__(self) -> str:
        """Text that `parse_shape` reads as POS. Shapes that are equal have the same text."""

    @property
    @abstractmethod
    def arcs(self) -> Sequence[Arc]:
        """The edge; empty for the whole sky."""

    @abstractmethod
    def holds(self, directions: Floats) -> Booleans:
        """Find the directions inside.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors.

        Returns
        -------
        ndarray of bool, shape (n,)
            True inside and on the edge.
        """

    def contains(self, ra: Floats, dec: Floats) -> Booleans:
        """Find the positions inside.

        Parameters
        ----------
        ra, dec : ndarray of float64
            Positions, ICRS degrees, of any one shape. NaN is outside.

        Returns
        -------
        ndarray of bool
            True inside and on the edge, in the shape of `ra`.
        """
        ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
        known = np.isfinite(ra) & np.isfinite(dec)
        inside = np.zeros(ra.shape, bool)
        inside[known] = self.holds(unit_vectors(ra[known], dec[known]))
        return inside

    def overlaps(self, footprints: Floats) -> Booleans:
        """Find the footprints that share at least one point with the shape.

        Two connected areas share a point if their edges meet, or if one of them contains a point of the other.

        Parameters
        ----------
        footprints : ndarray of float64, shape (n, vertices, 3)
            Vertices as unit vectors, from `tessera.sky.footprint.footprint_vectors`.

        Returns
        -------
        ndarray of bool, shape (n,)
            True for footprints that touch the shape.
        """
        found = np.zeros(len(footprints), bool)
        if not found.size:
            return found
        found |= self.holds(footprints.reshape(-1, 3)).reshape(footprints.shape[:2]).any(axis=1)
        for search in (self._is_within, self._crosses):
            rest = np.flatnonzero(~found)
            found[rest] = search(footprints[rest])
        return found

    def _is_within(self, footprints: Floats) -> Booleans:
        """Whether each footprint contains some points of the shape."""
        points = [unit_vectors(*np.array([self.middle]).T), *(arc.start[None] for arc in self.arcs)]
        return np.asarray(find_points(footprints, np.concatenate(points)).any(axis=1))

    def _crosses(self, footprints: Floats) -> Booleans:
        """Whether the edge of each footprint meets the edge of the shape."""
        found = np.zeros(len(footprints), bool)
        for arc in self.arcs:
            found |= arc.meets(footprints)
        return found

    def outline(self, step: float, cap: tuple[Floats, float] | None = None) -> Floats:
        """Cut the edge into short segments.

        Parameters
        ----------
        step : float
            Largest length of a segment, degrees.
        cap : (ndarray of float64, float), optional
            Unit vector to the middle and radius in degrees of a circle. Only the edge in this circle, and at most a
            degree more, is returned.

        Returns
        -------
        ndarray of float64, shape (n, 2, 3)
            Unit vectors to the first and last point of each segment.
        """
        near = None if cap is None else (cap[0], float(np.radians(cap[1])))
        return join_segments(self.arcs, float(np.radians(step)), near)
