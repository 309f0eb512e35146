"""Moving targets: by name as TESSCut has them, and by name or table in our own API."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from tessera.provenance.crate import CRATE
from tessera_cloud.application.cutouts import follow_target as moving_targets
from tessera_cloud.contracts import BuildRequest
from tessera_cloud.errors import NoEphemerisError
from tests.support.api import BASE, N_CADENCES, Api, sky
from tests.support.builds import run_build, store_with
from tests.support.frames import centred_wcs, spoc_frame, tiny_error, tiny_flux, tiny_times

TESSCUT = "/tesscut/api/v0.1/moving_target"
SHAPE = (40, 30)
BARYCORR = 0.00075
TDB_MINUS_UTC = 69.184 / 86400
NAME = "4242 Wanderer (2018 XY)"
SECTOR_1 = [tiny_times(cadence) for cadence in range(N_CADENCES[1])]
SECTOR_2 = [(1355.0 + cadence, 1355.5 + cadence) for cadence in range(N_CADENCES[2])]


def places() -> list[tuple[float, float, float]]:
    """It is in pixel (20, 10 + n) in cadence n of sector 1, in (5 + n, 15) in that of sector 2, and nowhere between."""
    pixels = [(20, 10 + n) for n in range(len(SECTOR_1))] + [(5 + n, 15) for n in range(len(SECTOR_2))]
    middles = [(start + stop) / 2 - BARYCORR - TDB_MINUS_UTC for start, stop in SECTOR_1 + SECTOR_2]
    found = [
        (day + 2_457_000.0, *sky(row + 0.2, column + 0.2)) for day, (row, column) in zip(middles, pixels, strict=True)
    ]
    ends = ((0, -1), (len(SECTOR_1) - 1, 1), (len(SECTOR_1), -1), (len(found) - 1, 1))
    # BARYCORR differs a little from cadence to cadence
    return sorted(found + [(found[n][0] + side * 0.01, *found[n][1:]) for n, side in ends])


@pytest.fixture
def moving(api: Api) -> Api:
    far = [(day, 200.0, 60.0) for day, _, _ in places()]
    api.handlers.ephemerides.targets = {NAME: places(), "1 Faraway": far, "2 Faraway": far}
    return api


def files(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: fits.open(io.BytesIO(archive.read(name))) for name in archive.namelist() if name != CRATE}


def check_sector_1(tpf: Any, n: int = 5) -> None:
    flux = tpf[1].data["FLUX"]
    assert flux.shape == (n, 3, 3)
    for cadence in range(n):
        expected = tiny_flux(cadence, SHAPE)[19:22, 9 + cadence : 12 + cadence]
        np.testing.assert_array_equal(flux[cadence], expected)


def test_sectors_that_saw_it_come_in_order(moving: Api) -> None:
    answer = moving.get(f"{TESSCUT}/sector", obj_id="wanderer")
    assert answer.json() == {
        "results": [
            {"sectorName": "tess-s0001-4-2", "sector": "0001", "camera": "4", "ccd": "2"},
            {"sectorName": "tess-s0002-4-2", "sector": "0002", "camera": "4", "ccd": "2"},
        ]
    }
    assert moving.get(f"{TESSCUT}/sector", obj_id="1 faraway").json() == {"results": []}


@pytest.mark.parametrize("way", ["get", "form", "json"])
def test_a_cutout_follows_it(moving: Api, way: str) -> None:
    values: dict[str, Any] = {"obj_id": "Wanderer", "obj_type": "smallbody", "y": 3, "x": 3, "sector": 1}
    path = f"{TESSCUT}/astrocut"
    asked = {
        "get": lambda: moving.get(path, **values),
        "form": lambda: moving.post(path, **values),
        "json": lambda: moving.post(path, values),
    }[way]()
    assert asked.status == 200
    ((name, tpf),) = files(asked.content).items()
    assert name == "tess-s0001-4-2_4242_Wanderer_(2018_XY)_3x3_astrocut.fits"
    assert len(tpf[1].columns) == 16
    check_sector_1(tpf)
    np.testing.assert_allclose(tpf[1].data["TGT_X"], 1.2, atol=0.01)
    assert tpf[2].data.shape == SHAPE
    assert tpf[2].data.sum() > 0


@pytest.mark.parametrize(
    ("body", "row", "column"),
    [(None, 19, 9), ({"placement": "tesscut"}, 19, 9), ({"placement": "centre"}, 20, 10), ({}, 20, 10)],
    ids=["API of TESSCut", "place of TESSCut", "centre", "default"],
)
def test_boxes_lie_where_tesscut_puts_them_or_have_the_target_in_the_centre(
    moving: Api, body: dict[str, Any] | None, row: int, column: int
) -> None:
    if body is None:
        answer = moving.get(f"{TESSCUT}/astrocut", obj_id="Wanderer", y=2, x=2, sector=1)
    else:
        answer = moving.post("/v1/cutouts", {"target": {"name": "Wanderer"}, "size": 2, "sectors": [1]} | body)
    ((_, tpf),) = files(answer.content).items()
    for cadence, flux in enumerate(tpf[1].data["FLUX"]):
        first = column + cadence
        np.testing.assert_array_equal(flux, tiny_flux(cadence, SHAPE)[row : row + 2, first : first + 2])


@pytest.fixture(scope="module")
def jumping() -> Api:
    """A sector whose pointing jumps by two columns and three rows after its third frame, and a target that stays."""
    frames = []
    for cadence in range(5):
        header = centred_wcs(SHAPE)
        header["CRPIX1"] += 2 * (cadence > 2)
        header["CRPIX2"] -= 3 * (cadence > 2)
        start, stop = tiny_times(cadence)
        flux, error = tiny_flux(cadence, SHAPE), tiny_error(cadence, SHAPE)
        frames.append(
            spoc_frame(cadence_index=cadence, flux=flux, error=error, wcs_cards=header, tstart=start, tstop=stop)
        )
    api = Api(store_with(frames))
    run_build(api.store, BuildRequest(sector=1, camera=4, ccd=2))
    days = [SECTOR_1[0][0] + 2_457_000 - 0.1, SECTOR_1[-1][1] + 2_457_000 + 0.1]
    api.handlers.ephemerides.targets = {"Steady": [(day, *sky(20.2, 12.3)) for day in days]}
    return api


@pytest.mark.parametrize("way", ["API of TESSCut", "our API", "job"])
def test_a_target_stays_in_its_box_although_the_pointing_jumps(jumping: Api, way: str) -> None:
    if way == "API of TESSCut":
        content = jumping.get(f"{TESSCUT}/astrocut", obj_id="Steady", y=3, x=3).content
    elif way == "our API":
        content = jumping.post("/v1/cutouts", {"target": {"name": "Steady"}, "size": 3}).content
    else:
        asked = jumping.post("/v1/jobs", {"target": {"name": "Steady"}, "size": 3})
        jumping.run_jobs()
        url = jumping.get(asked.location).json()["result"]["url"]
        content = jumping.store.objects["results", url.split(".example/")[1].split("?", maxsplit=1)[0]]
    ((_, tpf),) = files(content).items()
    for cadence, entry in enumerate(tpf[1].data):
        row, column = (17.2, 14.3) if cadence > 2 else (20.2, 12.3)
        top, left = round(row - entry["TGT_Y"]), round(column - entry["TGT_X"])
        np.testing.assert_allclose((entry["TGT_Y"], entry["TGT_X"]), (row - top, column - left), atol=1e-3)
        np.testing.assert_array_equal(entry["FLUX"], tiny_flux(cadence, SHAPE)[top : top + 3, left : left + 3])
        assert 0.3 < entry["TGT_X"] < 1.7 > entry["TGT_Y"] > 0.3


def test_all_sectors_come_when_none_is_named(moving: Api) -> None:
    found = files(moving.get(f"{TESSCUT}/astrocut", obj_id="Wanderer", y=3, x=3).content)
    assert [name[:14] for name in found] == ["tess-s0001-4-2", "tess-s0002-4-2"]


def test_a_name_is_asked_for_once_a_day(moving: Api) -> None:
    for _ in range(3):
        moving.get(f"{TESSCUT}/sector", obj_id="Wanderer")
        moving.get(f"{TESSCUT}/astrocut", obj_id="Wanderer", y=3, x=3)
    hours = [hours for _, _, _, _, hours in moving.handlers.ephemerides.asked]
    assert sorted(hours) == [1, 1, 6]


@pytest.mark.parametrize("path", ["sector", "astrocut"])
def test_names_that_say_too_little_are_told_in_the_way_that_users_see(moving: Api, path: str) -> None:
    for name, told in (("Nemo", "obj_id is 'Nemo'; allowed:"), ("faraway", "1 Faraway; 2 Faraway")):
        answer = moving.get(f"{TESSCUT}/{path}", obj_id=name, y=3, x=3)
        assert answer.status == 200
        assert told in answer.json()["msg"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "obj_id is missing"),
        ({"obj_id": " "}, "obj_id is missing"),
        ({"obj_id": "x" * 101}, "at most 100 characters"),
        ({"obj_id": "Wanderer", "obj_type": "comet"}, "obj_type is 'comet'; allowed: majorbody, smallbody"),
        ({"obj_id": "Wanderer", "y": 0}, "y is "),
        ({"obj_id": "Wanderer", "sector": "x"}, "sector is 'x'"),
        ({"obj_id": "Wanderer", "y": 2000, "x": 2000}, "pixels; allowed: at most"),
    ],
)
def test_bad_parameters_are_named(moving: Api, values: dict[str, Any], told: str) -> None:
    answer = moving.get(f"{TESSCUT}/astrocut", **({"y": 3, "x": 3} | values))
    assert answer.status in (400, 413)
    assert told in answer.json()["msg"]


def test_who_knows_the_places_may_be_away(moving: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**asked: Any) -> Any:
        raise NoEphemerisError("JPL Horizons does not answer; try again later")

    monkeypatch.setattr(moving.handlers.ephemerides, "find", fail)
    for path in ("sector", "astrocut"):
        for answer in (
            moving.get(f"{TESSCUT}/{path}", obj_id="Wanderer", y=3, x=3),
            moving.post(f"{TESSCUT}/{path}", obj_id="Wanderer", y=3, x=3),
        ):
            assert (answer.status, answer.json()["msg"][:28]) == (503, "JPL Horizons does not answer")
            assert int(answer.headers["retry-after"]) > 0
    for answer in (
        moving.post("/v1/cutouts", {"target": {"name": "Wanderer"}, "size": 3}),
        moving.post("/v1/jobs", {"target": {"name": "Wanderer"}, "size": 3}),
        moving.get("/v1/resolve", name="Wanderer", moving="true"),
    ):
        assert (answer.status, answer.json()["error"]["message"][:28]) == (503, "JPL Horizons does not answer")
        assert int(answer.headers["retry-after"]) > 0


def test_a_target_that_no_sector_saw_is_no_data(moving: Api) -> None:
    answer = moving.get(f"{TESSCUT}/astrocut", obj_id="1 Faraway", y=3, x=3)
    assert answer.status == 200
    assert "No FFIs found" in answer.json()["msg"]


def test_a_large_box_becomes_a_job(moving: Api) -> None:
    first = moving.get(f"{TESSCUT}/astrocut", obj_id="Wanderer", y=11, x=11)
    assert first.status == 303
    job = first.location.removeprefix(f"{BASE}/v1/jobs/").partition("/")[0]
    items = moving.handlers.invoke("plan_job", {"job": job, "attempt": 1})["items"]
    records = [moving.handlers.invoke("cut_item", {"job": job, "item": item}) for item in items]
    assert [record["status"] for record in records] == ["succeeded", "succeeded"]
    moving.handlers.invoke("finish_job", {"job": job, "attempt": 1})
    again = moving.get(f"{TESSCUT}/astrocut", obj_id="Wanderer", y=11, x=11)
    assert "results/" in again.location


def test_our_own_api_follows_a_name(moving: Api) -> None:
    answer = moving.post("/v1/cutouts", {"target": {"name": "Wanderer"}, "size": 3, "sectors": [1]})
    ((_, tpf),) = files(answer.content).items()
    check_sector_1(tpf)
    unknown = moving.post("/v1/cutouts", {"target": {"name": "Nemo"}, "size": 3})
    assert (unknown.status, unknown.json()["error"]["parameter"]) == (400, "target.name")


@pytest.mark.parametrize(
    ("body", "parameter", "said"),
    [
        ({"target": {"name": "1 Faraway"}}, "target.name",
         "'1 Faraway' crossed no SPOC cube while its frames were taken"),
        ({"target": {"name": "Wanderer"}, "sectors": [99]}, "sectors",
         "sectors is 99; there are no SPOC cubes of sector 99; 'Wanderer' is in: 1, 2"),
    ],
)  # fmt: skip
def test_a_target_that_is_not_there_is_told_where_it_is(
    moving: Api, body: dict[str, object], parameter: str, said: str
) -> None:
    for path in ("/v1/cutouts", "/v1/jobs"):
        answer = moving.post(path, body | {"size": 3})
        assert (answer.status, answer.json()["error"]["parameter"]) == (404, parameter)
        assert answer.json()["error"]["message"] == said


def test_our_own_api_follows_a_table(moving: Api) -> None:
    time, ra, dec = (list(column) for column in zip(*places()[:4], strict=True))
    time[-1] += 1e-6
    table = {"name": "mine", "time": time, "ra": ra, "dec": dec}
    answer = moving.post("/v1/cutouts", {"path": table, "size": 3})
    ((name, tpf),) = files(answer.content).items()
    assert name == "tess-s0001-4-2_mine_3x3_astrocut.fits"
    check_sector_1(tpf, 3)
    assert moving.handlers.ephemerides.asked == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"path": {"time": [2458325, 2458326], "ra": [1, 2], "dec": [1]}}, "path"),
        ({"path": {"time": [2458325, 2458325], "ra": [1, 2], "dec": [1, 2]}}, "every time once"),
        ({"path": {"time": [1325.0, 1326.0], "ra": [1, 2], "dec": [1, 2]}}, "a number from 2,400,000 to 2,500,000"),
        ({"target": {"name": "Wanderer"}, "position": {"ra": 1, "dec": 1}}, "one of position, region, target and path"),
        ({"target": {"name": "Wanderer"}, "layout": "slim"}, "layout is 'slim' with target"),
        ({"target": {"name": "  "}}, "target.name is '  '; allowed: a name, number or designation"),
    ],
)
def test_bad_paths_are_explained(moving: Api, body: dict[str, Any], told: str) -> None:
    answer = moving.post("/v1/cutouts", body)
    assert answer.status == 400
    assert told in str(answer.json())


def test_a_path_may_reach_beyond_the_leap_seconds_that_are_known(moving: Api) -> None:
    answer = moving.post("/v1/cutouts", {"path": {"time": [2400000.5, 2499999.5], "ra": [10, 11], "dec": [80, 81]}})
    assert answer.status == 404


def test_ccds_of_a_sector_that_begin_at_other_times_are_asked_for_once() -> None:
    spans = [(10.0, 37.0), (10.001, 36.99), (38.0, 60.0), (9.999, 37.002)]
    assert moving_targets._joined(spans) == [(9.999, 37.002), (38.0, 60.0)]


def test_places_at_almost_the_same_time_are_one() -> None:
    places = [(1.0, 5.0, 0.0), (1.0 + 1e-7, 5.1, 0.0), (1.5, 6.0, 0.0), (1.5001, 6.1, 0.0), (2.0, 7.0, 0.0)]
    assert moving_targets._apart(places) == (places[0], places[2], places[4])
