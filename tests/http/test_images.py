"""Cutouts of real images over HTTP: what is found, what is cut, what is refused."""

from __future__ import annotations

import bz2
import dataclasses
import io
import json
import re
import zipfile
from datetime import date
from typing import Any

import asdf
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import skycoord_to_pixel
from PIL import Image

from tessera.images.batch import quiet_fits
from tessera.provenance.crate import CRATE
from tessera_cloud import keys
from tessera_cloud.application.images import order as image_order
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import Answered, Api
from tests.support.archives import file_names
from tests.support.builds import SETTINGS
from tests.support.image_service import (
    BUCKET,
    CENTRE,
    DATASETS,
    HST,
    IMAGE_SETTINGS,
    ROMAN_L2,
    ROMAN_PLACE,
    SDSS,
    SDSS_FILES,
    TRIPLE,
    TWO_MASS,
    put_datasets,
    run_image_index,
)
from tests.support.images import FITS_IMAGES


@pytest.fixture
def api(images: MemoryStore) -> Api:
    return Api(MemoryStore(objects=dict(images.objects)), IMAGE_SETTINGS)


def cut(api: Api, dataset: str, **query: Any) -> Answered:
    return api.get(f"/v1/images/{dataset}/cutout", **query)


def members(answer: Answered) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in file_names(archive)}


def refusal(answer: Answered, status: int = 400) -> dict[str, Any]:
    assert answer.status == status, answer.content
    error: dict[str, Any] = answer.json()["error"]
    return error


def source(name: str) -> tuple[np.ndarray, WCS]:
    data = (FITS_IMAGES / name).read_bytes()
    content = io.BytesIO(bz2.decompress(data) if name.endswith(".bz2") else data)
    with quiet_fits(), fits.open(content) as hdus:
        return np.array(hdus[0].data), WCS(hdus[0].header)


def around(name: str, ra: float, dec: float, side: int) -> np.ndarray:
    """Pixels of a file with the target in the middle one, found by astropy."""
    data, wcs = source(name)
    column, row = (round(float(value)) for value in skycoord_to_pixel(SkyCoord(ra, dec, unit="deg"), wcs))
    half = side // 2
    return data[row - half : row + half + 1, column - half : column + half + 1]


def test_datasets_are_told(api: Api) -> None:
    found = {item["name"]: item for item in api.get("/v1/images").json()["datasets"]}
    assert list(found) == [SDSS, TWO_MASS, HST, ROMAN_L2]
    assert found[SDSS]["bands"] == ["g", "r", "i"]
    assert [found[name]["images"] for name in found] == [3, 2, 1, 1]
    assert (found[SDSS]["survey"], found[HST]["hapcut"], found[ROMAN_L2]["kind"]) == ("sdss_three", True, "asdf")


def test_images_are_found_by_place(api: Api) -> None:
    found = api.get("/v1/images/search", **CENTRE).json()
    assert found["complete"]
    assert {(item["dataset"], item["name"]) for item in found["images"] if item["dataset"] == TWO_MASS} == {
        (TWO_MASS, "gc_2mass_k.fits"),
        (TWO_MASS, "gc_msx_e.fits"),
    }
    assert [part["name"] for item in found["images"] if item["dataset"] == HST for part in item["images"]] == [
        "SCI",
        "WHT",
    ]
    assert api.get("/v1/images/search", ra=10, dec=60).json()["images"] == []
    assert len(api.get("/v1/images/search", **TRIPLE, dataset=SDSS, limit=2).json()["images"]) == 2
    assert api.get("/v1/images/search", ra=313.17, dec=-5.95).json()["images"] == []
    assert len(api.get("/v1/images/search", ra=313.17, dec=-5.95, radius=0.3).json()["images"]) == 3


def test_a_fits_cutout_has_the_pixels_of_its_source(api: Api) -> None:
    for name, data in members(cut(api, TWO_MASS, **CENTRE, size=11)).items():
        with fits.open(io.BytesIO(data)) as hdus:
            of = "gc_2mass_k.fits" if "2mass" in name else "gc_msx_e.fits"
            assert np.array_equal(hdus[1].data, around(of, **CENTRE, side=11))
            middle = WCS(hdus[1].header).pixel_to_world(5, 5).icrs
            assert middle.separation(SkyCoord(**CENTRE, unit="deg")).deg < 0.0067 * 0.75


def test_packed_files_are_cut_and_one_file_is_no_archive(api: Api) -> None:
    answer = cut(api, SDSS, **TRIPLE, size=7, bands="r")
    assert answer.headers["content-type"] == "application/fits"
    assert (
        'filename="reprojected_sdss_r_313.1700000_-5.7000000_7-x-7_astrocut.fits"'
        in answer.headers["content-disposition"]
    )
    with fits.open(io.BytesIO(answer.content)) as hdus:
        assert np.array_equal(hdus[1].data, around(SDSS_FILES[1], **TRIPLE, side=7))


def test_an_angle_is_a_size(api: Api) -> None:
    with fits.open(io.BytesIO(cut(api, SDSS, **TRIPLE, size="60s", bands="g").content)) as hdus:
        assert hdus[1].data.shape == (51, 51)
    with fits.open(io.BytesIO(cut(api, SDSS, **TRIPLE, size="5,9", bands="g").content)) as hdus:
        assert hdus[1].data.shape == (5, 9)


@pytest.mark.parametrize("form", ["fits", "png"])
def test_an_archive_names_the_images_that_its_files_were_made_from(api: Api, form: str) -> None:
    with zipfile.ZipFile(io.BytesIO(cut(api, SDSS, **TRIPLE, size=7, format=form).content)) as archive:
        described = {item["@id"]: item for item in json.loads(archive.read(CRATE))["@graph"]}
        links = [described[name]["wasDerivedFrom"]["@id"] for name in file_names(archive)]
    assert [described[link]["name"].rpartition("/")[2] for link in links] == SDSS_FILES
    assert date.fromisoformat(described["./"]["datePublished"]) > date(2020, 1, 1)


@pytest.mark.slow
def test_pictures_are_grey_or_of_three_bands(api: Api) -> None:
    grey = cut(api, SDSS, **TRIPLE, size=40, bands="r", format="png")
    assert grey.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(grey.content))
    assert (picture.size, picture.mode) == ((40, 40), "L")
    colour = Image.open(io.BytesIO(cut(api, SDSS, **TRIPLE, size=40, bands="i,r,g", format="jpg").content))
    assert (colour.size, colour.mode, colour.format) == ((40, 40), "RGB", "JPEG")
    assert len(members(cut(api, SDSS, **TRIPLE, size=40, format="png"))) == 3


@pytest.mark.slow
def test_how_a_picture_looks_is_as_it_is_asked_for(api: Api) -> None:
    def levels(**look: Any) -> np.ndarray:
        answer = cut(api, SDSS, **TRIPLE, size=40, bands="r", format="png", **look)
        return np.asarray(Image.open(io.BytesIO(answer.content))).astype(int)

    plain = levels(stretch="linear", percent="1,99")
    assert np.array_equal(255 - plain, levels(stretch="linear", percent="1,99", invert="true"))
    assert not np.array_equal(plain, levels(stretch="sqrt", percent="1,99"))
    assert levels(values="1e8,2e8").max() == 0


@pytest.mark.slow
def test_images_that_share_a_grid_become_one(api: Api) -> None:
    answer = cut(api, SDSS, **TRIPLE, size=7, combine="mean")
    with fits.open(io.BytesIO(answer.content)) as hdus:
        mean = np.mean([around(name, **TRIPLE, side=7).astype(float) for name in SDSS_FILES], axis=0)
        assert np.allclose(hdus[1].data, mean)


def test_images_of_other_grids_do_not(api: Api) -> None:
    error = refusal(cut(api, TWO_MASS, **CENTRE, size=7, combine="mean"))
    assert (error["parameter"], error["allowed"]) == ("combine", "images that share a grid")


def test_asdf_keeps_the_sky(api: Api) -> None:
    answer = cut(api, ROMAN_L2, **ROMAN_PLACE, size=9, format="asdf")
    with asdf.open(io.BytesIO(answer.content)) as file:
        sky = file["roman"]["meta"]["wcs"](4, 4)
        assert file["roman"]["data"].shape == (9, 9)
    place = SkyCoord(*(float(getattr(value, "value", value)) for value in sky), unit="deg")
    assert place.separation(SkyCoord(**ROMAN_PLACE, unit="deg")).arcsec < 0.11
    full = cut(api, ROMAN_L2, **ROMAN_PLACE, size=9, format="asdf", full="true")
    assert len(full.content) > len(answer.content)


@pytest.mark.parametrize("form", ["fits", "png", "jpg"])
def test_asdf_becomes_other_forms(api: Api, form: str) -> None:
    answer = cut(api, ROMAN_L2, **ROMAN_PLACE, size=9, format=form)
    if form == "fits":
        with fits.open(io.BytesIO(answer.content)) as hdus:
            assert hdus["CUTOUT"].data.shape == (9, 9)
    else:
        assert Image.open(io.BytesIO(answer.content)).size == (9, 9)


def test_only_a_part_of_a_plain_file_is_read(api: Api) -> None:
    api.store.requests.clear()
    cut(api, HST, **CENTRE, size=3)
    assert not [request for request in api.store.requests if request[0] == "read" and request[2].endswith(".fits")]


def test_a_large_answer_is_elsewhere_and_made_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.results.INLINE_LIMIT", 1000)
    first = cut(api, TWO_MASS, **CENTRE, size=50)
    assert (first.status, ".zip" in first.location) == (303, True)
    api.store.requests.clear()
    assert cut(api, TWO_MASS, **CENTRE, size=50).status == 303
    assert not [request for request in api.store.requests if request[0] in ("read_range", "write")]


def test_a_file_that_cannot_be_cut_is_named_and_does_not_lose_the_others(api: Api) -> None:
    del api.store.objects[BUCKET, f"sdss/{SDSS_FILES[0]}"]
    found = members(cut(api, SDSS, **TRIPLE, size=7))
    assert len(found) == 3
    (failure,) = json.loads(found["failures.json"])["failures"]
    assert failure == {"file": SDSS_FILES[0], "reason": "the file is no longer at its source"}


def test_a_key_is_no_way_into_a_header(api: Api) -> None:
    name = 'a";\r\nX-Mine: 1 é.fits'
    api.store.write(BUCKET, f"odd/{name}", (FITS_IMAGES / "gc_2mass_k.fits").read_bytes())
    put_datasets(api.store, [{"name": "odd", "bucket": BUCKET, "prefix": "odd/"}])
    run_image_index(api.handlers)
    answer = cut(api, "odd", **CENTRE, size=3)
    assert answer.status == 200
    assert re.fullmatch(r'attachment; filename="[\w.+-]+\.fits"', answer.headers["content-disposition"])


def test_a_whole_tree_counts_for_what_it_holds(api: Api) -> None:
    about = {**ROMAN_PLACE, "size": 2000, "format": "asdf"}
    assert refusal(cut(api, ROMAN_L2, **about, full="true"), 413)["parameter"] == "size"
    assert cut(api, ROMAN_L2, **about).status in (200, 303)


def test_a_file_that_was_replaced_is_not_mixed_with_what_it_was(api: Api) -> None:
    api.store.write(BUCKET, f"sdss/{SDSS_FILES[0]}", b"something else")
    assert refusal(cut(api, SDSS, **TRIPLE, size=7), 503)["code"] == "busy"


@pytest.mark.parametrize(
    ("dataset", "query", "parameter"),
    [
        (SDSS, {**TRIPLE, "size": "0"}, "size"),
        (SDSS, {**TRIPLE, "size": "99999"}, "size"),
        (SDSS, {**TRIPLE, "size": "5 pixels"}, "size"),
        (SDSS, {**TRIPLE, "bands": "z"}, "bands"),
        (SDSS, {**TRIPLE, "bands": "r,r"}, "bands"),
        (SDSS, {**TRIPLE, "bands": "r,"}, "bands"),
        (TWO_MASS, {**CENTRE, "bands": "r"}, "bands"),
        (SDSS, {**TRIPLE, "format": "asdf"}, "format"),
        (SDSS, {**TRIPLE, "format": "gif"}, "format"),
        (SDSS, {**TRIPLE, "percent": "9,1"}, "percent"),
        (SDSS, {**TRIPLE, "percent": "1,101"}, "percent"),
        (SDSS, {**TRIPLE, "stretch": "cubic"}, "stretch"),
        (SDSS, {**TRIPLE, "combine": "median"}, "combine"),
        (SDSS, {"ra": 1}, "dec"),
        (SDSS, {**TRIPLE, "url": "https://elsewhere.example/x.fits"}, "url"),
    ],
)
def test_what_is_wrong_is_named(api: Api, dataset: str, query: dict[str, Any], parameter: str) -> None:
    assert refusal(cut(api, dataset, **query))["parameter"] == parameter


def test_what_goes_together_is_told(api: Api) -> None:
    assert refusal(cut(api, SDSS, **TRIPLE, combine="mean", format="png"))["allowed"] == "combine with format fits"
    assert refusal(cut(api, SDSS, **TRIPLE, percent="1,2", values="1,2"))["allowed"] == "one of percent and values"
    assert refusal(cut(api, SDSS, **TRIPLE, full="true"))["message"] == (
        "full is true with format fits; allowed: full with format asdf"
    )
    for name, value in (("stretch", "log"), ("percent", "1,99"), ("values", "1,2"), ("invert", "true")):
        error = refusal(cut(api, SDSS, **TRIPLE, **{name: value}))
        assert error["message"] == f"{name} is given with format fits; allowed: {name} with format png or jpg"


def test_what_is_not_there_is_404(api: Api) -> None:
    assert refusal(cut(api, "nothing", **CENTRE), 404)["parameter"] == "dataset"
    error = refusal(cut(api, SDSS, ra=1, dec=1), 404)
    assert error["message"].startswith(f"no image of {SDSS} has pixels around ra 1, dec 1; ")
    assert refusal(cut(api, SDSS, ra=313.30, dec=-5.7, size=3), 404)["code"] == "not_found"


def test_what_is_too_large_is_refused_before_anything_is_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.get("/v1/images")
    api.store.requests.clear()
    message = refusal(cut(api, SDSS, **TRIPLE, size=3000), 413)["message"]
    assert message == "size is 27,000,000 pixels in all; allowed: at most 16,000,000"
    monkeypatch.setattr(image_order, "MOST_PACKED_BYTES", 2_000_000)
    assert "packed" in refusal(cut(api, SDSS, **TRIPLE, size=3), 413)["message"]
    monkeypatch.setattr(image_order, "MOST_IMAGES", 2)
    assert "images" in refusal(cut(api, SDSS, **TRIPLE, size=3), 413)["message"]
    assert api.store.requests == []


def test_without_datasets_there_is_nothing() -> None:
    api = Api(MemoryStore(), IMAGE_SETTINGS)
    assert api.get("/v1/images").json() == {"datasets": []}
    assert api.get("/v1/images/search", **CENTRE).json()["images"] == []


def test_a_new_index_is_served_after_a_minute(api: Api) -> None:
    assert len(api.get("/v1/images").json()["datasets"]) == 4
    put_datasets(api.store, DATASETS[:1])
    assert len(api.get("/v1/images").json()["datasets"]) == 4
    api.handlers.services.images.checked -= SETTINGS.index_seconds
    assert len(api.get("/v1/images").json()["datasets"]) == 1


def test_a_document_that_is_wrong_is_an_error_of_ours(api: Api) -> None:
    api.store.write(SETTINGS.cube_bucket, keys.DATASETS, b"{")
    assert refusal(api.get("/v1/images"), 500)["message"] == "internal error"


def test_a_bucket_that_is_no_longer_allowed_is_not_served(images: MemoryStore) -> None:
    settings = dataclasses.replace(IMAGE_SETTINGS, image_buckets=frozenset())
    api = Api(MemoryStore(objects=dict(images.objects)), settings)
    assert cut(api, SDSS, **TRIPLE, size=3).status == 500


def test_the_index_grows_and_shrinks_with_the_files(api: Api) -> None:
    handlers = api.handlers
    api.store.requests.clear()
    assert run_image_index(handlers)["kept"] == 7
    assert not [request for request in api.store.requests if request[0] == "read_range"]
    api.store.delete(BUCKET, "galactic/gc_msx_e.fits")
    api.store.write(BUCKET, "galactic/new.fits", (FITS_IMAGES / "gc_2mass_k.fits").read_bytes())
    summary = run_image_index(handlers)
    assert (summary["read"], summary["kept"], summary["removed"], summary["images"]) == (1, 6, 1, 7)
