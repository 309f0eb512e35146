"""The frames of the demonstration sector are real in form and honest about their content."""

from __future__ import annotations

import io
import multiprocessing
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from tessera_local.demo import demonstration, sky
from tessera_local.stars import demonstration_stars
from tests.demo.conftest import Series, stamp
from tests.support.checks import checksums_hold, fitsverify_complaints
from tests.support.frames import DATA_OFFSET_LONGER, DATA_OFFSET_NORMAL, DATA_OFFSET_WITHOUT_WCS
from tests.support.paths import TPF_5X5_ZIP
from tests.support.wcs import ffi_wcs_header

pytestmark = pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")  # MJD-OBS is derived
ORDINARY = 3


@pytest.fixture(scope="module")
def ordinary() -> bytes:
    return demonstration.frame(ORDINARY)[1]


def digest(index: int) -> str:
    return sha256(demonstration.frame(index)[1]).hexdigest()


@pytest.mark.parametrize("index", [0, ORDINARY, 7])
def test_frames_are_valid_fits(index: int) -> None:
    content = demonstration.frame(index)[1]
    assert checksums_hold(content)
    with fits.open(io.BytesIO(content)) as hdus:
        hdus.verify("exception")
        assert [hdu.shape for hdu in hdus] == [(), sky.FRAME_SHAPE, sky.FRAME_SHAPE]


def test_fitsverify_has_nothing_to_say(ordinary: bytes, tmp_path: Path) -> None:
    (tmp_path / "frame.fits").write_bytes(ordinary)
    assert fitsverify_complaints(tmp_path / "frame.fits") == []


def test_frames_say_that_they_are_simulated(ordinary: bytes) -> None:
    with fits.open(io.BytesIO(ordinary)) as hdus:
        assert [hdu.header["SIMDATA"] for hdu in hdus] == [True, True, True]
        assert hdus[0].header["ORIGIN"] == "Tessera"
        assert "SIMULATED" in hdus[0].header["OBJECT"]
        assert "not a TESS observation" in str(hdus[0].header["COMMENT"])


def test_header_sizes_differ_as_in_real_sectors(ordinary: bytes) -> None:
    expected = {
        demonstration.FRAME_WITHOUT_WCS: DATA_OFFSET_WITHOUT_WCS,
        demonstration.FRAME_WITH_LONGER_HEADER: DATA_OFFSET_LONGER,
    }
    for index, offset in expected.items():
        with fits.open(io.BytesIO(demonstration.frame(index)[1])) as hdus:
            assert hdus.fileinfo(1)["datLoc"] == offset
    with fits.open(io.BytesIO(ordinary)) as hdus:
        assert hdus.fileinfo(1)["datLoc"] == DATA_OFFSET_NORMAL


def test_a_frame_is_the_same_in_another_process(ordinary: bytes) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(digest, (ORDINARY,)) == sha256(ordinary).hexdigest()


def test_an_unknown_frame_is_refused() -> None:
    with pytest.raises(IndexError, match="frames 0 to 31"):
        demonstration.frame(demonstration.N_FRAMES)


def test_times_and_quality_come_in_order(series: Series) -> None:
    assert len(series.time) == demonstration.N_FRAMES
    assert np.allclose(np.diff(series.time), demonstration.EXPOSURE_DAYS, atol=1e-6)
    assert {index: int(bits) for index, bits in enumerate(series.quality) if bits} == demonstration.DQUALITY


def test_the_frames_fall_into_the_pause_of_the_real_sector(series: Series) -> None:
    with zipfile.ZipFile(TPF_5X5_ZIP) as archive, fits.open(io.BytesIO(archive.read(archive.namelist()[0]))) as hdus:
        real = hdus[1].data["TIME"]
    within = (real > series.time[0] - 0.05) & (real < series.time[-1] + 0.05)
    assert not within.any()


def test_the_wcs_is_the_real_one_of_this_ccd(ordinary: bytes) -> None:
    with fits.open(io.BytesIO(ordinary)) as hdus:
        real = ffi_wcs_header(demonstration.SECTOR, demonstration.CAMERA, demonstration.CCD)
        assert {card.keyword: hdus[1].header[card.keyword] for card in real.cards} == dict(real)


def centroid(image: np.ndarray, row: int, column: int) -> tuple[float, float]:
    light = stamp(image, row, column)
    light = np.clip(light - np.median(light), 0, None)
    rows, columns = np.indices(light.shape)
    total = light.sum()
    return row - 5 + float((rows * light).sum() / total), column - 5 + float((columns * light).sum() / total)


def test_stars_are_where_the_wcs_puts_them(ordinary: bytes) -> None:
    with fits.open(io.BytesIO(ordinary)) as hdus:
        image, wcs = hdus[1].data, WCS(hdus[1].header)
    for star in demonstration.EXAMPLES:
        column, row = (float(value) for value in wcs.all_world2pix(star.ra, star.dec, 0))
        assert (round(row), round(column)) == (star.row, star.column)
        found_row, found_column = centroid(image, star.row, star.column)
        assert np.hypot(found_row - row, found_column - column) < 0.2


def test_columns_and_rows_without_sky_hold_only_read_noise(ordinary: bytes) -> None:
    with fits.open(io.BytesIO(ordinary)) as hdus:
        flux, error = hdus[1].data, hdus[2].data
    for dark in (np.s_[:, :44], np.s_[:, 2092:], np.s_[2048:, :]):
        assert abs(float(flux[dark].mean())) < 0.01
        assert float((flux[dark] / error[dark]).std()) == pytest.approx(1, abs=0.02)
    assert float(np.median(flux[:2048, 44:2092])) > 50


def test_the_error_plane_is_the_scatter_of_the_flux(series: Series) -> None:
    corner = series.flux[1:15, 2, 0, 0]
    assert float(np.std(np.diff(corner))) / np.sqrt(2) == pytest.approx(
        float(series.error[1:15, 2, 0, 0].mean()), rel=0.5
    )


def test_the_catalogue_has_the_light_of_the_frames(ordinary: bytes) -> None:
    """Around stars that are alone, the light above the background is that of their magnitudes."""
    records = demonstration_stars().records
    with fits.open(io.BytesIO(ordinary)) as hdus:
        flux, wcs = hdus[1].data, WCS(hdus[1].header)
    columns, rows = wcs.all_world2pix(records["ra"], records["dec"], 0)
    bright = [number for number in np.argsort(records["magnitude"])[:60] if number >= len(demonstration.EXAMPLES)]
    n_alone = 0
    for number in bright:
        row, column = round(float(rows[number])), round(float(columns[number]))
        near = np.hypot(rows - rows[number], columns - columns[number]) < 14
        if near.sum() > 1 or not (20 < row < 2020 and 64 < column < 2070):
            continue
        n_alone += 1
        around = flux[row - 8 : row + 9, column - 8 : column + 9].astype(float)
        inner = around[3:-3, 3:-3]
        sky_level = np.median(np.concatenate([around[:2].ravel(), around[-2:].ravel()]))
        light = inner.sum() - sky_level * inner.size
        assert light == pytest.approx(10 ** (-0.4 * (records["magnitude"][number] - 20.44)), rel=0.02)
    assert n_alone > 20


def test_the_catalogue_has_the_examples_and_every_star_once() -> None:
    records = demonstration_stars().records
    assert len(np.unique(records["id"])) == len(records) > 3900
    for example, star in zip(demonstration.EXAMPLES, records, strict=False):
        assert (star["ra"], star["dec"]) == (example.ra, example.dec)
