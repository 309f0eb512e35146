"""Roman's images: every pixel of a cutout has the value and exactly the place on the sky that it has in the image."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asdf
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from tessera import ASDFCutout, DataWarning
from tessera.roman.products import asdf_object
from tessera.roman.wcs import ImageWcs, get_center_pixel, moved_wcs, slice_gwcs, to_sky
from tests.support.images import ROMAN

pytestmark = [
    pytest.mark.filterwarnings("ignore::asdf.exceptions.AsdfPackageVersionWarning"),
    pytest.mark.filterwarnings("ignore::asdf.exceptions.AsdfConversionWarning"),
]
FILES = ["roman_like_008m46x76y60_f146_coadd_window.asdf", "roman_like_wfi07_l2_window.asdf"]
PLACES = {"middle": (160.0, 150.0), "between": (100.5, 99.5), "lower left": (1.0, 2.2), "right": (318.9, 100.0)}
SIZES = [(1, 1), (20, 13), (41, 60)]


@pytest.fixture(params=FILES)
def source(request: pytest.FixtureRequest) -> Iterator[tuple[Path, Any]]:
    path = ROMAN / request.param
    with asdf.open(path) as opened:
        yield path, opened


def position(wcs: Any, place: str) -> SkyCoord:
    return SkyCoord(*to_sky(wcs, *PLACES[place]), unit="deg")


def first_pixel(data: np.ndarray, n_columns: int) -> tuple[int, int]:
    """Column and row of the image that a cutout begins with: its pixels are 10,000 x row + column."""
    row, column = np.argwhere(np.isfinite(data))[0]
    code = int(data[row, column])
    assert code % 10_000 < n_columns
    return code % 10_000 - int(column), code // 10_000 - int(row)


@pytest.mark.parametrize("lite", [True, False])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("place", PLACES)
def test_each_pixel_is_the_images(
    source: tuple[Path, Any], place: str, size: tuple[int, int], lite: bool, tmp_path: Path
) -> None:
    path, opened = source
    image, wcs = np.array(opened["roman"]["data"]), opened["roman"]["meta"]["wcs"]
    made = ASDFCutout(path, position(wcs, place), size, lite=lite)
    (written,) = made.write_as_asdf(tmp_path)
    with asdf.open(written) as cut:
        data, own = np.array(cut["roman"]["data"]), cut["roman"]["meta"]["wcs"]
        assert data.shape == size[::-1]
        column, row = first_pixel(data, image.shape[1])
        rows, columns = np.mgrid[: data.shape[0], : data.shape[1]]
        inside = (rows + row >= 0) & (rows + row < image.shape[0])
        inside &= (columns + column >= 0) & (columns + column < image.shape[1])
        np.testing.assert_array_equal(np.isfinite(data), inside)
        np.testing.assert_array_equal(data[inside], image[rows[inside] + row, columns[inside] + column])
        np.testing.assert_array_equal(to_sky(own, columns, rows), to_sky(wcs, columns + column, rows + row))
        assert own.pixel_shape == size
        target = PLACES[place]
        assert abs(target[0] - column - (size[0] - 1) / 2) <= 0.5
        assert abs(target[1] - row - (size[1] - 1) / 2) <= 0.5


@pytest.mark.parametrize("place", ["middle", "lower left"])
def test_a_full_cutout_keeps_the_whole_tree(source: tuple[Path, Any], place: str, tmp_path: Path) -> None:
    path, opened = source
    roman = opened["roman"]
    made = ASDFCutout(path, position(roman["meta"]["wcs"], place), (21, 11), lite=False)
    (written,) = made.write_as_asdf(tmp_path)
    with asdf.open(written) as cut:
        assert set(cut["roman"]) == set(roman)
        assert type(cut["roman"]) is type(roman)
        assert getattr(cut["roman"], "_tag", "") == getattr(roman, "_tag", "")
        assert set(cut["roman"]["meta"]) == set(roman["meta"]) | {"orig_file", "coordinate"}
        column, row = first_pixel(np.array(cut["roman"]["data"]), roman["data"].shape[1])
        top, left = max(0, -row), max(0, -column)
        for name, array in roman.items():
            if not hasattr(array, "dtype"):
                continue
            mine = np.array(cut["roman"][name])
            assert mine.dtype == array.dtype
            if array.shape[-2:] != roman["data"].shape:
                np.testing.assert_array_equal(mine, array)
                continue
            assert mine.shape == (*array.shape[:-2], 11, 21)
            truth = np.array(array)[..., row + top : row + 11, column + left : column + 21]
            np.testing.assert_array_equal(mine[..., top:, left:], truth)
            if mine.dtype.kind in "iu":
                assert (mine[..., :top, :] == 0).all()


def test_wcsinfo_is_the_cutouts(source: tuple[Path, Any]) -> None:
    path, opened = source
    meta = opened["roman"]["meta"]
    made = ASDFCutout(path, position(meta["wcs"], "middle"), (21, 11), lite=False)
    cut = made.asdf_cutouts["cutout"][0]["roman"]["meta"]
    corners = np.array(cut["wcsinfo"]["s_region"].split()[2:], float).reshape(4, 2)
    np.testing.assert_allclose(corners, np.asarray(cut["wcs"].footprint()), atol=1e-9)
    if "image_shape" in meta["wcsinfo"]:
        assert cut["wcsinfo"]["image_shape"] == [11, 21]
        assert cut["wcsinfo"]["pixel_scale"] * 3600 == pytest.approx(0.055, rel=1e-3)
    changed = {"s_region", "x_ref", "y_ref", "image_shape", "ra", "dec", "pixel_scale", "orientation"}
    same = set(meta["wcsinfo"]) - changed
    assert {name: cut["wcsinfo"][name] for name in same} == {name: meta["wcsinfo"][name] for name in same}


def _plain(node: Any) -> Any:
    if hasattr(node, "dtype") and hasattr(node, "shape"):
        return (str(node.dtype), np.array(node).tobytes())
    if hasattr(node, "items"):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)) or type(node).__name__ in ("TaggedList", "AsdfListNode"):
        return [_plain(value) for value in node]
    if hasattr(node, "forward_transform"):
        rows, columns = np.mgrid[:7, :9]
        box = [tuple(map(float, side)) for side in node.bounding_box.bounding_box("F")]
        return [np.array(to_sky(node, columns, rows)).tobytes(), node.pixel_shape, box, node.available_frames]
    return str(node)


@pytest.mark.parametrize("lite", [True, False])
def test_files_of_many_cutouts_are_those_that_asdf_writes(source: tuple[Path, Any], lite: bool, tmp_path: Path) -> None:
    path, opened = source
    wcs = opened["roman"]["meta"]["wcs"]
    targets = [position(wcs, place) for place in PLACES]
    made = ASDFCutout(path, targets, (12, 17), lite=lite)
    written = made.write_as_asdf(tmp_path)
    assert len(written) == len(targets)
    for part, name in zip(made.parts, written, strict=True):
        asdf_object(part).write_to(tmp_path / "truth.asdf")
        with asdf.open(name, validate_checksums=True) as mine, asdf.open(tmp_path / "truth.asdf") as truth:
            assert _plain(mine["roman"]) == _plain(truth["roman"])
            texts = [[entry["description"] for entry in file["history"]["entries"]] for file in (mine, truth)]
            assert texts[0] == texts[1]
            assert mine["history"]["extensions"] == truth["history"]["extensions"]


def test_the_fits_form_is_near_and_has_the_tree(source: tuple[Path, Any], tmp_path: Path) -> None:
    path, opened = source
    wcs = opened["roman"]["meta"]["wcs"]
    for place in PLACES:
        (written,) = ASDFCutout(path, position(wcs, place), (41, 60)).write_as_fits(tmp_path)
        with fits.open(written) as hdus:
            rows, columns = np.mgrid[:60, :41]
            column, row = first_pixel(hdus["CUTOUT"].data, opened["roman"]["data"].shape[1])
            lon, lat = WCS(hdus["CUTOUT"].header).all_pix2world(columns, rows, 0)
            truth = SkyCoord(*to_sky(wcs, columns + column, rows + row), unit="deg")
            assert SkyCoord(lon, lat, unit="deg").separation(truth).arcsec.max() < 1e-4 * 0.11
            with _tree(hdus) as tree:
                own = tree["roman"]["meta"]["wcs"]
                np.testing.assert_array_equal(to_sky(own, columns, rows), to_sky(wcs, columns + column, rows + row))


@pytest.mark.filterwarnings("error::astropy.utils.exceptions.AstropyUserWarning")  # of checksums that are wrong
@pytest.mark.parametrize("embed", [True, False])
def test_fits_files_of_many_cutouts_are_those_that_astropy_writes(
    source: tuple[Path, Any], embed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ASDFCutout, "embed_asdf", embed)
    monkeypatch.chdir(source[0].parent)  # a long path is a card that is too long
    targets = [position(source[1]["roman"]["meta"]["wcs"], place) for place in PLACES]
    made = ASDFCutout(source[0].name, targets, (12, 17))
    names = made.write_as_fits(tmp_path)
    assert len(names) == len(targets)
    for name, (_, _, truth) in zip(names, made.iter_fits_cutouts(), strict=True):
        truth.writeto(tmp_path / "truth.fits", overwrite=True, checksum=True)
        with fits.open(name, checksum=True) as mine, fits.open(tmp_path / "truth.fits") as other:
            assert fits.FITSDiff(
                mine, other, ignore_keywords=["CHECKSUM"], ignore_comments=["DATASUM"], rtol=1e-13
            ).identical
            assert [hdu.header.comments["NAXIS"] for hdu in mine] == [hdu.header.comments["NAXIS"] for hdu in other]


def _tree(hdus: fits.HDUList) -> Any:
    return asdf.open(io.BytesIO(hdus["ASDF"].data["ASDF_METADATA"].tobytes()))


def test_a_wcs_of_the_jwst_is_sliced() -> None:
    with asdf.open(ROMAN / "nircamwcs.asdf") as opened:
        wcs = opened["wcs"]
    rows, columns = np.mgrid[:40, :50]
    for column, row in ((100, 200), (-20, 2030)):
        own = slice_gwcs(wcs, column, row, (40, 50))
        np.testing.assert_array_equal(to_sky(own, columns, rows), to_sky(wcs, columns + column, rows + row))
        again = slice_gwcs(own, 3, 4, (10, 10))
        np.testing.assert_array_equal(to_sky(again, 1.0, 2.0), to_sky(wcs, column + 4.0, row + 6.0))
    lon, lat = (float(angle) for angle in to_sky(wcs, 500.0, 600.0))
    np.testing.assert_allclose(get_center_pixel(wcs, lon, lat), (500, 600), atol=0.02)
    whole = ImageWcs(wcs, (2048, 2048)).fitted
    assert whole is not None
    near = moved_wcs(whole, 100, 200, (40, 50)).all_pix2world(columns, rows, 0)
    truth = np.array(to_sky(wcs, columns + 100, rows + 200))
    assert np.abs(np.array(near) - truth).max() * 3600 < 1e-3 * 0.031


@pytest.mark.parametrize("offset", [0.1, 60.0, 179.0])
def test_far_positions_have_no_cutout(source: tuple[Path, Any], offset: float) -> None:
    path, opened = source
    here = position(opened["roman"]["meta"]["wcs"], "middle")
    far = here.directional_offset_by(30 * u.deg, offset * u.deg)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", DataWarning)
        made = ASDFCutout(path, [here, far], 5)
    assert [part.status for part in made.parts] == ["ok", "no overlap"]
    assert len([warning for warning in told if issubclass(warning.category, DataWarning)]) == 1
