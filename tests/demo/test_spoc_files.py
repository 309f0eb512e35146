"""The builders of test frames: the form of real files, and pixels that a test can predict."""

from __future__ import annotations

import io
import shlex

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from tests.support.checks import checksums_hold
from tests.support.frames import (
    DATA_OFFSET_LONGER,
    DATA_OFFSET_NORMAL,
    DATA_OFFSET_WITHOUT_WCS,
    frames_around_tpf,
    tiny_error,
    tiny_flux,
    tiny_sector,
    tiny_times,
)
from tests.support.paths import DATA, TPF_1X1, TPF_6X6
from tests.support.wcs import ffi_wcs_header

pytestmark = pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")  # MJD-OBS is derived
SHAPE = (40, 30)
HOLDS_THE_WINDOW = (264, 1640)


def opened(content: bytes) -> fits.HDUList:
    return fits.open(io.BytesIO(content))


def recorded_header() -> dict[str, str]:
    lines = (DATA / "ffi.guide").read_text(encoding="utf-8").splitlines()
    keywords = shlex.split(lines[0])
    return next(
        entry
        for entry in (dict(zip(keywords, shlex.split(line), strict=True)) for line in lines[1:])
        if "s0001-4-2" in entry["FFINAME"]
    )


def test_science_cards_are_those_of_a_real_frame_in_their_order() -> None:
    real = [keyword for keyword in recorded_header() if keyword not in {"FFINAME", "SECTOR", "TMOFST"}]
    built = list(opened(tiny_sector(1)[0][1])[1].header)
    assert [keyword for keyword in built if keyword != "TMOFST42"] == real


def test_constant_cards_have_the_real_values() -> None:
    real, built = recorded_header(), opened(tiny_sector(1)[0][1])[1].header
    for keyword in ("DEADC", "NUM_FRM", "GAINA", "READNOID", "SCCSA", "VROWE", "RA_NOM", "FXDOFF"):
        assert float(real[keyword]) == built[keyword]


def test_every_pixel_of_a_tiny_sector_is_known() -> None:
    for cadence, (_, content) in enumerate(tiny_sector(5, SHAPE)):
        hdus = opened(content)
        assert np.array_equal(hdus[1].data, tiny_flux(cadence, SHAPE))
        assert np.array_equal(hdus[2].data, tiny_error(cadence, SHAPE))
        assert (hdus[1].header["TSTART"], hdus[1].header["TSTOP"]) == tiny_times(cadence)
        assert hdus[1].data[3, 7] == 1 + 7 + 30 * (3 + 40 * cadence)


def test_a_tiny_sector_has_the_irregularities_asked_for() -> None:
    frames = tiny_sector(4, without_wcs=[0], longer_header=[2], dquality={3: 4})
    headers = [opened(content) for _, content in frames]
    offsets = [hdus.fileinfo(1)["datLoc"] for hdus in headers]
    assert offsets == [DATA_OFFSET_WITHOUT_WCS, DATA_OFFSET_NORMAL, DATA_OFFSET_LONGER, DATA_OFFSET_NORMAL]
    assert ["CTYPE1" in hdus[1].header for hdus in headers] == [False, True, True, True]
    assert [hdus[1].header["DQUALITY"] for hdus in headers] == [0, 0, 0, 4]
    assert [hdus[0].header["FFIINDEX"] for hdus in headers] == [4697, 4698, 4699, 4700]


def test_a_shuffled_sector_has_the_same_frames() -> None:
    ordered, shuffled = tiny_sector(6), tiny_sector(6, shuffled=True, seed=1)
    assert shuffled != ordered
    assert sorted(shuffled) == ordered


def test_a_longer_header_keeps_the_positions() -> None:
    plain, longer = (WCS(opened(tiny_sector(1, longer_header=cadences)[0][1])[1].header) for cadences in ([], [0]))
    assert np.allclose(plain.all_pix2world(3, 4, 0), longer.all_pix2world(3, 4, 0), rtol=1e-13)


def test_tiny_frames_are_valid_fits_with_checksums() -> None:
    content = tiny_sector(1)[0][1]
    opened(content).verify("exception")
    assert checksums_hold(content)
    spoilt = bytearray(content)
    spoilt[-2880] ^= 1
    assert not checksums_hold(bytes(spoilt))


def test_frames_around_a_tpf_give_its_series_back_exactly() -> None:
    with fits.open(TPF_6X6) as hdus:
        table, row, column = hdus[1].data, hdus[1].header["2CRV4P"] - 1, hdus[1].header["1CRV4P"] - 1
        window = np.s_[row : row + 6, column : column + 6]
        for entry, (name, content) in zip(table, frames_around_tpf(TPF_6X6, shape=HOLDS_THE_WINDOW), strict=False):
            frame = opened(content)
            header = frame[1].header
            assert name.startswith(entry["FFI_FILE"])
            assert (header["TSTART"] + header["TSTOP"]) / 2 == entry["TIME"]
            assert np.float32(header["BARYCORR"]) == entry["TIMECORR"]
            assert header["DQUALITY"] == entry["QUALITY"]
            assert np.array_equal(frame[1].data[window], entry["FLUX"])
            assert np.array_equal(frame[2].data[window], entry["FLUX_ERR"])


def test_all_cadences_of_a_tpf_get_their_real_file_names() -> None:
    with fits.open(TPF_6X6) as hdus:
        recorded = list(hdus[1].data["FFI_FILE"])
    built = frames_around_tpf(TPF_6X6, n_frames=None, shape=HOLDS_THE_WINDOW)
    assert [name[:38] for name, _ in built] == recorded


@pytest.mark.parametrize(("path", "sector", "camera", "ccd"), [(TPF_6X6, 1, 4, 2), (TPF_1X1, 12, 2, 1)])
def test_the_real_wcs_predicts_the_window_of_a_real_tpf(path: str, sector: int, camera: int, ccd: int) -> None:
    with fits.open(path) as hdus:
        target, table, (rows, columns) = hdus[0].header, hdus[1].header, hdus[2].data.shape
    wcs = WCS(ffi_wcs_header(sector, camera, ccd))
    column, row = (float(value) for value in wcs.all_world2pix(target["RA_OBJ"], target["DEC_OBJ"], 0))
    assert round(column - columns / 2) + 1 == table["1CRV4P"]
    assert round(row - rows / 2) + 1 == table["2CRV4P"]
