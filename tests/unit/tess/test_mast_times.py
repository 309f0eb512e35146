"""Times in the index are MAST's, to the millisecond that its file has."""

from __future__ import annotations

import json

import pytest
from astropy.io import fits
from astropy.time import Time

from tessera.tess.products import SPOC, TICA
from tessera.tess.times import to_mast_mjd, utc_to_btjd
from tests.support.paths import DATA, TPF_6X6
from tests.support.tica import real_header

MILLISECOND = 1e-3 / 86400
MAST = json.loads((DATA / "tess_ffi_footprints.json").read_text(encoding="utf-8"))


def test_the_times_of_a_real_cube_are_those_of_masts_row() -> None:
    header, row = fits.getheader(TPF_6X6), MAST["obs_id"].index("tess-s0001-4-2")
    assert to_mast_mjd(SPOC, header["TSTART"]) == pytest.approx(MAST["t_min"][row], rel=0, abs=MILLISECOND)
    assert to_mast_mjd(SPOC, header["TSTOP"]) == pytest.approx(MAST["t_max"][row], rel=0, abs=MILLISECOND)


def test_times_of_spoc_frames_are_in_utc() -> None:
    header = fits.getheader(TPF_6X6)
    utc = Time(header["TSTART"] + 2457000, format="jd", scale="tdb").utc.mjd
    assert to_mast_mjd(SPOC, header["TSTART"]) == pytest.approx(utc, rel=0, abs=3 * MILLISECOND)
    assert to_mast_mjd(SPOC, header["TSTART"]) == pytest.approx(Time(header["DATE-OBS"]).mjd, rel=0, abs=MILLISECOND)


def test_times_of_tica_frames_are_as_their_headers_have_them() -> None:
    header = real_header()
    assert to_mast_mjd(TICA, header["STARTTJD"]) == pytest.approx(header["MJD-BEG"], rel=0, abs=1e-9)
    assert to_mast_mjd(TICA, header["ENDTJD"]) == pytest.approx(header["MJD-END"], rel=0, abs=1e-9)


@pytest.mark.parametrize("mjd", [58324.8, 59000.123456, 60500.5])
def test_an_mjd_in_utc_is_that_of_astropy_in_tdb(mjd: float) -> None:
    expected = Time(mjd, format="mjd", scale="utc").tdb.mjd - 56999.5
    assert utc_to_btjd(mjd) == pytest.approx(expected, abs=2 * MILLISECOND)
