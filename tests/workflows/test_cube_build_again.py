"""Builds that are carried on after a failure, repeated, or run twice at once: one cube, published once."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.errors import TransientError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import SETTINGS, at, frame_key, plan, put_frames, store_with
from tests.support.frames import tiny_sector
from tests.support.same_bytes import assert_same_bytes
from tests.support.state_machine import FRAMES, SHAPE, Stack, always, no_fault


def frame_reads(store: MemoryStore) -> int:
    return sum((operation, bucket) == ("read_range", SETTINGS.ffi_bucket) for operation, bucket, _ in store.requests)


def reads_of_a_plan() -> int:
    store = store_with(FRAMES)
    plan(store)
    return frame_reads(store)


def test_a_block_that_finds_no_room_does_not_stop_the_others_and_the_next_execution_builds_it(
    stack: Stack, cube: bytes
) -> None:
    throttled = type("Lambda.TooManyRequestsException", (Exception,), {})("Rate Exceeded.")

    def fault(name: str, event: dict[str, Any], call: int) -> None:
        if name == "build_block" and event["block"] == 1:
            raise throttled

    stack.fault = fault
    answer = stack.run()
    assert (answer["status"], answer["error"]) == ("FAILED", "UnfinishedBuildError")
    assert "block 1 has left no record" in answer["cause"]
    assert stack.built == [0, *range(2, len(stack.built) + 1)]
    assert len(stack.store.uploads) == 1

    stack.fault = no_fault
    stack.answers.clear()
    assert stack.run()["status"] == "SUCCEEDED"
    assert stack.built == [1]
    assert_same_bytes(stack.published, cube)


LASTING: list[Exception] = [
    TransientError("503 SlowDown"),
    type("Sandbox.Timedout", (Exception,), {})("Task timed out after 900.00 seconds"),
    type("Runtime.ExitError", (Exception,), {})("signal: killed"),
]


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
def test_a_build_that_ran_out_of_tries_is_carried_on_by_the_next_execution(
    stack: Stack, cube: bytes, error: Exception
) -> None:
    stack.fault = always("build_block", error, block=1)
    answer = stack.run()
    assert (answer["status"], answer["error"]) == ("FAILED", type(error).__name__)
    assert str(error) in answer["cause"]
    assert not stack.published
    assert len(stack.store.uploads) == 1
    first = stack.built

    stack.fault = no_fault
    stack.answers.clear()
    stack.store.requests.clear()
    assert stack.run()["status"] == "SUCCEEDED"
    assert_same_bytes(stack.published, cube)
    assert sorted(first + stack.built) == list(range(len(first) + len(stack.built)))
    assert 1 in stack.built
    assert frame_reads(stack.store) == reads_of_a_plan() + 2 * len(FRAMES) * len(stack.built)
    assert not stack.store.uploads


def test_a_published_build_that_is_started_again_builds_nothing(stack: Stack, cube: bytes) -> None:
    stack.run()
    before = read_index(stack.store, SETTINGS.cube_bucket)[0].cubes[0]
    stack.answers.clear()
    assert stack.run()["status"] == "SUCCEEDED"
    assert stack.built == []
    assert_same_bytes(stack.published, cube)
    assert read_index(stack.store, SETTINGS.cube_bucket)[0].cubes[0].etag == before.etag
    assert not stack.store.uploads


@pytest.mark.parametrize("damage", ["lost", "short"])
def test_a_damaged_part_is_found_before_anything_is_published(stack: Stack, cube: bytes, damage: str) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "complete_upload":
            parts = stack.store.uploads[event["upload"]["upload_id"]][2]
            parts[2] = parts[2][:-4]
            if damage == "lost":
                del parts[2]

    stack.fault = fault
    answer = stack.run()
    assert (answer["status"], answer["error"]) == ("FAILED", "IncompleteUploadError")
    assert "part 2" in answer["cause"]
    assert stack.published is None
    assert not stack.store.uploads

    stack.fault = no_fault
    assert stack.run()["status"] == "SUCCEEDED"
    assert_same_bytes(stack.published, cube)


@pytest.mark.parametrize("mode", ["DISTRIBUTED", "INLINE"])
def test_a_frame_that_is_replaced_during_the_build_fails_the_execution_by_its_name(stack: Stack, mode: str) -> None:
    name = FRAMES[1][0]

    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "begin_upload":
            stack.store.write(SETTINGS.ffi_bucket, frame_key(name), tiny_sector(3, SHAPE, dquality={1: 1})[1][1])

    stack.fault = fault
    answer = stack.run(mode)
    assert (answer["status"], answer["error"]) == ("FAILED", "ObjectChangedError")
    assert name in answer["cause"]
    assert stack.published is None
    assert not stack.store.uploads

    stack.fault = no_fault
    assert stack.run(mode)["status"] == "SUCCEEDED"
    assert stack.published is not None


def test_a_lost_child_fails_the_map_or_is_noticed_by_the_last_step(
    stack: Stack, cube: bytes, map_notices: bool
) -> None:
    stack.fault = always("build_block", type("Runtime.ExitError", (Exception,), {})("killed"), block=1)
    answer = stack.run("DISTRIBUTED")
    error = "States.ExceedToleratedFailureThreshold" if map_notices else "UnfinishedBuildError"
    assert (answer["status"], answer["error"]) == ("FAILED", error)
    assert map_notices or "block 1" in answer["cause"]
    assert len(stack.store.uploads) == 1
    assert stack.published is None

    stack.fault = no_fault
    assert stack.run("DISTRIBUTED")["status"] == "SUCCEEDED"
    assert_same_bytes(stack.published, cube)


@pytest.mark.parametrize("completed", [False, True])
def test_a_completion_that_fails_behind_its_200_is_tried_again(
    stack: Stack, cube: bytes, monkeypatch: pytest.MonkeyPatch, completed: bool
) -> None:
    complete, calls = stack.store.complete_upload, []

    def fails_once(*args: Any) -> str:
        calls.append(args)
        if len(calls) > 1:
            return complete(*args)
        if completed:
            complete(*args)
        raise TransientError("complete: InternalError")

    monkeypatch.setattr(stack.store, "complete_upload", fails_once)
    assert stack.run()["status"] == "SUCCEEDED"
    assert stack.calls["complete_upload"] == 2
    assert_same_bytes(stack.published, cube)


# ---------------------------------------------------------------- more than one at a time


def test_a_child_that_runs_twice_does_no_harm(stack: Stack, cube: bytes) -> None:
    events: list[dict[str, Any]] = []

    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "build_block":
            events.append(event)
            stack.handle("build_block", event)

    stack.fault = fault
    assert stack.run()["status"] == "SUCCEEDED"
    assert stack.built == []  # the duplicates were faster
    for event in events:  # and some come after the end
        assert not stack.handle("build_block", event)["built"]
    assert_same_bytes(stack.published, cube)
    assert not stack.store.uploads


@pytest.mark.parametrize("meeting", ["plan_cube", "begin_upload", "complete_upload"])
def test_two_executions_of_a_build_at_once_publish_one_cube(stack: Stack, cube: bytes, meeting: str) -> None:
    barrier = threading.Barrier(2)

    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == meeting and call <= 2:
            barrier.wait(30)

    stack.fault = fault
    executions = [stack.start(), stack.start()]
    answers = [stack.wait(execution) for execution in executions]
    assert [answer["status"] for answer in answers] == ["SUCCEEDED", "SUCCEEDED"], answers
    assert_same_bytes(stack.published, cube)
    assert not stack.store.uploads
    assert len([key for _, key in stack.store.objects if key.endswith("-cube.fits")]) == 1


def test_an_execution_with_fewer_frames_that_ends_late_does_not_win(stack: Stack) -> None:
    may_end = threading.Event()

    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "complete_upload" and event["plan"]["build_id"] == early:
            assert may_end.wait(30)

    early = plan(store_with(FRAMES)).build_id
    stack.fault = fault
    first = stack.start()
    while not stack.calls["complete_upload"]:
        time.sleep(0.01)
    stack.handlers.clock = at(1)
    put_frames(stack.store, tiny_sector(4, SHAPE)[3:])
    assert stack.run()["status"] == "SUCCEEDED"
    grown = stack.published
    assert grown is not None

    may_end.set()
    answer = stack.wait(first)
    assert answer["status"] == "SUCCEEDED"
    output = json.loads(answer["output"])
    assert output["plan"]["build_id"] == early
    assert output["cube"]["n_cadences"] == 4
    assert_same_bytes(stack.published, grown)
    assert len([key for _, key in stack.store.objects if key.endswith("-cube.fits")]) == 2
