"""Integer pixel rectangles on a frame, and the part of them that has pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tessera.errors import InvalidValueError, NoOverlapError
from tessera.layout import ByteRange, CubeLayout

MAX_WINDOW = 10_000


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of pixels, counted from 0; it may reach beyond the frame.

    Parameters
    ----------
    first_row, first_column : int
        Lowest row and column; negative beyond the lower edges.
    n_rows, n_columns : int
        Shape.
    """

    first_row: int
    first_column: int
    n_rows: int
    n_columns: int

    def __post_init__(self) -> None:
        for argument, value in (("rows", self.n_rows), ("columns", self.n_columns)):
            if not 1 <= value <= MAX_WINDOW:
                raise InvalidValueError(f"number of {argument}", value, f"1 to {MAX_WINDOW}")

    @property
    def stop_row(self) -> int:
        """First row behind the window."""
        return self.first_row + self.n_rows

    @property
    def stop_column(self) -> int:
        """First column behind the window."""
        return self.first_column + self.n_columns

    def overlap(self, n_rows: int, n_columns: int) -> Window:
        """The part of the window that lies on a frame of that shape.

        Raises
        ------
        NoOverlapError
            When there is none.
        """
        first_row, first_column = max(self.first_row, 0), max(self.first_column, 0)
        rows = min(self.stop_row, n_rows) - first_row
        columns = min(self.stop_column, n_columns) - first_column
        if rows < 1 or columns < 1:
            raise NoOverlapError(
                f"rows {self.first_row}..{self.stop_row - 1}, columns {self.first_column}..{self.stop_column - 1} "
                f"are not on an image of {n_rows} rows and {n_columns} columns"
            )
        return Window(first_row, first_column, rows, columns)


def place_window(row: float, column: float, n_rows: int, n_columns: int) -> Window:
    """Place a window around a position the way the TESSCut service does.

    The lower limit is the position less half the size, rounded to the nearest integer, so that in about half of all
    cases a target is one pixel off the centre of a window of odd size.

    Parameters
    ----------
    row, column : float
        Position; the centre of the first pixel is 0.
    n_rows, n_columns : int
        Shape, which the window always has.
    """
    return Window(math.floor(row - n_rows / 2 + 0.5), math.floor(column - n_columns / 2 + 0.5), n_rows, n_columns)


def centre_window(row: float, column: float, n_rows: int, n_columns: int) -> Window:
    """Place a window so that its centre pixel, or one of the two, holds a position; see `place_window`."""
    return Window(_centred(row, n_rows), _centred(column, n_columns), n_rows, n_columns)


def _centred(position: float, n: int) -> int:
    """First pixel of a run of `n` whose centre pixel (or one of the two) holds a position."""
    if n % 2:
        return math.floor(position + 0.5) - n // 2
    return math.floor(position) - n // 2 + 1


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


def plan_reads(layout: CubeLayout, data_offset: int, overlap: Window) -> tuple[RowRead, ...]:
    """Plan the range requests of a cutout: one per row, or a single one when whole rows are wanted.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data_offset : int
        First byte of the cube's array.
    overlap : Window
        From `Window.overlap`.
    """
    if overlap.n_columns == layout.n_columns:
        start = data_offset + overlap.first_row * layout.row_bytes
        return (RowRead(0, overlap.n_rows, ByteRange(start, overlap.n_rows * layout.row_bytes)),)
    reads = []
    for index in range(overlap.n_rows):
        place = layout.row_range(overlap.first_row + index, overlap.first_column, overlap.n_columns)
        reads.append(RowRead(index, 1, ByteRange(data_offset + place.start, place.length)))
    return tuple(reads)
