"""The CutoutJob state machine: one archive of many cubes, tried again where it helps, honest about what it lacks."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tessera_cloud import keys
from tessera_cloud.errors import FatalError, TransientError
from tests.support.api import DEC, RA
from tests.support.archives import file_names
from tests.support.builds import SETTINGS
from tests.support.job_machine import JobStack

LARGE = {"position": {"ra": RA, "dec": DEC}, "size": [12, 11]}


def ask(stack: JobStack, **change: Any) -> str:
    answer = stack.api.post("/v1/jobs", LARGE | change)
    assert answer.status == 202
    return str(answer.json()["id"])


def status(stack: JobStack, job: str) -> dict[str, Any]:
    document: dict[str, Any] = stack.api.get(f"/v1/jobs/{job}").json()
    return document


@pytest.mark.parametrize("mode", ["DISTRIBUTED", "INLINE"])
def test_cubes_become_one_archive(job_stack: JobStack, mode: str) -> None:
    job = ask(job_stack)
    answer = job_stack.make(mode)
    assert answer["status"] == "SUCCEEDED"
    assert json.loads(answer["output"])["outcome"]["status"] == "succeeded"
    assert job_stack.calls == {"plan_job": 1, "cut_item": 2, "finish_job": 1}
    archive = zipfile.ZipFile(io.BytesIO(job_stack.store.objects[SETTINGS.result_bucket, keys.result(job)]))
    assert archive.testzip() is None
    assert len(file_names(archive)) == 2


def test_only_references_travel_through_the_machine(job_stack: JobStack) -> None:
    ask(job_stack)
    assert set(json.loads(job_stack.make()["output"])) == {"job", "attempt", "plan", "outcome"}


@pytest.mark.parametrize("name", ["plan_job", "cut_item", "finish_job"])
def test_a_transient_error_is_tried_again(job_stack: JobStack, name: str) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == name and call == 1:
            raise TransientError("503 SlowDown")

    job_stack.fault = fault
    job = ask(job_stack)
    assert job_stack.make()["status"] == "SUCCEEDED"
    assert status(job_stack, job)["progress"] == {"cubes": 2, "done": 2, "failed": 0}


def of_item(item: int, error: Exception) -> Any:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "cut_item" and event["item"] == item:
            raise error

    return fault


def test_a_task_that_dies_loses_its_cube_and_no_other(job_stack: JobStack) -> None:
    job_stack.fault = of_item(0, type("Runtime.ExitError", (Exception,), {})("killed"))
    job = ask(job_stack)
    assert job_stack.make()["status"] == "SUCCEEDED"
    answer = status(job_stack, job)
    assert (answer["status"], answer["progress"]) == ("partial", {"cubes": 2, "done": 1, "failed": 1})
    assert "tess-s0001-4-2: the task did not end" in answer["reason"]
    assert not job_stack.has_result(job)


def test_a_job_of_which_every_task_dies_fails_and_says_so(job_stack: JobStack) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "cut_item":
            raise type("Runtime.ExitError", (Exception,), {})("killed")

    job_stack.fault = fault
    job = ask(job_stack)
    answer = job_stack.make()
    assert (answer["status"], answer["error"]) == ("FAILED", "NoCutoutsError")
    assert job_stack.calls["finish_job"] == 1
    assert "tess-s0001-4-2: the task did not end" in status(job_stack, job)["reason"]


def test_an_archive_that_cannot_be_written_fails_the_job(job_stack: JobStack) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "finish_job":
            raise FatalError("the disk is on fire")

    job_stack.fault = fault
    job = ask(job_stack)
    assert job_stack.make()["status"] == "FAILED"
    assert status(job_stack, job)["status"] == "failed"
    job_stack.fault = lambda *_: None
    assert status(job_stack, ask(job_stack))["attempt"] == 2


def test_nothing_to_cut_is_an_end_and_no_error(job_stack: JobStack) -> None:
    job = ask(job_stack, cadences=[900_000, 900_001])
    assert job_stack.make()["status"] == "SUCCEEDED"
    assert status(job_stack, job)["status"] == "failed"
    assert job_stack.calls["cut_item"] == 0


def test_a_job_that_runs_again_makes_no_file_twice(job_stack: JobStack) -> None:
    job = ask(job_stack)
    assert job_stack.make()["status"] == "SUCCEEDED"
    before = dict(job_stack.store.objects)
    job_stack.store.requests.clear()
    assert job_stack.make()["status"] == "SUCCEEDED"
    assert (
        job_stack.store.objects[SETTINGS.result_bucket, keys.result(job)]
        == before[SETTINGS.result_bucket, keys.result(job)]
    )
    assert not [key for operation, _, key in job_stack.store.requests if operation == "read_range" and "cube" in key]
