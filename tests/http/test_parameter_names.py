"""Names that the API does not know are refused with those that it knows, and the one that was probably meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api import DEC, RA, Api

PLACE = {"ra": RA, "dec": DEC}
BODY = {"position": PLACE, "size": 3}


@pytest.mark.parametrize(
    ("path", "name", "near"),
    [
        ("/v1/cutouts", "sector", "sectors"),
        ("/v1/cutouts", "sizee", "size"),
        ("/v1/cutouts", "SIZE", "size"),
        ("/v1/cutouts", "x", "size"),
        ("/v1/cutouts", "y", "size"),
        ("/v1/cutouts", "units", "size"),
        ("/v1/cutouts", "coordinates", "ra and dec"),
        ("/v1/cutouts", "qualty_mask", "quality_mask"),
        ("/v1/cubes", "sectors", "sector"),
        ("/v1/cubes", "page", "after"),
        ("/v1/footprints", "Dec", "dec"),
        ("/v1/resolve", "objectname", "name"),
        ("/v1/targets", "prodct", "product"),
    ],
)
def test_a_name_that_means_another_is_told(api: Api, path: str, name: str, near: str) -> None:
    error = api.get(path, **{name: "1"}).json()["error"]
    assert error["parameter"] == name
    assert error["message"].startswith(f"{name} is not a parameter of this operation; allowed: ")
    assert error["allowed"].endswith(f"; did you mean {near}?")


@pytest.mark.parametrize(
    ("name", "near"), [("sector", "sectors"), ("positions", "position"), ("ra", "position"), ("obj_id", "target")]
)
def test_a_field_of_a_body_that_means_another_is_told(api: Api, name: str, near: str) -> None:
    error = api.post("/v1/cutouts", {name: 1, "size": 3}).json()["error"]
    assert (error["parameter"], error["allowed"].partition("; ")[2]) == (name, f"did you mean {near}?")


def test_a_name_that_means_nothing_is_told_without_a_guess(api: Api) -> None:
    message = api.get("/v1/cubes", foo=1).json()["error"]["message"]
    assert message == "foo is not a parameter of this operation; allowed: sector, camera, ccd, product, after, limit"


@pytest.mark.parametrize(
    ("name", "near"), [("sectors", "sector"), ("size", "y and x"), ("position", "ra and dec"), ("unit", "units")]
)
def test_tesscut_refuses_the_names_of_our_own_api(api: Api, name: str, near: str) -> None:
    query, path = f"ra={RA}&dec={DEC}&y=3&x=3&{name}=1", "/tesscut/api/v0.1/astrocut"
    form = "application/x-www-form-urlencoded"
    for answer in (api.get(f"{path}?{query}"), api.request("POST", path, body=query.encode(), content_type=form)):
        assert answer.status == 400
        assert answer.json()["msg"].endswith(f"; did you mean {near}?")


def test_tesscut_ignores_names_that_mean_nothing_as_mast_does(api: Api) -> None:
    assert api.get("/tesscut/api/v0.1/astrocut", **PLACE, y=3, x=3, _=1234).members


@pytest.mark.parametrize(
    "text", ["1,All", "All,2", "1.5", "[1, 1.5]", "1_0", "[1", "1 2", "0", "100000", "true", "\u0661"]
)
def test_sectors_of_tesscut_that_make_no_sense_are_refused(api: Api, text: str) -> None:
    answer = api.get("/tesscut/api/v0.1/astrocut", **PLACE, y=3, x=3, sector=text)
    assert (answer.status, answer.json()["msg"]) == (
        400,
        f"sector is {text!r}; allowed: numbers from 1, such as 28 or [28, 68], or All",
    )


@pytest.mark.parametrize("text", ["0001", "1", "[1]", "['1']", '["0001"]', "1,1", "1e0", "1.0"])
def test_sectors_of_tesscut_have_many_spellings(api: Api, text: str) -> None:
    (name,) = api.get("/tesscut/api/v0.1/astrocut", **PLACE, y=3, x=3, sector=text).members
    assert name.startswith("tess-s0001-")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"position": {"ra": 1, "dec": 1}, "size": 3, "size": 5}', "body has size twice; allowed: once"),
        (b'{"position": {"ra": NaN, "dec": 1}}', "body has NaN; allowed: finite numbers"),
        (b'{"position": {"ra": 1e400, "dec": 1}}', "position.ra is inf; allowed: a number from -360 to 360"),
        (b'{"size": }', "body is not JSON, at line 1 column 10; allowed: a JSON object"),
        (b"[" * 10_000, "body is nested too deeply; allowed: a JSON object"),
        (b'{"size": ' + b"9" * 5000 + b"}", "body has a number of too many digits; allowed: a JSON object"),
        (b'{"target": {"name": "\\ud800"}}', "body has half of a character; allowed: a JSON object"),
        (b"\xff", "the body is not UTF-8; allowed: UTF-8"),
        (b"[1]", "body is [1]; allowed: a JSON object"),
        (b"", "body is missing; allowed: a JSON object"),
    ],
)
def test_a_body_that_loses_something_is_refused(api: Api, body: bytes, said: str) -> None:
    answer = api.request("POST", "/v1/jobs", body=body, content_type="application/json")
    assert (answer.status, answer.json()["error"]["message"]) == (400, said)


def test_a_body_may_begin_with_a_byte_order_mark(api: Api) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(BODY).encode()
    assert api.request("POST", "/v1/cutouts", body=body, content_type="application/json").status == 200


@pytest.mark.parametrize("value", ["x" * 5000, [1] * 5000, "\n" * 500])
def test_a_long_value_is_shown_by_its_beginning(api: Api, value: Any) -> None:
    error = api.post("/v1/cutouts", BODY | {"size": value}).json()["error"]
    assert len(error["value"]) == 80
    assert error["value"].endswith("...")
    assert len(error["message"]) < 250
    assert "\n" not in error["message"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"placement": "center"}, "placement is 'center'; allowed: centre or tesscut; did you mean centre?"),
        ({"layout": "FULL"}, "layout is 'FULL'; allowed: full or slim; did you mean full?"),
        ({"product": "spoc"}, "product is 'spoc'; allowed: SPOC or TICA; did you mean SPOC?"),
        ({"layout": None}, "layout is null; allowed: full or slim"),
        ({"position": {"type": "Polygon", "coordinates": [[[1, 1]]]}}, "position.type is 'Polygon'; allowed: Point"),
        ({"position": {"ra": 1, "dec": 91}}, "position.dec is 91; allowed: a number from -90 to 90"),
    ],
)  # fmt: skip
def test_a_wrong_word_of_a_body_is_told(api: Api, change: dict[str, Any], said: str) -> None:
    answer = api.post("/v1/cutouts", BODY | change)
    assert (answer.status, answer.json()["error"]["message"]) == (400, said)


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("POST", "/v1/cutouts?size=5", "fields of the body"),
        ("POST", "/v1/jobs?dry_run=1", "fields of the body"),
        ("GET", "/v1/health?verbose=1", "no parameters"),
        ("GET", "/v1/cubes/tess-s0001-4-2?sector=1", "no parameters"),
    ],
)
def test_a_query_string_that_would_be_ignored_is_refused(api: Api, method: str, target: str, allowed: str) -> None:
    answer = api.request(method, target, body=json.dumps(BODY).encode(), content_type="application/json")
    assert (answer.status, answer.json()["error"]["allowed"]) == (400, allowed)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("application/json; charset=utf-8", 200), ("application/geo+json", 200), ("text/plain", 200), ("", 200),
     ("multipart/form-data; boundary=x", 400), ("application/xml", 400)],
)  # fmt: skip
def test_a_body_of_another_type_is_refused(api: Api, kind: str, status: int) -> None:
    answer = api.request("POST", "/v1/cutouts", body=json.dumps(BODY).encode(), content_type=kind)
    assert answer.status == status
    if status == 400:
        name = kind.partition(";")[0]
        allowed = "application/json, application/x-www-form-urlencoded"
        assert answer.json()["error"]["message"] == f"Content-Type is '{name}'; allowed: {allowed}"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"])
def test_a_page_of_another_address_cannot_start_a_build(api: Api, kind: str) -> None:
    body = json.dumps({"sector": 1, "camera": 4, "ccd": 2}).encode()
    assert api.request("POST", "/v1/builds", body=body, content_type=kind, signed=True).status == 400
    assert not api.handlers.executions.executions
