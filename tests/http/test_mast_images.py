"""Zcut and Hapcut, as MAST's clients speak and hear them; astroquery itself is in tests/api."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from tessera_cloud.application.images.files import hap_name
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import Answered, Api
from tests.support.image_service import CENTRE, IMAGE_SETTINGS, TRIPLE
from tests.support.images import FITS_IMAGES

ZCUT, HAPCUT = "/zcut/api/v0.1", "/hapcut/api/v0.1"


@pytest.fixture
def api(images: MemoryStore) -> Api:
    return Api(MemoryStore(objects=dict(images.objects)), IMAGE_SETTINGS)


def members(answer: Answered) -> dict[str, bytes]:
    assert answer.headers["content-type"] == "application/zip", answer.content
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def size(**more: Any) -> dict[str, Any]:
    return {"x": 5.0, "y": 5.0, "units": "px"} | more


@pytest.mark.parametrize("way", ["get", "form", "json"])
def test_surveys_are_told_as_recorded(api: Api, way: str) -> None:
    place: dict[str, Any] = {**TRIPLE, "radius": 0.0}
    answer = (
        api.get(f"{ZCUT}/survey", **place)
        if way == "get"
        else api.post(f"{ZCUT}/survey", **place)
        if way == "form"
        else api.post(f"{ZCUT}/survey", place)
    )
    assert answer.json() == {"surveys": ["sdss_three"]}


def test_no_survey_is_no_error(api: Api) -> None:
    assert api.get(f"{ZCUT}/survey", ra=10, dec=60, radius=0).json() == {"surveys": []}
    assert api.get(f"{ZCUT}/survey", ra=313.17, dec=-5.95, radius="0.3").json() == {"surveys": ["sdss_three"]}


def test_a_survey_is_one_file_of_all_its_images(api: Api) -> None:
    found = members(api.get(f"{ZCUT}/astrocut", **CENTRE, **size(x=300, y=200), format="fits"))
    (name,) = found
    assert name == "galactic_centre_266.400000_-28.930000_300.0pix-x-200.0pix_astrocut.fits"
    with fits.open(io.BytesIO(found[name])) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "CUTOUT", "CUTOUT"]
        assert hdus[1].data.shape == hdus[2].data.shape == (200, 300)


def test_angles_are_sizes(api: Api) -> None:
    found = members(api.get(f"{ZCUT}/astrocut", **TRIPLE, **size(x=0.01, y=0.02, units="d")))
    (name,) = found
    assert name == "sdss_three_313.170000_-5.700000_0.01deg-x-0.02deg_astrocut.fits"
    with fits.open(io.BytesIO(found[name])) as hdus:
        assert hdus[1].data.shape == (61, 30)


@pytest.mark.parametrize("form", ["jpg", "png"])
def test_pictures_are_one_for_each_image(api: Api, form: str) -> None:
    found = members(
        api.get(f"{ZCUT}/astrocut", **TRIPLE, **size(x=20, y=10), format=form, stretch="asinh", invert="True")
    )
    assert f"reprojected_sdss_g_313.170000_-5.700000_20.0pix-x-10.0pix_astrocut_0.{form}" in found
    assert [Image.open(io.BytesIO(data)).size for data in found.values()] == [(20, 10)] * 3


@pytest.mark.slow
def test_limits_are_spelled_as_python_prints_them(api: Api) -> None:
    def levels(**look: Any) -> bytes:
        query = {**TRIPLE, **size(x=20, y=20), "format": "png"} | look
        return next(iter(members(api.get(f"{ZCUT}/astrocut", **query)).values()))

    assert levels(minmax_percent="[10, 90]") == levels(minmax_percent=["10", "90"]) == levels(minmax_percent="10,90")
    assert levels(minmax_percent="[10, 90]") != levels()
    assert levels(minmax_value="[0.0, 1.5]") != levels()


def test_a_survey_that_does_not_see_it_is_a_message(api: Api) -> None:
    answer = api.post(f"{ZCUT}/astrocut", **CENTRE, **size(), survey="sdss_three")
    assert (answer.status, answer.json()["msg"]) == (
        200,
        "Missing survey files for input target. Cutout not performed.",
    )
    assert members(api.post(f"{ZCUT}/astrocut", **CENTRE, **size(), survey="galactic_centre"))


def test_hubble_is_cut_one_file_each_with_its_own_names(api: Api) -> None:
    found = members(api.post(f"{HAPCUT}/astrocut", {**CENTRE, **size(x=2.0, y=3.0)}))
    (name,) = found
    assert name == "hst_cutout_skycell-p2007x09y05-ra266d4000-decs28d9300_wfc3_ir_f160w_coarse.fits"
    with fits.open(io.BytesIO(found[name])) as hdus, fits.open(FITS_IMAGES / "gc_2mass_k.fits") as source:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "SCI", "WHT"]
        assert hdus["SCI"].data.shape == (3, 2)
        assert np.array_equal(hdus["WHT"].data, 2 * hdus["SCI"].data)
        assert np.isin(hdus["SCI"].data, source[0].data).all()


def test_where_hubble_has_not_been_is_a_message(api: Api) -> None:
    answer = api.post(f"{HAPCUT}/astrocut", {"ra": 102.7, "dec": 70.5, **size()})
    message = "Missing HAP files for input target. Cutout not performed."
    assert (answer.status, answer.json()) == (200, {"msg": message, "results": []})


def test_names_are_those_that_are_documented() -> None:
    assert (
        hap_name("hst_skycell-p2007x09y05_wfc3_uvis_f606w_drc.fits", 351.347812, 28.497808)
        == "hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_uvis_f606w.fits"
    )
    assert hap_name("mosaic.fits.gz", 1.5, -0.25) == "hst_cutout_mosaic-ra1d5000-decs0d2500.fits"


@pytest.mark.parametrize(
    ("path", "change", "named"),
    [
        (ZCUT, {"x": 0}, "x"),
        (ZCUT, {"units": "parsec"}, "units"),
        (ZCUT, {"format": "gif"}, "format"),
        (ZCUT, {"stretch": "cubic"}, "stretch"),
        (ZCUT, {"invert": "maybe"}, "invert"),
        (ZCUT, {"minmax_percent": "5"}, "minmax_percent"),
        (ZCUT, {"minmax_percent": "-5,101"}, "minmax_percent"),
        (ZCUT, {"minmax_percent": "1_0,50"}, "minmax_percent"),
        (ZCUT, {"minmax_percent": "1,2,3"}, "minmax_percent"),
        (ZCUT, {"minmax_value": "nan,1"}, "minmax_value"),
        (ZCUT, {"stretch": ["log", "sqrt"]}, "stretch"),
        (ZCUT, {"ra": "east"}, "ra"),
        (HAPCUT, {"y": "tall"}, "y"),
    ],
)
def test_what_is_wrong_is_named(api: Api, path: str, change: dict[str, Any], named: str) -> None:
    answer = api.get(f"{path}/astrocut", **(CENTRE | size() | change))
    assert answer.status == 400
    assert answer.json()["msg"].startswith(f"{named} is ")


def test_two_limits_of_a_picture_are_refused(api: Api) -> None:
    answer = api.get(f"{ZCUT}/astrocut", **CENTRE, **size(), format="png", minmax_percent="1,99", minmax_value="1,2")
    said = "minmax_percent and minmax_value are given; allowed: one of minmax_percent and minmax_value"
    assert (answer.status, answer.json()["msg"]) == (400, said)


def test_a_large_archive_is_elsewhere(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.results.INLINE_LIMIT", 1000)
    answer = api.post(f"{HAPCUT}/astrocut", {**CENTRE, **size(x=100, y=100)})
    assert (answer.status, "hapcut_cutouts.zip" in answer.location or "results/" in answer.location) == (303, True)


def test_a_file_that_fails_does_not_get_among_the_others(api: Api) -> None:
    api.store.delete("pictures", "galactic/gc_msx_e.fits")
    found = members(api.get(f"{ZCUT}/astrocut", **CENTRE, **size()))
    assert [name.rpartition(".")[2] for name in found] == ["fits"]


def test_too_large_is_413(api: Api) -> None:
    answer = api.get(f"{ZCUT}/astrocut", **CENTRE, **size(x=9000, y=9000))
    assert (answer.status, "at most 16,000,000" in json.loads(answer.content)["msg"]) == (413, True)
