"""Reasons of jobs without a file, and of cubes without one: in words for the user, without names of classes."""

from __future__ import annotations

import pytest

from tests.http.test_jobs import cube_key, start
from tests.support.api import JOBS, Api, sky
from tests.support.builds import SETTINGS


def test_a_cube_that_is_damaged_while_it_is_cut_fails_alone(api: Api) -> None:
    job = start(api)
    ref = {"job": job["id"], "attempt": 1}
    items = api.handlers.invoke("plan_job", ref)["items"]
    key = (SETTINGS.cube_bucket, cube_key(api, 1))
    api.store.objects[key] = api.store.objects[key][:-1] + b"x"
    for item in items:
        api.handlers.invoke("cut_item", {"job": job["id"], "item": item})
    api.handlers.invoke("finish_job", ref)
    answer = api.get(job["url"]).json()
    assert answer["status"] == "partial"
    assert [(cube["cube"], cube["status"]) for cube in answer["cubes"]] == [
        ("tess-s0001-4-2", "failed"),
        ("tess-s0002-4-2", "succeeded"),
    ]
    assert answer["cubes"][0]["reason"] == "the cube was replaced while it was read; ask for the job again"


def test_a_cube_without_a_record_is_noticed(api: Api) -> None:
    job = start(api)
    ref = {"job": job["id"], "attempt": 1}
    api.handlers.invoke("plan_job", ref)
    api.handlers.invoke("cut_item", {"job": job["id"], "item": 0})
    api.handlers.invoke("finish_job", ref)
    answer = api.get(job["url"]).json()
    assert (answer["status"], answer["progress"]["failed"]) == ("partial", 1)
    assert "tess-s0002-4-2: the task did not end" in answer["reason"]


def test_a_job_of_which_every_cube_fails_has_failed(api: Api) -> None:
    job = start(api)
    for sector in (1, 2):
        del api.store.objects[SETTINGS.cube_bucket, cube_key(api, sector)]
    api.run_jobs()
    answer = api.get(job["url"]).json()
    assert (answer["status"], answer["result"]) == ("failed", None)


def test_an_execution_that_fails_fails_the_job_by_its_error_and_may_be_asked_for_again(api: Api) -> None:
    job = start(api)
    cause = '{"errorMessage": "memory is full", "errorType": "MemoryError"}'
    ((_, name),) = api.handlers.executions.executions
    api.handlers.executions.end(JOBS, name, "FAILED", error="MemoryError", cause=cause)
    api.sweep_jobs()
    answer = api.get(job["url"]).json()
    assert (answer["status"], answer["reason"]) == ("failed", "memory is full")
    assert start(api)["attempt"] == 2


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        ("TIMED_OUT", "", "the job took too long"),
        ("FAILED", "States.Timeout", "the job took too long"),
        ("FAILED", "Lambda.Unknown", "a defect of the service"),
        ("ABORTED", "", "an operator stopped the job"),
    ],
)
def test_an_execution_that_fails_without_words_is_explained(api: Api, status: str, error: str, reason: str) -> None:
    job = start(api)
    ((_, name),) = api.handlers.executions.executions
    api.handlers.executions.end(JOBS, name, status, error=error)
    api.sweep_jobs()
    assert api.get(job["url"]).json()["reason"] == reason


def test_a_cube_that_the_window_misses_is_no_part_of_the_job(api: Api) -> None:
    ra, dec = sky(-17.0, 14.0)
    job = start(api, position={"ra": ra, "dec": dec})
    api.run_jobs()
    answer = api.get(job["url"]).json()
    assert (answer["status"], answer["cubes"]) == ("failed", [])
    assert answer["reason"] == "the place is beside the frames of tess-s0001-4-2, tess-s0002-4-2"
    waited = api.get(f"{job['url']}/wait").json()["msg"]
    assert waited == f"Cutout not performed. The job is failed: {answer['reason']}. See {job['url']}"


def test_a_job_whose_choice_keeps_no_cadence_says_so(api: Api) -> None:
    job = start(api, cadences=[900000, 900001])
    api.run_jobs()
    answer = api.get(job["url"]).json()
    assert answer["status"] == "failed"
    assert answer["reason"].endswith("tess-s0002-4-2, or time, cadences and quality_mask leave no cadence")


def test_an_error_that_has_no_cause_is_answered_with_an_empty_one(api: Api) -> None:
    """The state after `TendJobs` reads both."""
    job = start(api)
    caught = {"machine": JOBS, "job": job["id"], "attempt": 1, "error": {"Error": "States.Timeout"}}
    assert api.handlers.invoke("tend_jobs", caught) == {"Error": "States.Timeout", "Cause": ""}
    assert api.get(job["url"]).json()["reason"] == "the job took too long"
