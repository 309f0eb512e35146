"""Lists of targets as jobs: progress, products page by page, time that is left, cancelling, shares and queues."""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import Any

import pytest

from tessera_cloud import keys
from tessera_cloud.application.bulk.order import BandFile, BandRecord
from tessera_cloud.application.jobs.queue import read_queue
from tessera_cloud.application.jobs.records import JobOutcome, JobRef
from tessera_cloud.application.jobs.turns import TendTask, end_job, tend
from tessera_cloud.application.jobs.work import lists
from tessera_cloud.errors import NoCutoutsError
from tests.http.test_bulk import CSV, error, limit, send
from tests.support.api import DEC, JOBS, LISTS, RA, Api
from tests.support.builds import SETTINGS
from tests.support.run_lists import run_lists

DIGEST = "digest"
Json = dict[str, Any]


def begin(api: Api, body: bytes = CSV, address: str = "127.0.0.1") -> Json:
    answer = send(api, body, "/v1/bulk", address=address)
    assert answer.status == 202, answer.content
    found: Json = answer.json()
    return found


def plan(api: Api, job: Json, bands: int = 2, lost: int = 0) -> None:
    """Leave the plan, as plan_bulk does."""
    document = {"plan": job["plan"] | {"bands": bands, "cutouts": 40, "minutes": 2.0}, "digest": DIGEST}
    document |= {"rows_at_once": 1, "band_rows": [1.333333, 1.666666]}
    document["lost"] = [{"cube": "tess-s0002-4-2", "reason": "it is damaged", "n_rows": lost}] if lost else []
    api.store.write(SETTINGS.result_bucket, keys.bulk_plan(job["id"]), json.dumps(document).encode())


def leave(
    api: Api,
    job: Json,
    band: int,
    *,
    ok: int,
    failed: int = 0,
    n_files: int = 1,
    digest: str = DIGEST,
    **more: int | str,
) -> None:
    """Leave the record of a band, as cut_band does."""
    files = tuple(BandFile(name=f"files/{band}-{n:02d}.zip", bytes=1000, sha256="ab" * 32) for n in range(n_files))
    record = BandRecord(band=band, cube="tess-s0001-4-2", n_ok=ok, n_failed=failed, files=files)
    document = record.model_dump(mode="json") | {"plan": digest} | more
    api.store.write(SETTINGS.result_bucket, keys.bulk_record(job["id"], band), json.dumps(document).encode())


def end(api: Api, job: Json, status: str = "succeeded", failed: int = 0) -> None:
    """Leave the manifest and the outcome, as finish_bulk does."""
    files = [{"name": name, "size": 1000, "sha256": "cd" * 32} for name in ("status.csv", "files/1.zip", "files/0.zip")]
    key = keys.bulk_manifest(job["id"])
    api.store.write(SETTINGS.result_bucket, key, json.dumps({"files": files, "statuses": {}}).encode())
    outcome = JobOutcome.model_validate(
        {"status": status, "finished": api.handlers.now().timestamp(), "key": key, "bytes": 3000, "n_succeeded": 40}
        | {"n_failed": failed, "reason": "a cube is gone" if failed else ""}
    )
    services = api.handlers.services
    end_job(JobRef(job=job["id"], attempt=job["attempt"]), outcome, services, lists(services.settings, LISTS))


def look(api: Api, job: Json, **query: Any) -> Json:
    answer = api.get(f"/v1/bulk/{job['id']}", **query)
    assert answer.status == 200, answer.content
    found: Json = answer.json()
    return found


def later(api: Api, seconds: float) -> None:
    now = api.handlers.now() + datetime.timedelta(seconds=seconds)
    api.handlers.clock = lambda: now


def test_a_list_goes_through_its_phases_and_tells_how_far_it_is(api: Api) -> None:
    job = begin(api)
    assert (job["status"], job["phase"], job["progress"]["cutouts"]) == ("running", "planning", 4)
    assert look(api, job)["progress"]["cutouts"] is None
    plan(api, job)
    seen = look(api, job)
    assert (seen["phase"], seen["progress"]["cutouts"], seen["progress"]["bands"]) == ("cutting", 40, 2)
    assert seen["eta_seconds"] == 120  # nothing is done, so the plan tells
    leave(api, job, 0, ok=7, failed=1, n_no_overlap=2)
    later(api, 60)
    seen = look(api, job)
    counts = {
        "rows": 4,
        "rows_done": 2,
        "cutouts": 40,
        "done": 7,
        "failed": 1,
        "no_overlap": 2,
        "bands": 2,
        "bands_done": 1,
    }
    assert seen["progress"] == counts
    assert seen["eta_seconds"] == 180  # a quarter took a minute
    leave(api, job, 1, ok=30)
    seen = look(api, job)
    assert (seen["phase"], seen["eta_seconds"], seen["status_url"]) == ("finishing", None, None)
    end(api, job, "partial", failed=1)
    seen = look(api, job)
    assert (seen["status"], seen["phase"], seen["reason"]) == ("partial", "ended", "a cube is gone")
    assert (seen["progress"]["done"], seen["progress"]["failed"], seen["progress"]["rows_done"]) == (40, 1, 4)
    assert "products/status.csv" in seen["status_url"]
    assert "products/manifest.json" in seen["manifest_url"]
    assert seen["expires"] == (api.handlers.now() + datetime.timedelta(days=7)).isoformat(timespec="seconds")


def test_the_time_that_is_left_is_not_taken_from_an_earlier_attempt(api: Api) -> None:
    job = begin(api)
    plan(api, job, bands=3)
    leave(api, job, 0, ok=20)
    api.request("DELETE", f"{job['url']}?cancel_token={job['cancel_token']}")
    again = begin(api)
    assert again["attempt"] == 2
    later(api, 10)
    assert look(api, job)["eta_seconds"] == 50  # the plan says a minute for the rest
    later(api, 60)
    assert look(api, job)["eta_seconds"] is None
    leave(api, job, 1, ok=10, attempt=2)
    assert look(api, job)["eta_seconds"] == 70  # as much again as this attempt made


def test_targets_of_cubes_that_cannot_be_opened_have_failed_from_the_beginning(api: Api) -> None:
    job = begin(api)
    plan(api, job, lost=3)
    counts = look(api, job)["progress"]
    assert (counts["cutouts"], counts["failed"], counts["done"]) == (43, 3, 0)


def test_a_list_whose_only_cubes_cannot_be_opened_is_not_said_to_be_on_no_cube(api: Api) -> None:
    for place in list(api.store.objects):
        if place[1].startswith(keys.SIDECARS):
            del api.store.objects[place]
        elif place[1].endswith("cube.fits"):
            api.store.objects[place] = b"broken"
    job = begin(api)
    with pytest.raises(NoCutoutsError):
        run_lists(api)
    ended = look(api, job)
    assert (ended["status"], ended["progress"]["failed"]) == ("failed", 4)
    assert "tess-s0001-4-2: the cube cannot be read: " in ended["reason"]


def test_products_are_linked_as_soon_as_they_are_finished_page_by_page(api: Api) -> None:
    job = begin(api)
    plan(api, job)
    assert look(api, job)["files"] == []
    leave(api, job, 1, ok=1, n_files=3)
    leave(api, job, 0, ok=1, n_files=2)
    first = look(api, job, limit=3)
    assert [file["name"] for file in first["files"]] == ["files/0-00.zip", "files/0-01.zip", "files/1-00.zip"]
    assert "products/files/0-00.zip" in first["files"][0]["url"]
    assert first["next"] == f"{job['url']}?after=files%2F1-00.zip&limit=3"
    rest = api.get(first["next"]).json()
    assert ([file["name"] for file in rest["files"]], rest["next"]) == (["files/1-01.zip", "files/1-02.zip"], None)
    assert look(api, job, limit=0)["files"] == []
    end(api, job)
    assert [file["name"] for file in look(api, job)["files"]] == ["files/0.zip", "files/1.zip", "status.csv"]


def test_records_are_read_once_and_those_of_another_plan_do_not_count(api: Api) -> None:
    job = begin(api)
    plan(api, job)
    leave(api, job, 0, ok=5)
    leave(api, job, 1, ok=7, digest="older")
    assert look(api, job)["progress"]["done"] == 5
    api.store.requests.clear()
    leave(api, job, 1, ok=8)
    assert look(api, job)["progress"]["done"] == 13
    read = [key for operation, _, key in api.store.requests if operation == "read" and "/records/" in key]
    assert read == [keys.bulk_record(job["id"], 1)]


def test_only_who_asked_may_stop_a_list_and_what_is_finished_stays(api: Api) -> None:
    job = begin(api)
    plan(api, job)
    leave(api, job, 0, ok=5)
    refused = api.request("DELETE", f"{job['url']}?cancel_token=guess")
    assert (refused.status, error(refused)["parameter"]) == (403, "cancel_token")
    stopped = api.request("DELETE", f"{job['url']}?cancel_token={job['cancel_token']}")
    assert (stopped.status, stopped.json()["status"]) == (200, "cancelled")
    assert api.request("DELETE", f"{job['url']}?cancel_token={job['cancel_token']}").status == 409
    assert [file["name"] for file in look(api, job)["files"]] == ["files/0-00.zip"]
    (execution,) = [found for (machine, _), found in api.handlers.executions.executions.items() if machine == LISTS]
    assert execution.status == "ABORTED"
    again = begin(api)
    assert (again["id"], again["attempt"], again["status"]) == (job["id"], 2, "running")


def test_bands_that_an_attempt_does_again_are_not_done_yet(api: Api) -> None:
    job = begin(api)
    plan(api, job)
    leave(api, job, 0, ok=5)
    leave(api, job, 1, ok=0, failed=7, reason="the cube was withdrawn")
    assert look(api, job)["phase"] == "finishing"
    end(api, job, "partial", failed=7)
    begin(api)
    found = look(api, job)
    assert (found["phase"], found["progress"]["done"], found["progress"]["failed"]) == ("cutting", 5, 0)


def test_lists_wait_in_a_queue_of_their_own(api: Api) -> None:
    limit(api, max_jobs=1)
    first, second = begin(api), begin(api, b"ra,dec\n%r,%r\n" % (RA, DEC))
    assert (second["status"], second["turn"], second["phase"]) == ("queued", 1, "queued")
    assert api.post("/v1/jobs", {"position": {"ra": RA, "dec": DEC}, "size": [12, 11]}).json()["status"] == "running"
    state = api.handlers.services.state
    assert [len(read_queue(state, name).places) for name in ("lists", "queue")] == [2, 1]
    end(api, first)
    assert look(api, second)["status"] == "running"


def test_a_client_has_its_share_of_lists(api: Api) -> None:
    services = api.handlers.services
    settings = dataclasses.replace(services.settings, client_jobs=2)
    api.handlers.services = dataclasses.replace(services, settings=settings)
    for number in range(2):
        begin(api, b"ra,dec\n%r,%r\n" % (RA, DEC + number / 1e4))
    refused = send(api, CSV, "/v1/bulk")
    assert (refused.status, refused.headers["retry-after"]) == (429, "20")
    assert error(refused)["message"].startswith("you have 2 lists that have not ended")
    assert send(api, CSV, "/v1/bulk", address="192.0.2.9").status == 202


def test_a_list_whose_execution_died_fails_with_the_reason_and_says_what_was_made(api: Api) -> None:
    job = begin(api)
    plan(api, job)
    leave(api, job, 0, ok=9, failed=1)
    ((machine, name),) = api.handlers.executions.executions
    api.handlers.executions.end(machine, name, "TIMED_OUT")
    assert tend(TendTask(machine=LISTS, queue="lists"), api.handlers.services) == 1
    seen = look(api, job)
    assert (seen["status"], seen["phase"], seen["reason"]) == ("failed", "ended", "the job took too long")
    assert (seen["progress"]["done"], seen["progress"]["failed"]) == (9, 1)


def test_lists_and_jobs_do_not_take_each_others_ids(api: Api) -> None:
    listed = begin(api)["id"]
    job = api.post("/v1/jobs", {"position": {"ra": RA, "dec": DEC}, "size": [12, 11]}).json()["id"]
    for path in (f"/v1/jobs/{listed}", f"/v1/jobs/{listed}/wait", f"/v1/bulk/{job}", f"/v1/bulk/{job}/wait"):
        assert api.get(path).status == 404, path
    assert error(api.get(f"/v1/bulk/{job}"))["message"].startswith(f"there is no list '{job}'")
    assert [machine for machine, _ in api.handlers.executions.executions] == [LISTS, JOBS]


def test_a_list_is_known_as_long_as_its_results_are_kept(api: Api) -> None:
    limit(api, kept_days=3)
    job = begin(api)
    end(api, job)
    later(api, 3 * 86_400 - 1)
    assert look(api, job)["status"] == "succeeded"
    later(api, 2)
    gone = api.get(f"/v1/bulk/{job['id']}")
    assert (gone.status, error(gone)["allowed"]) == (404, "the id of a list of the last 3 days")


def test_who_waits_for_a_list_is_sent_to_it(api: Api) -> None:
    job = begin(api)
    for _ in range(2):
        answer = api.get(job["wait_url"])
        assert (answer.status, answer.location) == (303, job["url"])
        end(api, job)
    assert api.get(f"/v1/bulk/{'0' * 32}/wait").status == 404


def test_products_count_for_the_share_of_a_day_when_they_are_linked_and_only_once(api: Api) -> None:
    services = api.handlers.services
    settings = dataclasses.replace(services.settings, client_daily_gb=4500 / 1e9)
    api.handlers.services = dataclasses.replace(services, settings=settings)
    api.handlers.services.__dict__["state"] = services.state
    job = begin(api)
    plan(api, job)
    leave(api, job, 0, ok=1, n_files=2)
    for _ in range(3):
        assert len(look(api, job)["files"]) == 2  # 2,000 bytes, once
    leave(api, job, 1, ok=1, n_files=3)
    assert len(look(api, job)["files"]) == 5  # 3,000 more: the answer that exceeds the share
    refused = api.get(f"/v1/bulk/{job['id']}", limit=1, after="files/0-00.zip")
    assert (refused.status, error(refused)["code"]) == (429, "too_many_requests")
    assert send(api, CSV + b"1,1,1\n", "/v1/bulk").status == 429
    assert look(api, job, limit=0)["progress"]["done"] == 2  # progress costs nothing
    assert api.request("DELETE", f"{job['url']}?cancel_token={job['cancel_token']}").status == 200


def test_a_pause_stops_lists_and_new_requests(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from tessera_cloud.application.switch import FRESH_SECONDS, pause  # noqa: PLC0415

    job = begin(api)
    assert pause(api.handlers.services, reason="no money", by="budget") == 1
    later(api, FRESH_SECONDS + 1)
    for answer in (send(api, CSV), send(api, CSV, "/v1/bulk"), api.get(f"/v1/bulk/{job['id']}")):
        assert (answer.status, error(answer)["code"]) == (503, "paused")
