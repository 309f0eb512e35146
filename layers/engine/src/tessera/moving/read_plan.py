"""Plan the range requests of a moving target: the boxes of all cadences, merged into few requests.

The axes of a cube are (row, column, cadence, plane). So the values of one pixel in adjacent cadences are one run of
bytes. A box that stays at one place for some cadences needs such a run for each of its pixels. Between two runs are
cadences in which a pixel is outside the box. These bytes are read, too, if an extra request would cost more.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.cubes.read_plan import RowRead
from tessera.io.ranges import ByteRange, Ints, merge_ranges
from tessera.windows import check_window_shape

MOST_IN_FLIGHT = 450
"""Largest number of simultaneous range requests for moving targets. They are short, so their time is that of the
latency."""
SMALL_GAP = 4096
"""Largest gap in bytes that is always read to save a request."""


def track_reads_in_flight() -> int:
    """Number of simultaneous range requests: each has a connection, and these are at most half of all open files."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_IN_FLIGHT if allowed == resource.RLIM_INFINITY else max(1, min(MOST_IN_FLIGHT, allowed // 2))


@dataclass(frozen=True, slots=True)
class ReadCost:
    """Cost of a request, compared with the cost of bytes.

    Parameters
    ----------
    gap_bytes : int, optional
        Largest gap in bytes that is read to save a request. The default is the number of bytes that a link of 100 MB/s
        transfers in 0.16 ms: the processor's time for a request.
    max_requests : int, optional
        Largest number of requests. To keep it, the smallest gaps are read first. Each row of the frame still has at
        least one request. By default there is no such limit.
    spare_requests : int, optional
        Number of requests that a plan may have to save bytes. As long as it has fewer, it also leaves out gaps between
        `SMALL_GAP` and `gap_bytes`, the largest ones first. The default takes two latencies, with `MOST_IN_FLIGHT`
        simultaneous requests.
    """

    gap_bytes: int = 16_384
    max_requests: int | None = None
    spare_requests: int = 900


@dataclass(frozen=True)
class Track:
    """Boxes of the same shape, one for each of n cadences.

    Parameters
    ----------
    cadences : ndarray of int, shape (n,)
        Cadences, increasing.
    first_row, first_column : ndarray of int, shape (n,)
        First row and first column of each box on the frame. A box may reach beyond the frame, but must touch it.
    n_rows, n_columns : int
        Number of rows and of columns of a box.

    Raises
    ------
    InvalidValueError
        When the boxes are too large.
    """

    cadences: Ints
    first_row: Ints
    first_column: Ints
    n_rows: int
    n_columns: int

    def __post_init__(self) -> None:
        check_window_shape(self.n_rows, self.n_columns)

    def missing(self, n_rows: int, n_columns: int) -> Ints:
        """Number of pixels of each box that are not on a frame of this shape; shape (n,)."""
        rows = np.minimum(self.first_row + self.n_rows, n_rows) - np.maximum(self.first_row, 0)
        columns = np.minimum(self.first_column + self.n_columns, n_columns) - np.maximum(self.first_column, 0)
        return np.asarray(self.n_rows * self.n_columns - np.maximum(rows, 0) * np.maximum(columns, 0), np.int64)

    def take(self, chosen: NDArray[np.bool_]) -> Track:
        """Track of the boxes that are chosen, from a mask of shape (n,)."""
        some = (self.cadences[chosen], self.first_row[chosen], self.first_column[chosen])
        return Track(*some, self.n_rows, self.n_columns)

    def footprint(self, n_rows: int, n_columns: int) -> NDArray[np.int32]:
        """Path on a frame of this shape: 1 for pixels in the box of any cadence, 0 elsewhere; shape (rows, columns)."""
        frame = np.zeros((n_rows, n_columns), np.int32)
        for row, column in np.unique(np.column_stack([self.first_row, self.first_column]), axis=0):
            frame[max(row, 0) : max(row + self.n_rows, 0), max(column, 0) : max(column + self.n_columns, 0)] = 1
        return frame


def _runs(track: Track) -> tuple[Ints, Ints]:
    """Runs of boxes in adjacent cadences at the same place: index of the first box, and index after the last."""
    place = np.column_stack([track.cadences - np.arange(len(track.cadences)), track.first_row, track.first_column])
    breaks = np.flatnonzero((np.diff(place, axis=0) != 0).any(axis=1)) + 1
    return np.concatenate([[0], breaks]), np.concatenate([breaks, [len(place)]])


def _needed(layout: CubeLayout, track: Track) -> Iterator[tuple[Ints, Ints]]:
    """Needed cells (a cell is one pixel in one cadence), as runs, for each row of the frame.

    Yields
    ------
    tuple of ndarray
        First cell of each run, increasing, and the cell after its last cell, counted from the beginning of the array.
        There is at least one cell between two runs.
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
    """Plan the range requests of a moving target.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data_offset : int
        Position of the first byte of the cube's array in the file.
    track : Track
        Boxes of the target.
    cost : ReadCost, optional
        Cost of requests.

    Returns
    -------
    tuple of RowRead
        Requests in the order of the file. Each is within one row of the frame, its ``first_row``.
    """
    runs = list(_needed(layout, track))
    if not runs:
        return ()
    pixel, row_bytes = layout.n_planes * layout.word, layout.row_bytes
    starts, stops = (np.concatenate(some) * pixel for some in zip(*runs, strict=True))
    starts, stops = _merge(starts, stops, row_bytes, cost or ReadCost())
    return tuple(
        RowRead(start // row_bytes, 1, ByteRange(data_offset + start, stop - start))
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    )


def _merge(starts: Ints, stops: Ints, row_bytes: int, cost: ReadCost) -> tuple[Ints, Ints]:
    fast = merge_ranges(starts, stops, cost.gap_bytes, block=row_bytes)
    most = max(len(fast[0]), cost.spare_requests)
    if cost.max_requests is not None:
        most = min(most, cost.max_requests)
    return merge_ranges(starts, stops, min(cost.gap_bytes, SMALL_GAP), block=row_bytes, max_ranges=most)
