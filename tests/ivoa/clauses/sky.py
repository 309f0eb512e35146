"""Whether regions of the sky meet, by points: slow, simple, and independent of any service.

A region of a request is a cloud of points a known distance apart. A footprint is a polygon, or several. The answer is
True, False, or None where a border is too near to tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""Unit vectors, shape (n, 3)."""
STEPS = 25


def vectors(ra: object, dec: object) -> Points:
    """Unit vectors of positions in degrees."""
    longitude, latitude = np.radians(np.asarray(ra, float)), np.radians(np.asarray(dec, float))
    parts = (np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude))
    return np.stack(np.broadcast_arrays(*parts), axis=-1).reshape(-1, 3)


def circle(ra: float, dec: float, radius: float) -> tuple[Points, float]:
    """Points of a circle, and the distance between neighbours; all in degrees."""
    north = np.array([-np.sin(np.radians(dec)), 0.0, np.cos(np.radians(dec))])
    cos, sin = np.cos(np.radians(ra)), np.sin(np.radians(ra))
    north = np.array([north[0] * cos, north[0] * sin, north[2]])
    east = np.array([-sin, cos, 0.0])
    distances, angles = np.meshgrid(np.linspace(0, np.radians(radius), STEPS), np.linspace(0, 2 * np.pi, 4 * STEPS))
    around = np.cos(angles)[..., None] * north + np.sin(angles)[..., None] * east
    points = np.cos(distances)[..., None] * vectors(ra, dec)[0] + np.sin(distances)[..., None] * around
    return points.reshape(-1, 3), 2 * np.pi * radius / (4 * STEPS)


def box(ra: tuple[float, float], dec: tuple[float, float]) -> tuple[Points, float]:
    """Points of a range of right ascension and declination, and the distance between neighbours; all in degrees."""
    grid = np.meshgrid(np.linspace(*ra, 4 * STEPS), np.linspace(*dec, 4 * STEPS))
    return vectors(*grid), max(ra[1] - ra[0], dec[1] - dec[0]) / (4 * STEPS - 1)


def triangle(corners: list[tuple[float, float]]) -> tuple[Points, float]:
    """Points of a small triangle, and the distance between neighbours, in degrees."""
    weights = np.array([(i, j, 4 * STEPS - i - j) for i in range(4 * STEPS + 1) for j in range(4 * STEPS + 1 - i)])
    ends = vectors(*zip(*corners, strict=True))
    points = weights @ ends / (4 * STEPS)
    side = max(float(np.linalg.norm(ends[i] - ends[i - 1])) for i in range(3))
    return points / np.linalg.norm(points, axis=1, keepdims=True), np.degrees(side) / (4 * STEPS)


def meets(cloud: tuple[Points, float], region: str) -> bool | None:
    """Whether the points meet a footprint in the form of ObsCore's s_region; None where it is too near to tell.

    Raises
    ------
    ValueError
        If the footprint is neither a polygon nor a circle nor a union of such.
    """
    points, spacing = cloud
    answers = [_meets_shape(points, spacing, words) for words in _shapes(region)]
    if any(answers):
        return True
    return None if None in answers else False


def _shapes(region: str) -> list[list[str]]:
    """Shape and numbers of each shape of a region."""
    shapes: list[list[str]] = []
    for word in region.replace("(", " ").replace(")", " ").replace(",", " ").split():
        if word.upper() in ("POLYGON", "CIRCLE"):
            shapes.append([word.upper()])
        elif word.upper() not in ("UNION", "ICRS", "J2000", "GEOCENTER", "TOPOCENTER", "BARYCENTER", "UNKNOWNREFPOS"):
            if not shapes:
                raise ValueError(f"{region[:80]} begins with no shape")
            shapes[-1].append(word)
    return shapes


def _meets_shape(points: Points, spacing: float, words: list[str]) -> bool | None:
    numbers = np.array([float(word) for word in words[1:]])
    if words[0] == "CIRCLE":
        distance = np.degrees(np.arccos(np.clip(points @ vectors(*numbers[:2])[0], -1, 1))) - numbers[2]
        inside, margin = distance <= 0, float(distance.min())
    else:
        corners = vectors(numbers[::2], numbers[1::2])
        inside, margin = _inside(points, corners), _distance(points, corners)
    if inside.any():
        return True
    return False if margin > 2 * spacing else None


def _inside(points: Points, corners: Points) -> NDArray[np.bool_]:
    """Which points lie in a polygon of less than half the sphere: those around which it turns once."""
    middle = corners.sum(axis=0)
    seen = points @ middle > 0
    turns = np.zeros(len(points))
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        first, second = (side - (points @ side)[:, None] * points for side in (start, end))
        across = np.einsum("ij,ij->i", points, np.cross(first, second))
        turns += np.arctan2(across, np.einsum("ij,ij->i", first, second))
    inside: NDArray[np.bool_] = seen & (np.abs(turns) > np.pi)
    return inside


def _distance(points: Points, corners: Points) -> float:
    """Smallest distance of points from the edges of a polygon, in degrees."""
    steps = np.linspace(0, 1, 200)[:, None]
    edges = [start + steps * (end - start) for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    line = np.concatenate(edges)
    line /= np.linalg.norm(line, axis=1, keepdims=True)
    nearest = max(float((points[i : i + 2000] @ line.T).max()) for i in range(0, len(points), 2000))
    return float(np.degrees(np.arccos(min(1.0, nearest))))
