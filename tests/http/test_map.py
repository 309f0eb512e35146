"""Where to look: footprints for a map, and what names and positions mean."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tessera.sky.footprint import Footprint
from tessera.targets.places import NamedPlace
from tessera.tess.times import sector_cadence
from tessera_cloud.application.index.sky_map import day_of
from tessera_cloud.errors import TransientError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import Api, _answered, proxy_event

# ---------------------------------------------------------------- the map


def test_the_map_has_every_footprint_once(api: Api) -> None:
    sectors = api.get("/v1/map").json()["sectors"]
    assert [(sector["sector"], sector["start"], sector["cadence_seconds"]) for sector in sectors] == [
        (1, "2018-07-25", 1800),
        (2, "2018-08-24", 1800),
    ]
    (ccd,) = sectors[0]["ccds"]
    assert (ccd["cube"], ccd["camera"], ccd["ccd"]) == ("tess-s0001-4-2", 4, 2)
    s_region = api.get("/v1/cubes/tess-s0001-4-2").json()["s_region"]
    np.testing.assert_allclose(ccd["corners"], Footprint.parse_s_region(s_region).vertices, atol=0.0006)


def test_a_map_is_of_one_product(api: Api) -> None:
    (sector,) = api.get("/v1/map", product="TICA").json()["sectors"]
    assert (sector["sector"], sector["cadence_seconds"]) == (27, 600)
    assert [ccd["cube"] for ccd in sector["ccds"]] == ["tica-s0027-1-4"]


def test_a_sky_without_cubes_is_an_empty_map() -> None:
    assert Api(MemoryStore()).get("/v1/map").json() == {"sectors": []}


def test_a_map_that_the_client_has_is_not_sent_again(api: Api) -> None:
    first = api.get("/v1/map")
    assert first.headers["cache-control"] == "public, max-age=300"
    event = proxy_event("GET", "/v1/map", "/v1/map", "")
    event["headers"]["If-None-Match"] = first.headers["etag"]
    assert _answered(api.handlers.invoke("service_api", event)).status == 304
    event["headers"]["If-None-Match"] = 'W/"another"'
    assert _answered(api.handlers.invoke("service_api", event)).content == first.content


def test_days_and_cadences_are_those_of_the_mission() -> None:
    assert [day_of(58324.8), day_of(58352.0), day_of(51544.0)] == ["2018-07-25", "2018-08-22", "2000-01-01"]
    assert [sector_cadence(sector) for sector in (1, 26, 27, 55, 56, 90)] == [1800, 1800, 600, 600, 200, 200]


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    "text",
    [
        "88.951666667 -75.391111111",
        "88.951666667,-75.391111111",
        "  88.951666667 ,  -75.391111111 ",
        "88.951666667d -75.391111111d",
        "88.951666667° \N{MINUS SIGN}75.391111111°",
        "-271.048333333 -75.391111111",
        "05:55:48.4 -75:23:28",
        "05 55 48.4 -75 23 28",
        "05 55 48.4, -75 23 28",
        "5h55m48.4s -75d23m28s",
        "5h55m48.4s-75d23m28s",
        "05h55m48.4s, -75°23'28\"",
        "05h55m48.4s, -75°23\N{PRIME}28\N{DOUBLE PRIME}",
        "88d57m06s -75d23m28s",
        "J055548.40-752328.0",
        "J2000 05:55:48.4 -75:23:28",
        "ICRS 88.951666667 -75.391111111",
        "RA 88.951666667 Dec -75.391111111",
        "ra=05:55:48.4, dec=-75:23:28",
    ],
)
def test_positions_are_read_as_people_write_them(api: Api, text: str) -> None:
    found = api.get("/v1/resolve", name=text).json()
    assert (found["ra"], found["dec"]) == (pytest.approx(88.951666667), pytest.approx(-75.391111111))
    assert (found["source"], found["name"]) == ("coordinates", text.strip())


@pytest.mark.parametrize(
    "text", ["88.95 -95", "400 1", "25:00:00 +1:00:00", "12:61:00 +1:00:00", "1:00:00 +91:00:00", "1:2:61 3:4:5"]
)
def test_a_position_that_is_not_on_the_sky_is_explained(api: Api, text: str) -> None:
    answer = api.get("/v1/resolve", name=text)
    error = answer.json()["error"]
    assert (answer.status, error["parameter"], error["value"]) == (400, "name", text)
    assert "allowed" in error["message"]


@pytest.mark.parametrize("text", ["pi Men", "PI MEN", "TIC261136679", "TIC 261136679", "toi-144", "Pi Mensae"])
def test_a_name_has_spellings(api: Api, text: str) -> None:
    found = api.get("/v1/resolve", name=text).json()
    assert found == {"name": "pi Mensae", "ra": 84.2912, "dec": -80.4691, "source": "bundled list"}


@pytest.mark.parametrize("text", ["nobody", "<script>alert(1)</script>", "   ", "TIC", "1 2 3", "\u0661 \u0662", "'"])
def test_a_name_that_nobody_knows_is_404(api: Api, text: str) -> None:
    answer = api.get("/v1/resolve", name=text)
    assert (answer.status, answer.json()["error"]["parameter"]) == (404, "name")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("query", [{}, {"name": ""}, {"name": "x" * 101}])
def test_a_name_must_be_given(api: Api, query: dict[str, str]) -> None:
    answer = api.get("/v1/resolve", **query)
    assert (answer.status, answer.json()["error"]["parameter"]) == (400, "name")


class Resolver:
    """Knows one star, or is out of order."""

    def __init__(self, *, broken: bool = False) -> None:
        self.asked: list[str] = []
        self._broken = broken

    def find(self, name: str) -> NamedPlace | None:
        self.asked.append(name)
        if self._broken:
            raise TransientError("no answer")
        return NamedPlace("A Star", 1.0, 2.0, "somebody") if name == "a star" else None


def with_resolver(api: Api, resolver: Any) -> Any:
    api.handlers.names = resolver
    return resolver


def test_names_are_asked_of_the_resolver_and_positions_are_not(api: Api) -> None:
    resolver = with_resolver(api, Resolver())
    found = api.get("/v1/resolve", name=" a star ").json()
    assert found == {"name": "A Star", "ra": 1.0, "dec": 2.0, "source": "somebody"}
    api.get("/v1/resolve", name="1 2")
    assert resolver.asked == ["a star"]


def test_a_resolver_that_does_not_answer_is_503(api: Api) -> None:
    with_resolver(api, Resolver(broken=True))
    answer = api.get("/v1/resolve", name="a star")
    assert (answer.status, answer.json()["error"]["code"]) == (503, "busy")


def test_what_moves_is_asked_of_the_ephemerides(api: Api) -> None:
    places = [(2458324.0, 10.0, 1.0), (2458325.0, 10.1, 1.1)]
    api.handlers.ephemerides.targets = {"4242 Wanderer (2018 XY)": places, "1 Double": places, "2 Double": places}
    found = api.get("/v1/resolve", name="wanderer", moving="true").json()
    assert found == {"moving": True, "name": "4242 Wanderer (2018 XY)", "source": "JPL Horizons"}
    assert api.get("/v1/resolve", name="nobody", moving="true").status == 404
    assert api.get("/v1/resolve", name=" ", moving="true").status == 404
    answer = api.get("/v1/resolve", name="double", moving="true")
    assert answer.status == 400
    assert "1 Double; 2 Double" in answer.json()["error"]["message"]


def test_what_moves_is_asked_for_where_there_are_cubes() -> None:
    answer = Api(MemoryStore()).get("/v1/resolve", name="wanderer", moving="true")
    assert answer.status == 404
    assert json.loads(answer.content)["error"]["parameter"] == "name"
