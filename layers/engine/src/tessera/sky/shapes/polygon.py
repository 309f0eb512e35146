"""Polygons on the sky.

A polygon is projected from the middle of the circle around it to the plane that touches the sphere there. Great circles
are straight lines in this plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.sky.footprint import caps, edges_cross
from tessera.sky.shapes.arcs import TOUCH, Arc
from tessera.sky.shapes.shape import Booleans, Shape
from tessera.sky.sphere import unit_vectors

Floats: TypeAlias = NDArray[np.float64]

_CHUNK = 1_000_000
"""Largest number of pairs of edges that are compared at once."""
_WIDEST = float(np.cos(np.radians(89.9)))
"""Cosine of the radius of the largest circle around a polygon."""


class NotSimpleError(ValueError):
    """Vertices are not those of a polygon with one inside; the message says what is allowed."""


@dataclass(frozen=True)
class Polygon(Shape):
    """A polygon whose edges are great circles. `parse_shape` makes it from text and checks its values.

    It need not be convex. Its vertices may be in either order: its inside is smaller than a hemisphere.

    Parameters
    ----------
    vertices : tuple of (float, float)
        Right ascension and declination in degrees, ICRS, each vertex once.
    """

    vertices: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        """``POLYGON ra dec ra dec ...``."""
        return "POLYGON " + " ".join(f"{ra!r} {dec!r}" for ra, dec in self.vertices)

    @cached_property
    def _vectors(self) -> Floats:
        return unit_vectors(*np.array(self.vertices, np.float64).T)

    @cached_property
    def _axes(self) -> Floats:
        """Unit vectors along both axes of the plane, and from the middle of the sphere to where it touches."""
        middle = smallest_cap(self._vectors)
        aside = np.cross(middle, np.eye(3)[np.argmin(np.abs(middle))])
        aside /= np.linalg.norm(aside)
        return np.array([aside, np.cross(middle, aside), middle])

    @cached_property
    def _plane(self) -> Floats:
        """Vertices in the plane, shape (n, 2)."""
        return self._project(self._vectors)

    def _project(self, directions: Floats) -> Floats:
        x, y, z = self._axes @ directions.T
        return np.stack([x / z, y / z], axis=-1)

    @cached_property
    def middle(self) -> tuple[float, float]:
        """The centroid, or a position inside next to it: right ascension and declination, degrees."""
        x, y = self._centroid()
        if not _is_inside(self._plane, np.array([[x, y]]))[0]:
            x = _widest_middle(self._plane, y)
        direction = np.array([x, y, 1.0]) @ self._axes
        direction /= np.linalg.norm(direction)
        ra, dec = np.arctan2(direction[1], direction[0]), np.arcsin(np.clip(direction[2], -1.0, 1.0))
        return float(np.degrees(ra) % 360.0), float(np.degrees(dec))

    def _centroid(self) -> tuple[float, float]:
        origin = self._plane[0]
        x, y = (self._plane - origin).T
        crosses = x * np.roll(y, -1) - y * np.roll(x, -1)
        total = 3.0 * crosses.sum()
        return (
            float(origin[0] + ((x + np.roll(x, -1)) * crosses).sum() / total),
            float(origin[1] + ((y + np.roll(y, -1)) * crosses).sum() / total),
        )

    @property
    def arcs(self) -> tuple[Arc, ...]:
        """The edges."""
        starts, ends = self._vectors, np.roll(self._vectors, -1, axis=0)
        axes = np.cross(starts, ends)
        sines = np.linalg.norm(axes, axis=1)
        angles = np.arctan2(sines, np.einsum("vk,vk->v", starts, ends))
        return tuple(Arc(*edge) for edge in zip(axes / sines[:, None], starts, angles.tolist(), strict=True))

    def holds(self, directions: Floats) -> Booleans:
        """Find the directions inside; see `Shape.holds`."""
        inside = np.zeros(len(directions), bool)
        near = np.flatnonzero(directions @ self._axes[2] >= (self._vectors @ self._axes[2]).min() - TOUCH)
        inside[near] = _is_inside(self._plane, self._project(directions[near]))
        return inside

    def _crosses(self, footprints: Floats) -> Booleans:
        crosses = np.zeros(len(footprints), bool)
        middles, radii = caps(footprints)
        reach = radii + np.arccos(np.clip((self._vectors @ self._axes[2]).min(), -1.0, 1.0)) + 1e-9
        near = np.flatnonzero(middles @ self._axes[2] >= np.cos(np.minimum(reach, np.pi)))
        for part in np.array_split(near, 1 + len(near) * footprints.shape[1] * len(self.vertices) // _CHUNK):
            crosses[part] = edges_cross(footprints[part], self._vectors)
        return crosses

    def check(self) -> None:
        """Check that the polygon has one inside, smaller than a hemisphere.

        Raises
        ------
        NotSimpleError
            When it has not.
        """
        if (self._vectors @ self._axes[2]).min() < _WIDEST:
            raise NotSimpleError(
                "a polygon smaller than a hemisphere: all corners within 89.9 degrees of some position"
            )
        if np.linalg.norm(self._vectors - np.roll(self._vectors, -1, axis=0), axis=1).min() <= 10 * TOUCH:
            raise NotSimpleError("a polygon whose corners are at least 1e-9 degrees apart")
        _check_simple(self._plane)


def smallest_cap(directions: Floats) -> Floats:
    """Middle of the smallest circle around some directions, if they are within a hemisphere.

    The circle around two or three of the directions grows until it holds them all.

    Parameters
    ----------
    directions : ndarray of float64, shape (n, 3)
        Unit vectors.

    Returns
    -------
    ndarray of float64, shape (3,)
        Unit vector.
    """
    held, middle = directions[:1], directions[0]
    for _ in range(len(directions) + 100):
        distances = directions @ middle
        if distances.min() >= (held @ middle).min() - TOUCH:
            break
        held, middle = _cap_of_few(np.vstack([held, directions[np.argmin(distances)]]))
    return np.asarray(middle)


def _cap_of_few(directions: Floats) -> tuple[Floats, Floats]:
    """The directions, of at most four, on the smallest circle around them, and the middle of this circle."""
    best = directions[:2], directions[0], -2.0
    for size in (2, 3):
        for held in map(np.array, combinations(directions, size)):
            middle = held.sum(axis=0) if size == 2 else np.cross(held[1] - held[0], held[2] - held[0])
            length = np.linalg.norm(middle)
            if length == 0.0:
                continue
            middle = middle / length
            middle = middle if middle @ held.sum(axis=0) >= 0 else -middle
            cosine = float((directions @ middle).min())
            if cosine > best[2]:
                best = held, middle, cosine
    return best[0], best[1]


def _is_inside(polygon: Floats, points: Floats) -> Booleans:
    """Whether points of the plane, shape (n, 2), are inside a polygon, shape (vertices, 2), or on its edge."""
    order = np.argsort(points[:, 1])
    xs, ys = points[order].T
    odd, touches = np.zeros(len(xs), bool), np.zeros(len(xs), bool)
    for (x1, y1), (x2, y2) in zip(polygon.tolist(), np.roll(polygon, -1, axis=0).tolist(), strict=True):
        beside = slice(*np.searchsorted(ys, [min(y1, y2) - TOUCH, max(y1, y2) + TOUCH]))
        x, y, dx, dy = xs[beside] - x1, ys[beside] - y1, x2 - x1, y2 - y1
        is_left = dx * y - dy * x > 0
        odd[beside] ^= ((ys[beside] >= y1) != (ys[beside] >= y2)) & (is_left == (dy > 0))
        along = np.clip((x * dx + y * dy) / (dx**2 + dy**2), 0.0, 1.0)
        touches[beside] |= (x - along * dx) ** 2 + (y - along * dy) ** 2 <= TOUCH**2
    inside = np.empty(len(xs), bool)
    inside[order] = odd | touches
    return inside


def _widest_middle(polygon: Floats, y: float) -> float:
    """Middle of the longest part of a horizontal line that is inside a polygon."""
    (x1, y1), (x2, y2) = polygon.T, np.roll(polygon, -1, axis=0).T
    crosses = (y1 > y) != (y2 > y)
    places = np.sort((x1 + (x2 - x1) * (y - y1) / np.where(crosses, y2 - y1, 1.0))[crosses])
    begins, ends = places[::2], places[1::2]
    widest = int(np.argmax(ends - begins))
    return float((begins[widest] + ends[widest]) / 2)


def _check_simple(polygon: Floats) -> None:
    """Refuse a polygon of the plane without area, or whose edges cross or touch."""
    following, n = np.roll(polygon, -1, axis=0), len(polygon)
    edges = following - polygon
    # sides[i, j]: on which side of edge i vertex j is; the end of edge j is vertex j + 1
    sides = _cross(edges[:, None], polygon[None] - polygon[:, None])
    scale = np.linalg.norm(edges, axis=1)[:, None] * np.ptp(polygon, axis=0).max()
    sides = np.where(np.abs(sides) <= 1e-14 * scale, 0.0, np.sign(sides))
    if not sides.any():
        raise NotSimpleError("a polygon with an area: corners that are not on one great circle")
    after = np.roll(sides, -1, axis=1)
    apart = (sides * after > 0) | ((sides == 0) & (after == 0) & ~_share_line(polygon, edges))
    meets = ~apart & ~apart.T
    numbers = np.arange(n)
    neighbours = (numbers[:, None] - numbers) % n
    meets &= (neighbours != 0) & (neighbours != 1) & (neighbours != n - 1)
    back = (sides[numbers, (numbers + 2) % n] == 0) & ((edges * np.roll(edges, -1, axis=0)).sum(axis=1) < 0)
    if meets.any() or back.any():
        raise NotSimpleError("a polygon whose edges do not cross or touch each other, with its corners in order")


def _share_line(polygon: Floats, edges: Floats) -> Booleans:
    """Whether edges on one line, each pair of them, share a point; shape (n, n)."""
    squared = (edges**2).sum(axis=1)[:, None]
    begins = ((polygon[None] - polygon[:, None]) * edges[:, None]).sum(axis=2) / squared
    ends = np.roll(begins, -1, axis=1)
    return np.asarray((np.maximum(begins, ends) >= 0) & (np.minimum(begins, ends) <= 1))


def _cross(first: Floats, second: Floats) -> Floats:
    return np.asarray(first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0])
