"""Directions on the sky as unit vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit_vectors(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert sky positions in degrees, shape (n,), to unit vectors, shape (n, 3)."""
    lon, lat = np.radians(ra), np.radians(dec)
    vectors: NDArray[np.float64] = np.stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1
    )
    return vectors


def chord_degrees(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance in degrees between unit vectors, shape (n, 3), that are close to each other: chord in place of arc.

    Callers use it to check a pixel that a WCS returns for a position: converted back, the pixel must be close to the
    position.
    """
    return np.asarray(np.degrees(np.linalg.norm(first - second, axis=-1)), np.float64)
