"""From frames to cube: the one place where the time axis turns.

Pixels are opaque 4-byte words: nothing is byte-swapped and no float is touched. A run of pixels in row-major order is
contiguous in a frame and, as time series, contiguous in a cube.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CADENCE_TILE, PIXEL_TILE = 32, 512
"""Cadences and pixels moved at a time, so that a tile of input and output stays in the processor's cache."""
_CRITICAL_STRIDE, _SKEW = 4096, 16
"""Runs of pixels a multiple of so many bytes apart fall into the same few cache lines; so many pixels avoid it."""


def skewed(n_pixels: int) -> int:
    """The least length for a run of pixels, from `n_pixels` on, that does not make runs collide in the cache."""
    return n_pixels + _SKEW if n_pixels * 4 % _CRITICAL_STRIDE == 0 else n_pixels


def allocate_block(n_cadences: int, n_planes: int, n_rows: int, n_columns: int) -> NDArray[np.uint32]:
    """Allocate memory for a block as it is received.

    Returns
    -------
    ndarray of uint32, shape (n_cadences, n_planes, n_rows, n_columns)
        Uninitialised. ``block[cadence, plane]`` is contiguous: a range request fills it as it arrives.
    """
    return np.empty((n_cadences, n_planes, n_rows, n_columns), dtype=np.uint32)


def transpose_pixels(received: NDArray[np.uint32], out: NDArray[np.uint32]) -> None:
    """Turn a run of pixels from frames into time series.

    Parameters
    ----------
    received : ndarray of uint32, shape (n_cadences, n_planes, n_pixels)
        As it was read.
    out : ndarray of uint32, shape (n_pixels, n_cadences, n_planes)
        Filled here; it may be a view of an array with more cadences.
    """
    n_cadences, _, n_pixels = received.shape
    for first in range(0, n_pixels, PIXEL_TILE):
        pixels = slice(first, first + PIXEL_TILE)
        for start in range(0, n_cadences, CADENCE_TILE):
            cadences = slice(start, start + CADENCE_TILE)
            out[pixels, cadences, :] = received[cadences, :, pixels].transpose(2, 0, 1)


def transpose_rows(block: NDArray[np.uint32], first_row: int, n_rows: int) -> NDArray[np.uint32]:
    """Turn rows of a received block into rows of a cube.

    Parameters
    ----------
    block : ndarray of uint32, shape (n_cadences, n_planes, rows of the block, n_columns)
        From `allocate_block`, filled.
    first_row, n_rows : int
        Which rows, counted from the first of the block.

    Returns
    -------
    ndarray of uint32, shape (n_rows, n_columns, n_cadences, n_planes)
        C-contiguous, ready to be written.
    """
    n_cadences, n_planes, _, n_columns = block.shape
    out = np.empty((n_rows * n_columns, n_cadences, n_planes), dtype=np.uint32)
    pixels = slice(first_row * n_columns, (first_row + n_rows) * n_columns)
    transpose_pixels(block.reshape(n_cadences, n_planes, -1)[:, :, pixels], out)
    return out.reshape(n_rows, n_columns, n_cadences, n_planes)
