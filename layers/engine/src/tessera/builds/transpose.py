"""Transpose pixels of frames to time series of a cube. No other module does this.

Pixels are moved as 4-byte words, without byte swapping and without conversion to floats. A run of pixels in row-major
order is contiguous in a frame. The time series of these pixels are contiguous in a cube.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.builds.plan import PIECE_BYTES
from tessera.io.ranges import SeekableFile

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


class RowStream(SeekableFile):
    """Rows of a cube as a file, which are transposed from a block while they are read.

    Only a small piece of the rows is in memory at a time, so a task has room for more rows of its block.

    Parameters
    ----------
    block : ndarray of uint32, shape (n_cadences, n_planes, rows of the block, n_columns)
        Pixels in the order of the frames, from `allocate_block`. They must not change while they are read.
    first_row, n_rows : int
        First row, counted from the first row of the block, and number of rows.
    piece_bytes : int, optional
        Bytes that are transposed at a time; at least one time series.
    """

    def __init__(
        self, block: NDArray[np.uint32], first_row: int, n_rows: int, *, piece_bytes: int = PIECE_BYTES
    ) -> None:
        n_cadences, n_planes, _, n_columns = block.shape
        pixels = slice(first_row * n_columns, (first_row + n_rows) * n_columns)
        self._received = block.reshape(n_cadences, n_planes, -1)[:, :, pixels]
        n_pixels, series_bytes = n_rows * n_columns, n_cadences * n_planes * 4
        step = min(n_pixels, max(1, piece_bytes // series_bytes))
        self._piece = np.empty((step, n_cadences, n_planes), dtype=np.uint32)
        self._number = -1
        self._size = n_pixels * series_bytes

    def __len__(self) -> int:
        """Bytes of the rows."""
        return int(self._size)

    def _end(self) -> int:
        return len(self)

    def read(self, size: int | None = -1) -> Any:
        """Read up to `size` bytes, or less at the end of a piece, and all that follows without a size.

        Returns
        -------
        memoryview or bytes
            A memoryview is valid until the next read.
        """
        if size is None or size < 0:
            return b"".join(bytes(piece) for piece in iter(lambda: self.read(self._piece.nbytes), b""))
        number, start = divmod(self._position, self._piece.nbytes)
        stop = min(start + size, self._piece.nbytes, start + self._size - self._position)
        if stop <= start:
            return memoryview(b"")
        self._transpose(number)
        self._position += stop - start
        return self._piece.data.cast("B")[start:stop]

    def _transpose(self, number: int) -> None:
        if number != self._number:
            step = len(self._piece)
            received = self._received[:, :, number * step : (number + 1) * step]
            transpose_pixels(received, self._piece[: received.shape[2]])
            self._number = number
