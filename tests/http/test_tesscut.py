"""TESSCut v0.1: paths, spellings, products, and messages that users get to see."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from tessera.sky.wcs import frame_wcs
from tests.support.api import DEC, RA, SHAPE, Api
from tests.support.frames import centred_wcs, tiny_flux

BASE = "/tesscut/api/v0.1"
JSON = "application/json; charset=UTF-8"


def tpf(content: bytes, name: str) -> fits.HDUList:
    return fits.open(io.BytesIO(zipfile.ZipFile(io.BytesIO(content)).read(name)))


@pytest.mark.parametrize("way", ["get", "form", "json"])
def test_every_path_takes_parameters_in_three_ways(api: Api, way: str) -> None:
    def ask(path: str, **values: Any) -> Any:
        if way == "get":
            return api.get(f"{BASE}/{path}", **values)
        return api.post(f"{BASE}/{path}", **values) if way == "form" else api.post(f"{BASE}/{path}", values)

    rows = ask("sector", ra=RA, dec=DEC).json()["results"]
    assert rows[0] == {"sectorName": "tess-s0001-4-2", "sector": "0001", "camera": "4", "ccd": "2"}
    assert len(ask("astrocut", ra=RA, dec=DEC, y=3, x=7, sector=1).members) == 1
    assert ask("ffi_wcs", sector=1, camera=4, ccd=2).json()["wcs"]
    assert "Eleonora" in ask("moving_target/sector", obj_id="Eleonora").json()["msg"]
    assert "Eleonora" in ask("moving_target/astrocut", obj_id="Eleonora", y=3, x=3, sector=1).json()["msg"]


@pytest.mark.parametrize(
    ("spelling", "sectors"),
    [
        ("sector=1", [1]),
        ("sector=0001", [1]),
        ("sector=1.0", [1]),
        ("sector=1&sector=2", [1, 2]),
        ("sector=%5B1,%202%5D", [1, 2]),
        ("sector=[1,2]", [1, 2]),
        ("sector=1,2", [1, 2]),
        ("sector=2&sector=77", [2]),
        ("sector=All", [1, 2]),
        ("sector=", [1, 2]),
        ("SECTOR=2", [2]),
        ("", [1, 2]),
        ("units=px&product=SPOC", [1, 2]),
        ("product=spoc", [1, 2]),
    ],
)
def test_sectors_are_taken_as_clients_write_them(api: Api, spelling: str, sectors: list[int]) -> None:
    answer = api.get(f"{BASE}/astrocut?ra={RA}&dec={DEC}&y=3.0&x=7.0&{spelling}")
    assert answer.members == [f"tess-s{n:04d}-4-2_{RA:.6f}_{DEC:.6f}_7x3_astrocut.fits" for n in sectors]


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ("y=3&x=7", "7x3"),
        ("y=1.0&x=1.0&units=px", "1x1"),
        ("y=0.01666&x=0.025&units=d", "4x3"),
        ("y=1&x=1.5&units=m", "4x3"),
        ("y=60&x=90&units=s", "4x3"),
    ],
)
def test_a_size_has_a_unit(api: Api, size: str, shape: str) -> None:
    (name,) = api.get(f"{BASE}/astrocut?ra={RA}&dec={DEC}&{size}&sector=1").members
    assert name.endswith(f"_{shape}_astrocut.fits")


@pytest.mark.parametrize(("radius", "n"), [("", 2), ("0m", 2), ("1m", 2), ("5px", 2), ("30s", 2), ("0.1d", 2)])
def test_a_radius_has_a_suffix(api: Api, radius: str, n: int) -> None:
    assert len(api.get(f"{BASE}/sector?ra={RA}&dec={DEC}&radius={radius}").json()["results"]) == n


def test_tica_has_its_own_rows_and_files(api: Api) -> None:
    header = frame_wcs(dict(centred_wcs(SHAPE, 27, 1, 4)))
    del header
    index = json.loads(next(data for key, data in api.store.objects.items() if key[1].endswith("footprints.json")))
    row = index["obs_id"].index("tica-s0027-1-4")
    corners = np.array(index["s_region"][row].split()[1:9], float).reshape(4, 2)
    ra, dec = corners.mean(axis=0)
    answer = api.get(f"{BASE}/sector", ra=ra, dec=dec, product="TICA").json()["results"]
    assert answer == [{"sectorName": "tica-s0027-1-4", "sector": "0027", "camera": "1", "ccd": "4"}]
    assert api.get(f"{BASE}/sector", ra=ra, dec=dec).json() == {"results": []}
    answer = api.get(f"{BASE}/astrocut", ra=ra, dec=dec, y=5, x=5, product="tica")
    (name,) = answer.members
    assert name.startswith("tica-s0027-1-4_")
    hdus = tpf(answer.content, name)
    header = hdus["PIXELS"].header
    first_column, first_row = header["1CRV4P"] - 1, header["2CRV4P"] - 1
    np.testing.assert_array_equal(
        hdus["PIXELS"].data["FLUX"][1],
        tiny_flux(1, SHAPE)[first_row : first_row + 5, first_column : first_column + 5],
    )


def test_the_wcs_of_the_frames_is_a_header_that_astropy_reads(api: Api) -> None:
    answer = api.post(f"{BASE}/ffi_wcs", sector=1, camera=4, ccd=2)
    assert answer.headers["content-type"] == JSON
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wcs = WCS(answer.json()["wcs"], relax=True)
    truth = frame_wcs(dict(centred_wcs(SHAPE)))
    assert wcs.pixel_shape == (SHAPE[1], SHAPE[0])
    assert list(wcs.wcs.cdelt) == [1, 1]
    pixels = np.array([[0, 0], [14, 20], [29, 39]])
    np.testing.assert_allclose(wcs.all_pix2world(pixels, 0), truth.all_pix2world(pixels, 0), atol=1e-9)


def test_no_such_ccd_is_a_message(api: Api) -> None:
    answer = api.get(f"{BASE}/ffi_wcs", sector=3, camera=4, ccd=2)
    assert (answer.status, answer.headers["content-type"]) == (200, JSON)
    assert "No FFIs found" in answer.json()["msg"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("sector?ra=1", "dec is missing; allowed: a number from -90 to 90"),
        ("sector?ra=1&dec=1&radius=5km", "radius is '5km'"),
        ("astrocut?ra=1&dec=1&y=5", "x is missing; allowed: a number above 0, at most 10,000 pixels or 58 degrees"),
        ("astrocut?ra=1&dec=1&y=5&x=0", "x is '0'; allowed: a number above 0"),
        ("astrocut?ra=1&dec=1&y=-2&x=5", "y is '-2'; allowed: a number above 0"),
        (
            "astrocut?ra=1&dec=1&y=5&x=99999",
            "x is '99999'; allowed: a number above 0, at most 10,000 pixels",
        ),
        ("astrocut?ra=1&dec=1&y=5&x=5&units=km", "units is 'km'"),
        ("astrocut?ra=1&dec=1&y=5&x=5&product=FFI", "product is 'FFI'; allowed: SPOC, TICA"),
        ("ffi_wcs?sector=1&camera=5&ccd=1", "camera is '5'; allowed: a whole number from 1 to 4"),
        ("ffi_wcs?sector=1.5&camera=1&ccd=1", "sector is '1.5'; allowed: a whole number from 1 to 99,999"),
    ],
)
def test_what_is_wrong_is_named(api: Api, target: str, message: str) -> None:
    answer = api.get(f"{BASE}/{target}")
    assert answer.status == 400
    assert message in answer.json()["msg"]


@pytest.mark.parametrize("path", ["sector", "astrocut", "ffi_wcs", "moving_target/sector"])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe", "application/json"),
        (b"{", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"1" * 10_000, "application/json"),
        (b"[1]", "application/json"),
        (b"ra=1", "multipart/form-data"),
        (b"ra=%ff&dec=\xff", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_makes_no_sense_is_400(api: Api, path: str, body: bytes, kind: str) -> None:
    answer = api.request("POST", f"{BASE}/{path}", body=body, content_type=kind)
    assert answer.status in (200, 400) if path.startswith("moving") else answer.status == 400
    assert answer.json()["msg"]


def test_the_answer_never_says_202_or_307(api: Api) -> None:
    answers = [api.get(f"{BASE}/astrocut", ra=RA, dec=DEC, y=n, x=n) for n in (1, 11, 29)]
    assert [answer.status for answer in answers] == [200, 303, 303]


def test_a_large_answer_is_made_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.results.INLINE_LIMIT", 1000)
    first = api.get(f"{BASE}/astrocut", ra=RA, dec=DEC, y=9, x=9)
    stored = dict(api.store.objects)
    api.store.requests.clear()
    second = api.get(f"{BASE}/astrocut", ra=RA, dec=DEC, y=9, x=9)
    assert first.status == second.status == 303
    assert first.location == second.location
    asked = [(operation, key.rpartition(".")[2]) for operation, _, key in api.store.requests]
    assert asked == [("write", "claim"), ("head", "zip"), ("head", "zip")]  # the claim is there, and stays as it is
    assert api.store.objects == stored


def test_a_cube_that_was_replaced_is_busy_and_not_a_mixture(api: Api) -> None:
    key = next(key for key in api.store.objects if key[1].endswith("tess-s0001-4-2-cube.fits"))
    api.store.objects[key] = api.store.objects[key][:-1] + b"x"
    answer = api.get(f"{BASE}/astrocut", ra=RA, dec=DEC, y=3, x=3, sector=1)
    assert (answer.status, answer.headers["retry-after"]) == (503, "3")
