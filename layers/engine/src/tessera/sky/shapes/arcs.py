"""The boundaries of shapes: arcs of great and small circles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

TOUCH = 1e-12
"""Distance in radians at which two things touch."""
_PIECES = np.radians(0.02), np.radians(1.0)
"""Shortest and longest pieces of an arc that are kept or left out together, radians."""
_TURN = 2 * np.pi / 512
"""Largest angle of a segment around the axis of its arc, radians."""


@dataclass(frozen=True)
class Arc:
    """An arc of a great or small circle.

    Parameters
    ----------
    axis : ndarray of float64, shape (3,)
        Unit vector to the middle of the circle. The arc turns counter-clockwise around it, seen from
        outside the sphere.
    start : ndarray of float64, shape (3,)
        Unit vector to the first point.
    angle : float
        Angle around the axis from the first to the last point in radians, greater than 0 and at most 2 pi.
    """

    axis: Floats
    start: Floats
    angle: float

    @property
    def _frame(self) -> tuple[Floats, Floats, Floats]:
        """Middle of the circle's plane, and the vectors from it to the points at angles of 0 and 90 degrees."""
        middle = self.axis * (self.axis @ self.start)
        first = self.start - middle
        return middle, first, np.cross(self.axis, first)

    def points(self, angles: Floats) -> Floats:
        """Unit vectors to the points at some angles from the first one in radians; shape (..., 3)."""
        middle, first, second = self._frame
        return np.asarray(middle + np.cos(angles)[..., None] * first + np.sin(angles)[..., None] * second)

    def segments(self, step: float, cap: tuple[Floats, float] | None = None) -> Floats:
        """Cut the arc into short segments; see `Shape.outline`."""
        radius = float(np.linalg.norm(self._frame[1]))
        piece = _PIECES[1] if cap is None else float(np.clip(cap[1], *_PIECES))
        turn = min(piece / max(radius, TOUCH), self.angle)
        edges = np.linspace(0.0, self.angle, int(np.ceil(self.angle / turn)) + 1)
        firsts, turn = edges[:-1], float(edges[1])
        if cap is not None:
            reach = min(cap[1] + radius * turn / 2 + TOUCH, np.pi)
            firsts = firsts[self.points(firsts + turn / 2) @ cap[0] >= np.cos(reach)]
        n_steps = int(np.ceil(turn / min(step / max(radius, TOUCH), _TURN)))
        steps = np.linspace(0.0, turn, n_steps + 1)
        angles = firsts[:, None] + np.stack([steps[:-1], steps[1:]], axis=-1)[:, None, :]
        return self.points(angles).reshape(-1, 2, 3)

    def meets(self, polygons: Floats) -> NDArray[np.bool_]:
        """Find the polygons that have an edge that crosses or touches the arc.

        Parameters
        ----------
        polygons : ndarray of float64, shape (n, vertices, 3)
            Vertices as unit vectors. Edges are great circles.

        Returns
        -------
        ndarray of bool, shape (n,)
            True where an edge shares a point with the arc. An edge along the arc may be missed, but not its ends.
        """
        following = np.roll(polygons, -1, axis=1)
        normals = np.cross(polygons, following)
        lengths = np.linalg.norm(normals, axis=2, keepdims=True)
        normals = normals / np.where(lengths > 0, lengths, 1.0)
        height = self.axis @ self.start
        along = self.axis - normals * (normals @ self.axis)[..., None]  # the edge's circle is highest there
        squared = np.einsum("nvk,nvk->nv", along, along)
        is_open = (squared > TOUCH**2) & (lengths[..., 0] > 0)
        level = height / np.where(is_open, squared, 1.0)
        rest = 1.0 - level * height
        is_open &= rest > -TOUCH
        across = np.cross(normals, along) / np.sqrt(np.where(is_open, squared, 1.0))[..., None]
        across = across * np.sqrt(np.maximum(rest, 0.0))[..., None]
        hits = [
            is_open & _is_between(polygons, following, normals, point) & self._holds(point)
            for point in (level[..., None] * along + across, level[..., None] * along - across)
        ]
        return np.asarray((hits[0] | hits[1]).any(axis=1))

    def _holds(self, points: Floats) -> NDArray[np.bool_]:
        """Whether points of the circle, shape (n, vertices, 3), are on the arc."""
        _, first, second = self._frame
        angles = np.arctan2(points @ second, points @ first) % (2 * np.pi)
        slack = TOUCH / max(float(np.linalg.norm(first)), TOUCH)
        return np.asarray((angles <= self.angle + slack) | (angles >= 2 * np.pi - slack))


def _is_between(starts: Floats, ends: Floats, normals: Floats, points: Floats) -> NDArray[np.bool_]:
    """Whether points of the circles of edges are on the edges; all have the shape (n, vertices, 3)."""
    after = np.einsum("nvk,nvk->nv", np.cross(normals, starts), points) >= -TOUCH
    before = np.einsum("nvk,nvk->nv", np.cross(ends, normals), points) >= -TOUCH
    return np.asarray(after & before)


def join_segments(arcs: Sequence[Arc], step: float, cap: tuple[Floats, float] | None) -> Floats:
    """Segments of several arcs, shape (n, 2, 3)."""
    return np.concatenate([np.empty((0, 2, 3)), *(arc.segments(step, cap) for arc in arcs)])
