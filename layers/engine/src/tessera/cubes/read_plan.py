"""Plan the range requests that read a window of a cube."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.cubes.layout import CubeLayout
from tessera.io.ranges import ByteRange
from tessera.windows import Overlap


@dataclass(frozen=True, slots=True)
class RowRead:
    """One range request of a cutout and the rows of the window that it fills.

    Parameters
    ----------
    first_row, n_rows : int
        First row of the request, counted from the first row of the overlap, and number of rows.
    data : ByteRange
        Bytes of these rows in the file.
    """

    first_row: int
    n_rows: int
    data: ByteRange


def plan_reads(layout: CubeLayout, data_offset: int, overlap: Overlap) -> tuple[RowRead, ...]:
    """Plan the range requests of a cutout: one per row, or a single request for whole rows.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data_offset : int
        Position of the first byte of the cube's array in the file.
    overlap : Overlap
        Pixels to read, from `Window.overlap`.
    """
    n_rows, n_columns = overlap.shape
    if n_columns == layout.n_columns:
        start = data_offset + overlap.rows.start * layout.row_bytes
        return (RowRead(0, n_rows, ByteRange(start, n_rows * layout.row_bytes)),)
    reads = []
    for index in range(n_rows):
        place = layout.row_range(overlap.rows.start + index, overlap.columns.start, n_columns)
        reads.append(RowRead(index, 1, ByteRange(data_offset + place.start, place.length)))
    return tuple(reads)
