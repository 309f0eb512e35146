"""Pictures of cutouts: which pixel is where, how bright, and what the file says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.visualization import AsinhStretch, AsymmetricPercentileInterval
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from tessera import DataWarning, FITSCutout, InputWarning, InvalidInputError, img_cut, normalize_img
from tests.support.images import FITS_IMAGES, coded, plain_image, sky_of, tan_header

pytestmark = pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")  # of the tests' own reading

BANDS = [FITS_IMAGES / f"reprojected_sdss_{band}.fits.bz2" for band in "irg"]


@pytest.fixture
def two_files(tmp_path: Path) -> list[Path]:
    """Two files of three images each; every image has a bright pixel of its own."""
    paths = []
    for name in ("a", "b"):
        hdus = [fits.PrimaryHDU()]
        for number in range(3):
            data = coded((20, 20)) * 0 + 1
            data[10, 8 + number + (3 if name == "b" else 0)] = 100
            hdus.append(fits.ImageHDU(data, tan_header(20, 20)))
        paths.append(tmp_path / f"{name}.fits")
        fits.HDUList(hdus).writeto(paths[-1])
    return paths


def middle(path: Path) -> Any:
    with fits.open(path) as hdus:
        number = next(n for n, hdu in enumerate(hdus) if hdu.is_image and hdu.size)
        n_rows, n_columns = hdus[number].shape
        return sky_of(hdus, number, n_columns // 2, n_rows // 2)


def test_every_extension_of_every_file_has_its_own_picture(two_files: list[Path], tmp_path: Path) -> None:
    made = FITSCutout(two_files, middle(two_files[0]), 20, extension="all")
    paths = made.write_as_img(stretch="linear", minmax_value=[0, 100], output_format="png", output_dir=tmp_path / "out")
    assert len(set(paths)) == 6
    columns = [int(np.argmax(np.asarray(Image.open(path)).max(axis=0))) for path in paths]
    assert np.diff(columns).tolist() == [1] * 5


@pytest.mark.slow
def test_colours_are_those_of_the_bands_and_the_first_row_is_at_the_bottom(tmp_path: Path) -> None:
    sky = middle(BANDS[0])
    made = FITSCutout(BANDS, sky, (120, 80))
    (picture,) = made.get_image_cutouts(colorize=True)
    assert picture.size == (120, 80)
    for band, path in enumerate(BANDS):
        data = made.cutouts_by_file[path][0].data
        truth = (AsinhStretch() + AsymmetricPercentileInterval(0.5, 99.5))(data)
        np.testing.assert_array_equal(np.asarray(picture)[::-1, :, band], (255 * truth).astype(np.uint8))
    path = img_cut(BANDS, sky, (120, 80), colorize=True, img_format="tiff", output_dir=tmp_path)
    with Image.open(path) as written:
        np.testing.assert_array_equal(np.asarray(written), np.asarray(picture))
        assert json.loads(written.getexif()[270])["input_files"] == ", ".join(path.name for path in BANDS)


def test_bands_of_different_shapes_are_refused(tmp_path: Path) -> None:
    paths = []
    for number, scale in enumerate((1e-4, 1e-4, 2e-4)):
        fits.PrimaryHDU(coded((30, 30)), tan_header(30, 30, scale=scale)).writeto(tmp_path / f"{number}.fits")
        paths.append(tmp_path / f"{number}.fits")
    made = FITSCutout(paths, middle(paths[0]), 10e-4 * u.deg, limit_rounding_method="ceil")
    with pytest.raises(InvalidInputError, match="bands of one shape"):
        made.get_image_cutouts(colorize=True)


@pytest.mark.parametrize("suffix", ["jpg", ".JPEG", "png", "tif", "TIFF"])
def test_formats_keep_size_and_say_what_they_show(two_files: list[Path], tmp_path: Path, suffix: str) -> None:
    sky = middle(two_files[0])
    (path,) = FITSCutout(two_files[0], sky, 12).write_as_img(output_format=suffix, output_dir=tmp_path)
    with Image.open(path) as picture:
        assert picture.size == (12, 12)
        said = picture.info if path.endswith("png") else json.loads(picture.getexif()[270])
    assert said["input_file"] == "a.fits"
    assert float(said["center_ra_deg"]) == sky.ra.deg
    assert float(said["pixel_scale_arcsec_per_pix"]) == pytest.approx(0.36)


def test_a_format_that_cannot_be_written_is_told_and_leaves_nothing(two_files: list[Path], tmp_path: Path) -> None:
    made = FITSCutout(two_files, middle(two_files[0]), 12)
    with pytest.warns(DataWarning, match=r"could not be saved in \.blp format"):
        assert made.write_as_img(output_format="blp", output_dir=tmp_path / "out") == [None, None]
    assert list((tmp_path / "out").iterdir()) == []


def test_pictures_of_several_targets(two_files: list[Path], tmp_path: Path) -> None:
    with fits.open(two_files[0]) as hdus:
        targets = [sky_of(hdus, 1, 5, 5), sky_of(hdus, 1, 12, 12)]
    made = FITSCutout(two_files, targets, 6, extension="all", allow_empty=True)
    assert len(set(made.write_as_img(output_dir=tmp_path))) == 12
    with pytest.warns(InputWarning, match="only the first three"):
        assert len(set(made.write_as_img(output_dir=tmp_path, colorize=True))) == 2


def bands(tmp_path: Path, *scales: float) -> FITSCutout:
    """Cutouts of images of different pixel scales, all with the target in the middle."""
    paths = [
        plain_image(tmp_path / f"{number}.fits", coded((60, 60)), scale=scale) for number, scale in enumerate(scales)
    ]
    return FITSCutout(paths, middle(paths[0]), 20, limit_rounding_method="ceil")


def test_bands_of_different_scales_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"1\.fits are up to \d+\.\d pixels from .*0\.fits\. .*reproject"):
        bands(tmp_path, 1e-4, 1.3e-4, 0.9e-4).get_image_cutouts(colorize=True)


def test_bands_that_differ_by_the_rounding_of_windows_make_a_picture(tmp_path: Path) -> None:
    assert len(bands(tmp_path, 1e-4, 1.001e-4, 1e-4).get_image_cutouts(colorize=True)) == 1


def test_a_cube_has_no_picture(tmp_path: Path) -> None:
    path = plain_image(tmp_path / "cube.fits", np.ones((3, 20, 20), "f4"))
    with pytest.raises(InvalidInputError, match="images of two axes; choose a plane"):
        FITSCutout(path, "150 2.2", 5).get_image_cutouts()


@pytest.mark.parametrize(
    ("image", "levels"),
    [
        (np.array([-32768, 0, 32767], "i2"), [0, 127, 255]),
        (np.array([0, 2**63, 2**64 - 1], "u8"), [0, 127, 255]),
        (np.array([-(2**63), 0, 2**63 - 1], "i8"), [0, 127, 255]),
        (np.array([0, 128, 255], "u1"), [0, 128, 255]),
        (np.array([-1.7e308, 0, 1.7e308]), [0, 127, 255]),
        (np.array([-3e38, 0, 3e38], "f4"), [0, 127, 255]),
        (np.array([True, False]), [255, 0]),
        (np.ma.array([1, 2, 900], mask=[False, False, True]), [0, 255, 0]),
        (np.ma.array([1.0, 2.0], mask=True), [0, 0]),
        ([[1, 2], [3, 4]], [[0, 85], [170, 255]]),
        (np.array([-np.inf, 1, 2, np.inf]), [0, 0, 255, 255]),
        (np.full(3, np.nan), [0, 0, 0]),
        (np.full(3, 7, "i2"), [0, 0, 0]),
    ],
)
def test_every_type_has_its_whole_range(image: Any, levels: list[Any]) -> None:
    np.testing.assert_array_equal(normalize_img(image, "linear"), levels)
    known = np.isfinite(np.ma.filled(np.ma.asarray(image).astype(float), np.nan))
    inverted = normalize_img(image, "linear", invert=True)
    np.testing.assert_array_equal(inverted[known], 255 - np.array(levels)[known])


@pytest.mark.parametrize("image", [np.array([1j]), "x", None, [[1, 2], [3]], np.array(["a"]), np.array([None])])
def test_what_is_no_image_is_told(image: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"img_arr is .*allowed: an image of real numbers or bool"):
        normalize_img(image)


@settings(max_examples=100)
@given(
    arrays(np.float32, (7, 5), elements=st.floats(-1e6, 1e6, width=32) | st.just(np.nan)),
    st.sampled_from(["asinh", "sinh", "sqrt", "log", "linear", "ASINH"]),
    st.booleans(),
)
def test_levels_rise_with_values(data: np.ndarray, stretch: str, invert: bool) -> None:
    levels = normalize_img(data, stretch, [1, 99], invert=invert)
    assert levels.dtype == np.uint8
    assert levels.shape == data.shape
    known = np.isfinite(data)
    assert (levels[~known] == (255 if invert else 0)).all()
    steps = np.diff(levels[known][np.argsort(data[known], kind="stable")].astype(int))
    assert (steps <= 0).all() if invert else (steps >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"stretch": "cubic"}, "stretch"),
        ({"stretch": None}, "stretch"),
        ({"minmax_percent": [99, 1]}, "minmax_percent"),
        ({"minmax_percent": [0, 101]}, "minmax_percent"),
        ({"minmax_percent": 5}, "minmax_percent"),
        ({"minmax_percent": "05"}, "minmax_percent"),
        ({"minmax_value": [1, np.nan]}, "minmax_value"),
        ({"minmax_value": ["a", 2]}, "minmax_value"),
    ],
)
def test_impossible_arguments_are_told(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{argument} is .*allowed"):
        normalize_img(np.ones((3, 3)), **arguments)
