"""What is served: cubes, footprints, health, builds, and who may ask."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from tessera_cloud import keys
from tessera_cloud.application.builds.operator_view import console_url
from tessera_cloud.application.ingest.rules import CcdState
from tessera_cloud.settings import Settings
from tests.support.api import BASE, BUILDS, DEC, HOST, RA, Api, proxy_event
from tests.support.builds import SETTINGS


def names(document: dict[str, Any]) -> list[str]:
    return [cube["name"] for cube in document["cubes"]]


def test_health_says_how_many_cubes_there_are(api: Api) -> None:
    assert api.get("/v1/health").json() | {"version": ""} == {
        "status": "ok",
        "version": "",
        "cubes": 3,
        "index_changed": "1970-01-01T00:00:00+00:00",
        "paused": None,
    }


def test_health_says_when_the_index_changed(api: Api) -> None:
    place = (api.handlers.services.settings.cube_bucket, keys.FOOTPRINT_INDEX)
    api.store.written[place] = 1_772_366_400.0
    assert api.get("/v1/health").json()["index_changed"] == "2026-03-01T12:00:00+00:00"
    del api.store.objects[place]
    assert api.get("/v1/health").json()["index_changed"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["tess-s0001-4-2", "tess-s0002-4-2", "tica-s0027-1-4"]),
        ({"sector": 1}, ["tess-s0001-4-2"]),
        ({"camera": 4, "ccd": 2}, ["tess-s0001-4-2", "tess-s0002-4-2"]),
        ({"product": "TICA"}, ["tica-s0027-1-4"]),
        ({"camera": 3}, []),
    ],
)
def test_cubes_are_listed_and_filtered(api: Api, query: dict[str, Any], found: list[str]) -> None:
    answer = api.get("/v1/cubes", **query)
    assert (names(answer.json()), answer.json()["next"]) == (found, None)


def test_a_list_has_pages(api: Api) -> None:
    first = api.get("/v1/cubes", limit=2).json()
    assert names(first) == ["tess-s0001-4-2", "tess-s0002-4-2"]
    second = api.get(first["next"]).json()
    assert (names(second), second["next"]) == (["tica-s0027-1-4"], None)


def test_a_cube_says_where_it_comes_from(api: Api) -> None:
    item = api.get("/v1/cubes", sector=1).json()["cubes"][0]
    cube = api.get(item["url"]).json()
    assert {key: cube[key] for key in item} == item
    assert (cube["state"], cube["source"], cube["cadences"]) == ("served", "built here", 5)
    provenance = cube["provenance"]
    stored = api.store.head(SETTINGS.cube_bucket, provenance["location"])
    assert (stored.size, stored.etag) == (provenance["bytes"], provenance["etag"])
    assert provenance["build"] in provenance["location"]
    assert provenance["planned_at"].startswith("2026-11-20")
    assert provenance["left_out"] == []


def seen(api: Api, name: str, **more: Any) -> None:
    state = CcdState(hash="a" * 64, n_frames=3, total_bytes=9, first_seen=0.0, last_seen=60.0, **more)
    api.handlers.state.put("ccd", name, state.model_dump(), over=0)


def test_a_cube_says_what_ingest_has_seen_of_its_frames(api: Api) -> None:
    assert api.get("/v1/cubes/tess-s0001-4-2").json()["frames"] is None
    seen(api, "s0001-4-2", execution="s0001-4-2-abc", published=True)
    frames = api.get("/v1/cubes/tess-s0001-4-2").json()["frames"]
    assert (frames["frames"], frames["build"]) == (3, "s0001-4-2-abc")
    assert (frames["unchanged_since"], frames["listed_at"]) == (
        "1970-01-01T00:00:00+00:00",
        "1970-01-01T00:01:00+00:00",
    )


@pytest.mark.parametrize(
    ("sweep", "hours"),
    [
        ({"listed_at": -0.5}, 0.5),
        ({"listed_at": -2.0, "settled": True}, 22),
        ({"listed_at": -2.0, "due": 1.0}, 1),
        ({"listed_at": -9.0, "due": -1.0}, 0),
    ],
)
def test_a_cube_says_when_its_frames_are_listed_again(api: Api, sweep: dict[str, float], hours: float) -> None:
    seen(api, "s0001-4-2", published=True)
    assert api.get("/v1/cubes/tess-s0001-4-2").json()["frames"]["next_listing"] is None
    now = api.handlers.now()
    times = {name: value if value is True else now.timestamp() + 3600 * value for name, value in sweep.items()}
    api.handlers.state.put("sweep", "SPOC/s0001", times, over=0)
    wanted = (now + datetime.timedelta(hours=hours)).isoformat(timespec="seconds")
    assert api.get("/v1/cubes/tess-s0001-4-2").json()["frames"]["next_listing"] == wanted


@pytest.mark.parametrize(("execution", "state"), [("", "waiting"), ("tica-s0030-1-1-abc", "building")])
def test_a_cube_that_has_frames_only_is_waiting_or_being_built(api: Api, execution: str, state: str) -> None:
    seen(api, "tica-s0030-1-1", execution=execution)
    answer = api.get("/v1/cubes/tica-s0030-1-1").json()
    assert (answer["name"], answer["state"], answer["frames"]["bytes"]) == ("tica-s0030-1-1", state, 9)


@pytest.mark.parametrize(
    ("status", "state"), [("RUNNING", "building"), ("FAILED", "failed"), ("TIMED_OUT", "failed"), ("ABORTED", "failed")]
)
def test_a_cube_whose_build_failed_is_not_being_built(api: Api, status: str, state: str) -> None:
    build = "tica-s0030-1-1-abc"
    seen(api, "tica-s0030-1-1", execution=build)
    api.handlers.executions.start(BUILDS, build, {})
    cause = json.dumps({"errorMessage": "the frame is damaged", "errorType": "X", "stackTrace": ["File x.py"]})
    if status != "RUNNING":
        api.handlers.executions.end(BUILDS, build, status, error="X", cause=cause)
        assert signed(api, "GET", f"/v1/builds/{build}").json()["cause"] == "the frame is damaged"
    assert api.get("/v1/cubes/tica-s0030-1-1").json()["state"] == state


@pytest.mark.parametrize("name", ["tess-s0009-1-1", "x", "tess-s0001-9-9", "%2e%2e"])
def test_a_cube_that_is_not_served_is_404(api: Api, name: str) -> None:
    answer = api.get(f"/v1/cubes/{name}")
    assert (answer.status, answer.json()["error"]["parameter"]) == (404, "cube")


@pytest.mark.parametrize(
    "query",
    [
        {"ra": RA, "dec": DEC},
        {"ra": RA - 360, "dec": DEC, "radius": 1},
        {"region": json.dumps({"type": "Point", "coordinates": [RA, DEC]})},
        {"region": f"POLYGON {RA} {DEC} {RA + 0.1} {DEC} {RA} {DEC + 0.1}"},
        {
            "region": json.dumps(
                {"type": "Polygon", "coordinates": [[[RA, DEC], [RA + 1, DEC], [RA, DEC + 1], [RA, DEC]]]}
            )
        },
    ],
)
def test_footprints_that_a_place_touches(api: Api, query: dict[str, Any]) -> None:
    found = api.get("/v1/footprints", **query).json()["footprints"]
    assert [item["cube"] for item in found] == ["tess-s0001-4-2", "tess-s0002-4-2"]
    ring = found[0]["geometry"]["coordinates"][0]
    assert len(ring) == 5
    assert ring[0] == ring[-1]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({}, "ra"),
        ({"ra": 1}, "dec"),
        ({"ra": 1, "dec": 1, "region": "POLYGON 1 1 2 1 2 2"}, "ra"),
        ({"ra": 1, "dec": 1, "radius": 31}, "radius"),
        ({"region": "POLYGON 1 1"}, "region"),
        ({"region": "{"}, "region"),
        ({"region": "{}"}, "region"),
        ({"region": '{"type": "Polygon", "coordinates": [[[0, 0], [0, 0], [0, 0]]]}'}, "region"),
        ({"region": "POLYGON 0 0 120 0 240 0"}, "region"),
        ({"region": "POLYGON 0 0 10 0 2 2 0 10"}, "region"),
        ({"region": "POLYGON a b c d e f"}, "region"),
    ],
)
def test_a_place_that_makes_no_sense_is_named(api: Api, query: dict[str, Any], parameter: str) -> None:
    answer = api.get("/v1/footprints", **query)
    assert answer.status == 400, answer.content
    assert answer.json()["error"]["parameter"] == parameter


# ---------------------------------------------------------------- builds

BUILD = {"sector": 1, "camera": 4, "ccd": 2}


def signed(api: Api, method: str, target: str, document: Any = None) -> Any:
    body = b"" if document is None else json.dumps(document).encode()
    return api.request(method, target, body=body, content_type="application/json", signed=True)


def test_a_region_has_no_radius(api: Api) -> None:
    error = api.get("/v1/footprints", region="POLYGON 88 -75 89 -75 89 -76", radius=1).json()["error"]
    said = "radius is given with region; allowed: region without radius, or ra and dec with radius"
    assert (error["parameter"], error["message"]) == ("radius", said)


def test_an_operator_starts_watches_and_stops_a_build(api: Api) -> None:
    answer = signed(api, "POST", "/v1/builds", BUILD | {"on_unreadable": "skip"})
    assert answer.status == 202
    build = answer.json()
    assert build["name"].startswith("s0001-4-2-")
    assert (build["status"], answer.location) == ("RUNNING", f"{BASE}/v1/builds/{build['name']}")
    assert build["request"] == BUILD | {"product": "SPOC", "on_unreadable": "skip"}
    assert [each["name"] for each in signed(api, "GET", "/v1/builds").json()["builds"]] == [build["name"]]
    assert signed(api, "GET", "/v1/builds?status=FAILED").json() == {"builds": []}
    assert signed(api, "DELETE", build["url"]).json()["status"] == "ABORTED"
    assert signed(api, "DELETE", build["url"]).status == 409
    assert signed(api, "GET", build["url"]).json()["cause"] == "cancelled by an operator"


def test_a_build_says_what_its_plan_costs_and_where_its_log_is(api: Api) -> None:
    build = signed(api, "POST", "/v1/builds", BUILD).json()
    (key,) = (key for _, key in api.store.objects if "s0001-4-2/" in key and key.endswith("/plan.json"))
    plan = json.loads(api.store.objects[SETTINGS.cube_bucket, key])
    (usd,) = (size["usd"] for size in plan["sizes"] if size["memory_mb"] == plan["memory_mb"])
    assert signed(api, "GET", build["url"]).json()["usd"] == usd > 0
    assert signed(api, "DELETE", build["url"]).json()["console"] == build["console"]
    assert signed(api, "GET", build["url"]).json()["usd"] == usd
    host, _, execution = build["console"].partition("/states/home?region=us-east-1#/v2/executions/details/")
    assert host == "https://us-east-1.console.aws.amazon.com"
    assert execution == f"{BUILDS.replace(':stateMachine:', ':execution:')}:{build['name']}"


def test_the_console_is_that_of_the_partition_and_one_machine_has_none() -> None:
    machine = "arn:aws-cn:states:cn-north-1:210987654321:stateMachine:x"
    environ = {"TESSERA_CUBE_BUCKET": "c", "TESSERA_RESULT_BUCKET": "r", "TESSERA_CUBE_BUILD_MACHINE": machine}
    found = console_url("a-build", Settings.from_env(environ))
    assert (found or "").startswith("https://cn-north-1.console.amazonaws.cn/")
    local = environ | {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    assert console_url("a-build", Settings.from_env(local)) is None


def test_a_build_that_runs_says_how_many_blocks_are_finished(api: Api) -> None:
    url = signed(api, "POST", "/v1/builds", BUILD).json()["url"]
    bucket, records = SETTINGS.cube_bucket, [key for _, key in api.store.objects if "builds/s0001-4-2/" in key]
    blocks = [key for key in records if "/blocks/" in key]
    assert signed(api, "GET", url).json()["progress"] == {"blocks": len(blocks), "done": len(blocks)}
    del api.store.objects[bucket, blocks[0]]
    assert signed(api, "GET", url).json()["progress"] == {"blocks": len(blocks), "done": len(blocks) - 1}
    del api.store.objects[bucket, next(key for key in records if key.endswith("/plan.json"))]
    assert signed(api, "GET", url).json()["progress"] is None
    signed(api, "DELETE", url)
    assert signed(api, "GET", url).json()["progress"] is None


def test_a_build_of_tica_frames_has_a_name_of_its_own(api: Api) -> None:
    assert signed(api, "POST", "/v1/builds", BUILD | {"product": "TICA"}).json()["name"].startswith("tica-s0001-4-2-")


@pytest.mark.parametrize("field", ["source", "bucket"])
def test_nobody_chooses_where_frames_come_from(api: Api, field: str) -> None:
    answer = signed(api, "POST", "/v1/builds", BUILD | {field: {"bucket": "mine", "prefix": ""}})
    assert (answer.status, answer.json()["error"]["parameter"]) == (400, field)
    assert not api.handlers.executions.executions


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/builds"), ("POST", "/v1/builds"), ("GET", "/v1/builds/x")])
def test_a_request_that_is_not_signed_gets_no_further_than_the_gateway(api: Api, method: str, path: str) -> None:
    assert api.request(method, path, body=b"{}", content_type="application/json").json()["error"]["code"] == "not_found"
    assert not api.handlers.executions.executions


@pytest.mark.parametrize("path", ["/v1/builds", "/v1/builds/", "//v1/builds", "/v1/builds/x"])
@pytest.mark.parametrize("resource", ["/v1/cubes/{cube}", "/{proxy+}", "/v1/jobs/{job}"])
def test_an_operator_s_path_is_not_reached_through_the_route_of_another(api: Api, path: str, resource: str) -> None:
    answer = api.handlers.invoke("service_api", proxy_event("GET", path, resource, ""))
    assert answer["statusCode"] == 404


def test_a_build_that_nobody_started_is_404(api: Api) -> None:
    api.handlers.executions.start("another machine", "x", {})
    assert signed(api, "GET", "/v1/builds/x").status == 404
    assert signed(api, "DELETE", "/v1/builds/x").status == 404
    api.handlers.executions.start(BUILDS, "x", {})
    assert signed(api, "GET", "/v1/builds/x").status == 200


# ---------------------------------------------------------------- links


@pytest.mark.parametrize(
    ("seen", "headers", "base"),
    [
        ("/prod/v1/cubes", {"Host": HOST}, BASE),
        ("/v1/cubes", {"Host": "cutouts.example.org"}, "https://cutouts.example.org"),
        ("/tess/v1/cubes", {"Host": "cutouts.example.org"}, "https://cutouts.example.org/tess"),
        ("/v1/cubes", {"host": "127.0.0.1:3000", "x-forwarded-proto": "http"}, "http://127.0.0.1:3000"),
    ],
)
def test_links_are_those_of_the_client(api: Api, seen: str, headers: dict[str, str], base: str) -> None:
    event = proxy_event("GET", "/v1/cubes", "/v1/cubes", "sector=1")
    event["requestContext"]["path"], event["headers"] = seen, headers
    answer = json.loads(api.handlers.invoke("service_api", event)["body"])
    assert answer["cubes"][0]["url"] == f"{base}/v1/cubes/tess-s0001-4-2"
