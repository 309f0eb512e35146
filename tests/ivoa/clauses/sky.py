"""Whether regions of the sky meet, by points: slow, simple, and independent of any service.

A region of a request is a cloud of points a known distance apart, and a rule that says what is inside. A footprint is a
polygon, or several. The answer is True, False, or None where a border is too near to tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""Unit vectors, shape (n, 3)."""
STEPS = 15


class Cloud(NamedTuple):
    """A region: points in it, the distance between neighbours in degrees, and which points are inside."""

    points: Points
    spacing: float
    contains: Callable[[Points], NDArray[np.bool_]]


def vectors(ra: object, dec: object) -> Points:
    """Unit vectors of positions in degrees."""
    longitude, latitude = np.radians(np.asarray(ra, float)), np.radians(np.asarray(dec, float))
    parts = (np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude))
    return np.stack(np.broadcast_arrays(*parts), axis=-1).reshape(-1, 3)


def circle(ra: float, dec: float, radius: float) -> Cloud:
    """A circle, in degrees."""
    north = np.array([-np.sin(np.radians(dec)), 0.0, np.cos(np.radians(dec))])
    cos, sin = np.cos(np.radians(ra)), np.sin(np.radians(ra))
    north = np.array([north[0] * cos, north[0] * sin, north[2]])
    east = np.array([-sin, cos, 0.0])
    distances, angles = np.meshgrid(np.linspace(0, np.radians(radius), STEPS), np.linspace(0, 2 * np.pi, 4 * STEPS))
    around = np.cos(angles)[..., None] * north + np.sin(angles)[..., None] * east
    points = np.cos(distances)[..., None] * vectors(ra, dec)[0] + np.sin(distances)[..., None] * around
    middle, cosine = vectors(ra, dec)[0], np.cos(np.radians(radius))
    return Cloud(points.reshape(-1, 3), 2 * np.pi * radius / (4 * STEPS), lambda others: others @ middle >= cosine)


def box(ra: tuple[float, float], dec: tuple[float, float]) -> Cloud:
    """A range of right ascension and declination, in degrees."""
    wide, high = ra[1] - ra[0], dec[1] - dec[0]
    most = 60 if min(wide, high) > max(wide, high) / 10 else 360
    columns, rows = (max(12, int(side / max(wide, high) * most)) for side in (wide, high))
    grid = np.meshgrid(np.linspace(*ra, columns), np.linspace(*dec, rows))

    def contains(others: Points) -> NDArray[np.bool_]:
        longitude = np.degrees(np.arctan2(others[:, 1], others[:, 0])) % 360
        latitude = np.degrees(np.arcsin(np.clip(others[:, 2], -1, 1)))
        inside: NDArray[np.bool_] = (
            (longitude >= ra[0]) & (longitude <= ra[1]) & (latitude >= dec[0]) & (latitude <= dec[1])
        )
        return inside

    return Cloud(vectors(*grid), max(wide / (columns - 1), high / (rows - 1)), contains)


def triangle(corners: list[tuple[float, float]]) -> Cloud:
    """A small triangle, in degrees."""
    weights = np.array([(i, j, 4 * STEPS - i - j) for i in range(4 * STEPS + 1) for j in range(4 * STEPS + 1 - i)])
    ends = vectors(*zip(*corners, strict=True))
    points = weights @ ends / (4 * STEPS)
    side = max(float(np.linalg.norm(ends[i] - ends[i - 1])) for i in range(3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return Cloud(points, np.degrees(side) / (4 * STEPS), lambda others: _inside(others, ends))


def meets(cloud: Cloud, region: str) -> bool | None:
    """Whether a region meets a footprint in the form of ObsCore's s_region; None where it is too near to tell.

    Raises
    ------
    ValueError
        If the footprint is neither a polygon nor a circle nor a union of such.
    """
    answers = [_meets_shape(cloud, words) for words in _shapes(region)]
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


def _meets_shape(cloud: Cloud, words: list[str]) -> bool | None:
    numbers = np.array([float(word) for word in words[1:]])
    if words[0] == "CIRCLE":
        shape = circle(*numbers)
        border, inside = shape.points, shape.contains(cloud.points)
    else:
        corners = vectors(numbers[::2], numbers[1::2])
        border, inside = _border(corners), _inside(cloud.points, corners)
    if inside.any() or cloud.contains(border).any():
        return True
    nearest = max(float((cloud.points[i : i + 2000] @ border.T).max()) for i in range(0, len(cloud.points), 2000))
    return False if np.degrees(np.arccos(min(1.0, nearest))) > 2 * cloud.spacing else None


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


def _border(corners: Points) -> Points:
    """Points on the edges of a polygon."""
    steps = np.linspace(0, 1, 60)[:, None]
    edges = [start + steps * (end - start) for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    line: Points = np.concatenate(edges)
    line /= np.linalg.norm(line, axis=1, keepdims=True)
    return line
