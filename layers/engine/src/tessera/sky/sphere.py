"""Directions on the sky."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit_vectors(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
    """Directions of sky positions in degrees, as an array of shape (n, 3)."""
    lon, lat = np.radians(ra), np.radians(dec)
    vectors: NDArray[np.float64] = np.stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1
    )
    return vectors


def chord_degrees(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees between unit vectors, shape (n, 3), that are close to each other: the chord stands for the arc.

    A WCS's answer for a position is believed when the way back from it leads to a place this close to the position.
    """
    return np.asarray(np.degrees(np.linalg.norm(first - second, axis=-1)), np.float64)
