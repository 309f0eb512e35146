"""What takes long becomes a job: asked for once, watched, cancelled, and whole or honest about what it lacks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from astropy.io import fits

from tessera_cloud import keys
from tessera_cloud.application.jobs import waiting
from tessera_cloud.application.jobs.work import cutouts
from tessera_cloud.http.cutouts.wait_routes import MAX_HOPS
from tests.support.api import BASE, DEC, N_CADENCES, RA, Api
from tests.support.archives import file_names
from tests.support.builds import SETTINGS, at

LARGE = {"position": {"ra": RA, "dec": DEC}, "size": [12, 11]}


def start(api: Api, **change: Any) -> dict[str, Any]:
    answer = api.post("/v1/jobs", LARGE | change)
    assert answer.status == 202, answer.content
    document: dict[str, Any] = answer.json()
    assert answer.location == document["url"] == f"{BASE}/v1/jobs/{document['id']}"
    return document


def stored(api: Api, url: str) -> bytes:
    return api.store.objects[SETTINGS.result_bucket, url.split(".example/")[1].split("?", maxsplit=1)[0]]


def test_a_job_runs_and_ends_with_one_archive(api: Api) -> None:
    job = start(api)
    assert (job["status"], job["progress"]) == ("running", {"cubes": 2, "done": 0, "failed": 0})
    assert api.get(job["url"]).json()["status"] == "running"
    api.run_jobs()
    job = api.get(job["url"]).json()
    assert (job["status"], job["progress"]) == ("succeeded", {"cubes": 2, "done": 2, "failed": 0})
    archive = zipfile.ZipFile(io.BytesIO(stored(api, job["result"]["url"])))
    assert file_names(archive) == [f"tess-s{s:04d}-4-2_{RA:.6f}_{DEC:.6f}_11x12_astrocut.fits" for s in (1, 2)]
    assert len(stored(api, job["result"]["url"])) == job["result"]["bytes"]
    for sector, name in zip((1, 2), file_names(archive), strict=True):
        assert fits.open(io.BytesIO(archive.read(name)))["PIXELS"].data["FLUX"].shape == (N_CADENCES[sector], 12, 11)


def test_every_cube_of_a_job_has_a_file_of_its_own(api: Api) -> None:
    job = start(api)
    api.run_jobs()
    cubes = api.get(job["url"]).json()["cubes"]
    assert [cube["cube"] for cube in cubes] == ["tess-s0001-4-2", "tess-s0002-4-2"]
    for cube in cubes:
        assert len(stored(api, cube["url"])) == cube["bytes"]
        assert stored(api, cube["url"]).startswith(b"SIMPLE  =")


def test_progress_is_what_the_cubes_have_left(api: Api) -> None:
    job = start(api)
    ref = {"job": job["id"], "attempt": 1}
    assert api.handlers.invoke("plan_job", ref) == {"items": [0, 1], "max_concurrency": 20}
    api.handlers.invoke("cut_item", {"job": job["id"], "item": 1})
    assert api.get(job["url"]).json()["progress"] == {"cubes": 2, "done": 1, "failed": 0}


def test_asking_twice_computes_once(api: Api) -> None:
    first, second = start(api), start(api)
    assert (first["id"], first["url"]) == (second["id"], second["url"])
    assert len(api.run_jobs()) == 1
    assert start(api)["status"] == "succeeded"
    assert api.run_jobs() == []


def test_what_was_made_while_a_client_waited_is_a_job_that_has_ended(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.application.results.INLINE_LIMIT", 1000)
    small = LARGE | {"size": 9}
    location = api.post("/v1/cutouts", small).location
    job = start(api, size=9)
    assert api.run_jobs() == []
    answer = api.get(job["url"]).json()
    assert (job["status"], answer["status"], answer["progress"]["done"]) == ("succeeded", "succeeded", 2)
    assert answer["result"]["url"] == location


def test_other_options_are_another_job(api: Api) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"sectors": [1]},
        {"layout": "slim"},
        {"placement": "tesscut"},
        {"quality_mask": 4096},
        {"cadences": [0, 99999]},
        {"size": [11, 12]},
    ]
    assert len({start(api, **change)["id"] for change in changes}) == len(changes)


def test_a_rebuilt_cube_is_another_job(api: Api) -> None:
    first = start(api)
    index = next(key for key in api.store.objects if key[1] == keys.FOOTPRINT_INDEX)
    etag = api.store.head(SETTINGS.cube_bucket, cube_key(api, 1)).etag
    api.store.objects[index] = api.store.objects[index].replace(etag.encode(), b"0" * 32)
    api.handlers.services.index.served = api.handlers.services.index.own = None
    assert start(api)["id"] != first["id"]


def test_a_job_that_is_gone_from_the_bucket_is_made_again(api: Api) -> None:
    job = start(api)
    api.run_jobs()
    del api.store.objects[SETTINGS.result_bucket, keys.result(job["id"])]
    again = start(api)
    assert (again["status"], again["attempt"]) == ("running", 2)
    api.run_jobs()
    assert api.get(job["url"]).json()["status"] == "succeeded"


def test_a_job_is_made_again_when_all_but_its_old_execution_is_forgotten(api: Api) -> None:
    job = start(api)
    api.run_jobs()
    api.handlers.state.records.clear()
    for place in [place for place in api.store.objects if place[0] == SETTINGS.result_bucket]:
        del api.store.objects[place]
    api.handlers.clock = at(hours=72)
    again = start(api)
    assert (again["id"], again["status"], again["attempt"]) == (job["id"], "running", 1)
    api.run_jobs()
    assert api.get(job["url"]).json()["status"] == "succeeded"


def test_a_job_is_forgotten_after_a_day_although_the_table_is_slow_to_forget(api: Api) -> None:
    job = start(api)
    api.run_jobs()
    api.handlers.clock = at(hours=48)
    assert api.get(job["url"]).status == 404


def test_a_file_that_is_gone_is_made_again(api: Api) -> None:
    job = start(api)
    api.run_jobs()
    gone = [place for place in api.store.objects if place[1].startswith(f"jobs/{job['id']}/") and "fits" in place[1]]
    for place in [*gone, (SETTINGS.result_bucket, keys.result(job["id"]))]:
        del api.store.objects[place]
    assert start(api)["attempt"] == 2
    api.run_jobs()
    assert api.get(job["url"]).json()["status"] == "succeeded"


# ---------------------------------------------------------------- failures


def cube_key(api: Api, sector: int) -> str:
    prefix = f"cubes/s{sector:04d}-4-2/"
    return next(key for _, key in api.store.objects if key.startswith(prefix) and key.endswith("-cube.fits"))


def test_a_broken_record_of_ours_is_not_a_wrong_request(api: Api) -> None:
    job = start(api)
    api.run_jobs()
    records = [place for place in api.store.objects if place[1].startswith(f"jobs/{job['id']}/records/")]
    assert records
    for place in records:
        api.store.objects[place] = b"{}"
    answer = api.get(job["url"])
    assert (answer.status, answer.json()["error"]["code"]) == (500, "internal")


def test_a_bad_cube_is_named_and_does_not_lose_the_others(api: Api) -> None:
    job = start(api)
    key = (SETTINGS.cube_bucket, cube_key(api, 2))
    good = api.store.objects.pop(key)
    api.run_jobs()
    answer = api.get(job["url"]).json()
    assert (answer["status"], answer["progress"]) == ("partial", {"cubes": 2, "done": 1, "failed": 1})
    assert answer["reason"].startswith("tess-s0002-4-2: the cube tess-s0002-4-2 is no longer at its source")
    assert len(file_names(zipfile.ZipFile(io.BytesIO(stored(api, answer["result"]["url"]))))) == 1
    assert (SETTINGS.result_bucket, keys.result(job["id"])) not in api.store.objects
    api.store.objects[key] = good
    assert start(api)["attempt"] == 2
    api.run_jobs()
    assert api.get(job["url"]).json()["progress"] == {"cubes": 2, "done": 2, "failed": 0}


# ---------------------------------------------------------------- cancelling


def cancel(api: Api, job: dict[str, Any], token: str | None = None) -> Any:
    return api.request("DELETE", f"{job['url']}?cancel_token={token or job['cancel_token']}")


def test_a_job_is_cancelled_and_may_be_asked_for_again(api: Api) -> None:
    job = start(api)
    answer = cancel(api, job)
    assert (answer.status, answer.json()["status"]) == (200, "cancelled")
    (execution,) = api.handlers.executions.executions.values()
    assert execution.status == "ABORTED"
    assert api.get(job["url"]).json()["status"] == "cancelled"
    assert cancel(api, job).status == 409
    assert start(api)["attempt"] == 2
    api.run_jobs()
    assert api.get(job["url"]).json()["status"] == "succeeded"


def test_a_job_that_has_ended_cannot_be_cancelled(api: Api) -> None:
    job = start(api)
    api.run_jobs()
    answer = api.request("DELETE", job["url"])
    assert answer.status == 409
    assert answer.json()["error"] == {
        "code": "conflict",
        "message": f"job {job['id']} is succeeded; allowed: a job that is queued or running",
        "parameter": "job",
        "value": job["id"],
        "allowed": "a job that is queued or running",
    }


def test_a_cancelled_job_does_not_come_back_when_its_last_task_ends(api: Api) -> None:
    job = start(api)
    ref = {"job": job["id"], "attempt": 1}
    for item in api.handlers.invoke("plan_job", ref)["items"]:
        api.handlers.invoke("cut_item", {"job": job["id"], "item": item})
    cancel(api, job)
    api.handlers.invoke("finish_job", ref)
    assert api.get(job["url"]).json()["status"] == "cancelled"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_job_that_nobody_asked_for_is_404(api: Api, method: str) -> None:
    for name in ("nothing", "0" * 32, "0" * 1100):  # the table takes names of at most 1024 bytes
        answer = api.request(method, f"/v1/jobs/{name}")
        assert answer.status == 404
        assert answer.json()["error"]["parameter"] == "job"


def test_a_job_off_the_sky_that_is_covered_is_404(api: Api) -> None:
    assert api.post("/v1/jobs", {"position": {"ra": 10, "dec": 60}}).status == 404


# ---------------------------------------------------------------- waiting


def follow(api: Api, location: str, hops: int) -> str:
    for _ in range(hops):
        answer = api.get(location)
        assert answer.status == 303
        location = answer.location
    return location


def test_a_client_of_tesscut_is_led_to_the_archive(api: Api) -> None:
    answer = api.post("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, y=12, x=11)
    assert answer.status == 303
    assert answer.location.startswith(f"{BASE}/v1/jobs/")
    assert answer.location.endswith("/wait?n=1")
    location = follow(api, answer.location, 2)
    assert location.endswith("/wait?n=3")
    api.run_jobs()
    assert len(zipfile.ZipFile(io.BytesIO(stored(api, follow(api, location, 1)))).namelist()) == 2
    again = api.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, y=12, x=11)
    assert (again.status, again.location.startswith("https://results.example/")) == (303, True)


def test_a_client_is_not_sent_on_for_ever(api: Api) -> None:
    location = api.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, y=12, x=11).location
    last = api.get(follow(api, location, MAX_HOPS - 1))
    assert last.status == 200
    assert "not finished yet" in last.json()["msg"]


def test_a_client_whose_job_fails_is_told_why(api: Api) -> None:
    location = api.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, y=12, x=11).location
    for sector in (1, 2):
        del api.store.objects[SETTINGS.cube_bucket, cube_key(api, sector)]
    api.run_jobs()
    answer = api.get(location)
    assert answer.status == 200
    assert "The job is failed" in answer.json()["msg"]


class Clock:
    """Time that passes by sleeping; something may happen at a moment."""

    def __init__(self, at: float = 1e9, event: Callable[[], object] = list) -> None:
        self.now, self.at, self.event = 0.0, at, event

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self.at:
            self.at = 1e9
            self.event()


def wait(api: Api, job: dict[str, Any], clock: Clock) -> tuple[str | None, bool]:
    services = api.handlers.services
    work = cutouts(services.settings)
    record, held = waiting.wait(job["id"], services, work, seconds=20.0, clock=clock, sleep=clock.sleep)
    return record.ended, held


def test_a_waiting_client_is_told_within_a_second_and_asks_nothing_of_the_state_machine(api: Api) -> None:
    job = start(api)
    described: list[str] = []
    api.handlers.executions.describe = lambda machine, name: described.append(name)  # type: ignore[method-assign]
    clock = Clock(at=7.0, event=api.run_jobs)
    assert (wait(api, job, clock), clock.now) == (("succeeded", True), 7.0)
    assert described == []


def test_a_client_is_held_no_longer_than_it_should_be(api: Api) -> None:
    job = start(api)
    clock = Clock()
    assert (wait(api, job, clock), clock.now) == ((None, True), 20.0)


def test_our_own_clients_get_202(api: Api) -> None:
    answer = api.post("/v1/cutouts", LARGE)
    assert answer.status == 202
    api.run_jobs()
    assert api.get(answer.location).json()["status"] == "succeeded"
    assert api.post("/v1/cutouts", LARGE).status == 303


def test_a_window_larger_than_any_job_makes_is_413(api: Api) -> None:
    answer = api.post("/v1/jobs", LARGE | {"size": [31, 30]})
    assert answer.status == 413
    error = answer.json()["error"]
    assert (error["parameter"], error["value"], error["allowed"]) == (
        "size",
        "31 x 30",
        "at most 900 pixels in a window",
    )
    assert api.get("/tesscut/api/v0.1/astrocut", ra=RA, dec=DEC, y=31, x=30).json() == {
        "msg": "size is 31 x 30, 930 pixels; allowed: at most 900 pixels in a window"
    }
