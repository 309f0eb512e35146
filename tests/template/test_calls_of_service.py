"""The API, its jobs and the index within the policies of the template; see `test_calls`."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from tessera_cloud import keys
from tests.support.api import API_SETTINGS, DEC, RA, Api, store_of_cubes
from tests.support.builds import SETTINGS
from tests.support.covers import written
from tests.template.test_calls import PolicedHandlers, PolicedPort, PolicedStore


class PolicedApi(Api):
    """The API, each function of it held to its policy."""

    def __init__(self) -> None:
        store = PolicedStore()
        store.objects.update(store_of_cubes().objects)
        written(store)
        self.handlers = PolicedHandlers(store)
        ports = {name: vars(self.handlers.services)[name] for name in ("state", "queue", "executions")}
        self.handlers.services = dataclasses.replace(self.handlers.services, settings=API_SETTINGS)
        vars(self.handlers.services).update(ports)


@pytest.fixture
def api() -> PolicedApi:
    return PolicedApi()


def order(**change: Any) -> dict[str, Any]:
    return {"position": {"ra": RA, "dec": DEC}, "size": 7} | change


def test_other_ports_are_policed_too(api: PolicedApi) -> None:
    assert isinstance(api.handlers.services.state, PolicedPort)


def test_jobs_may_be_made_watched_and_fetched(api: PolicedApi) -> None:
    created = api.post("/v1/jobs", order())
    assert created.status == 202, created.content
    assert api.get(created.location).json()["status"] == "running"
    assert len(api.run_jobs()) == 1

    done = api.get(created.location).json()
    assert done["status"] == "succeeded", done
    assert api.post("/v1/jobs", order()).json()["id"] == done["id"]


def test_jobs_may_be_cancelled(api: PolicedApi) -> None:
    created = api.post("/v1/jobs", order())

    token = created.json()["cancel_token"]
    assert api.request("DELETE", f"{created.location}?cancel_token={token}").status < 300


def test_a_client_of_tesscut_may_ride_to_the_result(api: PolicedApi) -> None:
    sent = api.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, x=20, y=20)
    assert sent.status == 303, sent.content
    api.run_jobs()

    waited = api.get(sent.location)
    assert (waited.status, "results/" in waited.location) == (303, True)


@pytest.mark.parametrize(
    "target",
    [
        "/v1/health",
        "/v1/cubes",
        "/v1/cubes/tess-s0001-4-2",
        "/v1/coverage",
        "/v1/coverage/SPOC/s0001.fits",
        f"/v1/footprints?ra={RA}&dec={DEC}&radius=1",
        f"/v1/cutouts?ra={RA}&dec={DEC}&size=3",
        "/tesscut/api/v0.1/ffi_wcs?sector=1&camera=4&ccd=2",
        f"/tesscut/api/v0.1/sector?ra={RA}&dec={DEC}",
        "/openapi.json",
        "/docs",
        "/",
    ],
)
def test_what_may_be_asked_may_be_answered(api: PolicedApi, target: str) -> None:
    answer = api.get(target)

    assert answer.status < 400, answer.content


def test_a_large_file_of_the_coverage_may_be_linked_to(api: PolicedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.http.catalogue.coverage_routes.INLINE_LIMIT", 1)
    for _ in range(2):
        assert api.get("/v1/coverage/SPOC/all-st.fits").status == 303


def test_operators_may_start_watch_and_stop_builds(api: PolicedApi) -> None:
    started = api.request(
        "POST",
        "/v1/builds",
        body=json.dumps({"sector": 1, "camera": 4, "ccd": 2}).encode(),
        content_type="application/json",
        signed=True,
    )
    assert started.status == 202, started.content
    assert api.request("GET", "/v1/builds", signed=True).status == 200
    assert api.request("GET", started.location, signed=True).status == 200
    assert api.request("DELETE", started.location, signed=True).status < 300


def test_the_index_may_be_brought_up_to_date(api: PolicedApi) -> None:
    handlers = api.handlers
    ref = handlers.invoke("list_cubes", {"run": "one"})
    store = handlers.services.store
    assert isinstance(store, PolicedStore)
    tasks = json.loads(store.objects[SETTINGS.cube_bucket, ref["to_read"]])
    assert len(tasks) == 2
    for task in tasks:
        handlers.invoke("read_cube", task)
    handlers.invoke("write_index", ref)

    assert (SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX) in store.objects
