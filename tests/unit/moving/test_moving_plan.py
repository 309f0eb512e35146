"""The bytes of a moving window: every pixel from its own place, and not many others."""

from __future__ import annotations

import resource

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.cubes.layout import CubeLayout
from tessera.errors import InvalidValueError
from tessera.moving.read_plan import ReadCost, Track, plan_track_reads, track_reads_in_flight
from tessera.moving.track_pixels import assemble_track

OFFSET = 5760


def cube_bytes(layout: CubeLayout) -> bytes:
    n = layout.data_bytes // 4
    return bytes(OFFSET) + np.arange(1, n + 1, dtype=">f4").tobytes()


def frames_of(layout: CubeLayout, data: bytes) -> np.ndarray:
    shape = (layout.n_rows, layout.n_columns, layout.n_cadences, layout.n_planes)
    return np.frombuffer(data, ">f4", offset=OFFSET).reshape(shape)


def expected(layout: CubeLayout, data: bytes, track: Track) -> np.ndarray:
    frames = frames_of(layout, data)
    boxes = np.full((layout.n_planes, len(track.cadences), track.n_rows, track.n_columns), np.nan, np.float32)
    for index, (cadence, top, left) in enumerate(zip(track.cadences, track.first_row, track.first_column, strict=True)):
        for row in range(track.n_rows):
            for column in range(track.n_columns):
                if 0 <= top + row < layout.n_rows and 0 <= left + column < layout.n_columns:
                    boxes[:, index, row, column] = frames[top + row, left + column, cadence]
    return boxes


def read(data: bytes, layout: CubeLayout, track: Track, cost: ReadCost) -> tuple[np.ndarray, list[int]]:
    reads = plan_track_reads(layout, OFFSET, track, cost)
    answers = [(item, data[item.data.start : item.data.stop]) for item in reads]
    return assemble_track(layout, OFFSET, track, answers), [item.data.length for item in reads]


@st.composite
def tracks(draw: st.DrawFn) -> tuple[CubeLayout, Track]:
    layout = CubeLayout(*(draw(st.integers(1, most)) for most in (9, 9, 9, 2)))
    cadences = draw(st.sets(st.integers(0, layout.n_cadences - 1), min_size=1))
    places = st.lists(st.integers(-4, 11), min_size=len(cadences), max_size=len(cadences))
    shape = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    return layout, Track(np.array(sorted(cadences)), np.array(draw(places)), np.array(draw(places)), *shape)


@given(tracks(), st.integers(0, 200), st.none() | st.integers(1, 30), st.integers(0, 40))
def test_every_pixel_comes_from_its_own_place(
    case: tuple[CubeLayout, Track], gap: int, most: int | None, spare: int
) -> None:
    layout, track = case
    data = cube_bytes(layout)
    boxes, _ = read(data, layout, track, ReadCost(gap, most, spare))
    np.testing.assert_array_equal(boxes, expected(layout, data, track))


@given(tracks())
def test_without_gaps_only_needed_bytes_are_read_and_each_once(case: tuple[CubeLayout, Track]) -> None:
    layout, track = case
    data = cube_bytes(layout)
    boxes, lengths = read(data, layout, track, ReadCost(0))
    assert sum(lengths) == len({float(value) for value in boxes.ravel() if np.isfinite(value)}) * 4


def diagonal(n: int = 400, box: int = 5) -> tuple[CubeLayout, Track]:
    steps = np.arange(n) * 60 // n
    return CubeLayout(100, 100, n, 2), Track(np.arange(n), 10 + steps, 20 + steps, box, box)


def test_requests_are_bounded_and_the_smallest_gaps_are_read_along_first() -> None:
    layout, track = diagonal()
    counts: dict[int | None, tuple[int, int]] = {}
    for most in (1, 100, 200, None):
        reads = plan_track_reads(layout, OFFSET, track, ReadCost(0, most))
        counts[most] = len(reads), sum(item.data.length for item in reads)
    assert counts[1][0] == 64  # one for each row of the frame: what lies between rows is never read
    assert counts[100][0] == 100
    assert counts[200][0] == 200
    assert counts[None][1] == 400 * 25 * 8
    assert counts[1][1] > counts[100][1] > counts[200][1] > counts[None][1]


def test_a_window_that_stands_still_is_one_request_a_row() -> None:
    layout = CubeLayout(50, 40, 30, 2)
    still = np.full(30, 7)
    reads = plan_track_reads(layout, OFFSET, Track(np.arange(30), still, still, 3, 40))
    assert [(item.first_row, item.data.length) for item in reads] == [(row, 33 * 240) for row in (7, 8, 9)]


def still_twice(gap: int) -> tuple[CubeLayout, Track]:
    """A box of one pixel at one place in the first and in the last cadence, and somewhere else for some between."""
    away = np.array([0, *[3] * gap, 0])
    return CubeLayout(5, 5, gap + 2, 2), Track(np.arange(gap + 2), away, away, 1, 1)


def test_a_gap_is_read_along_as_long_as_it_is_no_longer_than_allowed() -> None:
    layout, track = still_twice(3)  # 3 cadences of 8 bytes
    lengths = {
        gap: [item.data.length for item in plan_track_reads(layout, OFFSET, track, ReadCost(gap))]
        for gap in (23, 24, 25)
    }
    assert lengths == {23: [8, 8, 24], 24: [40, 24], 25: [40, 24]}


def test_by_default_only_small_gaps_are_read_along_and_requests_have_no_limit() -> None:
    for gap, n in ((512, 2), (513, 3)):  # cadences of 8 bytes
        layout, track = still_twice(gap)
        assert len(plan_track_reads(layout, OFFSET, track)) == n
    assert ReadCost() == ReadCost(16_384, None, 900)


def test_without_spare_requests_a_gap_is_read_along_up_to_the_full_length() -> None:
    for gap, n in ((2048, 2), (2049, 3)):
        layout, track = still_twice(gap)
        assert len(plan_track_reads(layout, OFFSET, track, ReadCost(spare_requests=0))) == n


@pytest.mark.parametrize(("allowed", "n"), [(1, 1), (256, 128), (1024, 450), (resource.RLIM_INFINITY, 450)])
def test_requests_leave_half_of_the_files_that_a_process_may_open(
    allowed: int, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (allowed, allowed))
    assert track_reads_in_flight() == n


def along_a_row(n_cadences: int) -> tuple[CubeLayout, Track]:
    """A box of 15 x 15 that goes 120 pixels along the columns."""
    still, steps = np.full(n_cadences, 60), np.arange(n_cadences) * 120 // n_cadences
    return CubeLayout(150, 150, n_cadences, 2), Track(np.arange(n_cadences), still, steps, 15, 15)


@pytest.mark.parametrize(("n_cadences", "n", "share"), [(1282, 900, 0.62), (11_775, 15 * 134, 0.13)])
def test_a_target_that_moves_along_a_row_needs_few_of_the_bytes_of_its_rows(
    n_cadences: int, n: int, share: float
) -> None:
    layout, track = along_a_row(n_cadences)
    reads = plan_track_reads(layout, OFFSET, track)
    whole = 15 * 134 * n_cadences * 8
    assert len(reads) == n
    assert sum(item.data.length for item in reads) < share * whole


def test_gaps_longer_than_the_full_length_are_left_out_however_many_requests_that_takes() -> None:
    layout, track = along_a_row(11_775)
    assert len(plan_track_reads(layout, OFFSET, track, ReadCost(spare_requests=7))) == 15 * 134
    assert len(plan_track_reads(layout, OFFSET, track, ReadCost(max_requests=300))) == 300


def test_ranges_are_where_the_cells_are() -> None:
    layout = CubeLayout(4, 6, 10, 2)
    track = Track(np.array([2, 3, 7]), np.array([1, 1, 2]), np.array([4, 4, 5]), 2, 2)
    reads = plan_track_reads(layout, OFFSET, track, ReadCost(0))
    cells = [(item.first_row, (item.data.start - OFFSET) // 8, item.data.length // 8) for item in reads]
    # row * 60 + column * 10 + cadence; the column 6 is beyond the frame
    assert cells == [(1, 102, 2), (1, 112, 2), (2, 162, 2), (2, 172, 2), (2, 177, 1), (3, 237, 1)]
    assert all(item.n_rows == 1 for item in reads)


def test_a_box_that_moves_while_a_cadence_is_left_out_is_read_at_both_places() -> None:
    layout = CubeLayout(3, 3, 4, 1)
    track = Track(np.array([0, 2]), np.array([0, 1]), np.array([0, 1]), 1, 1)
    reads = plan_track_reads(layout, OFFSET, track, ReadCost(0))
    assert [(item.data.start - OFFSET, item.data.length) for item in reads] == [(0, 4), ((12 + 4 + 2) * 4, 4)]


def test_rows_count_as_requests_and_the_largest_gaps_are_left_out_first() -> None:
    layout = CubeLayout(3, 3, 100, 1)
    cadences = np.array([0, 10, 30, 60])  # gaps of 9, 19 and 29 cadences of 4 bytes
    track = Track(cadences, np.ones(4, int), np.ones(4, int), 2, 1)
    lengths = {
        most: [item.data.length // 4 for item in plan_track_reads(layout, OFFSET, track, ReadCost(0, most))]
        for most in (1, 2, 3, 4, 5, 8, 9)
    }
    assert lengths == {
        1: [61, 61],
        2: [61, 61],
        3: [31, 1, 61],
        4: [31, 1, 31, 1],
        5: [11, 1, 1, 31, 1],
        8: [1] * 8,
        9: [1] * 8,
    }


def test_missing_pixels_are_counted_on_each_edge() -> None:
    tops, lefts = np.array([0, -1, 2, 0, 0, -1, 4, -9, 0, 4]), np.array([0, 0, 0, -2, 3, -2, 5, 0, 5, 0])
    track = Track(np.arange(10), tops, lefts, 3, 4)  # on 4 rows and 5 columns
    missing = track.missing(4, 5)
    assert missing.tolist() == [0, 4, 4, 6, 6, 8, 12, 12, 12, 12]
    assert missing.dtype == np.int64


def test_boxes_of_some_cadences_keep_their_places() -> None:
    track = Track(np.array([1, 4, 6]), np.array([5, 6, 7]), np.array([8, 9, 10]), 2, 3)
    some = track.take(np.array([True, False, True]))
    assert (some.cadences.tolist(), some.first_row.tolist(), some.first_column.tolist()) == ([1, 6], [5, 7], [8, 10])
    assert (some.n_rows, some.n_columns) == (2, 3)


def test_pixels_beyond_the_frame_have_the_value_that_is_asked_for() -> None:
    layout = CubeLayout(2, 2, 1, 2)
    track = Track(np.array([0]), np.array([-1]), np.array([1]), 2, 2)
    data = cube_bytes(layout)
    answers = [(item, data[item.data.start : item.data.stop]) for item in plan_track_reads(layout, OFFSET, track)]
    boxes = assemble_track(layout, OFFSET, track, answers, -5.0)
    assert boxes.tolist() == [[[[-5, -5], [3, -5]]], [[[-5, -5], [4, -5]]]]
    assert boxes.dtype == np.dtype(">f4")


def test_nothing_is_read_of_a_track_beside_the_frame() -> None:
    layout = CubeLayout(5, 5, 2, 2)
    track = Track(np.arange(2), np.array([-3, 9]), np.array([1, 1]), 3, 3)
    assert plan_track_reads(layout, OFFSET, track) == ()
    assert list(track.missing(5, 5)) == [9, 9]


def test_the_path_is_on_the_frame_the_right_way_round() -> None:
    track = Track(np.arange(3), np.array([-1, 4, 4]), np.array([6, 7, 7]), 2, 3)
    frame = track.footprint(5, 8)
    corner = Track(np.arange(1), np.zeros(1, int), np.zeros(1, int), 2, 3).footprint(3, 4)
    assert corner.tolist() == [[1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]
    far = Track(np.arange(3), np.array([-9, 0, 9]), np.array([0, -9, 9]), 2, 3)
    assert not far.footprint(5, 8).any()
    assert {(int(row), int(column)) for row, column in np.argwhere(frame)} == {(0, 6), (0, 7), (4, 7)}
    assert frame.dtype == np.int32


def test_a_box_has_a_size() -> None:
    with pytest.raises(InvalidValueError, match="number of rows"):
        Track(np.arange(1), np.arange(1), np.arange(1), 0, 1)
