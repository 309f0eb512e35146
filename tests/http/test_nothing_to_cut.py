"""Where there is nothing to cut, the answer says which of its reasons, and what there is."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from tests.support.api import DEC, RA, Api, sky

PLACE = {"ra": RA, "dec": DEC}


def tica(api: Api) -> dict[str, float]:
    """A position in the middle of the TICA cube."""
    (item,) = api.get("/v1/cubes", product="TICA").json()["cubes"]
    corners = np.array(re.findall(r"-?\d+\.\d+", item["s_region"]), float).reshape(-1, 2)
    ra, dec = corners.mean(axis=0)
    return {"ra": float(ra), "dec": float(dec)}


def reasons(api: Api, place: dict[str, float], **more: Any) -> list[dict[str, Any]]:
    """Errors of GET and POST /v1/cutouts and of POST /v1/jobs."""
    texts = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in more.items()}
    answers = [
        api.get("/v1/cutouts", **place, size=3, **texts),
        *(api.post(path, {"position": place, "size": 3, **more}) for path in ("/v1/cutouts", "/v1/jobs")),
    ]
    assert [answer.status for answer in answers] == [404, 404, 404]
    found = [answer.json()["error"] for answer in answers]
    assert found[0] == found[1]
    return found


def test_a_position_that_no_cube_sees(api: Api) -> None:
    for error in reasons(api, {"ra": 12.5, "dec": -3.25}):
        assert error["parameter"] == "position"
        assert error["message"] == "no cube sees ra 12.5, dec -3.25; /v1/map has the places that cubes see"


def test_a_sector_that_does_not_exist(api: Api) -> None:
    for error in reasons(api, PLACE, sectors=[99]):
        assert (error["parameter"], error["value"], error["allowed"]) == ("sectors", "99", "1, 2")
        assert error["message"].startswith("sectors is 99; there are no SPOC cubes of sector 99; ra ")
        assert error["message"].endswith(" is in: 1, 2")


def test_a_product_that_did_not_see_a_position(api: Api) -> None:
    for error in reasons(api, tica(api)):
        assert (error["parameter"], error["value"], error["allowed"]) == ("product", "SPOC", "TICA")
        assert error["message"].endswith("is only in TICA cubes, of sectors 27")


def test_a_range_of_times_without_cadences(api: Api) -> None:
    first, *_ = api.get("/v1/cubes").json()["cubes"]
    for error in reasons(api, PLACE, time=[2000.0, 2001.5]):
        assert (error["parameter"], error["value"]) == ("time", "2000, 2001.5")
        assert f"{first['t_min'] - 56999.5:.2f} to {first['t_max'] - 56999.5:.2f} (sector 1)" in error["allowed"]


@pytest.mark.parametrize(
    ("option", "parameter"), [({"cadences": [900000, 900001]}, "cadences"), ({"time": [1325.0, 1325.0001]}, "time")]
)
def test_a_choice_that_keeps_no_cadence(api: Api, option: dict[str, Any], parameter: str) -> None:
    error = api.post("/v1/cutouts", {"position": PLACE, "size": 3, "sectors": [1], **option}).json()["error"]
    assert (error["code"], error["parameter"]) == ("not_found", parameter)
    assert "no cadence" in error["message"]


@pytest.mark.parametrize(
    ("option", "parameter", "said"),
    [
        (
            {"time": [1325.0, 1400.0], "cadences": [900000, 900001]},
            "cadences",
            "cadences is 900000, 900001; no cadence",
        ),
        ({"time": [1340.0, 1341.0], "cadences": [900000, 900001]}, "time", "time is 1340, 1341; no cadence is left"),
        (
            {"time": [1325.3, 1325.33], "cadences": [4, 4]},
            "time",
            "time is 1325.3, 1325.33 and cadences is 4, 4; no cadence of sectors 1 is left",
        ),
    ],
)
def test_the_choice_that_keeps_no_cadence_is_named(api: Api, option: dict[str, Any], parameter: str, said: str) -> None:
    path = {"time": [2458325.0, 2458326.0], "ra": [RA, RA], "dec": [DEC, DEC]}
    for place in ({"position": PLACE}, {"path": path}):
        error = api.post("/v1/cutouts", {**place, "size": 3, "sectors": [1], **option}).json()["error"]
        assert error["parameter"] == parameter
        assert error["message"].startswith(said)


def test_a_position_beside_the_frames(api: Api) -> None:
    ra, dec = sky(-30, 15)
    for option in ({}, {"cadences": "900000,900001"}):
        answer = api.get("/v1/cutouts", ra=ra, dec=dec, size=3, **option)
        assert answer.status == 404
        assert "is beside the frames of tess-s0001-4-2, tess-s0002-4-2" in answer.json()["error"]["message"]


def test_regions_and_paths_have_the_same_reasons(api: Api) -> None:
    region = {"type": "Polygon", "coordinates": [[[10, 10], [10.02, 10], [10.02, 10.02]]]}
    path = {"time": [2458325.5, 2458326.5], "ra": [10, 11], "dec": [10, 10]}
    for name, value in (("region", region), ("path", path)):
        error = api.post("/v1/cutouts", {name: value}).json()["error"]
        assert error["parameter"] == name
        assert error["message"] in (
            "no cube sees the region; /v1/map has the places that cubes see",
            "no cube sees the path at its times; /v1/map has the places and times that cubes see",
        )


def test_clients_of_tesscut_get_the_text_that_they_know(api: Api) -> None:
    answer = api.get("/tesscut/api/v0.1/astrocut", **PLACE, y=3, x=3, sector=99)
    assert (answer.status, answer.json()) == (
        200,
        {"msg": "No FFIs found for input target. Cutout not performed."},
    )


def test_a_form_has_the_parameters_of_the_query_string(api: Api) -> None:
    got = api.get("/v1/cutouts", **PLACE, size="3,5", sectors="1", layout="slim")
    posted = api.post("/v1/cutouts", ra=RA, dec=DEC, size="3,5", sectors="1", layout="slim")
    assert len(got.files) == 1
    assert posted.content == got.content


def test_a_form_of_curl_that_is_json_is_json(api: Api) -> None:
    body = json.dumps({"position": PLACE, "size": 3}).encode()
    kind = "application/x-www-form-urlencoded"
    assert api.request("POST", "/v1/cutouts", body=body, content_type=kind).status == 200


def test_a_name_or_a_written_position_is_a_position(api: Api) -> None:
    expected = api.get("/v1/cutouts", **PLACE, size=3).content
    assert api.get("/v1/cutouts", name=f"{RA} {DEC}", size=3).content == expected
    unknown = api.get("/v1/cutouts", name="no such star", size=3)
    assert (unknown.status, unknown.json()["error"]["parameter"]) == (404, "name")
    both = api.get("/v1/cutouts", name="pi Men", ra=1, size=3).json()["error"]
    assert both["message"] == "the request has ra and name; allowed: ra and dec, or name"
