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
from tests.support.images import FITS_IMAGES, coded, sky_of, tan_header

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
        ({"minmax_value": [1, np.nan]}, "minmax_value"),
        ({"minmax_value": ["a", 2]}, "minmax_value"),
    ],
)
def test_impossible_arguments_are_told(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{argument} is .*allowed"):
        normalize_img(np.ones((3, 3)), **arguments)
