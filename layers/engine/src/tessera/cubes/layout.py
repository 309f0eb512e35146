"""Layout of a cube's pixels in its file."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.fits.headers import padded
from tessera.io.ranges import ByteRange

WORD = 4
"""Bytes of one pixel value (float32) in frames and cubes."""
DOUBLE = 8
"""Bytes of one pixel value (float64) in a cube that astrocut updated."""


@dataclass(frozen=True, slots=True)
class CubeLayout:
    """Shape of a cube's array; axes (row, column, cadence, plane), the last one fastest.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of a frame.
    n_cadences : int
        Number of frames in the cube.
    n_planes : int
        Number of planes: 2 for flux and error, 1 for flux only.
    word : {4, 8}, optional
        Bytes of a value. Cubes that astrocut's `update_cube` wrote have 64-bit floats.
    """

    n_rows: int
    n_columns: int
    n_cadences: int
    n_planes: int
    word: int = WORD

    @property
    def pixel_bytes(self) -> int:
        """Bytes of the whole time series of one pixel."""
        return self.n_cadences * self.n_planes * self.word

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of pixels."""
        return self.n_columns * self.pixel_bytes

    @property
    def data_bytes(self) -> int:
        """Bytes of the array."""
        return self.n_rows * self.row_bytes

    @property
    def padding(self) -> int:
        """Zero bytes between the array and the next HDU."""
        return padded(self.data_bytes) - self.data_bytes

    def row_range(self, row: int, first_column: int, n_columns: int) -> ByteRange:
        """Bytes of some adjacent pixels of one row, counted from the first byte of the array."""
        return ByteRange(row * self.row_bytes + first_column * self.pixel_bytes, n_columns * self.pixel_bytes)
