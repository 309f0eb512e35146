"""Light curves made clean: the numbers against lightkurve, and the controls."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time

from tests.page.conftest import Visit, run
from tests.page.test_look import query_of

lightkurve = pytest.importorskip("lightkurve")
expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

HALF_HOUR = 1 / 48
POINTS = "m.%s({time: values[0], flux: values[1], error: values[2]}, ...values.slice(3))"


@pytest.fixture(scope="module")
def curve() -> Any:
    """A fortnight with a trend, outliers, a gap, a short piece, and a star that is eclipsed."""
    rng = np.random.default_rng(5)
    time = 1325.3 + np.arange(700) * HALF_HOUR
    time = time[((time < 1331) | (time > 1332.2)) & ((time < 1339.5) | (time > 1339.75))]
    error = rng.uniform(1, 2, time.size)
    flux = 1000 + 20 * np.sin(time / 2) - 100 * (time % 2.7 < 0.1) + rng.normal(scale=error)
    flux[[40, 41, 333]] += [60, -45, 300]
    return lightkurve.LightCurve(
        time=Time(time, format="btjd"), flux=flux * u.electron / u.s, flux_err=error * u.electron / u.s
    )


def columns(curve: Any) -> tuple[list[float], list[float], list[float]]:
    return curve.time.value.tolist(), curve.flux.value.tolist(), curve.flux_err.value.tolist()


@pytest.mark.parametrize("window", [5, 49, 101, 999])
def test_the_trend_is_that_of_lightkurve(page: Any, curve: Any, window: int) -> None:
    time, flux, _ = columns(curve)
    found = run(page, "curve/clean.js", "m.trendOf(values[0], values[1], values[2])", time, flux, window)
    _, trend = curve.flatten(window_length=window, polyorder=2, return_trend=True)
    assert np.array(found) == pytest.approx(trend.flux.value, rel=1e-9)


@pytest.mark.parametrize("sigma", [2.0, 3.0, 5.0])
def test_what_is_clipped_is_what_lightkurve_removes(page: Any, curve: Any, sigma: float) -> None:
    found = run(page, "curve/clean.js", "m.outliers(values[0], values[1])", columns(curve)[1], sigma)
    _, gone = curve.remove_outliers(sigma=sigma, return_mask=True)
    assert found == gone.tolist()
    assert any(found)


@pytest.mark.parametrize("days", [0.1131, 0.4713])
def test_bins_are_those_of_lightkurve(page: Any, curve: Any, days: float) -> None:
    found = run(page, "curve/clean.js", POINTS % "binned", *columns(curve), days)
    theirs = curve.bin(time_bin_size=days)
    full = np.isfinite(np.ma.filled(theirs.flux.value, np.nan))
    assert np.array(found["time"]) == pytest.approx(theirs.time.value[full], rel=1e-12)
    assert np.array(found["flux"]) == pytest.approx(np.asarray(theirs.flux.value[full]), rel=1e-12)
    bins = np.floor((curve.time.value - curve.time.value[0]) / days).astype(int)
    counts = np.bincount(bins)[np.unique(bins)]
    # lightkurve gives the root of the mean square of the errors; the page gives the error of the mean
    assert np.array(found["error"]) == pytest.approx(
        np.asarray(theirs.flux_err.value[full]) / np.sqrt(counts), rel=1e-9
    )


def test_flagged_cadences_take_no_part_and_the_level_stays(page: Any, curve: Any) -> None:
    time, flux, error = columns(curve)
    quality = [32 if i % 50 == 7 else 0 for i in range(len(time))]
    wild = [1e6 if flag else value for value, flag in zip(flux, quality, strict=True)]
    call = "m.clean({time: values[0], flux: values[1], error: values[2], quality: values[3]}, values[4])"
    found = run(page, "curve/clean.js", call, time, wild, error, quality, {"flatten": 1.0})
    good = np.array(quality) == 0
    flat = curve[good].flatten(window_length=49, polyorder=2).flux.value * np.median(np.array(flux)[good])
    assert np.array(found["flux"], dtype=float)[good] == pytest.approx(flat, rel=1e-9)
    assert len(found["flux"]) == len(time)
    found = run(page, "curve/clean.js", call, time, wild, error, quality, {"clip": 3, "bin": 2})
    assert max(found["flux"]) < 1100
    assert found["clipped"] > 0


def test_the_address_keeps_what_was_made_clean(visit: Visit) -> None:
    page = visit.open_star("&flatten=0.5&clip=2&bin=1")
    assert [page.locator(f"#{name}").input_value() for name in ("flatten", "clip", "bin")] == ["0.5", "2", "1"]
    expect(page.locator("#clean-said")).to_contain_text("clipped")
    page.locator("#bin").fill("3")
    page.wait_for_url("**bin=3**")
    page.locator("#bin").fill("soon")
    expect(page.locator("#clean-error")).to_contain_text('The hours to bin are "soon"; allowed: 0.05 to 1000')
    expect(page.locator("#bin")).to_have_attribute("aria-invalid", "true")
    page.wait_for_url(lambda url: "bin=" not in url)
    assert query_of(visit)["flatten"] == ["0.5"]
    page.locator("#bin").fill("")
    expect(page.locator("#clean-error")).to_be_empty()
