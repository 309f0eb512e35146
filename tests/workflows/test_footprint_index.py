"""The FootprintIndex state machine: what it makes, what it tries again, and that no cube is lost silently.

The Map tolerates children that failed: the last step must notice by itself.
"""

from __future__ import annotations

import json
from typing import Any

from tessera_cloud.errors import FatalError, TransientError
from tests.support.index_machine import IndexStack
from tests.support.sources import BUCKET, key, put_cube, small_cube
from tests.support.state_machine import Fault, always


def run(stack: IndexStack) -> dict[str, Any]:
    return stack.run("DISTRIBUTED")


def summary(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["status"] == "SUCCEEDED"
    document: dict[str, Any] = json.loads(answer["output"])
    return document


def of_cube(obs_id: str, error: Exception, times: int = 99) -> Fault:
    failed: list[int] = []

    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "read_cube" and event["cube"]["obs_id"] == obs_id and len(failed) < times:
            failed.append(call)
            raise error

    return fault


def test_cubes_of_the_source_become_an_index(index_stack: IndexStack) -> None:
    answer = summary(run(index_stack))
    assert (answer["cubes"], answer["read"], answer["failed"]) == (2, 2, 0)
    assert index_stack.indexed == ["tess-s0001-1-1", "tess-s0001-4-2"]
    assert index_stack.calls == {"list_cubes": 1, "read_cube": 2, "write_index": 1, "write_coverage": 1}


def test_a_run_without_anything_new_reads_nothing(index_stack: IndexStack) -> None:
    run(index_stack)
    index_stack.calls.clear()
    answer = summary(run(index_stack))
    assert (answer["kept"], answer["read"]) == (2, 0)
    assert index_stack.calls == {"list_cubes": 1, "write_index": 1, "write_coverage": 1}


def test_a_second_run_reads_what_is_new(index_stack: IndexStack) -> None:
    run(index_stack)
    put_cube(index_stack.store, "tess-s0002-1-1", small_cube(1, 1, 5, 2))
    index_stack.calls.clear()
    assert summary(run(index_stack))["read"] == 1
    assert index_stack.calls["read_cube"] == 1
    assert len(index_stack.indexed) == 3
    assert index_stack.covered == {"all", "s0001", "s0002"}


def test_transient_errors_are_tried_again(index_stack: IndexStack) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if call == 1:
            raise TransientError("503 SlowDown")

    index_stack.fault = fault
    assert summary(run(index_stack))["read"] == 2
    assert index_stack.calls == {"list_cubes": 2, "read_cube": 3, "write_index": 2, "write_coverage": 2}


def test_a_broken_cube_is_named_and_the_execution_succeeds(index_stack: IndexStack) -> None:
    put_cube(index_stack.store, "tess-s0003-1-1", b"broken")
    answer = summary(run(index_stack))
    assert [failure["obs_id"] for failure in answer["failures"]] == ["tess-s0003-1-1"]
    assert len(index_stack.indexed) == 2


def test_a_task_that_dies_fails_the_execution_after_the_others_are_indexed(index_stack: IndexStack) -> None:
    index_stack.fault = of_cube("tess-s0001-1-1", MemoryError("killed"))
    answer = run(index_stack)
    assert (answer["status"], answer["error"]) == ("FAILED", "UnreadCubesError")
    assert "tess-s0001-1-1" in answer["cause"]
    assert index_stack.indexed == ["tess-s0001-4-2"]
    index_stack.fault = lambda name, event, call: None
    assert summary(run(index_stack))["read"] == 1
    assert len(index_stack.indexed) == 2


def test_a_map_that_fails_does_not_stop_what_is_known(index_stack: IndexStack) -> None:
    run(index_stack)
    index_stack.store.delete(BUCKET, key("tess-s0001-1-1"))
    put_cube(index_stack.store, "tess-s0002-1-1", small_cube(1, 1, 5, 2))
    index_stack.store.mirrors = False
    answer = run(index_stack)
    assert (answer["status"], answer["error"]) == ("FAILED", "UnreadCubesError")
    assert index_stack.indexed == ["tess-s0001-4-2"]


def test_a_listing_that_fails_leaves_the_index_as_it_is(index_stack: IndexStack) -> None:
    run(index_stack)
    index_stack.fault = always("list_cubes", FatalError("AccessDenied"))
    answer = run(index_stack)
    assert (answer["status"], answer["error"]) == ("FAILED", "FatalError")
    assert len(index_stack.indexed) == 2


# ---------------------------------------------------------------- the coverage


def test_an_index_is_written_although_its_coverage_is_not(index_stack: IndexStack) -> None:
    index_stack.fault = always("write_coverage", FatalError("no MOC"))
    answer = summary(run(index_stack))
    assert (answer["cubes"], answer["read"]) == (2, 2)
    assert len(index_stack.indexed) == 2
    assert index_stack.covered == set()
