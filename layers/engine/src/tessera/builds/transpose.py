"""Transpose pixels of frames to time series of a cube. No other module does this.

Pixels are moved as 4-byte words, without byte swapping and without conversion to floats. A run of pixels in row-major
order is contiguous in a frame. The time series of these pixels are contiguous in a cube.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CADENCE_TILE, PIXEL_TILE = 32, 512
"""Number of cadences and of pixels that are moved at a time. Their input and output fit in the processor's cache."""
_CRITICAL_STRIDE, _SKEW = 4096, 16
"""Runs of pixels at a distance of a multiple of `_CRITICAL_STRIDE` bytes share a few lines of the processor's cache.
`_SKEW` additional pixels avoid this distance."""


def skewed(n_pixels: int) -> int:
    """Length for runs of `n_pixels` pixels in a buffer, such that the runs do not share lines of the cache."""
    return n_pixels + _SKEW if n_pixels * 4 % _CRITICAL_STRIDE == 0 else n_pixels


def allocate_block(n_cadences: int, n_planes: int, n_rows: int, n_columns: int) -> NDArray[np.uint32]:
    """Allocate memory for the pixels of a block, in the order of the frames.

    Returns
    -------
    ndarray of uint32, shape (n_cadences, n_planes, n_rows, n_columns)
        Uninitialised array. ``block[cadence, plane]`` is contiguous, so a range request can be read into it.
    """
    return np.empty((n_cadences, n_planes, n_rows, n_columns), dtype=np.uint32)


def transpose_pixels(received: NDArray[np.uint32], out: NDArray[np.uint32]) -> None:
    """Transpose a run of pixels of frames to time series.

    Parameters
    ----------
    received : ndarray of uint32, shape (n_cadences, n_planes, n_pixels)
        Pixels in the order of the frames.
    out : ndarray of uint32, shape (n_pixels, n_cadences, n_planes)
        Array that is filled. It may be a view of an array with more cadences.
    """
    n_cadences, _, n_pixels = received.shape
    for first in range(0, n_pixels, PIXEL_TILE):
        pixels = slice(first, first + PIXEL_TILE)
        for start in range(0, n_cadences, CADENCE_TILE):
            cadences = slice(start, start + CADENCE_TILE)
            out[pixels, cadences, :] = received[cadences, :, pixels].transpose(2, 0, 1)


def transpose_rows(block: NDArray[np.uint32], first_row: int, n_rows: int) -> NDArray[np.uint32]:
    """Transpose rows of a block to rows of a cube.

    Parameters
    ----------
    block : ndarray of uint32, shape (n_cadences, n_planes, rows of the block, n_columns)
        Pixels in the order of the frames, from `allocate_block`.
    first_row, n_rows : int
        First row, counted from the first row of the block, and number of rows.

    Returns
    -------
    ndarray of uint32, shape (n_rows, n_columns, n_cadences, n_planes)
        Time series, C-contiguous.
    """
    n_cadences, n_planes, _, n_columns = block.shape
    out = np.empty((n_rows * n_columns, n_cadences, n_planes), dtype=np.uint32)
    pixels = slice(first_row * n_columns, (first_row + n_rows) * n_columns)
    transpose_pixels(block.reshape(n_cadences, n_planes, -1)[:, :, pixels], out)
    return out.reshape(n_rows, n_columns, n_cadences, n_planes)
