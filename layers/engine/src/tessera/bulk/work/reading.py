"""Read the windows of a band: every range once, in the order of the file, and each window as soon as it is complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.cubes.read_ahead import READ_AHEAD_BYTES, read_rows
from tessera.cubes.read_plan import RowRead
from tessera.errors import CubeFormatError
from tessera.io.ranges import ByteRange
from tessera.windows import Window

Ints: TypeAlias = NDArray[np.int64]
ReadBuffer: TypeAlias = Callable[[int, int], Any]
"""``read(start, length)`` returns those bytes of the file as a buffer."""


@dataclass(frozen=True, slots=True)
class WindowRows:
    """The bytes of a window.

    Parameters
    ----------
    number : int
        Place of the window in the list of windows.
    rows : list of (RowRead, buffer)
        Its rows on the frame, as `tessera.cubes.window_pixels.assemble_cutout` takes them.
    """

    number: int
    rows: list[tuple[RowRead, Any]]


@dataclass(frozen=True, slots=True)
class _Request:
    number: int
    data: ByteRange


@dataclass(frozen=True)
class _Pieces:
    """The rows of all windows. Arrays have one item for each row of each window, by window and then by row.

    Parameters
    ----------
    starts, stops : ndarray of int64
        Bytes of the file.
    first, last : ndarray of int64
        Numbers of the first and the last request that have these bytes.
    bounds : ndarray of int64, shape (n_windows + 1,)
        For each window the place of its first row, and the end.
    """

    starts: Ints
    stops: Ints
    first: Ints
    last: Ints
    bounds: Ints

    def of(self, window: int) -> slice:
        """Places of the rows of a window."""
        return slice(int(self.bounds[window]), int(self.bounds[window + 1]))


def read_windows(
    layout: CubeLayout,
    data_offset: int,
    windows: Sequence[Window],
    requests: tuple[Ints, Ints],
    read: ReadBuffer,
    *,
    pool: Executor | None = None,
    ahead: int = READ_AHEAD_BYTES,
) -> Iterator[WindowRows]:
    """Read windows of a cube.

    The memory is at most `ahead` and the requests that unfinished windows need: a request is forgotten when the last
    window that has bytes of it was yielded.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data_offset : int
        First byte of the array in the file.
    windows : sequence of Window
        Windows in any order; they may reach beyond the frame.
    requests : (ndarray of int64, ndarray of int64)
        First byte of each request, and the byte after its last one; see `tessera.bulk.plan.bands.Band`.
    read : callable
        Function that reads the file.
    pool : Executor, optional
        Threads that read; without it, one request is sent at a time.
    ahead : int, optional
        Largest number of bytes that are being read, or are read and not yet used. Two requests are always allowed.

    Yields
    ------
    WindowRows
        Windows in the order of their last bytes; of equal ones, in their own order. Windows that do not touch the frame
        come first, without rows.

    Raises
    ------
    CubeFormatError
        When the requests do not have all bytes of the windows: the cube is not the one that was planned. Nothing is
        read then.
    OSError
        When the file cannot be read.
    """
    starts, stops = requests
    pieces = _find_pieces(layout, data_offset, windows, starts, stops)
    last = np.full(len(windows), -1, np.int64)
    ends = np.zeros(len(windows), np.int64)
    some = pieces.bounds[1:] > pieces.bounds[:-1]
    last[some], ends[some] = (values[pieces.bounds[1:][some] - 1] for values in (pieces.last, pieces.stops))
    waiting = iter(np.argsort(ends, kind="stable").tolist())
    uses, held = _count_uses(pieces, len(starts)), dict[int, Any]()
    window = next(waiting, None)
    while window is not None and last[window] < 0:
        yield WindowRows(window, [])
        window = next(waiting, None)
    for request, data in _read_all(starts, stops, read, pool, ahead):
        if uses[request.number]:
            held[request.number] = data
        del data
        while window is not None and last[window] <= request.number:
            yield WindowRows(
                window, [_row(pieces, place, index, starts, held) for index, place in _rows(pieces, window)]
            )
            _release(pieces, window, uses, held)
            window = next(waiting, None)


def _read_all(
    starts: Ints, stops: Ints, read: ReadBuffer, pool: Executor | None, ahead: int
) -> Iterator[tuple[_Request, Any]]:
    ranges = zip(starts.tolist(), stops.tolist(), strict=True)
    requests = [_Request(number, ByteRange(start, stop - start)) for number, (start, stop) in enumerate(ranges)]
    if pool is None:
        return ((item, read(item.data.start, item.data.length)) for item in requests)
    return read_rows(pool, read, requests, ahead)


def _find_pieces(layout: CubeLayout, data_offset: int, windows: Sequence[Window], starts: Ints, stops: Ints) -> _Pieces:
    corners = np.array([(w.first_row, w.stop_row, w.first_column, w.stop_column) for w in windows], np.int64)
    corners = corners.reshape(-1, 4)
    first_row, stop_row = (np.clip(corners[:, side], 0, layout.n_rows) for side in (0, 1))
    first_column, stop_column = (np.clip(corners[:, side], 0, layout.n_columns) for side in (2, 3))
    counts = np.where(stop_column > first_column, stop_row - first_row, 0)
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    owner = np.repeat(np.arange(len(windows)), counts)
    row = first_row[owner] + np.arange(bounds[-1]) - bounds[owner]
    begin = data_offset + row * layout.row_bytes
    begins, ends = begin + first_column[owner] * layout.pixel_bytes, begin + stop_column[owner] * layout.pixel_bytes
    first, last = np.searchsorted(stops, begins, "right"), np.searchsorted(starts, ends, "left") - 1
    pieces = _Pieces(begins, ends, first, last, bounds)
    _check_covered(pieces, starts, stops)
    return pieces


def _check_covered(pieces: _Pieces, starts: Ints, stops: Ints) -> None:
    """Refuse requests that do not have all bytes, or that leave out bytes between two requests of one row."""
    covered = pieces.first <= pieces.last
    first, last = pieces.first[covered], pieces.last[covered]
    run = np.concatenate([[0], np.cumsum(starts[1:] != stops[:-1])])
    inside = (starts[first] <= pieces.starts[covered]) & (stops[last] >= pieces.stops[covered])
    covered[covered] = inside & (run[first] == run[last])
    if not covered.all():
        missing = int((~covered).sum())
        raise CubeFormatError(f"the requests do not have {missing:,} of the {len(covered):,} rows of the windows")


def _count_uses(pieces: _Pieces, n_requests: int) -> Ints:
    """For each request, the number of rows of windows that need it."""
    changes = np.zeros(n_requests + 1, np.int64)
    np.add.at(changes, pieces.first, 1)
    np.add.at(changes, pieces.last + 1, -1)
    return np.cumsum(changes)[:-1]


def _rows(pieces: _Pieces, window: int) -> Iterator[tuple[int, int]]:
    """Row of the overlap of a window, and its place in the pieces."""
    return enumerate(range(*pieces.of(window).indices(len(pieces.starts))))


def _row(pieces: _Pieces, place: int, index: int, starts: Ints, held: dict[int, Any]) -> tuple[RowRead, Any]:
    """A row of a window: the slice of one request, or of several that follow each other."""
    begin, end = int(pieces.starts[place]), int(pieces.stops[place])
    parts = []
    for number in range(int(pieces.first[place]), int(pieces.last[place]) + 1):
        start = int(starts[number])
        parts.append(memoryview(held[number])[max(0, begin - start) : end - start])
    data: Any = parts[0] if len(parts) == 1 else b"".join(parts)
    return RowRead(index, 1, ByteRange(begin, end - begin)), data


def _release(pieces: _Pieces, window: int, uses: Ints, held: dict[int, Any]) -> None:
    some = pieces.of(window)
    for first, last in zip(pieces.first[some].tolist(), pieces.last[some].tolist(), strict=True):
        for number in range(first, last + 1):
            uses[number] -= 1
            if not uses[number]:
                del held[number]
