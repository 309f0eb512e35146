"""What a preview is made of: apertures and their text, light curves, frames, and where the edges are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tessera.cubes.layout import CubeLayout
from tessera.cubes.read_plan import plan_reads
from tessera.errors import InvalidValueError
from tessera.lightcurves.photometry import (
    CurvePoints,
    PixelSeries,
    background_series,
    median_frame,
    parse_aperture,
    sum_aperture,
    threshold_aperture,
)
from tessera.lightcurves.preview import (
    assemble_series,
    bin_light_curve,
    count_science_pixels,
    difference_frame,
    edge_distance,
    picture_limits,
)
from tessera.tess.detector import science_pixels
from tessera.windows import Window

N_CADENCES = 40


def series_of(flux: Any, error: Any = None) -> PixelSeries:
    """Pixels of shape (rows, columns, cadences); NaN in all cadences is beyond the frame."""
    known = ~np.isnan(flux).all(axis=-1)
    return PixelSeries(np.asarray(flux, np.float32), None if error is None else np.asarray(error, np.float32), known)


def star_field(seed: int = 3) -> np.ndarray[Any, Any]:
    """A star of 2x2 pixels, another that does not touch it, and noise of 1 around 100."""
    flux = np.random.default_rng(seed).normal(100, 1, (9, 9, N_CADENCES))
    flux[4:6, 4:6] += 500
    flux[1, 7] += 900
    return flux


def curve_of(n: int, quality: Any = None, time: Any = None) -> CurvePoints:
    times = np.arange(n) * 0.02 + 1325.0 if time is None else np.asarray(time, float)
    flags = np.zeros(n, np.int32) if quality is None else np.asarray(quality, np.int32)
    return CurvePoints(times, np.arange(n, dtype=float), np.full(n, 2.0), flags)


# ---------------------------------------------------------------- pixels


@pytest.mark.parametrize("window", [Window(3, 2, 4, 5), Window(-2, -1, 5, 4), Window(8, 6, 4, 4), Window(2, 0, 3, 8)])
@pytest.mark.parametrize("n_planes", [1, 2])
def test_every_pixel_gets_to_its_place(window: Window, n_planes: int) -> None:
    layout = CubeLayout(10, 8, 6, n_planes)
    cube = np.arange(np.prod((10, 8, 6, n_planes)), dtype=">f4").reshape(10, 8, 6, n_planes)
    data = b"head" + cube.tobytes()
    reads = plan_reads(layout, 4, window.overlap(10, 8))
    found = assemble_series(layout, window, [(read, data[read.data.start : read.data.stop]) for read in reads])
    padded = np.pad(cube.astype(float), ((5, 5), (5, 5), (0, 0), (0, 0)), constant_values=np.nan)
    rows = slice(window.first_row + 5, window.stop_row + 5)
    columns = slice(window.first_column + 5, window.stop_column + 5)
    np.testing.assert_array_equal(found.flux, padded[rows, columns, :, 0])
    assert (found.error is None) == (n_planes == 1)
    if found.error is not None:
        np.testing.assert_array_equal(found.error, padded[rows, columns, :, 1])
    np.testing.assert_array_equal(found.known, ~np.isnan(padded[rows, columns, 0, 0]))


def test_a_median_frame_is_of_good_cadences() -> None:
    flux = star_field()
    quality = np.zeros(N_CADENCES, int)
    quality[::2] = 32
    expected = np.median(flux[..., 1::2], axis=-1)
    np.testing.assert_allclose(median_frame(series_of(flux), quality), expected, rtol=1e-6)
    everything = np.median(flux, axis=-1)
    np.testing.assert_allclose(median_frame(series_of(flux), np.ones(N_CADENCES, int)), everything, rtol=1e-6)


def test_what_is_nan_does_not_spoil_a_median() -> None:
    flux = star_field()
    flux[0, 0, :3] = np.nan
    flux[8] = np.nan
    found = median_frame(series_of(flux), np.zeros(N_CADENCES, int))
    assert found[0, 0] == pytest.approx(np.median(flux[0, 0, 3:]))
    assert np.isnan(found[8]).all()


# ---------------------------------------------------------------- apertures


def test_an_aperture_is_the_star_of_the_target_alone() -> None:
    frame = median_frame(series_of(star_field()), np.zeros(N_CADENCES, int))
    expected = np.zeros((9, 9), bool)
    expected[4:6, 4:6] = True
    np.testing.assert_array_equal(threshold_aperture(frame, 4, 4), expected)
    np.testing.assert_array_equal(threshold_aperture(frame, 5, 4), expected)


def test_an_aperture_has_the_target_s_pixel_whatever_it_holds() -> None:
    frame = np.full((5, 6), 7.0)
    assert np.argwhere(threshold_aperture(frame, 2, 3)).tolist() == [[2, 3]]
    assert np.argwhere(threshold_aperture(np.full((5, 6), np.nan), 2, 3)).tolist() == [[2, 3]]
    assert np.argwhere(threshold_aperture(frame, 9, -4)).tolist() == [[4, 0]]


def test_pixels_that_touch_at_a_corner_do_not_hang_together() -> None:
    frame = np.random.default_rng(1).normal(0, 1, (9, 9))
    frame[4, 4] = frame[5, 5] = frame[4, 5] = 100
    frame[3, 3] = 100
    assert np.argwhere(threshold_aperture(frame, 4, 4)).tolist() == [[4, 4], [4, 5], [5, 5]]


def test_an_aperture_is_read_row_by_row_from_the_highest_bit() -> None:
    mask = np.zeros((2, 3), bool)
    mask[0, 0] = mask[1, 2] = True
    assert parse_aperture("84", 2, 3).tolist() == mask.tolist()  # 1000 01|00
    assert parse_aperture("8", 1, 1).tolist() == [[True]]


@given(
    arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))).filter(lambda mask: mask.any()),
)
def test_an_aperture_is_read_from_four_pixels_a_digit(mask: Any) -> None:
    bits = "".join(str(int(pixel)) for pixel in mask.flat)
    digits = [bits[first : first + 4].ljust(4, "0") for first in range(0, mask.size, 4)]
    text = "".join(f"{int(digit, 2):x}" for digit in digits)
    np.testing.assert_array_equal(parse_aperture(text, *mask.shape), mask)


@pytest.mark.parametrize("text", ["", "8", "840", "00", "86", "zz", "8 4", "+4"])
def test_a_text_that_is_no_aperture_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(InvalidValueError, match=r"aperture is .*2 hexadecimal digits, one bit for each of 2 x 3 pix"):
        parse_aperture(text, 2, 3)


# ---------------------------------------------------------------- light curves


def test_a_light_curve_is_the_sum_less_the_background() -> None:
    flux, error = star_field(), np.full((9, 9, N_CADENCES), 3.0)
    drift = np.linspace(0, 400, N_CADENCES)
    aperture = np.zeros((9, 9), bool)
    aperture[4:6, 4:6] = True
    series = series_of(flux + drift, error)
    background = background_series(series, aperture)
    assert background is not None
    np.testing.assert_allclose(background, np.median((flux + drift)[~aperture], axis=0), rtol=1e-6)
    quality = np.arange(N_CADENCES)
    curve = sum_aperture(series, aperture, np.arange(N_CADENCES) * 1.0, quality, background)
    assert np.ptp(curve.flux) < 20
    assert np.mean(curve.flux) == pytest.approx(2000, abs=5)
    np.testing.assert_allclose(curve.error, 6.0)
    np.testing.assert_array_equal(curve.quality, quality)
    raw = sum_aperture(series, aperture, np.arange(N_CADENCES) * 1.0, quality)
    np.testing.assert_allclose(raw.flux, (flux + drift)[4:6, 4:6].sum(axis=(0, 1)), rtol=1e-6)


def test_pixels_beyond_the_frame_count_for_nothing() -> None:
    flux = star_field()
    flux[:5] = np.nan
    aperture = np.zeros((9, 9), bool)
    aperture[4:6, 4:6] = True
    times, quality = np.arange(N_CADENCES) * 1.0, np.zeros(N_CADENCES, int)
    curve = sum_aperture(series_of(flux), aperture, times, quality)
    np.testing.assert_allclose(curve.flux, flux[5, 4:6].sum(axis=0), rtol=1e-6)
    assert np.isnan(curve.error).all()
    aperture[5] = False
    assert np.isnan(sum_aperture(series_of(flux), aperture, times, quality).flux).all()


def test_a_pixel_that_is_nan_once_makes_that_cadence_unknown() -> None:
    flux = star_field()
    flux[4, 4, 7] = np.nan
    aperture = np.zeros((9, 9), bool)
    aperture[4, 4:6] = True
    curve = sum_aperture(series_of(flux), aperture, np.arange(N_CADENCES) * 1.0, np.zeros(N_CADENCES, int))
    assert np.flatnonzero(np.isnan(curve.flux)).tolist() == [7]


def test_where_nothing_is_outside_there_is_no_background() -> None:
    assert background_series(series_of(star_field()), np.ones((9, 9), bool)) is None


def test_a_difference_shows_the_star_that_varies() -> None:
    flux = star_field()
    flux[1, 7] += 300 * np.sin(np.arange(N_CADENCES))
    flux += np.linspace(0, 1000, N_CADENCES)  # stray light
    aperture = np.zeros((9, 9), bool)
    aperture[1, 7] = True
    series = series_of(flux)
    background = background_series(series, aperture)
    curve = sum_aperture(series, aperture, np.arange(N_CADENCES) * 1.0, np.zeros(N_CADENCES, int), background)
    frame = difference_frame(series, curve, background)
    assert np.argmax(frame) == np.ravel_multi_index((1, 7), frame.shape)
    assert frame[1, 7] == pytest.approx(590, abs=15)
    assert np.abs(np.delete(frame.ravel(), 16)).max() < 3


def test_cadences_with_flags_are_in_no_difference() -> None:
    flux = np.zeros((1, 1, 21))
    flux[..., 3], flux[..., 10] = 50, 9
    quality = np.zeros(21, int)
    quality[3] = 4096
    series = series_of(flux)
    curve = sum_aperture(series, np.ones((1, 1), bool), np.arange(21.0), quality)
    assert difference_frame(series, curve).tolist() == [[4.5]]  # a tenth are two
    lonely = CurvePoints(curve.time, np.where(np.arange(21) == 10, 1.0, np.nan), curve.error, quality)
    assert np.isnan(difference_frame(series, lonely)).all()


# ---------------------------------------------------------------- bins


def test_a_short_light_curve_stays_as_it_is() -> None:
    curve = curve_of(100)
    assert bin_light_curve(curve, 100) is curve


def test_a_point_is_the_mean_of_its_cadences() -> None:
    found = bin_light_curve(curve_of(100), 50)
    assert found.binned == 2
    np.testing.assert_allclose(found.flux, np.arange(50) * 2 + 0.5)
    np.testing.assert_allclose(found.time, 1325.0 + (np.arange(50) * 2 + 0.5) * 0.02)
    np.testing.assert_allclose(found.error, np.sqrt(8) / 2)


def test_flags_stay_and_spoil_nothing() -> None:
    quality = np.zeros(100, int)
    quality[[10, 11]] = 32, 4
    quality[50] = 128
    found = bin_light_curve(curve_of(100, quality), 30)
    flagged = found.quality != 0
    assert sorted(found.quality[flagged].tolist()) == [36, 128]
    assert set(found.flux[flagged].tolist()) == {10.5, 50.0}
    assert (np.diff(found.time) > 0).all()


def test_no_point_lies_in_a_gap() -> None:
    time = np.concatenate([np.arange(50), 500 + np.arange(53)]) * 0.02
    found = bin_light_curve(curve_of(103, time=time), 20)
    assert not ((found.time > 0.98) & (found.time < 10.0)).any()


def test_what_is_unknown_is_left_out_of_a_point() -> None:
    curve = curve_of(20)
    curve.flux[[0, 8, 9]] = np.nan
    found = bin_light_curve(curve, 10)
    assert found.flux[0] == 1.0
    assert np.isnan(found.flux[4])
    assert np.isfinite(found.time).all()


@given(st.integers(1, 3000), st.integers(10, 500), st.integers(0, 2**32 - 1))
def test_there_are_no_more_points_than_asked_for_and_all_cadences_are_in_them(n: int, points: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    curve = curve_of(n, np.where(rng.random(n) < 0.3, 4, 0), np.cumsum(rng.choice([0.02, 5.0], n, p=[0.97, 0.03])))
    found = bin_light_curve(curve, points)
    assert len(found.time) <= max(points, 2) or found.binned >= n
    assert found.time.shape == found.flux.shape == found.error.shape == found.quality.shape
    assert curve.flux.min() <= found.flux.min() <= found.flux.max() <= curve.flux.max()
    assert bool((found.quality == 4).any()) == bool((curve.quality == 4).any())


def test_times_that_are_unknown_are_no_trouble() -> None:
    curve = curve_of(40, time=np.full(40, np.nan))
    assert len(bin_light_curve(curve, 10).time) <= 10


# ---------------------------------------------------------------- limits and edges


def test_limits_are_percentiles_of_what_is_known() -> None:
    frame = np.arange(1001.0)
    frame[1000] = np.nan
    assert picture_limits(frame) == pytest.approx((4.995, 994.005))
    assert picture_limits(np.full((3, 3), np.nan)) is None


@pytest.mark.parametrize(
    ("shape", "row", "column", "distance"),
    [
        ((2078, 2136), 0, 1000, 0.5),
        ((2078, 2136), 1000, 44, 0.5),
        ((2078, 2136), 1000, 43, -0.5),
        ((2078, 2136), 2047, 2091, 0.5),
        ((2078, 2136), 2060, 1000, -12.5),
        ((2078, 2136), 1000, 1067.5, 1000.5 - 0.0),
        ((40, 30), 20, 14, 14.5),
        ((40, 30), -2, 14, -1.5),
    ],
)
def test_the_edges_are_those_of_the_pixels_that_see_the_sky(
    shape: tuple[int, int], row: float, column: float, distance: float
) -> None:
    assert edge_distance(CubeLayout(*shape, 5, 2), row, column) == pytest.approx(distance)


@pytest.mark.parametrize("corner", [(-1, 42), (0, 44), (2044, 2088), (2047, 2091), (2048, 100), (100, -50)])
def test_science_pixels_of_a_window_are_counted(corner: tuple[int, int]) -> None:
    expected = science_pixels((2078, 2136), *corner, (7, 6)).sum()
    assert count_science_pixels(CubeLayout(2078, 2136, 5, 2), Window(*corner, 7, 6)) == expected
