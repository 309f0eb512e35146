"""The option `flags` of requests, and the science pixels that positions have."""

from __future__ import annotations

import io
import zipfile

import numpy as np
from astropy.io import fits

from tests.support.api import DEC, RA, Api

CUT = {"ra": RA, "dec": DEC, "size": 5, "sectors": "1"}


def header_and_pixels(content: bytes) -> tuple[fits.Header, np.ndarray]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    with fits.open(io.BytesIO(archive.read(archive.namelist()[0]))) as hdus:
        return hdus[0].header.copy(), np.array(hdus["PIXELS"].data["FLUX"])


def test_files_have_flags_on_request(api: Api) -> None:
    plain, asked = (api.get("/v1/cutouts", **CUT, **more) for more in ({}, {"flags": "true"}))
    (without, flux), (header, same) = header_and_pixels(plain.content), header_and_pixels(asked.content)
    assert "NPIXSCI" not in without
    assert (header["NPIXSCI"], round(header["SATLEVEL"])) == (25, 90_909)
    np.testing.assert_array_equal(same, flux)
    assert api.get("/v1/cutouts", **CUT, flags="false").content == plain.content
    body = {"position": {"ra": RA, "dec": DEC}, "size": 5, "sectors": [1], "flags": True}
    assert api.post("/v1/cutouts", body).content == asked.content
    refused = api.get("/v1/cutouts", **CUT, flags="perhaps")
    assert (refused.status, refused.json()["error"]["parameter"]) == (400, "flags")


def test_tesscut_s_files_have_no_flags(api: Api) -> None:
    at = {"ra": RA, "dec": DEC, "y": 5, "x": 5, "units": "px", "sector": 1}
    plain, asked = (api.get("/tesscut/api/v0.1/astrocut", **at, **more) for more in ({}, {"flags": "true"}))
    assert "NPIXSCI" not in header_and_pixels(plain.content)[0]
    assert asked.status != 200 or asked.content == plain.content
