"""Putting the pixels of a moving window together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import WORD, CubeLayout
from tessera.cubes.read_plan import RowRead
from tessera.io.ranges import Ints
from tessera.moving.read_plan import Track

_CELLS: dict[int, np.dtype[Any]] = {1: np.dtype("u4"), 2: np.dtype("u8")}
"""All planes of one pixel of one cadence, which are moved as they are."""


def assemble_track(
    layout: CubeLayout,
    data_offset: int,
    track: Track,
    answers: Iterable[tuple[RowRead, Any]],
    fill_value: float = np.nan,
) -> NDArray[np.float32]:
    """Put the answers to the range requests of `plan_track_reads` in their places, one row of the frame at a time.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data_offset : int
        First byte of the cube's array.
    track : Track
        What was asked for.
    answers : iterable of (RowRead, buffer)
        In the order of the plan.
    fill_value : float, optional
        Of pixels that the frame does not have.

    Returns
    -------
    ndarray of big-endian float32, shape (n_planes, n, n_rows, n_columns)
        n is the number of boxes.
    """
    shape = (len(track.cadences), track.n_rows, track.n_columns)
    planes = np.full((*shape, layout.n_planes), fill_value, ">f4")
    cells = planes.view(_CELLS[layout.n_planes])[..., 0]
    columns = track.first_column[:, None] + np.arange(track.n_columns)
    on_frame = (columns >= 0) & (columns < layout.n_columns)
    places = columns * layout.n_cadences + track.cadences[:, None]
    for row, starts, data in _by_row(layout, data_offset, answers):
        boxes = np.flatnonzero((track.first_row <= row) & (row < track.first_row + track.n_rows))
        wanted = on_frame[boxes]
        found = data[_positions(starts, places[boxes][wanted] + row * layout.n_columns * layout.n_cadences)]
        box, column = np.nonzero(wanted)
        cells[boxes[box], row - track.first_row[boxes[box]], column] = found
    return np.moveaxis(planes, -1, 0)


def _by_row(
    layout: CubeLayout, data_offset: int, answers: Iterable[tuple[RowRead, Any]]
) -> Iterator[tuple[int, tuple[Ints, Ints], NDArray[Any]]]:
    """Rows of the frame: number, first cell of each range and where it is in the data, and the data as cells."""
    dtype = _CELLS[layout.n_planes]
    for row, items in groupby(answers, lambda item: item[0].first_row):
        reads, buffers = zip(*items, strict=True)
        parts = [np.frombuffer(buffer, dtype) for buffer in buffers]
        firsts = np.array([(read.data.start - data_offset) // (layout.n_planes * WORD) for read in reads], np.int64)
        behind = np.cumsum([0, *(len(part) for part in parts[:-1])])
        yield row, (firsts, behind), parts[0] if len(parts) == 1 else np.concatenate(parts)


def _positions(starts: tuple[Ints, Ints], cells: Ints) -> Ints:
    """Where cells are in the data of a row, all of whose ranges are known."""
    firsts, behind = starts
    ranges = np.searchsorted(firsts, cells, "right") - 1
    return np.asarray(cells - firsts[ranges] + behind[ranges], np.int64)
