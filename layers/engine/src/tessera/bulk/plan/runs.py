"""The pixels of many windows of a frame, each counted once, as runs of adjacent pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tessera.bulk.plan.sightings import Ints, Sightings
from tessera.cubes.layout import CubeLayout

_PAINTED = 300_000
"""Number of rows of windows from which on the windows are painted on a frame; before, their rows are sorted."""


@dataclass(frozen=True)
class Windows:
    """The parts of windows that are on the frame. Arrays have the shape (n_windows,).

    Parameters
    ----------
    first_row, stop_row, first_column, stop_column : ndarray of int64
        Limits; the stops are excluded.
    """

    first_row: Ints
    stop_row: Ints
    first_column: Ints
    stop_column: Ints

    @classmethod
    def of(cls, sightings: Sightings, places: Ints, layout: CubeLayout) -> Windows:
        """Windows of some sightings, all of one cube."""
        row, column = (values[places].astype(np.int64) for values in (sightings.first_row, sightings.first_column))
        n_rows, n_columns = sightings.n_rows[places], sightings.n_columns[places]
        return cls(
            np.maximum(row, 0),
            np.minimum(row + n_rows, layout.n_rows),
            np.maximum(column, 0),
            np.minimum(column + n_columns, layout.n_columns),
        )

    def __len__(self) -> int:
        """Number of windows."""
        return len(self.first_row)

    @property
    def heights(self) -> Ints:
        """Rows of each."""
        return self.stop_row - self.first_row

    @property
    def areas(self) -> Ints:
        """Pixels of each."""
        return self.heights * (self.stop_column - self.first_column)

    def take(self, places: Ints) -> Windows:
        """Some of the windows."""
        columns = (self.first_row, self.stop_row, self.first_column, self.stop_column)
        return Windows(*(values[places] for values in columns))


@dataclass(frozen=True)
class Runs:
    """Runs of adjacent pixels of rows, which do not touch each other. Arrays have the shape (n_runs,).

    Parameters
    ----------
    row : ndarray of int64
        Row of each run, ascending.
    first, stop : ndarray of int64
        First column, and the column after the last one.
    """

    row: Ints
    first: Ints
    stop: Ints

    @property
    def n_pixels(self) -> int:
        """Number of pixels."""
        return int((self.stop - self.first).sum())

    def per_row(self, n_rows: int) -> Ints:
        """Pixels of each row of a frame of `n_rows` rows."""
        return np.bincount(self.row, self.stop - self.first, n_rows).astype(np.int64)


def find_runs(windows: Windows, layout: CubeLayout) -> Runs:
    """Find the pixels that belong to at least one window.

    Parameters
    ----------
    windows : Windows
        Windows, in any order.
    layout : CubeLayout
        Shape of the frame.
    """
    if int(windows.heights.sum()) > _PAINTED:
        return _painted(windows, layout)
    return _sorted(windows, layout.n_columns + 1)


def _sorted(windows: Windows, stride: int) -> Runs:
    """Runs from the sorted rows of all windows. With a column more than a frame has, rows do not touch each other."""
    heights = windows.heights
    which = np.repeat(np.arange(len(windows)), heights)
    row = np.arange(len(which)) - np.repeat(np.cumsum(heights) - heights, heights) + windows.first_row[which]
    first, stop = row * stride + windows.first_column[which], row * stride + windows.stop_column[which]
    order = np.argsort(first, kind="stable")
    first, reached = first[order], np.maximum.accumulate(stop[order])
    begins = np.flatnonzero(np.append(True, first[1:] > reached[:-1])) if len(first) else np.zeros(0, np.int64)
    ends = np.append(begins[1:], len(first))[: len(begins)] - 1
    row = first[begins] // stride
    return Runs(row, first[begins] - row * stride, reached[ends] - row * stride)


def _painted(windows: Windows, layout: CubeLayout) -> Runs:
    """Runs of the pixels that are marked on a frame."""
    shape = layout.n_rows + 1, layout.n_columns + 1
    marks = np.zeros(shape[0] * shape[1], np.int32)
    for rows, columns, sign in (
        (windows.first_row, windows.first_column, 1),
        (windows.first_row, windows.stop_column, -1),
        (windows.stop_row, windows.first_column, -1),
        (windows.stop_row, windows.stop_column, 1),
    ):
        marks += np.int32(sign) * np.bincount(rows * shape[1] + columns, minlength=len(marks)).astype(np.int32)
    depth = marks.reshape(shape)
    np.cumsum(depth, axis=0, out=depth)
    np.cumsum(depth, axis=1, out=depth)
    steps = np.diff((depth[:-1] > 0).astype(np.int8), axis=1, prepend=np.int8(0)).ravel()  # the last column is empty
    begins, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    row = begins // shape[1]
    return Runs(row, begins - row * shape[1], ends - row * shape[1])
