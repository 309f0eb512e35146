"""TESSCut over HTTP, from frames in a bucket through the state machine: exact values everywhere."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import requests
from astropy.io import fits
from astropy.wcs import WCS

from tests.api.conftest import N_NOISE, N_SMALL, NOISE, SMALL, SMALL_SHAPE, Service, sky
from tests.support.frames import tiny_error, tiny_flux, tiny_times
from tests.support.paths import TPF_6X6

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("api-stack")]
REAL_TARGET = {"ra": 84.29119, "dec": -80.46917, "x": 6, "y": 6}


def get_tpf(service: Service, **query: str | float) -> tuple[str, fits.HDUList]:
    answer = requests.get(f"{service.url}/astrocut", params=query, timeout=30)
    assert answer.headers["Content-Type"] == "application/zip", answer.text
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    (name,) = archive.namelist()
    return name, fits.open(io.BytesIO(archive.read(name)))


@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
def test_a_real_file_comes_back(service: Service) -> None:
    name, ours = get_tpf(service, **REAL_TARGET)
    with fits.open(TPF_6X6) as real:
        assert name == TPF_6X6.name
        for column in real["PIXELS"].columns.names:
            theirs, mine = real["PIXELS"].data[column], ours["PIXELS"].data[column]
            if column == "FFI_FILE":
                assert [text[: len(full)] for text, full in zip(mine, theirs, strict=True)] == list(theirs)
            else:
                np.testing.assert_array_equal(mine, theirs, err_msg=column)
        for card in ("1CRV4P", "2CRV4P", "1CRV5P", "2CRV8P"):
            assert ours["PIXELS"].header[card] == real["PIXELS"].header[card]
        np.testing.assert_array_equal(ours["APERTURE"].data, real["APERTURE"].data)
        for column, row in ((0, 0), (5, 5), (0, 5)):
            mine = WCS(ours["APERTURE"].header).pixel_to_world(column, row)
            theirs = WCS(real["APERTURE"].header).pixel_to_world(column, row)
            assert mine.separation(theirs).arcsec < 3


PLACES = {"centre": (30.2, 25.1), "corner": (0.2, 0.1), "upper edge": (59.1, 20.2), "right edge": (20.2, 49.1)}


@pytest.mark.parametrize(("row", "column"), PLACES.values(), ids=PLACES.keys())
def test_every_cadence_of_a_cutout_is_the_frames(service: Service, row: float, column: float) -> None:
    ra, dec = sky(SMALL, SMALL_SHAPE, row, column)
    _, hdus = get_tpf(service, ra=ra, dec=dec, y=7, x=6)
    header, table = hdus["PIXELS"].header, hdus["PIXELS"].data
    first_column, first_row = header["1CRV4P"] - 1, header["2CRV4P"] - 1
    pad = 10
    assert len(table) == N_SMALL
    for cadence in range(N_SMALL):
        for name, pixels in (("FLUX", tiny_flux(cadence, SMALL_SHAPE)), ("FLUX_ERR", tiny_error(cadence, SMALL_SHAPE))):
            wide = np.pad(pixels, pad, constant_values=np.nan)
            window = wide[first_row + pad : first_row + pad + 7, first_column + pad : first_column + pad + 6]
            np.testing.assert_array_equal(table[name][cadence], window)
        assert table["TIME"][cadence] == sum(tiny_times(cadence)) / 2
        assert table["FFI_FILE"][cadence].startswith("tess2018")


def test_sector_answers_as_mast_does(service: Service) -> None:
    answer = requests.post(f"{service.url}/sector", data={"ra": 84.29119, "dec": -80.46917, "radius": 0.1}, timeout=30)
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    row = {"sectorName": "tess-s0001-4-2", "sector": "0001", "camera": "4", "ccd": "2"}
    assert answer.json() == {"results": [row]}


def test_off_the_ccd_is_200_with_a_message(service: Service) -> None:
    answer = requests.get(f"{service.url}/astrocut", params={"ra": 10, "dec": 60, "x": 5, "y": 5}, timeout=30)
    assert answer.status_code == 200
    assert answer.json()["msg"].startswith("No FFIs found")


def test_a_large_answer_is_a_303_to_a_link_that_works_and_cannot_be_forged(service: Service) -> None:
    ra, dec = sky(NOISE, (120, 120), 60, 60)
    query = {"ra": ra, "dec": dec, "x": 100, "y": 100}
    hop = requests.post(f"{service.url}/astrocut", data=query, timeout=30, allow_redirects=False)
    assert hop.status_code == 303
    answer = requests.post(f"{service.url}/astrocut", data=query, timeout=30)
    assert len(answer.content) > 4_000_000
    (member,) = zipfile.ZipFile(io.BytesIO(answer.content)).infolist()
    assert member.filename.endswith("_100x100_astrocut.fits")
    assert member.file_size > 100 * 100 * N_NOISE * 20
    assert requests.get(hop.headers["Location"].replace("Signature=", "Signature=0"), timeout=30).status_code == 403


@pytest.mark.parametrize(("query", "message"), [({"ra": "x"}, "ra is 'x'"), ({"ra": 1, "dec": 100}, "dec is '100'")])
def test_bad_requests_are_explained(service: Service, query: dict[str, str | float], message: str) -> None:
    answer = requests.get(f"{service.url}/sector", params=query, timeout=30)
    assert answer.status_code == 400
    assert message in answer.json()["msg"]


def test_curl_saves_a_zip(service: Service, tmp_path: Path) -> None:
    url = f"{service.url}/astrocut?ra=84.29119&dec=-80.46917&x=6&y=6"
    subprocess.run(["curl", "-sSfL", "-O", "-J", url], cwd=tmp_path, check=True, timeout=30)
    (path,) = tmp_path.iterdir()
    assert zipfile.ZipFile(path).namelist() == [TPF_6X6.name]
