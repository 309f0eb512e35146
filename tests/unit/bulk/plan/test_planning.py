"""Bands and their ranges, for all kinds of windows: against pixels that are counted one by one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan import runs as runs_module
from tessera.bulk.plan.bands import Band
from tessera.bulk.plan.costs import REQUEST_BYTES, BandLimits, PlanTerms, ReadCosts, WorkRates
from tessera.bulk.plan.planning import plan_bands
from tessera.bulk.plan.runs import Windows, find_runs
from tessera.bulk.plan.sightings import SightCube, Sightings
from tessera.cubes.layout import CubeLayout
from tests.support.lists import sight_cube

OFFSET = 5760
CUBE = sight_cube()


def _cube(layout: CubeLayout) -> SightCube:
    return replace(CUBE, layout=layout, data_offset=OFFSET)


def _sightings(first_row: list[int], first_column: list[int], n_rows: list[int], n_columns: list[int]) -> Sightings:
    """Windows on one cube, sorted as the plan sorts them."""
    sides = [np.array(values, np.int32) for values in (first_row, first_column, n_rows, n_columns)]
    order = np.lexsort((sides[1], sides[0]))
    row, column, height, width = (side[order] for side in sides)
    n, zeros = len(first_row), np.zeros(len(first_row))
    on = np.zeros(n, np.int32)
    return Sightings(np.arange(n), on, zeros, zeros, row, column, height, width, zeros, np.ones(n, np.bool_))


@st.composite
def plans(draw: st.DrawFn) -> tuple[SightCube, Sightings, PlanTerms]:
    """A cube, windows that touch its frame, and limits that force some bands."""
    layout = CubeLayout(draw(st.integers(1, 60)), draw(st.integers(1, 60)), draw(st.integers(1, 4)), 2)
    n = draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    most = draw(st.sampled_from([1, 3, 11]))
    n_rows, n_columns = random.integers(1, most + 1, n), random.integers(1, most + 1, n)
    first_row = [int(random.integers(1 - height, layout.n_rows)) for height in n_rows]
    first_column = [int(random.integers(1 - width, layout.n_columns)) for width in n_columns]
    limits = BandLimits(
        memory=draw(st.sampled_from([200, 2_000, 10**9])) * layout.pixel_bytes,
        n_bytes=draw(st.sampled_from([30, 400, 10**9])) * layout.pixel_bytes,
        targets=draw(st.sampled_from([2, 10, 4096])),
        most_extra=draw(st.sampled_from([0.0, 0.05, 0.5])),
    )
    limits = replace(limits, most_bytes=2 * limits.n_bytes, most_targets=2 * limits.targets)
    costs = ReadCosts(
        usd_per_second=draw(st.sampled_from([0.0, 1.0])),
        usd_per_request=draw(st.sampled_from([0.0, 1e-3])),
        latency=draw(st.sampled_from([0.0, 0.03])),
        bandwidth=draw(st.sampled_from([1e3, 1e6])),
        requests_per_second=draw(st.sampled_from([20.0, math.inf])),
    )
    terms = PlanTerms(costs, limits)
    return _cube(layout), _sightings(first_row, first_column, n_rows.tolist(), n_columns.tolist()), terms


def _pixels(cube: SightCube, sightings: Sightings, places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The pixels of windows on the frame, painted one window after the other; shape (n_rows, n_columns)."""
    frame = np.zeros((cube.layout.n_rows, cube.layout.n_columns), np.bool_)
    for place in places:
        row, column = int(sightings.first_row[place]), int(sightings.first_column[place])
        stop_row, stop_column = row + int(sightings.n_rows[place]), column + int(sightings.n_columns[place])
        frame[max(row, 0) : stop_row, max(column, 0) : stop_column] = True
    return frame


def _read(cube: SightCube, band: Band) -> NDArray[np.int64]:
    """How often a band reads each pixel; whole pixels only."""
    size = cube.layout.pixel_bytes
    frame = np.zeros(cube.layout.n_rows * cube.layout.n_columns, np.int64)
    for start, stop in zip(band.starts, band.stops, strict=True):
        assert (start - OFFSET) % size == 0
        assert (stop - OFFSET) % size == 0
        assert start < stop
        frame[(start - OFFSET) // size : (stop - OFFSET) // size] += 1
    return frame.reshape(cube.layout.n_rows, cube.layout.n_columns)


@settings(max_examples=40)
@given(plans())
def test_bands_read_every_pixel_of_their_windows_and_none_twice(
    plan: tuple[SightCube, Sightings, PlanTerms],
) -> None:
    cube, sightings, terms = plan
    bands = plan_bands(sightings, [cube], BulkOptions(), terms)

    assert sorted(np.concatenate([band.sightings for band in bands])) == list(range(len(sightings)))
    assert [band.number for band in bands] == list(range(len(bands)))
    for band in bands:
        assert (np.diff(band.sightings) > 0).all()
        wanted, read = _pixels(cube, sightings, band.sightings), _read(cube, band)
        assert read.max() == 1
        assert (read[wanted] == 1).all()
        assert (band.starts[1:] >= band.stops[:-1]).all()
        assert band.union_bytes == wanted.sum() * cube.layout.pixel_bytes
        assert band.n_bytes == read.sum() * cube.layout.pixel_bytes


@settings(max_examples=40)
@given(plans())
def test_merged_gaps_stay_within_the_share_that_is_allowed(plan: tuple[SightCube, Sightings, PlanTerms]) -> None:
    cube, sightings, terms = plan
    bands = plan_bands(sightings, [cube], BulkOptions(), terms)

    once = _pixels(cube, sightings, np.arange(len(sightings))).sum() * cube.layout.pixel_bytes
    of_bands = sum(band.union_bytes for band in bands)
    gaps = sum(band.n_bytes - band.union_bytes for band in bands if not band.scan)
    assert gaps <= max(0.0, terms.limits.most_extra * once - (of_bands - once)) + 1e-6


@settings(max_examples=40)
@given(plans())
def test_a_task_can_do_each_band(plan: tuple[SightCube, Sightings, PlanTerms]) -> None:
    cube, sightings, terms = plan
    limits = terms.limits
    for band in plan_bands(sightings, [cube], BulkOptions(), terms):
        several = len(band.sightings) > 1
        assert len(band.sightings) <= limits.most_targets
        assert not several or band.union_bytes <= limits.most_bytes
        spans = sightings.first_row[band.sightings], sightings.n_rows[band.sightings]
        first, stop = np.maximum(spans[0], 0), spans[0] + spans[1]
        read, kept = _read(cube, band), 0
        for row in range(cube.layout.n_rows):
            active = (first <= row) & (row < stop)
            if active.any():
                kept = max(kept, int(read[first[active].min() : row + 1].sum()))
        only_rows_share = len(set(sightings.first_column[band.sightings].tolist())) == 1
        assert not several or only_rows_share or kept * cube.layout.pixel_bytes <= limits.memory


@settings(max_examples=40)
@given(plans())
def test_both_ways_to_find_the_pixels_of_windows_agree(plan: tuple[SightCube, Sightings, PlanTerms]) -> None:
    cube, sightings, _ = plan
    windows = Windows.of(sightings, np.arange(len(sightings)), cube.layout)
    frame = _pixels(cube, sightings, np.arange(len(sightings)))
    for found in (find_runs(windows, cube.layout), runs_module._painted(windows, cube.layout)):
        read = np.zeros_like(frame)
        for row, first, stop in zip(found.row, found.first, found.stop, strict=True):
            assert not read[row, max(first - 1, 0) : stop + 1].any()
            read[row, first:stop] = True
        assert (read == frame).all()
        assert found.n_pixels == frame.sum()
        assert (np.diff(found.row) >= 0).all()


def _random_stars(n: int, layout: CubeLayout, size: int = 11, seed: int = 1) -> Sightings:
    random = np.random.default_rng(seed)
    rows, columns = random.integers(0, 2048 - size, n), random.integers(44, 2092 - size, n)
    return _sightings(rows.tolist(), columns.tolist(), [size] * n, [size] * n)


@pytest.mark.parametrize(("n", "n_cadences", "size"), [(10_000, 1282, 10), (1_000, 3705, 11)])
def test_a_ccd_is_read_with_at_most_a_twentieth_more_than_its_windows(n: int, n_cadences: int, size: int) -> None:
    layout = CubeLayout(2078, 2136, n_cadences, 2)
    sightings = _random_stars(n, layout, size)
    bands = plan_bands(sightings, [_cube(layout)], BulkOptions())

    windows = Windows.of(sightings, np.arange(n), layout)
    once = find_runs(windows, layout).n_pixels * layout.pixel_bytes
    assert not any(band.scan for band in bands)
    assert once <= sum(band.n_bytes for band in bands) <= 1.05 * once
    assert max(len(band.sightings) for band in bands) <= 4096
    assert max(band.n_bytes for band in bands) <= 25e9 * 1.05
    assert max(int((band.stops - band.starts).max()) for band in bands) <= REQUEST_BYTES


def test_stars_of_a_dense_field_use_larger_bands_before_too_much_is_read_twice() -> None:
    layout = CubeLayout(500, 500, 100, 2)
    random = np.random.default_rng(1)
    rows, columns = random.integers(0, 490, (2, 4000))
    sightings = _sightings(rows.tolist(), columns.tolist(), [11] * 4000, [11] * 4000)
    once = find_runs(Windows.of(sightings, np.arange(4000), layout), layout).n_pixels * layout.pixel_bytes
    small, large = (BandLimits(targets=100, most_targets=most) for most in (100, 1500))
    few, many = (
        plan_bands(sightings, [_cube(layout)], BulkOptions(), PlanTerms(ReadCosts(latency=0.0), limits))
        for limits in (large, small)
    )
    assert sum(band.n_bytes for band in many) > 1.05 * once
    assert sum(band.n_bytes for band in few) <= 1.05 * once
    assert len(few) < len(many)


def test_a_gap_is_read_where_a_request_costs_more() -> None:
    layout = CubeLayout(40, 2000, 1000, 2)  # a pixel has 8,000 bytes
    sightings = _sightings([5, 5, 5], [0, 12, 1900], [2, 2, 2], [10, 10, 10])
    dear, cheap = ReadCosts(latency=0.03, in_flight=1), ReadCosts(latency=1e-6, in_flight=1)
    limits = BandLimits(most_extra=0.2)
    few = plan_bands(sightings, [_cube(layout)], BulkOptions(), PlanTerms(dear, limits))[0]
    many = plan_bands(sightings, [_cube(layout)], BulkOptions(), PlanTerms(cheap, limits))[0]
    assert (many.n_requests, many.n_bytes) == (6, many.union_bytes)
    assert (few.n_requests, few.n_bytes - few.union_bytes) == (4, 2 * 2 * layout.pixel_bytes)
    assert dear.gap_bytes() == pytest.approx(0.03 * 78e6)


def test_rows_are_read_whole_when_the_pace_makes_ranges_slower() -> None:
    layout = CubeLayout(2078, 2136, 1282, 2)
    sightings = _random_stars(3000, layout)
    fast, slow = (PlanTerms(ReadCosts(requests_per_second=rate)) for rate in (math.inf, 25.0))
    ranges, scan = (plan_bands(sightings, [_cube(layout)], BulkOptions(), terms)[0] for terms in (fast, slow))
    assert not ranges.scan
    assert scan.scan
    assert scan.n_requests < ranges.n_requests / 5
    assert slow.costs.seconds(scan.n_bytes, scan.n_requests, 25.0) < slow.costs.seconds(
        ranges.n_bytes, ranges.n_requests, 25.0
    )


def test_no_band_waits_for_its_pace_until_its_task_is_ended() -> None:
    layout = CubeLayout(2078, 2136, 11_775, 2)  # whole rows of a CCD take an hour and a half
    cubes = [_cube(layout)] * 3
    one = _random_stars(4000, layout, 7)
    both = {name: np.concatenate([values] * 3) for name, values in vars(one).items() if name != "cube"}
    sightings = Sightings(**both, cube=np.repeat(np.arange(3, dtype=np.int32), 4000))
    for rate, n_bands in ((1000.0, 3), (60.0, 9)):  # 84,000 requests: in 84 s, and in 1,400 s
        costs = ReadCosts(requests_per_second=rate, concurrency=4)
        bands = plan_bands(sightings, cubes, BulkOptions(), PlanTerms(costs))
        assert len(bands) == n_bands
        pace = costs.pace(len(bands))
        assert max(costs.seconds(band.n_bytes, band.n_requests, pace) for band in bands) <= 700.0


def test_many_bands_share_the_pace() -> None:
    costs = ReadCosts(requests_per_second=1000.0, concurrency=40)
    assert [costs.pace(n) for n in (0, 1, 3, 40, 5000)] == [1000.0, 1000.0, 1000 / 3, 25.0, 25.0]
    assert ReadCosts().pace(7) == math.inf


def test_long_work_makes_more_bands() -> None:
    layout = CubeLayout(2078, 2136, 1282, 2)
    sightings = _random_stars(2000, layout)
    slow = PlanTerms(rates=WorkRates(target=1.0))
    bands = plan_bands(sightings, [_cube(layout)], BulkOptions(), slow)
    assert 3 <= len(bands) <= 4
    assert max(len(band.sightings) for band in bands) <= 700


def test_bands_of_several_cubes_are_numbered_by_cube() -> None:
    layout = CubeLayout(60, 60, 3, 2)
    one = _sightings([1, 30], [1, 30], [5, 5], [5, 5])
    both = Sightings(
        **{name: np.concatenate([values, values]) for name, values in vars(one).items() if name != "cube"},
        cube=np.array([0, 0, 2, 2], np.int32),
    )
    bands = plan_bands(both, [_cube(layout)] * 3, BulkOptions())
    assert [(band.number, band.cube, band.sightings.tolist()) for band in bands] == [(0, 0, [0, 1]), (1, 2, [2, 3])]


@pytest.mark.parametrize(
    ("n_cadences", "targets", "most"),
    [
        pytest.param(100, 4096, 1.05, id="small-rows"),
        pytest.param(1_282, 4096, 1.05, id="large-rows"),
        pytest.param(100, 1000, 1.15, id="bands-of-few-rows"),  # 20 bands of 100 rows share 10 with the next one
    ],
)
def test_bands_that_read_whole_rows_read_a_cube_once(n_cadences: int, targets: int, most: float) -> None:
    layout, random = CubeLayout(2078, 2136, n_cadences, 2), np.random.default_rng(1)
    rows, columns = (random.integers(0, n - 11, 20_000).tolist() for n in (layout.n_rows, layout.n_columns))
    sightings = _sightings(rows, columns, [11] * len(rows), [11] * len(rows))
    terms = PlanTerms(ReadCosts(usd_per_request=4e-7), BandLimits(targets=targets, most_targets=targets))
    bands = plan_bands(sightings, [_cube(layout)], BulkOptions(), terms)
    assert len(bands) > 1
    assert all(band.scan for band in bands)
    assert sum(band.n_bytes for band in bands) <= most * layout.data_bytes
