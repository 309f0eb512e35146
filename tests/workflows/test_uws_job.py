"""A job of UWS through the CutoutJob state machine: the files that it makes, and a text about what it cannot make."""

from __future__ import annotations

from typing import Any

from tests.support.job_machine import JobStack
from tests.support.uws import CUBES, WHOLE, Uws


def test_a_job_follows_the_machine_and_tells_of_a_task_that_died(job_stack: JobStack) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "cut_item" and event["item"] == 0:
            raise type("Runtime.ExitError", (Exception,), {})("killed")

    job_stack.fault = fault
    uws = Uws(job_stack.api)
    job = uws.make(**WHOLE, PHASE="RUN")
    assert uws.phase(job) == "EXECUTING"
    assert job_stack.make()["status"] == "SUCCEEDED"
    assert (uws.phase(job), [name[:14] for name in uws.files(job)]) == ("COMPLETED", [CUBES[1]])
    assert uws.texts(job) == ["Error: the task did not end; trying again may help\n"]
