"""The peer's cutouts and ours are the same where the peer is right."""

from __future__ import annotations

import bz2
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS

from tessera import ASDFCutout, CutoutsCombiner, FITSCutout, normalize_img
from tests.support.images import FITS_IMAGES, ROMAN, coded, plain_image, sky_at

astrocut = pytest.importorskip("astrocut")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # warnings of the peer


@pytest.mark.parametrize("method", ["round", "ceil", "floor"])
def test_pixels_and_sky_of_fits_cutouts(method: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    path = plain_image(tmp_path / "image.fits", coded((90, 120)))
    for number in range(10):
        sky = sky_at(path, *rng.uniform([2, 2], [117, 87]))
        size: Any = rng.integers(1, 40, 2).tolist() if number % 2 else rng.uniform(1, 10, 2) * u.arcsec
        arguments: dict[str, Any] = {"fill_value": -1.0, "limit_rounding_method": method}
        ours = FITSCutout(path, sky, size, **arguments).fits_cutouts[0][1]
        theirs = astrocut.FITSCutout(str(path), sky, size, **arguments).fits_cutouts[0][1]
        np.testing.assert_array_equal(ours.data, theirs.data)
        corners = [[0, 0], [3, 5]]
        made, given = (WCS(hdu.header).all_pix2world(corners, 0) for hdu in (ours, theirs))
        np.testing.assert_allclose(made, given, rtol=0, atol=1e-11)


def test_pictures(tmp_path: Path) -> None:
    files = [str(tmp_path / f"{band}.fits") for band in "irg"]
    for name in files:  # of packed files the peer unpacks everything for every row
        packed = FITS_IMAGES / f"reprojected_sdss_{Path(name).stem}.fits.bz2"
        Path(name).write_bytes(bz2.decompress(packed.read_bytes()))
    sky = sky_at(Path(files[0]), 340, 240)
    for arguments in ({"stretch": "sqrt", "minmax_percent": [1, 99]}, {"colorize": True}, {"invert": True}):
        ours = FITSCutout(files, sky, 60).get_image_cutouts(**arguments)
        theirs = astrocut.FITSCutout(files, sky, 60).get_image_cutouts(**arguments)
        for mine, given in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(np.asarray(mine), np.asarray(given))
            assert set(mine.info) == set(given.info)


@pytest.mark.parametrize("stretch", ["asinh", "sinh", "sqrt", "log", "linear"])
def test_levels(stretch: str) -> None:
    data = np.random.default_rng(3).normal(size=(30, 40))
    for arguments in ({}, {"minmax_percent": [2, 97]}, {"minmax_value": [-1, 2]}, {"invert": True}):
        np.testing.assert_array_equal(
            normalize_img(data, stretch, **arguments), astrocut.normalize_img(data, stretch, **arguments)
        )


def test_pixels_of_asdf_cutouts() -> None:
    path = ROMAN / "roman_like_008m46x76y60_f146_coadd_window.asdf"
    targets = ["8.4640 -43.8510", "8.4655 -43.8495", "8.4670 -43.8500"]
    for size in (5, [8, 13], 1.2 * u.arcsec):
        ours = ASDFCutout(path, targets, size, lite=False)
        theirs = astrocut.ASDFCutout(path, targets, size, lite=False)
        assert list(ours.cutouts_by_file[str(path)]) == list(theirs.cutouts_by_file[str(path)])
        for text, mine in ours.cutouts_by_file[str(path)].items():
            given = theirs.cutouts_by_file[str(path)][text]
            np.testing.assert_array_equal(mine.data, given.data)
            assert mine.slices_original == given.slices_original
            assert mine.bbox_original == given.bbox_original


def test_the_combined_cutout(tmp_path: Path) -> None:
    data = coded((20, 20))
    data[5:9, 3:7] = np.nan
    cutouts = []
    for number, values in enumerate((data, coded((20, 20)) * 3)):
        path = plain_image(tmp_path / f"{number}.fits", values)
        cutouts += FITSCutout(path, sky_at(path, 10, 10), 15).write_as_fits(tmp_path, f"cutout{number}")
    ours = CutoutsCombiner(cutouts).combine(memory_only=True)
    theirs = astrocut.CutoutsCombiner(cutouts).combine(memory_only=True)
    assert isinstance(ours, fits.HDUList)
    np.testing.assert_array_equal(ours[1].data, theirs[1].data)
