"""Assemble the pixels of the boxes of a moving target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.cubes.read_plan import RowRead
from tessera.cubes.window_pixels import read_floats
from tessera.io.ranges import Ints
from tessera.moving.read_plan import Track

_CELLS: dict[int, np.dtype[Any]] = {1: np.dtype("u4"), 2: np.dtype("u8")}
"""Type of a cell (all planes of one pixel in one cadence), by number of planes. Cells are moved without conversion."""


def assemble_track(
    layout: CubeLayout,
    data_offset: int,
    track: Track,
    answers: Iterable[tuple[RowRead, Any]],
    fill_value: float = np.nan,
) -> NDArray[np.float32]:
    """Assemble boxes from the bytes that the range requests of `plan_track_reads` returned.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data_offset : int
        Position of the first byte of the cube's array in the file.
    track : Track
        Boxes that were planned.
    answers : iterable of (RowRead, buffer)
        Requests and their bytes, in the order of the plan.
    fill_value : float, optional
        Value of pixels beyond the frame.

    Returns
    -------
    ndarray of big-endian float32, shape (n_planes, n, n_rows, n_columns)
        Pixels of the n boxes.
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
    """For each row of the frame: its number, the first cell and the place of each range, and the data as cells."""
    dtype = _CELLS[layout.n_planes]
    for row, items in groupby(answers, lambda item: item[0].first_row):
        reads, buffers = zip(*items, strict=True)
        parts = [read_floats(layout, buffer).view(dtype) for buffer in buffers]
        firsts = np.array(
            [(read.data.start - data_offset) // (layout.n_planes * layout.word) for read in reads], np.int64
        )
        behind = np.cumsum([0, *(len(part) for part in parts[:-1])])
        yield row, (firsts, behind), parts[0] if len(parts) == 1 else np.concatenate(parts)


def _positions(starts: tuple[Ints, Ints], cells: Ints) -> Ints:
    """Places of cells in the data of a row, from the first cell and the place of each range."""
    firsts, behind = starts
    ranges = np.searchsorted(firsts, cells, "right") - 1
    return np.asarray(cells - firsts[ranges] + behind[ranges], np.int64)
