"""Medians, scatter and bins are those of NumPy, and rules that are derived by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import Cube
from tessera.errors import NoCadenceError
from tessera.fits.hdus import format_header
from tessera.fits.headers import parse_header
from tessera.measures.bins import MOST_BINS, TimeBins, plan_bins
from tessera.measures.stars import BrightStar, Row, brightest_allowed, brightest_of_cells, find_stars
from tessera.measures.statistics import measure_pixels
from tessera.tess.products import SPOC, TICA


def cube(quality: list[int], days: float = 0.1) -> Cube:
    start = 1325.0 + days * np.arange(len(quality))
    series = {"start": start, "stop": start + days, "quality": np.array(quality, np.int32)}
    layout = CubeLayout(4, 4, len(quality), 2)
    primary = parse_header(format_header([("SIMPLE", True, "")], 0))
    return Cube("tess-s0001-4-2-cube.fits", SPOC, primary, layout, 0, series, 0, {})


def test_bins_have_the_good_cadences_of_half_a_day() -> None:
    bins = plan_bins(cube([0, 0, 32, 0, 0, 0, 4096, 0, 0, 0, 128, 128, 128, 0, 0, 0]))
    assert bins.good.tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15]
    assert bins.counts.tolist() == [4, 5]  # the last two bins have one and two good cadences
    assert bins.start.tolist() == pytest.approx([1325.0, 1325.5])
    assert bins.end.tolist() == pytest.approx([1325.5, 1326.0])


def test_bins_are_longer_in_a_long_cube() -> None:
    assert len(plan_bins(cube([0] * 1000))) <= MOST_BINS


def test_a_cube_without_a_good_cadence_is_refused() -> None:
    with pytest.raises(NoCadenceError, match="has no cadence without quality bits"):
        plan_bins(cube([32, 32]))


def test_measures_are_those_of_numpy() -> None:
    random = np.random.default_rng(5)
    flux = random.normal(100, 5, (7, 40)).astype(np.float32)
    error = random.uniform(4, 6, (7, 40)).astype(np.float32)
    flux[2, 3], flux[3] = np.nan, np.inf
    good = np.delete(np.arange(40), 17)
    bins = TimeBins(good, np.array([0, 10]), np.array([10, 39]), np.zeros(2), np.ones(2))
    measured = measure_pixels(flux, error, bins)
    for pixel in (0, 1, 2, 4, 5, 6):
        values = flux[pixel, good].astype(np.float64)
        values = values[np.isfinite(values)]
        middle = np.median(values)
        assert measured.flux[pixel] == pytest.approx(middle, rel=1e-6)
        assert measured.rms[pixel] == pytest.approx(1.4826 * np.median(np.abs(values - middle)), rel=1e-5)
        assert measured.n_good[pixel] == len(values)
        typical = np.sqrt(np.mean(np.square(error[pixel, good].astype(np.float64))))
        assert measured.error[pixel] == pytest.approx(1.2533 * typical / np.sqrt(len(values)), rel=1e-5)
        second = np.nanmedian(flux[pixel, good[10:39]].astype(np.float64) - middle)
        assert measured.differences[1, pixel] == pytest.approx(second, abs=1e-4)
    assert np.isnan(measured.flux[3])
    assert measured.n_good[3] == 0


def test_the_scatter_stands_for_errors_that_are_missing() -> None:
    flux = np.random.default_rng(6).normal(0, 3, (2, 50)).astype(np.float32)
    bins = TimeBins(np.arange(50), np.array([0]), np.array([50]), np.zeros(1), np.ones(1))
    for error in (None, np.zeros_like(flux)):
        measured = measure_pixels(flux, error, bins)
        assert measured.error.tolist() == pytest.approx((1.2533 * measured.rms / np.sqrt(50)).tolist(), rel=1e-5)


def row_of(flux: NDArray[np.float32]) -> Row:
    return Row(flux, np.median(flux, axis=1), np.ones(len(flux), np.float32))


def test_the_light_curve_of_a_star_has_no_background() -> None:
    n_columns, signal = 70, 1 + 0.1 * np.sin(np.arange(30))
    background = (200 + 50 * np.cos(np.arange(30) / 5))[None, :].repeat(n_columns, axis=0)
    rows = []
    for share in (0.5, 1.0, 0.5):
        flux = background.copy()
        flux[9:12] += share * np.array([[50.0], [100.0], [50.0]]) * signal
        flux[64:67] += share * np.array([[40.0], [80.0], [40.0]])
        rows.append(row_of(flux.astype(np.float32)))
    stars = find_stars(5, rows[0], rows[1], rows[2], 1e5)
    assert [(star.row, star.column, star.cell) for star in stars] == [(5, 10, (0, 0)), (5, 65, (0, 1))]
    np.testing.assert_allclose(stars[0].curve, 400 * signal, rtol=1e-5)
    assert find_stars(5, rows[0], rows[1], rows[2], 290)[0].column == 65  # the first one is near saturation
    assert find_stars(5, rows[1], rows[0], rows[2], 1e5) == []  # the row below is brighter


def test_a_cell_keeps_its_brightest_star() -> None:
    def star(row: int, column: int, peak: float) -> BrightStar:
        return BrightStar(row, column, peak, np.zeros(1, np.float32))

    kept = brightest_of_cells([star(70, 1, 5), star(1, 1, 3), star(2, 9, 4), star(63, 63, 4), star(64, 64, 1)])
    assert [(item.row, item.column) for item in kept] == [(2, 9), (70, 1), (64, 64)]


def test_saturation_of_tica_depends_on_the_exposure() -> None:
    spoc = cube([0] * 4, days=200 / 86400)
    assert brightest_allowed(spoc) == 5e4
    assert brightest_allowed(replace(spoc, product=TICA)) == pytest.approx(5e4 * 0.8 * 200)
