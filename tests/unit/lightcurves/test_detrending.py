"""Detrended light curves: against lightkurve's correctors, and with transits that are put in."""

from __future__ import annotations

import io
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from tessera import InvalidInputError, LightCurve, StitchedCurve, TargetPixels, stitch
from tessera.lightcurves.background import find_background, subtract_background
from tessera.lightcurves.detrending.detrend import DetrendedCurve, detrend_curve
from tessera.lightcurves.detrending.scattered import scattered_light
from tessera.lightcurves.detrending.splines import spline_basis
from tessera.lightcurves.detrending.vector_files import read_vectors, vectors_fits
from tessera.lightcurves.detrending.vectors import AlignedVectors, CotrendingVectors, cotrending_vectors
from tessera.lightcurves.photometry import CurvePoints, Floats, sum_aperture
from tessera.tess.quality import SCATTERED_LIGHT
from tests.support.detrending import DEPTH, GOOD, IN_TRANSIT, QUALITY, TIMES, N, jittering_star, lightkurve_file

DAYS = np.arange(N) / 48
SYSTEMATICS = np.array([np.sin(1.1 * DAYS), 2.5 * np.exp(-(DAYS % 4.8) / 0.5)])


@cache
def detrended(depth: float, seed: int = 3) -> tuple[CurvePoints, DetrendedCurve]:
    """Light curve before and after PLD."""
    field = jittering_star(depth, seed)
    level = find_background(field.series, field.aperture, QUALITY)
    before = subtract_background(sum_aperture(field.series, field.aperture, TIMES, QUALITY), level)
    return before, detrend_curve("pld", before, field.series, field.aperture, level)


def depth_of(flux: Floats) -> float:
    """Mean depth of the transits below lines through what is around them."""
    depths = []
    for start in np.arange(0.0, DAYS[-1], 2.3):
        near = GOOD & (np.abs(DAYS - start - 0.055) < 0.4)
        line = np.polyfit(DAYS[near & ~IN_TRANSIT], flux[near & ~IN_TRANSIT], 1)
        depths.append((np.polyval(line, DAYS) - flux)[near & IN_TRANSIT].mean())
    return float(np.mean(depths))


@cache
def neighbours() -> Floats:
    """Curves of 60 stars with common trends; some are of no use."""
    rng = np.random.default_rng(5)
    weights = 0.004 * (rng.normal(size=(60, 2)) + 1)
    curves = 1000 * (1 + weights @ SYSTEMATICS + rng.normal(scale=0.0004, size=(60, N)))
    curves[3] += 400 * np.sin(2 * np.pi * DAYS / 0.37)
    curves[5, 200], curves[6, :300], curves[7] = np.nan, np.nan, 0
    curves[:, ~GOOD] *= 3
    return np.asarray(curves)


@cache
def vectors() -> CotrendingVectors:
    header = {"SECTOR": 1, "CAMERA": 4, "CCD": 2}
    found = cotrending_vectors(neighbours(), GOOD, 4)
    return CotrendingVectors(TIMES, np.arange(N, dtype=np.int32), ~GOOD, found, header)


def test_splines_are_those_of_lightkurve() -> None:
    pytest.importorskip("lightkurve")
    from lightkurve.correctors.designmatrix import create_spline_matrix  # noqa: PLC0415

    times = np.sort(np.random.default_rng(1).uniform(0, 27, 200))
    for count in (6, 7, 20):
        ours = spline_basis(times, np.arange(200), count, 5)
        np.testing.assert_allclose(ours, create_spline_matrix(times, n_knots=count, degree=5).values, atol=1e-12)
    beyond = spline_basis(np.array([-5.0, *times, 99.0, np.nan]), np.arange(1, 201), 7, 5)
    np.testing.assert_array_equal(beyond[[0, -2]], beyond[[1, -3]])
    assert np.isnan(beyond[-1]).all()


def test_pld_is_that_of_lightkurve_on_the_same_pixels() -> None:
    lightkurve = pytest.importorskip("lightkurve")
    from lightkurve.correctors import PLDCorrector  # noqa: PLC0415

    field, (_, ours) = jittering_star(), detrended(DEPTH)
    level = find_background(field.series, field.aperture, QUALITY)
    assert level is not None
    pixels, errors = (
        field.series.flux - np.asarray(level.pixels, np.float64),
        np.asarray(field.series.error, np.float64),
    )
    frame = np.median(field.series.flux[..., GOOD], axis=-1)
    faint = (frame < np.median(frame)) & ~field.aperture
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = lightkurve.TessTargetPixelFile(lightkurve_file(pixels, errors, GOOD), quality_bitmask="none")
        corrector = PLDCorrector(file, aperture_mask=field.aperture)
        used = np.isin(np.flatnonzero(GOOD), ours.fitted)
        masks = {"pld_aperture_mask": field.aperture, "background_aperture_mask": faint}
        theirs = corrector.correct(**masks, cadence_mask=used).flux.value
    np.testing.assert_allclose(ours.points.flux[GOOD], theirs, rtol=1e-5)
    assert ours.removed == "pld: 3 of 12 components in, 3 of 40 outside the aperture"


def test_cotrending_is_that_of_lightkurve_with_our_file_of_vectors() -> None:
    lightkurve = pytest.importorskip("lightkurve")
    from lightkurve.correctors.cbvcorrector import CBVCorrector, TessCotrendingBasisVectors  # noqa: PLC0415

    field, file = jittering_star(), vectors_fits(vectors(), [("SECTOR", 1, "sector")], 4, 2)
    before = sum_aperture(field.series, field.aperture, TIMES, QUALITY)
    given = AlignedVectors(vectors().vectors, vectors().gap)
    ours = detrend_curve("cbv", before, field.series, field.aperture, None, vectors=given)
    kept = np.isin(np.arange(N), ours.fitted)
    with warnings.catch_warnings(), fits.open(io.BytesIO(file), checksum=True) as hdus:
        warnings.simplefilter("error", fits.verify.VerifyWarning)
        hdus.verify("exception")
        warnings.simplefilter("ignore")
        numbers = np.arange(N, dtype=np.int32)
        flux, error = before.flux.astype(np.float64), before.error.astype(np.float64)
        curve = LightCurve(TIMES, flux, error, QUALITY, "BTJD", cadence_numbers=numbers)
        light = curve.to_lightkurve()[GOOD]
        corrector = CBVCorrector(light, do_not_load_cbvs=True)
        corrector.lc.meta["MISSION"] = "TESS"
        corrector.cbvs = [TessCotrendingBasisVectors.from_hdu(hdus, cbv_type="SingleScale").align(corrector.lc)]
        corrector.correct_gaussian_prior(cbv_indices=[np.arange(1, 5)], cadence_mask=kept[GOOD])
    assert lightkurve is not None
    np.testing.assert_allclose(ours.points.flux[GOOD], corrector.corrected_lc.flux.value, rtol=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_pld_keeps_the_depth_of_a_transit(seed: int) -> None:
    (flat_before, flat), (before, transits) = detrended(0.0, seed), detrended(DEPTH, seed)
    wanted = depth_of(before.flux - flat_before.flux)
    assert wanted == pytest.approx(DEPTH * np.median(before.flux), rel=0.15)
    assert depth_of(transits.points.flux - flat.points.flux) == pytest.approx(wanted, rel=0.02)
    outside = GOOD & ~IN_TRANSIT
    jumps = [np.diff(flux[outside]).std() for flux in (before.flux, transits.points.flux)]
    assert jumps[1] < 0.5 * jumps[0]


def test_cotrending_vectors_are_what_curves_have_in_common() -> None:
    found, good = vectors().vectors, np.flatnonzero(GOOD)
    np.testing.assert_allclose(found[:, good] @ found[:, good].T, np.eye(4), atol=1e-9)
    assert np.isfinite(found).all()
    for values, left in ((SYSTEMATICS[0], 0.05), (SYSTEMATICS[1], 0.07), (np.sin(2 * np.pi * DAYS / 0.37), None)):
        centred = values[good] - values[good].mean()
        rest = np.linalg.norm(centred - found[:, good].T @ (found[:, good] @ centred)) / np.linalg.norm(centred)
        assert rest < left if left else rest > 0.98
    assert found[:, 7] == pytest.approx((found[:, 6] + found[:, 8]) / 2)
    assert cotrending_vectors(neighbours()[:1], GOOD).shape == (0, N)
    assert cotrending_vectors(np.zeros((0, N)), GOOD).shape == (0, N)


def share(values: Floats, found: Floats) -> float:
    """Share of a series that vectors explain, in good cadences."""
    centred = values[GOOD] - values[GOOD].mean()
    return float(np.linalg.norm(found[:, GOOD] @ centred) / np.linalg.norm(centred))


def test_curves_that_vary_alone_leave_the_vectors() -> None:
    rng, own = np.random.default_rng(6), np.sin(2 * np.pi * DAYS / 0.37)
    curves = 100 + SYSTEMATICS[0] + rng.normal(size=(200, N))
    curves[:5] = 100 + SYSTEMATICS[0] + 0.8 * own  # blends of one star, which are more alike than others are
    found = cotrending_vectors(curves, GOOD, 4)
    assert share(SYSTEMATICS[0], found) > 0.95
    assert share(own, found) < 0.3


def test_curves_unlike_the_others_are_not_used() -> None:
    rng = np.random.default_rng(7)
    curves = 100 + SYSTEMATICS[0] + 0.1 * rng.normal(size=(19, N))
    others = [np.sin(2 * np.pi * DAYS / period) for period in np.linspace(0.3, 0.9, 9)]
    curves[10:] = 100 + np.array(others)
    found = cotrending_vectors(curves, GOOD, 4)
    assert share(SYSTEMATICS[0], found) > 0.99
    assert max(share(own, found) for own in others) < 0.3


def test_gaps_of_the_vectors_are_not_fitted() -> None:
    field = jittering_star()
    before, gap = sum_aperture(field.series, field.aperture, TIMES, QUALITY), vectors().gap.copy()
    gap[20:30] = True
    given = AlignedVectors(vectors().vectors, gap)
    found = detrend_curve("cbv", before, field.series, field.aperture, None, vectors=given)
    assert not gap[found.fitted].any()
    assert len(found.fitted) > 0.9 * N


def test_cotrending_takes_the_trend_and_keeps_a_transit() -> None:
    trend = 0.004 * (SYSTEMATICS[0] - 0.8 * SYSTEMATICS[1])
    noise = np.random.default_rng(8).normal(scale=0.3, size=N)
    given = AlignedVectors(vectors().vectors, vectors().gap)
    field, curves = jittering_star(), []
    for depth in (0.0, DEPTH):
        points = CurvePoints(TIMES, 1000 * (1 + trend - depth * IN_TRANSIT) + noise, np.full(N, np.nan), QUALITY)
        curves.append(detrend_curve("cbv", points, field.series, field.aperture, None, vectors=given).points)
        np.testing.assert_allclose(curves[-1].trend, points.flux - curves[-1].flux, atol=1e-9)  # type: ignore[arg-type]
    assert curves[0].flux[GOOD].std() < 0.5
    assert depth_of(curves[1].flux - curves[0].flux) == pytest.approx(10, rel=0.05)


def test_scattered_light_is_unusual_and_matters_to_the_target() -> None:
    background = 100 + np.sin(DAYS)
    background[50:60] += 40
    expected = np.isin(np.arange(N), np.arange(50, 60))
    np.testing.assert_array_equal(scattered_light(background, np.full(N, 8000.0), 9, QUALITY), expected)
    assert not scattered_light(background, np.full(N, 80_000.0), 9, QUALITY).any()
    usual = 100 + 40 * np.sin(DAYS)
    assert not scattered_light(usual, np.full(N, 8000.0), 9, QUALITY).any()
    background[55] = np.nan
    assert not scattered_light(background, np.full(N, 8000.0), 9, QUALITY)[55]
    assert not scattered_light(np.full(N, np.nan), np.full(N, 1.0), 9, QUALITY).any()


def target_pixels(**more: Any) -> TargetPixels:
    series = jittering_star().series
    assert series.error is not None
    flux, errors = (np.moveaxis(values, -1, 0) for values in (series.flux, series.error))
    header = fits.Header({"SECTOR": 1, "CAMERA": 4, "CCD": 2})
    return TargetPixels(flux, errors, TIMES, QUALITY, "BTJD", header=header, **more)


def test_target_pixels_are_detrended_on_request() -> None:
    aperture, (_, expected) = jittering_star().aperture, detrended(DEPTH)
    curve = target_pixels().to_lightcurve(aperture, quality="none", detrend="pld")
    np.testing.assert_allclose(curve.flux, expected.points.flux)
    np.testing.assert_array_equal(curve.quality, expected.points.quality)
    assert (curve.quality[100] & SCATTERED_LIGHT) == SCATTERED_LIGHT
    assert (curve.quality & ~SCATTERED_LIGHT == QUALITY).all()
    plain = target_pixels().to_lightcurve(aperture, quality="none")
    assert (plain.trend, plain.detrended) == (None, "")
    np.testing.assert_allclose(curve.trend, plain.flux - curve.flux, atol=1e-9)  # type: ignore[arg-type]
    assert curve.to_table().meta["detrended"] == curve.detrended == expected.removed


def test_vectors_are_found_by_number_or_time(tmp_path: Path) -> None:
    path = tmp_path / "vectors.fits"
    path.write_bytes(vectors_fits(vectors(), [("SECTOR", 1, "sector")], 4, 2))
    whole = target_pixels().to_lightcurve(quality="none", detrend="cbv", vectors=path)
    assert whole.detrended == "cbv: 4 cotrending vectors"
    numbers = np.arange(N, dtype=np.int32)
    by_number = target_pixels(cadence_numbers=numbers).to_lightcurve(quality="none", detrend="cbv", vectors=vectors())
    np.testing.assert_allclose(by_number.flux, whole.flux)
    part = target_pixels()
    some = TargetPixels(part.flux[20:], part.flux_err[20:], TIMES[20:] + 0.005, QUALITY[20:], "BTJD")  # type: ignore[index]
    curve = some.to_lightcurve(quality="none", detrend="cbv", vectors=path.read_bytes())
    assert len(curve) == N - 20
    late = TargetPixels(part.flux, None, TIMES + 1, QUALITY, "BTJD")
    words = "vectors is 'those of sector 1, camera 4, ccd 2'; allowed: vectors that have all cadences"
    with pytest.raises(InvalidInputError, match=words):
        late.to_lightcurve(detrend="cbv", vectors=path)
    other = target_pixels()
    other.header["CCD"] = 3
    with pytest.raises(InvalidInputError, match="allowed: those of sector 1, camera 4, ccd 3"):
        other.to_lightcurve(detrend="cbv", vectors=path)


def test_files_of_vectors_come_back() -> None:
    numberless = CotrendingVectors(TIMES, None, vectors().gap, vectors().vectors)
    for given in (vectors(), numberless):
        found = read_vectors("name", vectors_fits(given, [("SECTOR", 1, "sector")], 4, 2))
        np.testing.assert_array_equal(found.vectors, given.vectors)
        np.testing.assert_array_equal(found.gap, given.gap)
        np.testing.assert_array_equal(found.time, TIMES)
        assert (found.cadence_numbers is None) == (given.cadence_numbers is None)
        assert [found.header[card] for card in ("SECTOR", "CAMERA", "CCD")] == [1, 4, 2]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"detrend": "pdl"}, "detrend is 'pdl'; allowed: 'none', 'pld', 'cbv'; did you mean"),
        (
            {"detrend": "pld", "background": False},
            "detrend is 'pld'; allowed: none or cbv without a subtracted background",
        ),
        ({"detrend": "pld", "mask": "all"}, "allowed: none or cbv without a subtracted background"),
        ({"detrend": "cbv"}, "vectors is None; allowed: a file of cotrending vectors with detrend='cbv'"),
        ({"vectors": b"x"}, "no vectors with detrend='none'"),
        ({"detrend": "cbv", "vectors": 3}, "vectors is 3; allowed: the path, URL or bytes of a file"),
    ],
)
def test_wrong_options_are_named(more: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        target_pixels().to_lightcurve(**more)


def test_pixels_that_came_without_background_are_detrended() -> None:
    flux = target_pixels().flux - np.median(target_pixels().flux, axis=(1, 2), keepdims=True)
    clean = TargetPixels(flux, None, TIMES, QUALITY, "BTJD", background_subtracted=True)
    assert clean.to_lightcurve(detrend="pld").detrended.startswith("pld: 3 of ")


def test_too_few_cadences_are_refused_in_words() -> None:
    whole = target_pixels()
    few = TargetPixels(whole.flux[:9], None, TIMES[:9], QUALITY[:9], "BTJD")
    allowed = "detrend is 'pld'; allowed: none for this light curve, because 8 good cadences and .* are too few to fit"
    with pytest.raises(InvalidInputError, match=allowed):
        few.to_lightcurve(detrend="pld")


@pytest.mark.parametrize("content", [b"", b"SIMPLE  =", vectors_fits(vectors(), [], 4, 2)[:2880]])
def test_other_files_are_no_vectors(content: bytes) -> None:
    with pytest.raises(OSError, match="vectors cannot be read: it "):
        target_pixels().to_lightcurve(detrend="cbv", vectors=content)


def test_files_of_light_curves_say_what_was_removed(tmp_path: Path) -> None:
    lightkurve = pytest.importorskip("lightkurve")
    curve = target_pixels().to_lightcurve(quality="none", detrend="pld")
    for end in ("csv", "ecsv", "fits"):
        curve.write(tmp_path / f"curve.{end}")
        curve.write(tmp_path / f"curve.{end}")  # it is replaced, because it is ours
    assert (tmp_path / "curve.csv").read_text().startswith("time_btjd,flux,flux_err,quality,trend\n1325.")
    assert f"detrended: '{curve.detrended}'" in (tmp_path / "curve.ecsv").read_text()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = lightkurve.read(tmp_path / "curve.fits", quality_bitmask="none")
    np.testing.assert_allclose(found.flux.value, curve.flux)
    assert curve.trend is not None
    with fits.open(tmp_path / "curve.fits") as hdus:
        assert hdus[1].header["DETREND"] == curve.detrended
        np.testing.assert_allclose(hdus[1].data["SAP_FLUX"], curve.flux + curve.trend)
        np.testing.assert_allclose(hdus[1].data["TREND"], curve.trend)


def test_stitched_curves_say_what_was_removed_of_each_sector(tmp_path: Path) -> None:
    curve = target_pixels().to_lightcurve(detrend="pld")
    stitch([curve]).write(tmp_path / "all.fits")
    found = StitchedCurve.read(tmp_path / "all.fits")
    assert found.sectors[0].detrended == curve.detrended
    np.testing.assert_allclose(found.curves[0].trend, curve.trend)  # type: ignore[arg-type]
