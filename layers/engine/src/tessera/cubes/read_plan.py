"""Which bytes of a cube a window needs."""

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
        Rows of the overlap, from 0.
    data : ByteRange
        Where they are in the file.
    """

    first_row: int
    n_rows: int
    data: ByteRange


def plan_reads(layout: CubeLayout, data_offset: int, overlap: Overlap) -> tuple[RowRead, ...]:
    """Plan the range requests of a cutout: one per row, or a single one when whole rows are wanted.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data_offset : int
        First byte of the cube's array.
    overlap : Overlap
        From `Window.overlap`.
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
