"""The file of one cube, without an archive around it."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tessera_cloud.application import results
from tests.support.api import DEC, RA, Api, sky
from tests.support.archives import file_names

CUBE = "tess-s0002-4-2"
PLACE = {"ra": RA, "dec": DEC, "size": "3,5"}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"layout": "slim", "placement": "tesscut", "cadences": "1,2", "aperture": "default"},
        {"time": "1355,1357", "quality_mask": 1, "aperture": f"{CUBE}:4f10"},
    ],
)
def test_it_is_the_member_of_the_archive(api: Api, more: dict[str, Any]) -> None:
    archive = zipfile.ZipFile(io.BytesIO(api.get("/v1/cutouts", **PLACE, sectors=2, **more).content))
    (name,) = file_names(archive)
    answer = api.get("/v1/cutouts.fits", cube=CUBE, **PLACE, **more)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/fits")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.content == archive.read(name)


def test_a_name_is_looked_up(api: Api) -> None:
    here = api.get("/v1/cutouts.fits", cube=CUBE, **PLACE).content
    written = api.get("/v1/cutouts.fits", cube=CUBE, name=f"{RA} {DEC}", size="3,5")
    assert (written.status, len(written.content)) == (200, len(here))


def test_a_large_file_is_elsewhere(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    small = api.get("/v1/cutouts.fits", cube=CUBE, **PLACE)
    monkeypatch.setattr(results, "INLINE_LIMIT", 1000)
    large = api.get("/v1/cutouts.fits", cube=CUBE, **PLACE, layout="slim")
    assert large.status == 303
    assert large.location.endswith("type=application/fits")
    assert ".fits" in large.location
    assert small.status == 200


@pytest.mark.parametrize(
    ("change", "status", "parameter", "words"),
    [
        ({"cube": "tess-s0009-1-1"}, 404, "cube", "a cube of /v1/cubes"),
        ({"cube": "s0001"}, 400, "cube", "the name of a cube of /v1/cubes, such as tess-s0001-4-2"),
        ({"cube": None}, 400, "cube", "cube is missing"),
        ({"sectors": "1"}, 400, "sectors", "sectors is not a parameter of this operation"),
        ({"time": "1,2"}, 404, "time", "no cadence is left"),
        ({"cadences": "90,99"}, 404, "cadences", "no cadence of sectors 2 is left"),
        ({"size": "20,20"}, 413, "size", "/v1/cutouts makes it in a job"),
        ({"size": "200"}, 413, "size", "at most 900 pixels in a window"),
        ({"aperture": "tess-s0001-4-2:4f10"}, 400, "aperture", "apertures of the cubes that are cut: tess-s0002-4-2"),
    ],
)
def test_what_cannot_be_cut_is_told(api: Api, change: dict[str, Any], status: int, parameter: str, words: str) -> None:
    query = {"cube": CUBE, **PLACE} | change
    answer = api.get("/v1/cutouts.fits", **{name: value for name, value in query.items() if value is not None})
    assert (answer.status, answer.json()["error"]["parameter"]) == (status, parameter)
    assert words in answer.json()["error"]["message"]


def test_a_place_beside_the_frames_is_told(api: Api) -> None:
    ra, dec = sky(80, 14)
    answer = api.get("/v1/cutouts.fits", cube=CUBE, ra=ra, dec=dec)
    assert answer.status == 404
    assert f"is beside the frames of {CUBE}" in answer.json()["error"]["message"]
