"""Windows of a band: every pixel at its place, each byte read once, and no byte kept longer than it is needed."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.bulk.work.reading import read_windows
from tessera.cubes.layout import CubeLayout
from tessera.cubes.read_plan import plan_reads
from tessera.cubes.window_pixels import assemble_cutout
from tessera.errors import CubeFormatError, NoOverlapError
from tessera.io.ranges import merge_ranges
from tessera.windows import Window

SHAPE, N_CADENCES, OFFSET = (30, 20), 3, 40
LAYOUT = CubeLayout(*SHAPE, N_CADENCES, 2)
CUBE = np.arange(np.prod((*SHAPE, N_CADENCES, 2)), dtype=">f4").reshape(*SHAPE, N_CADENCES, 2)
FILE = bytes(OFFSET) + CUBE.tobytes()

windows_anywhere = st.lists(
    st.builds(Window, st.integers(-4, 31), st.integers(-4, 21), st.integers(1, 6), st.integers(1, 6)), max_size=12
)


def read(start: int, length: int) -> bytes:
    return FILE[start : start + length]


def requests_of(windows: list[Window], max_gap: int, largest: int) -> tuple[Any, Any]:
    """Merged ranges of windows, cut into requests of a largest size."""
    ranges = []
    for window in windows:
        try:
            overlap = window.overlap(*SHAPE)
        except NoOverlapError:
            continue
        ranges += [item.data for item in plan_reads(LAYOUT, OFFSET, overlap)]
    ranges.sort()
    starts = np.array([item.start for item in ranges], np.int64)
    merged = zip(*merge_ranges(starts, np.array([item.stop for item in ranges], np.int64), max_gap), strict=True)
    parts = [(first, min(first + largest, stop)) for start, stop in merged for first in range(start, stop, largest)]
    starts, stops = np.array(parts, np.int64).reshape(-1, 2).T
    return starts, stops


def pixels_of(window: Window) -> Any:
    padded = np.pad(CUBE, ((10, 10), (10, 10), (0, 0), (0, 0)), constant_values=np.nan)
    rows = slice(window.first_row + 10, window.stop_row + 10)
    columns = slice(window.first_column + 10, window.stop_column + 10)
    return padded[rows, columns].transpose(3, 2, 0, 1)


@given(windows_anywhere, st.integers(0, 2000), st.integers(7, 5000), st.booleans())
@settings(max_examples=60)
def test_every_window_has_the_pixels_of_the_cube_however_the_bytes_are_requested(
    windows: list[Window], max_gap: int, largest: int, in_threads: bool
) -> None:
    starts, stops = requests_of(windows, max_gap, largest)
    with ThreadPoolExecutor(3) as pool:
        found = list(
            read_windows(LAYOUT, OFFSET, windows, (starts, stops), read, pool=pool if in_threads else None, ahead=4000)
        )
    assert sorted(item.number for item in found) == list(range(len(windows)))
    for item in found:
        window = windows[item.number]
        if item.rows:
            cutout = assemble_cutout(LAYOUT, window, item.rows)
            np.testing.assert_array_equal(cutout.planes, pixels_of(window))
        else:
            with pytest.raises(NoOverlapError):
                window.overlap(*SHAPE)


def test_windows_come_in_the_order_of_their_last_byte_and_those_beyond_the_frame_first() -> None:
    windows = [Window(10, 3, 5, 5), Window(2, 3, 5, 5), Window(0, 9, 9, 5), Window(40, 0, 3, 3), Window(2, 1, 5, 5)]
    starts, stops = requests_of(windows, 0, 10**6)
    assert [item.number for item in read_windows(LAYOUT, OFFSET, windows, (starts, stops), read)] == [3, 4, 1, 2, 0]


def test_every_byte_is_read_once_and_only_what_was_planned() -> None:
    windows = [Window(row, column, 4, 4) for row in range(20) for column in (0, 7, 9)]
    starts, stops = requests_of(windows, 100, 10**6)
    asked = []

    def counting(start: int, length: int) -> bytes:
        asked.append((start, start + length))
        return read(start, length)

    list(read_windows(LAYOUT, OFFSET, windows, (starts, stops), counting))
    assert asked == list(zip(starts.tolist(), stops.tolist(), strict=True))


def test_the_bytes_of_a_row_are_forgotten_when_no_window_needs_them_any_more() -> None:
    windows = [Window(row, 3, 4, 5) for row in range(24)]
    starts, stops = requests_of(windows, 0, 10**6)
    alive: list[weakref.ref[Any]] = []

    def held(start: int, length: int) -> Any:
        data = np.frombuffer(FILE, np.uint8, length, start).copy()
        alive.append(weakref.ref(data))
        return data

    most = 0
    for item in read_windows(LAYOUT, OFFSET, windows, (starts, stops), held):
        del item
        most = max(most, sum(reference() is not None for reference in alive))
    assert len(starts) == 27
    assert most <= 5  # four rows of a window, and the last one that was read


def test_requests_that_lack_a_row_are_refused_before_anything_is_read() -> None:
    windows = [Window(2, 3, 5, 5)]
    starts, stops = requests_of(windows, 0, 10**6)
    for some in (slice(1, None), slice(0, 2), slice(0, 0)):
        with pytest.raises(CubeFormatError, match=r"the requests do not have [135] of the 5 rows of the windows"):
            list(read_windows(LAYOUT, OFFSET, windows, (starts[some], stops[some]), lambda *_: pytest.fail("read")))
    with pytest.raises(CubeFormatError, match="the requests do not have 1 of the 5 rows"):
        list(read_windows(LAYOUT, OFFSET, windows, (starts, np.r_[stops[:-1], stops[-1] - 1]), read))


def test_an_error_of_one_request_is_raised_where_its_bytes_are_needed() -> None:
    windows = [Window(2, 3, 3, 5), Window(12, 3, 3, 5)]
    starts, stops = requests_of(windows, 0, 10**6)

    def failing(start: int, length: int) -> bytes:
        if start == starts[4]:
            raise OSError("gone")
        return read(start, length)

    with ThreadPoolExecutor(2) as pool:
        found = read_windows(LAYOUT, OFFSET, windows, (starts, stops), failing, pool=pool)
        assert next(found).number == 0
        with pytest.raises(OSError, match="gone"):
            next(found)
