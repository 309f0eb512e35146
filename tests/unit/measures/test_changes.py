"""Injected changes are found where and when they were injected, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tessera.cubes.reference.frame import ReferenceFrame
from tessera.measures.bins import TimeBins
from tessera.measures.changes import Change, Source, find_changes, join_sources, subtract_background
from tessera.measures.statistics import measure_pixels
from tessera.tess import detector

SHAPE = (70, 60)
N, IN_BIN = 100, 5
NOISE = 2.0
Floats = NDArray[np.float32]


def spot(row: float, column: float, flux: float) -> Floats:
    rows, columns = np.indices(SHAPE)
    profile = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 0.8**2))
    return np.asarray(flux * profile / profile.sum(), np.float32)


def bins() -> TimeBins:
    first = np.arange(0, N, IN_BIN)
    return TimeBins(np.arange(N), first, first + IN_BIN, first.astype(np.float64), first + np.float64(IN_BIN))


def sky() -> Floats:
    """A field of stars, one of which varies all the time, under a background that varies and slopes."""
    random = np.random.default_rng(3)
    places = random.uniform(4, 56, (25, 2))
    stars = np.sum([spot(row, column, 10 ** random.uniform(2, 4)) for row, column in places], axis=0)
    phase = np.arange(N)[:, None, None]
    slope = np.indices(SHAPE)[0] / 10
    variable = spot(60, 50, 500) * np.sin(phase * 1.3)
    level = 100 + 30 * np.sin(phase / 17) + slope * np.cos(phase / 11)
    return np.asarray(stars + level + variable + random.normal(0, NOISE, (N, *SHAPE)), np.float32)


@pytest.fixture(scope="module")
def quiet() -> Floats:
    return sky()


def changes_of(frames: Floats) -> list[Change]:
    pixels = np.moveaxis(frames, 0, -1).reshape(-1, N)
    measured = measure_pixels(pixels, np.full_like(pixels, NOISE), bins())
    images = (getattr(measured, name).reshape(SHAPE) for name in ("flux", "error", "rms", "n_good"))
    return find_changes(ReferenceFrame(*images), bins(), measured.differences.reshape(-1, *SHAPE))


def test_nothing_changes_in_a_quiet_sky(quiet: Floats) -> None:
    assert changes_of(quiet) == []


def test_a_new_star_and_a_fading_one_are_found(quiet: Floats) -> None:
    frames = quiet.copy()
    frames[40:60] += spot(20.3, 31.2, 120)
    frames[70:80] -= spot(45.1, 12.4, 200)
    fading, new = changes_of(frames)
    assert (new.row, new.column) == pytest.approx((20.3, 31.2), abs=0.2)
    assert (new.start, new.end, new.n_bins) == (40, 60, 4)
    assert new.difference == pytest.approx(120 * 0.93, abs=4 * new.error)
    assert new.sigma > 7
    assert (fading.row, fading.column) == pytest.approx((45.1, 12.4), abs=0.2)
    assert (fading.start, fading.end) == (70, 80)
    assert fading.sigma < -7
    assert new.error == pytest.approx(3 * 1.25 * NOISE / np.sqrt(IN_BIN), rel=0.5)


def test_collateral_pixels_have_no_changes_and_leave_those_beside_them(
    quiet: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detector, "FULL_FRAME", SHAPE)
    monkeypatch.setattr(detector, "_SCIENCE", (0, 66, 4, 56))
    frames = quiet.copy()
    frames[:, 66:] = frames[:, :, :4] = frames[:, :, 56:] = 50.0
    frames[60:64, 20:23, :3] += np.float32(900.0)
    frames[40:60] += spot(20.3, 31.2, 120)
    (new,) = changes_of(frames)
    assert (new.row, new.column) == pytest.approx((20.3, 31.2), abs=0.2)
    assert new.reference == pytest.approx(float(np.median(frames[:, 19:22, 30:33].sum(axis=(1, 2)))), rel=0.05)


def test_a_cosmic_ray_and_a_hot_pixel_are_no_changes(quiet: Floats) -> None:
    frames = quiet.copy()
    frames[33, 20:22, 20:22] += 1e4
    frames[50:60, 30, 30] += 500
    assert changes_of(frames) == []


def test_a_star_that_moves_for_a_while_is_no_change(quiet: Floats) -> None:
    frames = quiet + spot(35, 40, 3000)
    frames[20:40] += spot(35.15, 40, 3000) - spot(35, 40, 3000)
    assert changes_of(frames) == []


def test_missing_pixels_hide_only_what_is_beside_them(quiet: Floats) -> None:
    frames = quiet.copy()
    frames[40:60] += spot(20.3, 31.2, 120)
    frames[:, :, :8] = np.nan
    assert [round(change.row) for change in changes_of(frames)] == [20]


def test_a_background_is_subtracted_to_the_edges() -> None:
    rows, columns = np.indices(SHAPE)
    rest = subtract_background((5 + rows * 0.5 - columns * 0.25).astype(np.float32))
    assert np.abs(rest[16:67, 16:45]).max() < 1e-3
    assert np.abs(rest).max() <= 16 * 0.75  # it is not extrapolated beyond the middles of the boxes at the edges


def test_sources_that_are_apart_are_other_changes() -> None:
    def source(bin_number: int, row: float, difference: float = 1.0) -> Source:
        return Source(bin_number, row, 5.0, difference, 0.1)

    one, later, elsewhere, fainter, much_later = (
        source(0, 5.0),
        source(2, 6.4),
        source(2, 9.0),
        source(2, 5.0, -1.0),
        source(5, 6.4),
    )
    joined = join_sources([one, later, elsewhere, fainter, much_later])
    assert joined == [[one, later], [elsewhere], [fainter], [much_later]]
