"""Stars around a position: who they are, where they are on frames, and why there are none."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from tessera import Client, InvalidInputError
from tessera.sky.wcs import frame_wcs
from tessera_cloud.application.neighbours.layout import RECORD
from tessera_cloud.application.neighbours.make import make_star_file, put_star_file
from tessera_cloud.application.neighbours.tables import StarTable
from tessera_cloud.http.neighbours.models import Neighbours
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import API_SETTINGS, DEC, RA, SHAPE, Answered, Api, sky
from tests.support.frames import centred_wcs
from tests.support.service import service_of

CUBE = "tess-s0001-4-2"
PLACES = [(20.3, 14.2), (22.0, 10.5), (15.0, 20.0), (60.0, 14.0)]
"""Pixels of the stars on the frames; the last one is beyond their edge."""
MAGNITUDES = [10.0, 12.5, 9.0, 11.0]


def stars() -> Any:
    """Stars of 2016.0. The first moves along declination by an arcsecond a year."""
    records = np.zeros(len(PLACES), RECORD)
    records["id"] = [2**60 + number for number in range(len(PLACES))]
    records["magnitude"] = MAGNITUDES
    records["pm_ra"], records["pm_dec"] = [0, np.nan, 0, 0], [1000, np.nan, 0, 0]
    records["ra"], records["dec"] = zip(*(sky(*place) for place in PLACES), strict=True)
    return records


@pytest.fixture(scope="module")
def starry(filled: MemoryStore, tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    store = MemoryStore(objects=copy.copy(filled.objects))
    made = make_star_file([StarTable(stars(), 2016.0)], "Test", None, tmp_path_factory.mktemp("stars") / "stars")
    put_star_file(made, store, API_SETTINGS.cube_bucket)
    return store


@pytest.fixture
def api(starry: MemoryStore) -> Api:
    return Api(starry)


def ask(api: Api, **query: Any) -> Any:
    answer: Answered = api.get("/v1/neighbours", ra=RA, dec=DEC, radius=0.4, **query)
    assert answer.status == 200, answer.content
    document = answer.json()
    Neighbours.model_validate(document, extra="forbid")
    return document


def test_the_stars_are_told_the_brightest_first(api: Api) -> None:
    found = ask(api)
    assert found["catalogue"] == {"name": "Test", "stars": 4, "epoch": 2016.0, "faintest": 12.5}
    assert (found["epoch"], found["reason"], found["total"]) == (2016.0, None, 4)
    assert [star["magnitude"] for star in found["stars"]] == [9.0, 10.0, 11.0, 12.5]
    assert [star["name"] for star in found["stars"]] == [f"Test {2**60 + number}" for number in (2, 0, 3, 1)]
    assert found["stars"][1]["distance_arcsec"] == pytest.approx(0, abs=0.01)
    assert [star["pm_dec"] for star in found["stars"]] == [0, 1000, 0, None]
    assert {(star["row"], star["column"]) for star in found["stars"]} == {(None, None)}


def test_stars_have_their_pixel_at_the_time_of_the_cube(api: Api) -> None:
    """Sector 1 was 2.57 years after 2016.0, so the star that moves is an eighth of a pixel away."""
    found = ask(api, cube=CUBE)
    assert found["epoch"] == pytest.approx(2018.565, abs=0.01)
    where = {star["magnitude"]: (star["row"], star["column"]) for star in found["stars"]}
    ra, dec = sky(*PLACES[0])
    moved = SkyCoord(ra * u.deg, dec * u.deg).directional_offset_by(0 * u.deg, (found["epoch"] - 2016) * u.arcsec)
    column, row = frame_wcs(dict(centred_wcs(SHAPE))).all_world2pix([[moved.ra.deg, moved.dec.deg]], 0)[0]
    assert where[10.0] == pytest.approx((row, column), abs=0.002)
    assert np.hypot(row - PLACES[0][0], column - PLACES[0][1]) > 0.1
    assert where[12.5] == pytest.approx(PLACES[1], abs=0.002)
    assert where[9.0] == pytest.approx(PLACES[2], abs=0.002)
    assert where[11.0] == (None, None), "the frames have no pixel there"
    assert ask(api, cube=CUBE, epoch=2016)["stars"][1]["row"] == pytest.approx(PLACES[0][0], abs=0.002)


def test_the_faintest_are_left_out_first(api: Api) -> None:
    found = ask(api, limit=2)
    assert [star["magnitude"] for star in found["stars"]] == [9.0, 10.0]
    assert found["total"] == 4


def test_a_service_without_a_catalogue_says_so(filled: MemoryStore) -> None:
    found = ask(Api(filled), cube=CUBE)
    assert (found["catalogue"], found["epoch"], found["total"], found["stars"]) == (None, None, 0, [])
    assert found["reason"] == (
        "This service has no catalogue of stars. Its operator can add one with the command stars."
    )


def test_an_empty_place_says_so(api: Api) -> None:
    found = api.get("/v1/neighbours", ra=RA + 180, dec=-DEC).json()
    assert found["reason"] == "Test has no star in this circle that is brighter than magnitude 12.5."
    assert (found["total"], found["stars"]) == (0, [])


def test_right_ascensions_below_zero_are_the_same_place(api: Api) -> None:
    there = api.get("/v1/neighbours", ra=RA - 360, dec=DEC, radius=0.4).json()
    assert [star["name"] for star in there["stars"]] == [star["name"] for star in ask(api)["stars"]]


def test_a_client_that_has_the_answer_gets_none(api: Api) -> None:
    tag = api.get("/v1/neighbours", ra=RA, dec=DEC).headers["etag"]
    assert tag == api.get("/v1/neighbours", ra=RA, dec=DEC).headers["etag"]
    assert tag != api.get("/v1/neighbours", ra=RA, dec=DEC, epoch=2020).headers["etag"]


def test_the_client_asks_for_stars(api: Api, filled: MemoryStore) -> None:
    with service_of(api) as server, Client(server.url, patience=0) as client:
        found = client.neighbours((RA, DEC), 0.4, cube=CUBE, epoch=2016, limit=3)
        assert (found.catalogue, found.epoch, found.reason, found.total, len(found.stars)) == ("Test", 2016, "", 4, 3)
        star = found.stars[1]
        assert (star.name, star.magnitude, star.pm_dec) == (f"Test {2**60}", 10, 1000)
        assert (star.row, star.column) == pytest.approx(PLACES[0], abs=0.002)
        assert found.stars[0].distance > star.distance < 0.1
        assert client.neighbours(f"{RA} {DEC}").epoch == 2016
    with service_of(Api(filled)) as server, Client(server.url, patience=0) as client:
        none = client.neighbours((RA, DEC))
        assert (none.catalogue, none.epoch, none.stars) == ("", None, ())
        assert "no catalogue" in none.reason


def test_the_client_refuses_what_is_wrong_before_any_request(api: Api) -> None:
    wrong: dict[str, list[Any]] = {
        "radius": [0, 0.6, "1", math.nan],
        "limit": [0, 5001],
        "cube": ["moon"],
        "epoch": ["x", 1899, 2101, math.nan],
    }
    with service_of(api) as server, Client(server.url, patience=0) as client:
        for argument, values in wrong.items():
            for value in values:
                with pytest.raises(InvalidInputError, match=f"^{argument} is .*; allowed: "):
                    client.neighbours((RA, DEC), **{argument: value})
        assert server.lines == []


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ({"radius": 0}, 400, "radius"),
        ({"radius": 0.51}, 400, "radius"),
        ({"epoch": 1899}, 400, "epoch"),
        ({"epoch": "J2000"}, 400, "epoch"),
        ({"limit": 0}, 400, "limit"),
        ({"limit": 5001}, 400, "limit"),
        ({"cube": "moon"}, 400, "cube"),
        ({"cube": "tess-s0099-1-1"}, 404, "cube"),
        ({"dec": 91}, 400, "dec"),
        ({"magnitude": 12}, 400, "magnitude"),
    ],
    ids=str,
)
def test_a_wrong_request_says_what_is_allowed(api: Api, query: dict[str, Any], status: int, parameter: str) -> None:
    answer = api.get("/v1/neighbours", **({"ra": RA, "dec": DEC} | query))
    error = answer.json()["error"]
    assert (answer.status, error["parameter"]) == (status, parameter)
    assert "allowed" in error["message"]


def test_a_circle_with_too_many_stars_is_refused(filled: MemoryStore, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tessera_cloud.application.neighbours.find.MOST_READ", 3)
    store = MemoryStore(objects=copy.copy(filled.objects))
    made = make_star_file([StarTable(stars(), 2016.0)], "Test", None, tmp_path / "stars")
    put_star_file(made, store, API_SETTINGS.cube_bucket)
    answer = Api(store).get("/v1/neighbours", ra=RA, dec=DEC, radius=0.5)
    assert answer.status == 413
    assert answer.json()["error"]["message"].startswith("radius is 0.5; allowed: a smaller radius")
