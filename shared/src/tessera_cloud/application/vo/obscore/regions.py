"""Where observations lie on the sky, as ObsCore 1.1 describes it: middles, sizes and regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Places:
    """Where some observations lie. An observation has one polygon or several.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n_polygons, vertices, 3)
        Unit vectors to the vertices of each polygon, from `tessera.sky.footprint.footprint_vectors`.
    owners : ndarray of int64, shape (n_polygons,)
        Number of the observation of each polygon, in ascending order. Each observation has at least one.
    """

    vectors: Floats
    owners: NDArray[np.int64]

    def middles(self) -> tuple[Floats, Floats, Floats]:
        """Find the middles of the observations, and circles around them.

        Returns
        -------
        ra, dec, diameter : ndarray of float64, shape (n_observations,)
            Centroid of the observation, in degrees (ICRS), and diameter of the smallest circle around the centroid that
            contains all its polygons, in degrees.
        """
        if not len(self.owners):
            return (np.empty(0),) * 3
        centroids, areas = _centroids(self.vectors)
        firsts = np.flatnonzero(np.diff(self.owners, prepend=-1))
        sums = np.add.reduceat(centroids * np.abs(areas)[:, None], firsts)
        middles = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        chords = np.linalg.norm(self.vectors - middles[self.owners][:, None], axis=2).max(axis=1)
        widest = np.maximum.reduceat(chords, firsts)
        ra = np.degrees(np.arctan2(middles[:, 1], middles[:, 0])) % 360.0
        dec = np.degrees(np.arcsin(np.clip(middles[:, 2], -1.0, 1.0)))
        return ra, dec, np.degrees(4 * np.arcsin(np.clip(widest / 2, 0.0, 1.0)))

    def is_clockwise(self) -> NDArray[np.bool_]:
        """Whether the vertices of each polygon are in clockwise order, seen on the sky with north up and east left."""
        return np.asarray(_centroids(self.vectors)[1] > 0) if len(self.owners) else np.empty(0, bool)


def _centroids(polygons: Floats) -> tuple[Floats, Floats]:
    """Centroids of polygons in the plane that touches the sphere at the mean of their vertices.

    Returns
    -------
    centroids : ndarray of float64, shape (n, 3)
        Unit vectors.
    areas : ndarray of float64, shape (n,)
        Areas in the plane; positive if the vertices are in clockwise order, seen on the sky.
    """
    axis = polygons.sum(axis=1)
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    least = np.eye(3)[np.argmin(np.abs(axis), axis=1)]
    first = np.cross(least, axis)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(axis, first)
    depth = np.einsum("nvk,nk->nv", polygons, axis)
    x, y = (np.einsum("nvk,nk->nv", polygons, each) / depth for each in (first, second))
    after_x, after_y = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
    crosses = x * after_y - y * after_x
    areas = crosses.sum(axis=1) / 2
    scale = np.where(areas, 6 * areas, np.inf)  # a polygon without an area has the mean of its vertices
    mean_x, mean_y = (((each + after) * crosses).sum(axis=1) / scale for each, after in ((x, after_x), (y, after_y)))
    centroids = axis + mean_x[:, None] * first + mean_y[:, None] * second
    return centroids / np.linalg.norm(centroids, axis=1, keepdims=True), areas


def region_text(s_regions: Sequence[str], clockwise: Sequence[bool]) -> str:
    """Region as ObsCore wants it: a polygon, or the union of several, in ICRS.

    The vertices are in counter-clockwise order, seen on the sky, and the first is not repeated (DALI 1.2, section 3.3).

    Parameters
    ----------
    s_regions : sequence of str
        Polygons of the index. Equal ones are written once.
    clockwise : sequence of bool
        Whether the vertices of each are in clockwise order.
    """
    polygons = dict.fromkeys(_vertices_text(text, turned) for text, turned in zip(s_regions, clockwise, strict=True))
    if len(polygons) == 1:
        return f"POLYGON ICRS {next(iter(polygons))}"
    return f"UNION ICRS ({' '.join(f'POLYGON {polygon}' for polygon in polygons)})"


def _vertices_text(s_region: str, clockwise: bool) -> str:
    words = [word for word in s_region.split() if word[0] not in "PpIiJj"]
    if words[:2] == words[-2:]:
        words = words[:-2]
    if not clockwise:
        return " ".join(words)
    pairs = list(zip(words[::2], words[1::2], strict=True))
    return " ".join(f"{ra} {dec}" for ra, dec in reversed(pairs))
