"""From a window to byte ranges and back to pixels, against slices of an array."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.cubes.layout import CubeLayout
from tessera.cubes.read_plan import RowRead, plan_reads
from tessera.cubes.window_pixels import Cutout, PixelPlacer, assemble_cutout, blank_cutout, in_pieces
from tessera.io.ranges import ByteRange
from tessera.windows import Window

OFFSET = 5760
LAYOUT = CubeLayout(6, 5, 3, 2)


def pixels_of(layout: CubeLayout) -> np.ndarray:
    shape = (layout.n_rows, layout.n_columns, layout.n_cadences, layout.n_planes)
    return np.arange(1, np.prod(shape) + 1, dtype=">f4").reshape(shape)


def cut(layout: CubeLayout, window: Window, **options: float) -> Cutout:
    data = bytes(OFFSET) + pixels_of(layout).tobytes()
    reads = plan_reads(layout, OFFSET, window.overlap(layout.n_rows, layout.n_columns))
    answers = [(read, data[read.data.start : read.data.stop]) for read in reversed(reads)]
    return assemble_cutout(layout, window, answers, **options)


def test_every_number_of_a_layout_is_as_counted_by_hand() -> None:
    assert (LAYOUT.pixel_bytes, LAYOUT.row_bytes, LAYOUT.data_bytes) == (24, 120, 720)
    assert LAYOUT.padding == 2880 - 720
    assert CubeLayout(6, 5, 24, 1).padding == 0
    assert LAYOUT.row_range(2, 3, 2) == ByteRange(2 * 120 + 3 * 24, 48)
    assert ByteRange(10, 5).stop == 15


def test_a_window_is_one_request_a_row_and_rows_that_are_whole_are_one_request() -> None:
    assert plan_reads(LAYOUT, OFFSET, Window(1, 2, 2, 2).overlap(6, 5)) == (
        RowRead(0, 1, ByteRange(OFFSET + 120 + 48, 48)),
        RowRead(1, 1, ByteRange(OFFSET + 240 + 48, 48)),
    )
    assert plan_reads(LAYOUT, OFFSET, Window(2, -1, 9, 7).overlap(6, 5)) == (
        RowRead(0, 4, ByteRange(OFFSET + 240, 480)),
    )


@given(
    st.builds(CubeLayout, st.integers(1, 6), st.integers(1, 6), st.integers(1, 4), st.integers(1, 2)),
    st.builds(Window, st.integers(-3, 5), st.integers(-3, 5), st.integers(4, 12), st.integers(4, 12)),
)
def test_pixels_are_where_they_were_and_others_are_filled(layout: CubeLayout, window: Window) -> None:
    cube = np.pad(pixels_of(layout), ((12, 20), (12, 20), (0, 0), (0, 0)), constant_values=-7)
    rows = slice(12 + window.first_row, 12 + window.stop_row)
    columns = slice(12 + window.first_column, 12 + window.stop_column)
    expected = np.moveaxis(cube[rows, columns], (0, 1, 2, 3), (2, 3, 1, 0))
    if (expected == -7).all():
        return
    cutout = cut(layout, window, fill_value=-7)
    np.testing.assert_array_equal(cutout.planes, expected)
    np.testing.assert_array_equal(cutout.aperture, expected[0, 0] != -7)
    assert (cutout.planes.dtype, cutout.aperture.dtype) == (np.dtype(">f4"), np.dtype(np.int32))
    assert cutout.window == window


@pytest.mark.parametrize("window", [Window(1, 2, 3, 2), Window(0, 0, 6, 5), Window(2, 0, 1, 5)])
def test_a_window_within_the_frame_has_all_pixels(window: Window) -> None:
    cutout = cut(LAYOUT, window, fill_value=-7)
    rows, columns = slice(window.first_row, window.stop_row), slice(window.first_column, window.stop_column)
    np.testing.assert_array_equal(cutout.planes, pixels_of(LAYOUT)[rows, columns].transpose(3, 2, 0, 1))
    assert cutout.planes.dtype == np.dtype(">f4")
    assert (cutout.aperture == 1).all()


@pytest.mark.parametrize("window", [Window(-1, 0, 3, 3), Window(4, 3, 3, 3)])
def test_pixels_beyond_the_frame_are_nan_by_default(window: Window) -> None:
    cutout = cut(LAYOUT, window)
    assert np.isnan(cutout.planes[:, :, cutout.aperture == 0]).all()
    assert (cutout.planes[:, :, cutout.aperture == 1] > 0).all()
    assert 0 < cutout.aperture.sum() < cutout.aperture.size


@given(st.lists(st.integers(0, 9), max_size=9), st.integers(1, 8))
def test_a_stream_is_divided_into_pieces_of_one_size(sizes: list[int], piece_bytes: int) -> None:
    data = bytes(range(sum(sizes)))
    ends = np.cumsum([0, *sizes])
    chunks = [data[start:stop] for start, stop in itertools.pairwise(ends)]
    pieces = [bytes(piece) for piece in in_pieces(chunks, piece_bytes, len(data))]
    assert pieces == [data[start : start + piece_bytes] for start in range(0, len(data), piece_bytes)]


@pytest.mark.parametrize("n_pixels", [1, 3, 4, 30])
@pytest.mark.parametrize("cadences", [None, [2, 0]])
def test_pixels_are_placed_in_any_order_for_chosen_cadences(n_pixels: int, cadences: list[int] | None) -> None:
    window = Window(-1, -1, 8, 7)
    overlap, kept = window.overlap(6, 5), slice(None) if cadences is None else cadences
    expected = cut(LAYOUT, window).planes[:, kept]
    planes = [np.full_like(plane, np.nan) for plane in expected]
    placer = PixelPlacer(LAYOUT, overlap, planes, None if cadences is None else np.array(cadences))
    data = pixels_of(LAYOUT).reshape(30, -1)
    for first in reversed(range(0, 30, n_pixels)):
        placer.place(first, data[first : first + n_pixels].tobytes())
    np.testing.assert_array_equal(planes, expected)


def test_a_blank_cutout_takes_no_memory() -> None:
    blank = blank_cutout(CubeLayout(2000, 2000, 10_000, 2), Window(-5, 0, 1000, 1000), -7.0)
    assert blank.planes.shape == (2, 10_000, 1000, 1000)
    assert not any(blank.planes.strides)
    assert (blank.planes[0, 0, 0, 0], blank.aperture.sum()) == (-7, 995_000)
