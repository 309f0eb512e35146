"""The aperture that a text names in a cutout is that of a preview, however many pixels and cadences there are."""

from __future__ import annotations

import numpy as np
import pytest

from tessera.cubes.window_pixels import Cutout
from tessera.errors import InvalidValueError
from tessera.lightcurves.masks import choose_mask, cutout_mask
from tessera.lightcurves.photometry import PixelSeries
from tessera.windows import Window


def star(seed: int, n_cadences: int) -> Cutout:
    """A star near the middle of a window whose first rows are beyond the frame, and a cadence without data."""
    values = np.random.default_rng(seed)
    rows, columns = np.mgrid[:9, :11]
    profile = 80 * np.exp(-((rows - 5) ** 2 + (columns - 4) ** 2) / 3)
    flux = (values.normal(100, 4, (n_cadences, 9, 11)) + profile).astype(">f4")
    known = np.ones((9, 11), np.int32)
    known[:2], flux[:, :2], flux[0, 5, 4] = 0, np.nan, np.nan
    return Cutout(Window(-2, 30, 9, 11), flux[np.newaxis], known)


@pytest.mark.parametrize("n_cadences", [1, 4, 31])
def test_the_default_of_a_cutout_is_that_of_its_pixels(n_cadences: int) -> None:
    cutout = star(n_cadences, n_cadences)
    quality = np.arange(n_cadences) % 5 == 2
    series = PixelSeries(np.moveaxis(cutout.planes[0], 0, -1).astype(np.float32), None, cutout.aperture > 0)
    for word in ("default", "all"):
        wanted = choose_mask(word, series, quality, (5.2, 4.4), None)
        np.testing.assert_array_equal(cutout_mask(word, cutout, quality, (3.2, 34.4)), wanted)
        assert wanted.sum() > 5


def test_digits_are_pixels_of_the_window() -> None:
    digits = "8" + "0" * 23 + "2"
    assert np.argwhere(cutout_mask(digits, star(0, 2), np.zeros(2, int), (3, 34))).tolist() == [[0, 0], [8, 10]]
    with pytest.raises(InvalidValueError, match=r"aperture is '80'; allowed: 25 hexadecimal digits"):
        cutout_mask("80", star(0, 2), np.zeros(2, int), (3, 34))
