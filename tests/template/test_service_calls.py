"""The service does its work within its policies: every path, and a job from its order to its archive."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tessera_cloud.application.ingest.rules import CcdState
from tessera_cloud.application.neighbours.layout import RECORD
from tessera_cloud.application.neighbours.make import make_star_file, put_star_file
from tessera_cloud.application.neighbours.tables import StarTable
from tessera_cloud.errors import FatalError
from tests.support.api import API_SETTINGS, DEC, RA, Api, store_of_cubes
from tests.template.test_calls import PolicedHandlers, PolicedPort, PolicedStore

LARGE: dict[str, Any] = {"position": {"ra": RA, "dec": DEC}, "size": [12, 11]}
TESSCUT = "/tesscut/api/v0.1"


class PolicedApi(Api):
    """The API, each of its functions held to its policy."""

    def __init__(self, store: PolicedStore) -> None:
        super().__init__(store)
        handlers = PolicedHandlers(store)
        handlers.services = dataclasses.replace(handlers.services, settings=API_SETTINGS)
        ports = {"state": handlers.state, "queue": handlers.queue, "executions": handlers.executions}
        vars(handlers.services).update({name: PolicedPort(port, store) for name, port in ports.items()})
        self.handlers = handlers


@pytest.fixture
def api() -> PolicedApi:
    return PolicedApi(PolicedStore(objects=dict(store_of_cubes().objects)))


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (f"{TESSCUT}/sector", {"ra": RA, "dec": DEC}),
        (f"{TESSCUT}/astrocut", {"ra": RA, "dec": DEC, "y": 5, "x": 5}),
        (f"{TESSCUT}/ffi_wcs", {"sector": 1, "camera": 4, "ccd": 2}),
        ("/v1/cutouts", {"ra": RA, "dec": DEC}),
        ("/v1/health", {}),
        ("/v1/cubes", {}),
        ("/v1/cubes/tess-s0001-4-2", {}),
        ("/v1/footprints", {"ra": RA, "dec": DEC}),
        ("/v1/targets", {"ra": RA, "dec": DEC}),
        ("/v1/preview", {"cube": "tess-s0001-4-2", "ra": RA, "dec": DEC}),
        ("/v1/preview.png", {"cube": "tess-s0001-4-2", "ra": RA, "dec": DEC}),
        ("/v1/neighbours", {"cube": "tess-s0001-4-2", "ra": RA, "dec": DEC}),
        ("/v1/map", {}),
        ("/v1/resolve", {"name": "pi Men"}),
        ("/openapi.json", {}),
        ("/docs", {}),
        ("/datalink/links", {"ID": "tess-s0001-4-2"}),
        ("/datalink/sidecar", {"ID": "tess-s0001-4-2"}),
        ("/datalink/frames", {"ID": "tess-s0001-4-2"}),
        ("/soda/availability", {}),
        ("/registry.xml", {}),
    ],
)
def test_a_path_may_be_answered(api: PolicedApi, path: str, query: dict[str, Any]) -> None:
    assert api.get(path, **query).status == 200


def test_a_catalogue_of_stars_may_be_read(api: PolicedApi, tmp_path: Path) -> None:
    star = np.zeros(1, RECORD)
    star["ra"], star["dec"] = RA, DEC
    bucket = API_SETTINGS.cube_bucket
    put_star_file(make_star_file([StarTable(star, 2016.0)], "Test", None, tmp_path / "stars"), api.store, bucket)
    assert api.get("/v1/neighbours", ra=RA, dec=DEC).json()["total"] == 1


def test_the_next_listing_of_frames_may_be_told(api: PolicedApi) -> None:
    state = CcdState(hash="a" * 64, n_frames=3, total_bytes=9, first_seen=0.0, last_seen=60.0)
    api.handlers.state.put("ccd", "s0001-4-2", state.model_dump(), over=0)
    api.handlers.state.put("sweep", "SPOC/s0001", {"listed_at": 60.0}, over=0)
    answer = api.get("/v1/cubes/tess-s0001-4-2")
    assert answer.status == 200
    assert answer.json()["frames"]["next_listing"]


def test_a_whole_cube_may_be_linked_to(api: PolicedApi) -> None:
    assert api.get("/datalink/file", ID="tess-s0001-4-2").status == 303


@pytest.mark.parametrize("path", [f"{TESSCUT}/sector", f"{TESSCUT}/astrocut", "/v1/cubes", "/v1/health"])
def test_a_path_may_be_answered_before_there_is_a_cube(path: str) -> None:
    query = {"ra": RA, "dec": DEC, "y": 5, "x": 5} if path.startswith("/tess") else {}
    assert PolicedApi(PolicedStore()).get(path, **query).status == 200


def test_a_large_answer_may_be_stored_and_found_again(api: PolicedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.results.INLINE_LIMIT", 1000)
    for _ in range(2):
        assert api.get("/v1/cutouts", ra=RA, dec=DEC, size=9).status == 303


@pytest.mark.parametrize("first", ["/v1/jobs", "/v1/cutouts", f"{TESSCUT}/astrocut"])
def test_a_job_may_be_asked_for_made_watched_and_fetched(
    api: PolicedApi, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    monkeypatch.setattr("tessera_cloud.http.cutouts.wait_routes.WAIT_SECONDS", 0.0)
    form: dict[str, Any] = {"ra": RA, "dec": DEC, "y": 12, "x": 11} if first.startswith("/tess") else {}
    location = api.post(first, LARGE, **form).location
    job = location.removesuffix("/wait?n=1")
    assert api.get(job).json()["status"] == "running"
    assert api.get(f"{job}/wait?n=1").status == 303
    api.run_jobs()
    assert api.get(job).json()["result"]["url"]
    assert api.get(f"{job}/wait?n=2").location.startswith("https://results.example/")
    assert api.post(first, LARGE, **form).status in (202, 303)


def test_a_job_may_be_made_twice_and_may_lack_a_cube(api: PolicedApi) -> None:
    job = api.post("/v1/jobs", LARGE).location
    key = next(key for key in api.store.objects if key[1].endswith("tess-s0002-4-2-cube.fits"))
    cube = api.store.objects.pop(key)
    api.run_jobs()
    assert api.get(job).json()["status"] == "partial"
    api.store.objects[key] = cube
    api.post("/v1/jobs", LARGE)
    api.run_jobs()
    assert api.get(job).json()["status"] == "succeeded"


def test_jobs_and_builds_may_be_stopped(api: PolicedApi) -> None:
    job = api.post("/v1/jobs", LARGE).json()
    assert api.request("DELETE", f"{job['url']}?cancel_token={job['cancel_token']}").status == 200
    build = api.post("/v1/builds", {"sector": 1, "camera": 4, "ccd": 2}, signed=True).location
    assert api.request("GET", "/v1/builds", signed=True).status == 200
    assert api.request("DELETE", build, signed=True).status == 200


def test_the_canary_may_remember_a_checksum(api: PolicedApi) -> None:
    target = {"ra": RA, "dec": DEC, "sector": 1, "cadences": 5, "began": 1300, "ended": 1400}
    services = api.handlers.services

    def fetch(url: str, _seconds: float) -> tuple[int, bytes]:
        store, asked = api.store, url.removeprefix("https://service")
        assert isinstance(store, PolicedStore)
        found = api.get(asked)
        store.function = "CanaryFunction"
        return found.status, found.content

    settings = dataclasses.replace(services.settings, canary_url="https://service", canary_target=json.dumps(target))
    api.handlers.services = dataclasses.replace(services, settings=settings, fetch=fetch)
    vars(api.handlers.services)["state"] = services.state
    for _ in range(2):
        assert api.handlers.invoke("canary", {})["outcome"] == "passed"


def test_what_a_function_does_not_need_is_denied(api: PolicedApi) -> None:
    store = api.store
    assert isinstance(store, PolicedStore)
    store.function = "CutoutApiFunction"
    for operation in (
        lambda: store.write("cubes", "cubes/x", b""),
        lambda: store.write("cubes", "index/footprints.json", b""),
        lambda: store.read("frames", "x"),
        lambda: store.delete("results", "results/x"),
        lambda: api.handlers.services.executions.stop("m", "x", ""),
        lambda: list(api.handlers.services.state.query("job")),
        lambda: api.handlers.services.queue.send(""),
    ):
        with pytest.raises(FatalError, match="AccessDenied"):
            operation()
