"""The BulkJob state machine: products of every target that can be made, a status of every row, nothing twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tessera_cloud import keys
from tessera_cloud.errors import FatalError, TransientError
from tests.support.builds import SETTINGS
from tests.support.bulk_machine import ALL, BulkStack, a_list
from tests.support.state_machine import always, no_fault

THROTTLED = type("Lambda.TooManyRequestsException", (Exception,), {})("Rate Exceeded.")
KILLED = type("Runtime.ExitError", (Exception,), {})("killed")
CUBES = ("tess-s0001-4-2", "tess-s0002-4-2")


def outcome(stack: BulkStack, job: str) -> tuple[str, int, int]:
    found = stack.world.record(job).outcome
    assert found is not None
    return found.status, found.n_succeeded, found.n_failed


def of_band(band: int, error: Exception, times: int = 99) -> Any:
    failed: list[int] = []

    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "cut_band" and event["band"] == band and len(failed) < times:
            failed.append(call)
            raise error

    return fault


def test_a_list_becomes_products_and_a_status_of_each_row_on_each_cube(bulk_stack: BulkStack) -> None:
    job = bulk_stack.world.ask(ALL)
    answer = bulk_stack.make()
    assert answer["status"] == "SUCCEEDED"
    assert set(json.loads(answer["output"])) == {"job", "attempt", "plan", "outcome"}
    assert bulk_stack.calls == {"plan_bulk": 1, "cut_band": 2, "finish_bulk": 1}
    assert outcome(bulk_stack, job) == ("succeeded", 8, 0)
    rows = [(status.row, status.cube, status.product) for status in bulk_stack.world.statuses(job)]
    products = ("parquet", "lightcurves", "tpf")
    assert sorted(rows) == sorted((row, cube, product) for row in range(1, 5) for cube in CUBES for product in products)
    bulk_stack.world.check_products(job)
    assert not bulk_stack.handlers.services.state.get("jobs", "lists").value["places"]  # type: ignore[union-attr]


def test_a_band_that_fails_for_good_costs_its_rows_and_the_next_attempt_makes_only_these(bulk_stack: BulkStack) -> None:
    bulk_stack.fault = of_band(1, FatalError("lost"))
    job = bulk_stack.world.ask()
    assert bulk_stack.make()["status"] == "SUCCEEDED"
    assert outcome(bulk_stack, job) == ("partial", 4, 4)
    found = {(status.cube, status.status) for status in bulk_stack.world.statuses(job)}
    assert found == {(CUBES[0], "ok"), (CUBES[1], "error")}
    assert "the task of these targets did not end" in bulk_stack.world.statuses(job)[-1].reason
    bulk_stack.world.check_products(job)

    bulk_stack.fault = no_fault
    bulk_stack.store.requests.clear()
    assert bulk_stack.world.ask() == job
    assert bulk_stack.make()["status"] == "SUCCEEDED"
    assert outcome(bulk_stack, job) == ("succeeded", 8, 0)
    reads = {key for operation, _, key in bulk_stack.store.requests if operation == "read_range"}
    assert [key.split("/")[1] for key in reads if key.startswith("cubes/")] == ["s0002-4-2"]
    bulk_stack.world.check_products(job)


def test_a_list_of_which_every_task_dies_fails_and_its_status_says_so(bulk_stack: BulkStack) -> None:
    bulk_stack.fault = always("cut_band", FatalError("lost"))
    job = bulk_stack.world.ask()
    answer = bulk_stack.make()
    assert (answer["status"], answer["error"]) == ("FAILED", "NoCutoutsError")
    assert outcome(bulk_stack, job) == ("failed", 0, 8)
    assert {status.status for status in bulk_stack.world.statuses(job)} == {"error"}


@pytest.mark.parametrize("name", ["plan_bulk", "finish_bulk"])
def test_a_step_that_fails_ends_the_list_and_the_next_one_starts(bulk_stack: BulkStack, name: str) -> None:
    bulk_stack.fault = always(name, FatalError("the disk is on fire"))
    job = bulk_stack.world.ask()
    other = bulk_stack.world.ask(ALL)
    assert bulk_stack.make()["status"] == "FAILED"
    assert bulk_stack.world.record(job).outcome.reason == "the disk is on fire"  # type: ignore[union-attr]
    bulk_stack.fault = no_fault
    assert bulk_stack.make()["status"] == "SUCCEEDED"
    assert outcome(bulk_stack, other) == ("succeeded", 8, 0)


def test_a_task_that_is_throttled_killed_or_refused_for_a_while_is_tried_again(bulk_stack: BulkStack) -> None:
    seen: set[str] = set()

    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "cut_band" and call == 1:
            raise THROTTLED
        if called not in seen:
            seen.add(called)
            raise KILLED if called == "cut_band" else TransientError("503 SlowDown")

    bulk_stack.fault = fault
    job = bulk_stack.world.ask()
    assert bulk_stack.make()["status"] == "SUCCEEDED"
    assert outcome(bulk_stack, job) == ("succeeded", 8, 0)


def test_a_list_without_a_usable_row_ends_with_its_status_table_and_raises_no_alarm(bulk_stack: BulkStack) -> None:
    job = bulk_stack.world.ask(data=b"name,ra,dec\nfar,10.0,80.0\nwrong,ten,eighty\n")
    assert bulk_stack.make()["status"] == "SUCCEEDED"
    assert outcome(bulk_stack, job) == ("succeeded", 0, 0)
    assert [(each.row, each.status) for each in bulk_stack.world.statuses(job)] == [(1, "no overlap"), (2, "error")]
    bulk_stack.world.check_products(job)


def test_a_list_that_was_replaced_is_refused_in_a_sentence_and_raises_no_alarm(bulk_stack: BulkStack) -> None:
    job = bulk_stack.world.ask()
    bulk_stack.store.objects[SETTINGS.result_bucket, keys.bulk_list(job)] = a_list([(5.0, 5.0)])
    assert bulk_stack.make()["status"] == "SUCCEEDED"
    assert outcome(bulk_stack, job) == ("failed", 0, 0)
    assert "was replaced" in bulk_stack.world.record(job).outcome.reason  # type: ignore[union-attr]
    assert bulk_stack.world.products(job) == {}
