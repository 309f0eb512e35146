"""Which bytes of a cube a moving window needs: a box for each cadence, merged into few range requests.

A cube's axes are (row, column, cadence, plane), so what one pixel had in a run of cadences is one run of bytes. A box
that stands still for some cadences needs such a run of each of its pixels. Between two runs lie cadences in which the
pixel was outside of the box: these bytes are read along where a request costs more than they do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import WORD, CubeLayout
from tessera.cubes.read_plan import RowRead
from tessera.io.ranges import ByteRange, Ints, merge_ranges
from tessera.windows import check_window_shape


@dataclass(frozen=True, slots=True)
class ReadCost:
    """What requests cost.

    Parameters
    ----------
    gap_bytes : int, optional
        Up to so many bytes that nobody needs are read along to spare a request. By default what a link of 100 MB/s
        carries while one of 64 requests in flight, of 30 ms each, takes its turn.
    max_requests : int, optional
        Where more requests would be made, the smallest gaps are read along first; each row of the frame has its own at
        least. By default there is no such limit.
    """

    gap_bytes: int = 49_152
    max_requests: int | None = None


@dataclass(frozen=True)
class Track:
    """Boxes of one shape, one for each of some cadences.

    Parameters
    ----------
    cadences : ndarray of int, shape (n,)
        Increasing.
    first_row, first_column : ndarray of int, shape (n,)
        Lowest row and column of each box on the frame; it may reach beyond, but not lie beside it.
    n_rows, n_columns : int
        Shape of the boxes.
    """

    cadences: Ints
    first_row: Ints
    first_column: Ints
    n_rows: int
    n_columns: int

    def __post_init__(self) -> None:
        check_window_shape(self.n_rows, self.n_columns)

    def missing(self, n_rows: int, n_columns: int) -> Ints:
        """Pixels of each box that a frame of that shape does not have; shape (n,)."""
        rows = np.minimum(self.first_row + self.n_rows, n_rows) - np.maximum(self.first_row, 0)
        columns = np.minimum(self.first_column + self.n_columns, n_columns) - np.maximum(self.first_column, 0)
        return np.asarray(self.n_rows * self.n_columns - np.maximum(rows, 0) * np.maximum(columns, 0), np.int64)

    def take(self, chosen: NDArray[np.bool_]) -> Track:
        """The boxes of some cadences."""
        some = (self.cadences[chosen], self.first_row[chosen], self.first_column[chosen])
        return Track(*some, self.n_rows, self.n_columns)

    def footprint(self, n_rows: int, n_columns: int) -> NDArray[np.int32]:
        """The path on a frame of that shape: 1 for pixels that are in a box of any cadence, 0 elsewhere."""
        frame = np.zeros((n_rows, n_columns), np.int32)
        for row, column in np.unique(np.column_stack([self.first_row, self.first_column]), axis=0):
            frame[max(row, 0) : max(row + self.n_rows, 0), max(column, 0) : max(column + self.n_columns, 0)] = 1
        return frame


def _runs(track: Track) -> tuple[Ints, Ints]:
    """Runs of boxes in adjacent cadences that are at one place: index of the first, and behind the last."""
    place = np.column_stack([track.cadences - np.arange(len(track.cadences)), track.first_row, track.first_column])
    breaks = np.flatnonzero((np.diff(place, axis=0) != 0).any(axis=1)) + 1
    return np.concatenate([[0], breaks]), np.concatenate([breaks, [len(place)]])


def _needed(layout: CubeLayout, track: Track) -> Iterator[tuple[Ints, Ints]]:
    """Cells (one pixel of one cadence) that are needed, as runs, row by row of the frame.

    Yields
    ------
    tuple of ndarray
        First cell of each run, increasing, and the one behind its last, counted from the beginning of the array. No
        run touches the next.
    """
    begin, end = _runs(track)
    columns = track.first_column[begin, None] + np.arange(track.n_columns)
    on_frame = (columns >= 0) & (columns < layout.n_columns)
    firsts = columns * layout.n_cadences + track.cadences[begin, None]
    lasts = firsts + (end - begin)[:, None]
    tops = track.first_row[begin]
    for row in range(max(0, int(tops.min())), min(layout.n_rows, int(tops.max()) + track.n_rows)):
        boxes = (tops <= row) & (row < tops + track.n_rows)
        there = on_frame[boxes]
        if not there.any():
            continue
        starts, stops = firsts[boxes][there], lasts[boxes][there]
        order = np.argsort(starts)
        starts, stops = starts[order], stops[order]
        apart = starts[1:] > stops[:-1]  # they never overlap: each cadence of a pixel is in one run only
        before = row * layout.n_columns * layout.n_cadences
        yield before + starts[np.r_[True, apart]], before + stops[np.r_[apart, True]]


def plan_track_reads(
    layout: CubeLayout, data_offset: int, track: Track, cost: ReadCost | None = None
) -> tuple[RowRead, ...]:
    """Plan the range requests of a moving window.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data_offset : int
        First byte of the cube's array.
    track : Track
        Its boxes.
    cost : ReadCost, optional
        What to spare.

    Returns
    -------
    tuple of RowRead
        In the order of the file; each lies within one row of the frame, which is its ``first_row``.
    """
    runs = list(_needed(layout, track))
    if not runs:
        return ()
    pixel, row_bytes = layout.n_planes * WORD, layout.row_bytes
    starts, stops = (np.concatenate(some) * pixel for some in zip(*runs, strict=True))
    cost = cost or ReadCost()
    starts, stops = merge_ranges(starts, stops, cost.gap_bytes, block=row_bytes, max_ranges=cost.max_requests)
    return tuple(
        RowRead(start // row_bytes, 1, ByteRange(data_offset + start, stop - start))
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    )
