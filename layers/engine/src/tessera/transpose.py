"""From frames to cube: the one place where the time axis turns.

Pixels are opaque 4-byte words: nothing is byte-swapped and no float is touched.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TILE = 64
"""Cadences moved at a time, so that a tile of input and output stays in the processor's cache."""


def allocate_block(n_cadences: int, n_planes: int, n_rows: int, n_columns: int) -> NDArray[np.uint32]:
    """Make room for a block as it is received.

    Returns
    -------
    ndarray of uint32, shape (n_cadences, n_planes, n_rows, n_columns)
        Uninitialised. ``block[cadence, plane]`` is contiguous: a range request fills it as it arrives.
    """
    return np.empty((n_cadences, n_planes, n_rows, n_columns), dtype=np.uint32)


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
    rows = np.empty((n_rows, n_columns, n_cadences, n_planes), dtype=np.uint32)
    for row in range(n_rows):
        for start in range(0, n_cadences, TILE):
            tile = block[start : start + TILE, :, first_row + row, :]
            rows[row, :, start : start + TILE, :] = tile.transpose(2, 0, 1)
    return rows
