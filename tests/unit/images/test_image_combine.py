"""Combining cutouts: weights of each extension, grids, headers, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tessera import CutoutsCombiner, DataWarning, FITSCutout, InvalidInputError, build_default_combine_function
from tessera.images.combine import combine_headers, combine_mean
from tests.support.images import DISTORTION_MAP, FITS_IMAGES, coded, plain_image, sky_at, sky_of, tan_header, with_sky

STACKS = arrays(np.float32, (3, 4, 5), elements=st.floats(-1e3, 1e3, width=32) | st.just(np.nan))


def cutout_file(*images: np.ndarray, **wcs: Any) -> fits.HDUList:
    primary = fits.PrimaryHDU()
    primary.header.update({"RA_OBJ": 150.0, "DEC_OBJ": 2.2})
    return fits.HDUList([primary, *(fits.ImageHDU(data, tan_header(*data.shape, **wcs), "CUTOUT") for data in images)])


def combined(combiner: CutoutsCombiner) -> fits.HDUList:
    made = combiner.combine(memory_only=True)
    assert isinstance(made, fits.HDUList)
    return made


@given(STACKS)
def test_the_mean_is_that_of_the_images_with_data(stack: np.ndarray) -> None:
    known = np.isfinite(stack)
    total, n = np.where(known, stack.astype(float), 0).sum(axis=0), known.sum(axis=0)
    truth = np.where(n > 0, total / np.maximum(n, 1), np.nan)
    np.testing.assert_allclose(combine_mean(list(stack)), truth, rtol=1e-12, atol=1e-9)


def test_each_extension_has_its_own_weights() -> None:
    one = cutout_file(np.array([[1.0, 2.0]]), np.array([[np.nan, 4.0]]))
    two = cutout_file(np.array([[3.0, np.nan]]), np.array([[7.0, 8.0]]))
    made = combined(CutoutsCombiner([one, two]))
    np.testing.assert_array_equal(made[1].data, [[2, 2]])
    np.testing.assert_array_equal(made[2].data, [[7, 6]])


def test_a_value_without_data_is_one_that_no_template_has() -> None:
    combine = build_default_combine_function([np.array([[1, -999]]), np.array([[3, -999]])], -999)
    np.testing.assert_array_equal(combine([np.array([[10, 5]]), np.array([[20, 6]])]), [[15, -999]])


@pytest.mark.parametrize("n", [1, 2, 7])
def test_any_number_of_files(n: int, tmp_path: Path) -> None:
    paths: list[Any] = []
    for number in range(n):
        cutout_file(np.full((5, 5), float(number))).writeto(tmp_path / f"{number}.fits")
        paths.append(tmp_path / f"{number}.fits" if number % 2 else str(tmp_path / f"{number}.fits"))
    path = CutoutsCombiner(paths).combine(tmp_path / "out" / "combined.fits")
    with fits.open(path) as made:
        assert (made[1].data == (n - 1) / 2).all()
        assert made[0].header["RA_OBJ"] == 150


def test_a_function_of_the_users_combines() -> None:
    files = [cutout_file(np.full((3, 3), value)) for value in (1.0, 5.0, 9.0)]
    assert (combined(CutoutsCombiner(files, img_combiner=lambda images: np.max(images, axis=0)))[1].data == 9).all()
    combiner = CutoutsCombiner(files)
    combiner.build_img_combiner(lambda power: lambda images: np.sum(np.power(images, power), axis=0), [2])
    assert (combined(combiner)[1].data == 107).all()


@pytest.mark.parametrize(("exts", "value"), [(2, 20.0), ([1, 2], 10.0), ("SECOND", 20.0), ("all", 10.0)])
def test_extensions_are_chosen(exts: Any, value: float) -> None:
    files = []
    for _ in range(2):
        file = cutout_file(np.full((3, 3), 10.0), np.full((3, 3), 20.0))
        file[2].name = "SECOND"
        files.append(file)
    made = combined(CutoutsCombiner(files, exts))
    assert (made[1].data == value).all()


def test_pixels_of_the_primary_hdu_are_combined() -> None:
    files = [fits.HDUList([fits.PrimaryHDU(np.full((3, 3), value), tan_header(3, 3))]) for value in (1.0, 3.0)]
    with pytest.warns(DataWarning, match="Could not find RA/Dec"):
        made = combined(CutoutsCombiner(files))
    assert (made[1].data == 2).all()
    assert "RA_OBJ" not in made[0].header


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (cutout_file(np.ones((6, 5))), r"its shape is \(6, 5\) and that of the first is \(5, 5\)"),
        (cutout_file(np.ones((5, 5)), dec=2.20005), r"it is 0\.50 pixels off"),
        (cutout_file(np.ones((5, 5)), scale=2e-4), "pixels off the grid"),
        (fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((5, 5)))]), "no celestial WCS"),
        (cutout_file(np.ones((5, 5)), np.ones((5, 5))), r"files with \[1, 2\] images"),
    ],
)
def test_images_of_other_grids_are_refused(second: fits.HDUList, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        CutoutsCombiner([cutout_file(np.ones((5, 5))), second])


@pytest.mark.parametrize("bad", ["file.fits", [], [3], None, 5])
def test_what_is_no_list_of_files_is_told(bad: Any) -> None:
    with pytest.raises(InvalidInputError, match="fits_list is"):
        CutoutsCombiner().load(bad)


@pytest.mark.parametrize("method", [True, "exact"])
@pytest.mark.slow
def test_images_are_reprojected_on_request(method: Any, tmp_path: Path) -> None:
    pytest.importorskip("reproject")
    rows, columns = np.mgrid[:40, :40].astype(float)
    first = plain_image(tmp_path / "a.fits", columns + 2 * rows)
    second = plain_image(tmp_path / "b.fits", columns + 2 * rows, dec=2.2 + 0.5e-4)
    sky = sky_at(first, 20, 20)
    cutouts = [FITSCutout(path, sky, 11, limit_rounding_method="ceil").fits_cutouts[0] for path in (first, second)]
    made = combined(CutoutsCombiner(cutouts, reproject=method))
    truth = cutouts[0][1].data
    inner = (slice(2, -2), slice(2, -2))
    np.testing.assert_allclose((2 * made[1].data - truth)[inner], (truth - 1)[inner], atol=0.02)
    np.testing.assert_allclose(
        WCS(made[1].header).all_pix2world([[3, 4]], 0), WCS(cutouts[0][1].header).all_pix2world([[3, 4]], 0)
    )


@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")  # of the test's own reading
@pytest.mark.slow
def test_real_images_of_one_grid() -> None:
    files = [FITS_IMAGES / f"reprojected_sdss_{band}.fits.bz2" for band in "gri"]
    sky = sky_of_first(files[0])
    cutouts = [FITSCutout(path, sky, 40).fits_cutouts[0] for path in files]
    made = combined(CutoutsCombiner(cutouts))
    np.testing.assert_allclose(
        made[1].data, np.nanmean([file[1].data.astype(float) for file in cutouts], axis=0), rtol=1e-12
    )
    np.testing.assert_array_equal(
        WCS(made[1].header).wcs_pix2world([[0, 0]], 0), WCS(cutouts[0][1].header).wcs_pix2world([[0, 0]], 0)
    )


def sky_of_first(path: Path) -> Any:
    with fits.open(path) as hdus:
        return sky_of(hdus, 0, 300, 200)


def test_lookup_tables_come_along(tmp_path: Path) -> None:
    path = with_sky(DISTORTION_MAP, tmp_path / "map.fits")
    cutouts = [FITSCutout(path, sky_at(path, 40, 50), 11).fits_cutouts[0] for _ in range(2)]
    made = combined(CutoutsCombiner(cutouts))
    assert len(made) == 4
    np.testing.assert_array_equal(
        WCS(made[1].header, made).all_pix2world([[3, 4]], 0),
        WCS(cutouts[0][1].header, cutouts[0]).all_pix2world([[3, 4]], 0),
    )


def test_cards_that_vary_are_kept_apart_and_lines_once() -> None:
    headers = [fits.Header({"SAME": 1, "EXPTIME": 10.0 * n, "CRVAL1": 1.0 + 1e-13 * n}) for n in (1, 2, 3)]
    headers[1]["ONLY"] = ("two", "in one alone")
    for header in headers:
        header.add_history("calibrated")
    combined = combine_headers(headers)
    assert (combined["SAME"], combined["CRVAL1"]) == (1, 1.0 + 1e-13)
    assert [combined[f"F{n:02}_V01"] for n in (1, 2, 3)] == [10.0, 20.0, 30.0]
    assert combined["F01_K01"] == "EXPTIME"
    assert (combined["F02_K02"], combined["F02_V02"], combined["F02_C02"]) == ("ONLY", "two", "in one alone")
    assert "F01_K02" not in combined
    assert list(combined["HISTORY"]) == ["calibrated"]
    assert set(combine_headers(headers, constant_only=True)) == {"SAME", "CRVAL1", "HISTORY"}


def test_nothing_is_changed_in_what_is_combined() -> None:
    files = [cutout_file(coded((5, 5)) * n) for n in (1, 2)]
    before = [file[1].data.copy() for file in files]
    CutoutsCombiner(files).combine(memory_only=True)
    for file, data in zip(files, before, strict=True):
        np.testing.assert_array_equal(file[1].data, data)
