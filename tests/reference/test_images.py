"""Real images: every pixel of a cutout has the value and the place on the sky that it has in the image."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import pixel_to_skycoord

from tessera import FITSCutout
from tessera.images.batch import make_image_cutouts
from tessera.images.cut import ImageCutoutOptions
from tests.support.checks import checksums_hold, fitsverify_complaints
from tests.support.images import DISTORTION_MAP, FITS_IMAGES, sky_of, with_pixels, with_sky

pytestmark = [
    pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning"),
    pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning"),
]

IMAGES = [
    ("gc_2mass_k.fits", 0),
    ("gc_msx_e.fits", 0),
    ("reprojected_sdss_g.fits.bz2", 0),
    ("sip-wcs.fits", 0),
    *(("j033216m2743_00152.beams.fits", number) for number in range(1, 7)),
    ("j94f05bgq_flt.fits", 1),
    ("j94f05bgq_flt.fits", 4),
]
PLACES = {"middle": (0.5, 0.5), "lower left": (0.01, 0.02), "upper right": (0.99, 0.97), "right": (1.0, 0.4)}


def check_pixels(source: fits.HDUList, number: int, cutout: fits.HDUList, fill: float) -> None:
    """Compare a cutout with its source, pixel by pixel; the physical WCS tells which pixels these are."""
    image = source[number].data
    header = cutout[1].header
    first = [int(header[f"CRVAL{axis}P"] + 1 - header[f"CRPIX{axis}P"]) - 1 for axis in (1, 2)]
    rows, columns = np.mgrid[: cutout[1].data.shape[0], : cutout[1].data.shape[1]]
    there_rows, there_columns = rows + first[1], columns + first[0]
    inside = (there_rows >= 0) & (there_rows < image.shape[0]) & (there_columns >= 0) & (there_columns < image.shape[1])
    assert inside.any()
    expected = np.full(inside.shape, fill, image.dtype.newbyteorder("="))
    expected[inside] = image[there_rows[inside], there_columns[inside]]
    np.testing.assert_array_equal(cutout[1].data, expected)
    assert cutout[1].data.dtype.newbyteorder("=") == image.dtype.newbyteorder("=")
    truth = WCS(source[number].header, source).all_pix2world(there_columns.ravel(), there_rows.ravel(), 0)
    made = WCS(header, cutout).all_pix2world(columns.ravel(), rows.ravel(), 0)
    np.testing.assert_allclose(made, truth, rtol=0, atol=1e-10)


def cut(source: fits.HDUList, number: int, place: tuple[float, float], size: Any, fill: float) -> fits.HDUList:
    n_rows, n_columns = source[number].shape
    sky = sky_of(source, number, (n_columns - 1) * place[0], (n_rows - 1) * place[1])
    (result,) = make_image_cutouts(source, sky, size, options=ImageCutoutOptions(number, fill_value=fill))
    assert result.status in ("ok", "empty"), result.reason
    assert result.hdus is not None
    return result.hdus


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("name", "number"), IMAGES)
def test_each_pixel_is_the_images(name: str, number: int, place: str) -> None:
    with fits.open(FITS_IMAGES / name) as source:
        fill = np.nan if source[number].data.dtype.kind == "f" else 7
        for size in (1, (13, 8), (30, 31)):
            check_pixels(source, number, cut(source, number, PLACES[place], size, fill), fill)


@pytest.mark.parametrize("place", PLACES)
def test_lookup_tables_of_distortion_stay_valid(place: str, tmp_path: Path) -> None:
    path = with_sky(DISTORTION_MAP, tmp_path / "map.fits")
    with fits.open(path) as source:
        made = cut(source, 0, PLACES[place], (21, 30), -1.0)
        assert [hdu.name for hdu in made[2:]] == ["WCSDVARR", "WCSDVARR"]
        check_pixels(source, 0, made, -1.0)


@pytest.mark.parametrize("place", PLACES)
def test_lookup_tables_of_the_detector_stay_valid(place: str, tmp_path: Path) -> None:
    path = with_pixels(FITS_IMAGES / "ie6d07ujq_wcs.fits", tmp_path / "detector.fits", (2051, 4096))
    with fits.open(path) as source:
        made = cut(source, 0, PLACES[place], (200, 180), 0)
        assert [hdu.name for hdu in made[2:]] == ["D2IMARR", "D2IMARR"]
        check_pixels(source, 0, made, 0)


def test_tables_of_several_cutouts_in_one_file_keep_apart(tmp_path: Path) -> None:
    first = with_sky(DISTORTION_MAP, tmp_path / "a.fits")
    second = with_sky(DISTORTION_MAP, tmp_path / "b.fits", shift=3.0)
    with fits.open(first) as one, fits.open(second) as two:
        sky = sky_of(one, 0, 50, 50)
        (made,) = FITSCutout([first, second], sky, 11).fits_cutouts
        assert [(hdu.name, hdu.ver) for hdu in made if hdu.name == "WCSDVARR"] == [
            ("WCSDVARR", n) for n in (1, 2, 3, 4)
        ]
        for source, number in ((one, 1), (two, 4)):
            header = made[number].header
            first_pixel = [header[f"CRVAL{axis}P"] - 1 for axis in (1, 2)]
            truth = WCS(source[0].header, source).all_pix2world([first_pixel], 0)
            np.testing.assert_allclose(WCS(header, made).all_pix2world([[0, 0]], 0), truth, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", sorted({name for name, _ in IMAGES}))
def test_files_are_valid(name: str, tmp_path: Path) -> None:
    with fits.open(FITS_IMAGES / name) as source:
        number = next(number for number, hdu in enumerate(source) if hdu.is_image and hdu.size)
        sky = sky_of(source, number, 0, 0)
    made = FITSCutout(FITS_IMAGES / name, sky, 15, fill_value=0, allow_empty=True)
    (path,) = made.write_as_fits(tmp_path)
    assert checksums_hold(Path(path).read_bytes())
    complaints = [line for line in fitsverify_complaints(Path(path)) if "Error" in line]
    assert complaints == []


def test_a_galactic_map_is_cut_at_an_icrs_position() -> None:
    target = SkyCoord(0.2, -0.1, unit="deg", frame="galactic")
    (made,) = FITSCutout(FITS_IMAGES / "gc_msx_e.fits", target.icrs, 11, limit_rounding_method="ceil").fits_cutouts
    centre = pixel_to_skycoord(5, 5, WCS(made[1].header))
    assert centre.separation(target).deg < 0.0067 * 0.75


def test_cards_of_the_primary_header_are_inherited() -> None:
    path = FITS_IMAGES / "j94f05bgq_flt.fits"
    with fits.open(path) as source:
        sky = sky_of(source, 1, 0, 0)
        primary = source[0].header
        made = FITSCutout(path, sky, 3, allow_empty=True).fits_cutouts[0]
        assert made[1].header["INHERIT"] is True
        for keyword in ("TELESCOP", "INSTRUME", "FILTER1", "PROPOSID"):
            assert made[1].header[keyword] == primary[keyword]
        assert made[1].header["ORIG_FLE"] == primary["FILENAME"]


def test_every_extension_that_is_asked_for_is_cut() -> None:
    path = FITS_IMAGES / "j033216m2743_00152.beams.fits"
    with fits.open(path) as source:
        sky = sky_of(source, 1, 30, 30)
        names = [source[number].name for number in (1, 2, 7, 8)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        (made,) = FITSCutout(path, sky, 20, extension=[1, 2, 7, 8]).fits_cutouts
    assert [hdu.header["O_EXT_NM"] for hdu in made[1:]] == names
    assert [hdu.header["ORIG_EXT"] for hdu in made[1:]] == [1, 2, 7, 8]
