"""Models of the background: against plain numpy, and against lightkurve's regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tessera import InvalidInputError, TargetPixels
from tessera.lightcurves.background import MAX_PIXELS, Background, find_background, subtract_background
from tessera.lightcurves.photometry import CurvePoints, PixelSeries, sum_aperture

N, SIDE = 300, 11
STAR = np.s_[4:7, 4:7]
FLAGS = {7: 32, 100: 4096, 101: 4096}
QUALITY = np.array([FLAGS.get(i, 0) for i in range(N)], np.int32)
GOOD = QUALITY == 0
TIMES = 1325.0 + np.arange(N) / 48


def field(seed: int = 4, side: int = SIDE) -> PixelSeries:
    """A star in scattered light that has a gradient which changes, on rows that have drifts of their own."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((side, side))[..., np.newaxis]
    day = np.arange(N) / 48
    light = 100 + 30 * np.sin(day) + rows * 2 * np.cos(1.7 * day) + columns * np.exp(-day) + 5 * np.sin(rows + day)
    flux = light + rng.normal(scale=0.5, size=light.shape)
    flux[STAR] += 200 * (1 - 0.1 * (day % 2.1 < 0.1))
    flux[..., 100:102] += 5000
    return PixelSeries(flux.astype(np.float32), np.full(flux.shape, 0.5, np.float32), np.ones((side, side), bool))


def aperture_of(side: int = SIDE) -> Any:
    mask = np.zeros((side, side), bool)
    mask[STAR] = True
    return mask


def curve_of(series: PixelSeries, model: str) -> tuple[CurvePoints, Background]:
    mask = aperture_of(len(series.known))
    background = find_background(series, mask, QUALITY, model)
    assert background is not None
    return subtract_background(sum_aperture(series, mask, TIMES, QUALITY), background), background


def test_the_median_is_that_of_the_pixels_outside() -> None:
    series, mask = field(), aperture_of()
    curve, background = curve_of(series, "median")
    outside = np.median(series.flux[~mask], axis=0)
    expected = series.flux[mask].sum(axis=0, dtype=float) - 9 * outside.astype(float)
    np.testing.assert_allclose(curve.flux, expected, rtol=1e-9)
    np.testing.assert_allclose(background.pixels, outside)


def test_each_row_may_have_a_median_of_its_own() -> None:
    series, mask = field(), aperture_of()
    mask[2] = True  # a row without a pixel outside
    background = find_background(series, mask, QUALITY, "rows")
    assert background is not None
    everywhere = np.median(series.flux[~mask], axis=0)
    expected = np.zeros(N)
    for row in range(SIDE):
        outside = series.flux[row][~mask[row]]
        level = np.median(outside, axis=0) if len(outside) else everywhere
        np.testing.assert_allclose(background.pixels[row, 0], level, rtol=1e-6)
        expected += mask[row].sum() * level.astype(float)
    np.testing.assert_allclose(background.total, expected, rtol=1e-6)


def test_rows_beyond_the_frame_do_not_spoil_the_sum() -> None:
    series = field()
    known = series.known.copy()
    known[5:] = False
    series.flux[5:] = np.nan
    cut = PixelSeries(series.flux, series.error, known)
    curve, _ = curve_of(cut, "rows")
    assert np.isfinite(curve.flux).all()
    whole, _ = curve_of(field(), "rows")
    assert np.ptp(curve.flux[GOOD]) < np.ptp(whole.flux[GOOD])


def test_components_are_those_of_lightkurve() -> None:
    lightkurve = pytest.importorskip("lightkurve")
    from lightkurve.correctors import DesignMatrix, RegressionCorrector  # noqa: PLC0415

    series, mask = field(), aperture_of()
    raw = sum_aperture(series, mask, TIMES, QUALITY)
    light = lightkurve.LightCurve(time=TIMES[GOOD], flux=raw.flux[GOOD], flux_err=raw.error[GOOD])
    outside = series.flux[~mask].T[GOOD].astype(float)
    exact = DesignMatrix(np.linalg.svd(outside - outside.mean(axis=0), full_matrices=False)[0][:, :5], name="outside")
    own = DesignMatrix(outside, name="outside").pca(5, n_iter=200)  # converges: it begins with random numbers
    ours, background = curve_of(series, "components")
    for matrix in (exact, own):
        theirs = np.asarray(RegressionCorrector(light).correct(matrix.append_constant()).flux.value)
        difference = ours.flux[GOOD] - theirs
        assert np.ptp(difference) < 1e-9 * np.median(theirs)
    level = 9 * np.median(np.median(series.flux[~mask][:, GOOD], axis=0))
    assert -np.median(difference) == pytest.approx(level, rel=1e-4)
    assert np.isfinite(background.total).all()


def test_components_take_the_scattered_light_and_leave_the_eclipses() -> None:
    series = field()
    scatter = {}
    for model in ("median", "rows", "components"):
        flux = curve_of(series, model)[0].flux[GOOD]
        outside = (np.arange(N)[GOOD] / 48) % 2.1 >= 0.1
        scatter[model] = flux[outside].std()
        assert flux[outside].mean() - flux[~outside].mean() == pytest.approx(180, rel=0.1)
    assert scatter["components"] < scatter["rows"] < 0.1 * scatter["median"]


def test_many_pixels_are_thinned_out_and_few_are_no_trouble() -> None:
    side = 24
    assert side * side - 9 > MAX_PIXELS
    series = field(side=side)
    flux = curve_of(series, "components")[0].flux[GOOD]
    assert flux[(np.arange(N)[GOOD] / 48) % 2.1 >= 0.1].std() < 3
    pair = PixelSeries(series.flux[:1, :2], None, np.ones((1, 2), bool))
    background = find_background(pair, np.array([[True, False]]), QUALITY, "components")
    assert background is not None
    assert np.isfinite(background.total).all()
    assert find_background(pair, np.ones((1, 2), bool), QUALITY, "rows") is None


def test_target_pixels_take_the_name_of_a_model() -> None:
    series = field()
    pixels = TargetPixels(np.moveaxis(series.flux, -1, 0), None, TIMES, QUALITY, "BTJD")
    curve = pixels.to_lightcurve(aperture_of(), "components", "none")
    expected = find_background(PixelSeries(series.flux, None, series.known), aperture_of(), QUALITY, "components")
    assert curve.background is not None
    assert expected is not None
    np.testing.assert_array_equal(curve.background, expected.total)
    assert curve.background_subtracted
    with pytest.raises(InvalidInputError, match=r"background is 'row'; allowed: True or False, 'median', .*'rows'"):
        pixels.to_lightcurve(background="row")  # type: ignore[arg-type]
