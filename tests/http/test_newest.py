"""CCDs that have frames and no cube yet: listed soon after ingest saw them, and cut straight from the frames."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest

from tessera.provenance.crate import CRATE
from tessera_cloud import frame_keys
from tessera_cloud.application.cutouts import order
from tessera_cloud.contracts import BuildRequest
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, N_CADENCES, RA, SHAPE, Answered, Api, same_field_in_sector_two, sky
from tests.support.builds import SETTINGS, frame_key, put_frames, run_build, store_with
from tests.support.frame_marks import without_marks
from tests.support.frames import tiny_flux, tiny_sector
from tests.support.tica import tica_frame

NEW, OLD, TICA = "tess-s0002-4-2", "tess-s0001-4-2", "tica-s0027-1-4"
WINDOW = {"cube": NEW, "ra": RA, "dec": DEC, "size": 5}
LIGHT = {"ra": RA, "dec": DEC, "size": 5, "aperture": "all", "background": "none"}


def see(api: Api, sweep: str) -> None:
    """Let ingest list a sector."""
    record = {"messageId": "check", "body": json.dumps({"sweep": sweep})}
    assert api.handlers.invoke("ingest", {"Records": [record]}) == {"batchItemFailures": []}


def list_frames(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.handlers.invoke("ingest", {"task": "frames"})
    return found


def of_store(store: MemoryStore) -> Api:
    """A service over a copy of a store, whose ingest has seen all frames."""
    api = Api(MemoryStore(objects=copy.copy(store.objects)))
    for sweep in ("SPOC/s0001", "SPOC/s0002", "TICA/s0027"):
        see(api, sweep)
    return api


@pytest.fixture(scope="module")
def before() -> MemoryStore:
    """A cube of sector 1, and frames of sector 2 (which has the same place on the sky) and of a TICA sector."""
    store = store_with(tiny_sector(N_CADENCES[1], SHAPE))
    run_build(store, BuildRequest(sector=1, camera=4, ccd=2))
    put_frames(store, [*same_field_in_sector_two(), *(tica_frame(n, tiny_flux(n, SHAPE)) for n in range(3))])
    api = of_store(store)
    assert list_frames(api) == {"listed": 2, "left": 0}
    assert list_frames(api) == {"listed": 0, "left": 0}
    return api.store


@pytest.fixture(scope="module")
def after(before: MemoryStore) -> MemoryStore:
    """The same after the builds of all frames."""
    store = MemoryStore(objects=copy.copy(before.objects))
    run_build(store, BuildRequest(sector=2, camera=4, ccd=2))
    run_build(store, BuildRequest(sector=27, camera=1, ccd=4, product="TICA"))
    return store


@pytest.fixture
def api(before: MemoryStore) -> Api:
    return of_store(before)


@pytest.fixture
def built(after: MemoryStore) -> Api:
    return of_store(after)


def files(answer: Answered) -> dict[str, bytes]:
    assert answer.status == 200, answer.content
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != CRATE}


def test_a_ccd_without_a_cube_is_listed_and_priced(api: Api) -> None:
    found = {item["cube"]: item["frames"] for item in api.get("/v1/targets", ra=RA, dec=DEC).json()["cubes"]}
    planes = 2 * N_CADENCES[2]
    assert found[OLD] is None
    assert found[NEW]["requests"] == planes
    assert found[NEW]["bytes_per_row"] == planes * 2136 * 4
    assert found[NEW]["rows_at_once"] == order.FRAMES_SYNC_BYTES // (planes * 2136 * 4)
    sources = {item["name"]: item["source"] for item in api.get("/v1/cubes").json()["cubes"]}
    assert sources == {OLD: "built here", NEW: "frames", TICA: "frames"}
    about = api.get(f"/v1/cubes/{NEW}").json()
    assert (about["state"], about["cut_from_frames"]) == ("waiting", N_CADENCES[2])


def test_tesscut_and_the_virtual_observatory_know_cubes_only(api: Api) -> None:
    sectors = api.get("/tesscut/api/v0.1/sector", ra=RA, dec=DEC).json()["results"]
    assert [row["sectorName"] for row in sectors] == [OLD]
    names = files(api.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, y=5, x=5))
    assert [name[:14] for name in names] == [OLD]
    assert [name[:14] for name in files(api.get("/v1/cutouts", ra=RA, dec=DEC, frames="false"))] == [OLD]


@pytest.mark.parametrize(
    "options", [{}, {"layout": "slim", "aperture": "default"}, {"time": "1355,1357", "flags": "true"}]
)
def test_a_cutout_is_that_of_the_later_cube(api: Api, built: Api, options: dict[str, str]) -> None:
    query = {"ra": RA, "dec": DEC, "size": "5,7"} | options
    found, expected = (files(some.get("/v1/cutouts", **query)) for some in (api, built))
    assert list(found) == list(expected)
    for name in found:
        assert (b"FROMFFI" in found[name][:28800]) == name.startswith(NEW)
        assert b"FROMFFI" not in expected[name]
        assert without_marks(found[name]) == without_marks(expected[name])


def test_the_edge_of_a_tica_frame_is_cut_as_that_of_its_cube(api: Api, built: Api) -> None:
    corner = built.get("/v1/cubes", product="TICA").json()["cubes"][0]["s_region"].split()
    ra, dec = [number for number in corner if number[-1].isdigit()][:2]
    query = {"ra": ra, "dec": dec, "size": 9, "product": "TICA"}
    found, expected = (files(some.get("/v1/cutouts", **query)) for some in (api, built))
    assert {name: without_marks(data) for name, data in found.items()} == {
        name: without_marks(data) for name, data in expected.items()
    }


def test_a_moving_target_is_followed_on_frames(api: Api, built: Api) -> None:
    (ra, dec), (last_ra, last_dec) = sky(10, 8), sky(30, 22)
    path = {"time": [2458354.9, 2458359.0], "ra": [ra, last_ra], "dec": [dec, last_dec], "name": "a rock"}
    body = {"path": path, "size": [5, 4]}
    found, expected = (files(some.post("/v1/cutouts", body)) for some in (api, built))
    (name,) = found
    assert name.startswith(NEW)
    assert without_marks(found[name]) == without_marks(expected[name])


@pytest.mark.parametrize("path", ["/v1/preview", "/v1/preview.csv", "/v1/preview.npy"])
def test_a_preview_is_that_of_the_later_cube(api: Api, built: Api, path: str) -> None:
    found, expected = (some.get(path, **WINDOW) for some in (api, built))
    assert found.status == 200
    assert without_source(found.content) == without_source(expected.content)


def without_source(content: bytes) -> Any:
    """A preview without its record, which names the frames or the cube."""
    if content.startswith(b"{"):
        return {name: value for name, value in json.loads(content).items() if name != "provenance"}
    return np.load(io.BytesIO(content)).tobytes() if content.startswith(b"\x93NUMPY") else content


@pytest.mark.parametrize("detrend", ["none", "cbv"])
def test_a_light_curve_is_that_of_the_later_cube(api: Api, built: Api, detrend: str) -> None:
    query = LIGHT | {"detrend": detrend, "sectors": "1,2"}
    found, expected = (some.get("/v1/lightcurve", **query) for some in (api, built))
    assert found.status == {"none": 200, "cbv": 404}[detrend], found.content
    why = "a cube is measured after its build, which takes some minutes"
    assert (
        found.content.decode().replace("it has no cube yet, and only cubes are measured", why)
        == expected.content.decode()
    )


def test_a_light_curve_leaves_out_frames_that_take_too_long(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "FRAMES_SYNC_REQUESTS", 3)
    found = api.get("/v1/lightcurve", **LIGHT).json()
    assert [one["sector"] for one in found["sectors"]] == [1]
    (left,) = found["left_out"]
    assert left["cube"] == NEW
    assert left["reason"].startswith("it has no cube yet, and ")


def test_a_large_cutout_of_frames_is_a_job(api: Api, built: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "FRAMES_SYNC_REQUESTS", 3)
    query = {"ra": RA, "dec": DEC, "size": 5, "sectors": 2}
    answer = api.get("/v1/cutouts", **query)
    assert answer.status == 202
    api.run_jobs()
    (cube,) = api.get(f"/v1/jobs/{answer.json()['id']}").json()["cubes"]
    key = cube["url"].split(".example/")[1].split("?")[0]
    (expected,) = files(built.get("/v1/cutouts", **query)).values()
    assert without_marks(api.store.objects[SETTINGS.result_bucket, key]) == without_marks(expected)
    monkeypatch.setattr(order, "FRAMES_JOB_BYTES", 1000)
    refused = api.get("/v1/cutouts", **query)
    assert refused.status == 413
    assert "because it has no cube yet" in refused.json()["error"]["message"]


def test_a_cube_takes_the_place_of_its_frames(built: Api) -> None:
    assert {item["source"] for item in built.get("/v1/cubes").json()["cubes"]} == {"built here"}
    see(built, "SPOC/s0002")
    assert list_frames(built) == {"listed": 0, "left": 0}
    assert json.loads(built.store.read(SETTINGS.cube_bucket, frame_keys.FRAMES_INDEX)[0])["obs_id"] == []
    assert [
        key for _, key in built.store.objects if frame_keys.is_frame_facts(key)
    ]  # an index of a minute ago names them
    list_frames(built)
    assert not [key for _, key in built.store.objects if frame_keys.is_frame_facts(key)]


def test_more_frames_are_listed_anew(api: Api) -> None:
    before = [key for _, key in api.store.objects if frame_keys.is_frame_facts(key) and "s0002" in key]
    name, _ = same_field_in_sector_two()[-1]
    del api.store.objects[SETTINGS.ffi_bucket, frame_key(name)]
    see(api, "SPOC/s0002")
    assert list_frames(api) == {"listed": 1, "left": 0}
    assert api.get(f"/v1/cubes/{NEW}").json()["cut_from_frames"] == N_CADENCES[2] - 1
    assert list_frames(api) == {"listed": 0, "left": 0}
    assert not [key for _, key in api.store.objects if key in before]


def test_a_frame_that_cannot_be_read_is_left_out_and_a_damaged_ccd_stops_no_other(api: Api) -> None:
    for name, data in same_field_in_sector_two()[:1]:
        api.store.write(SETTINGS.ffi_bucket, frame_key(name), data[:9000])
    see(api, "SPOC/s0002")
    assert list_frames(api) == {"listed": 1, "left": 0}
    assert api.get(f"/v1/cubes/{NEW}").json()["cut_from_frames"] == N_CADENCES[2] - 1
    for name, _ in same_field_in_sector_two():
        api.store.write(SETTINGS.ffi_bucket, frame_key(name), b"no frame")
    see(api, "SPOC/s0002")
    assert list_frames(api) == {"listed": 0, "left": 0}


def test_a_frame_that_was_replaced_is_never_mixed_in(api: Api) -> None:
    name, data = same_field_in_sector_two()[1]
    api.store.write(SETTINGS.ffi_bucket, frame_key(name), data[:-1] + b"x")
    answer = api.get("/v1/cutouts", ra=RA, dec=DEC, size=5, sectors=2)
    assert answer.status == 503
    see(api, "SPOC/s0002")
    list_frames(api)
    later = of_store(api.store)  # with an index of its own, as every process has a minute later
    assert files(later.get("/v1/cutouts", ra=RA, dec=DEC, size=5, sectors=2))
