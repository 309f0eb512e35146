"""The real CubeBuild state machine, run by an interpreter that is not ours, over the real handlers.

The interpreter lets a distributed Map succeed although a child failed. So failures are tested with the Map inline, as
AWS would see them, and once more distributed, where the last step must notice by itself.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend

from tessera_cloud import keys
from tessera_cloud.adapters.memory import MemoryStore
from tessera_cloud.application.cube_build import RESUMABLE
from tessera_cloud.application.footprint_index import read_index, read_pointer
from tessera_cloud.errors import FatalError, TransientError
from tests.support.builds import REQUEST, SETTINGS, frame_key, plan, put_frames, run_build, store_with
from tests.support.frames import tiny_flux, tiny_sector
from tests.support.handlers import NAMES, ROOT, Handlers
from tests.support.tica import tica_frame

SHAPE = (1200, 500)
FRAMES = tiny_sector(3, SHAPE)
ROLE = "arn:aws:iam::123456789012:role/states"
Fault = Callable[[str, dict[str, Any], int], None]


def function_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_")) + "Function"


def definition(mode: str) -> str:
    """The machine with its placeholders filled, quick retries, and the Map in that mode."""
    text = (ROOT / "statemachines/cube_build.asl.json").read_text()
    arn = "arn:aws:lambda:us-east-1:123456789012:function:"
    for name in NAMES:
        text = text.replace(f"${{{function_name(name)}Arn}}", arn + function_name(name))
    assert "${" not in text
    text = re.sub(r'"IntervalSeconds": \d+', '"IntervalSeconds": 1', text)
    text = re.sub(r'"BackoffRate": [\d.]+', '"BackoffRate": 1.0', text)
    document = json.loads(text)
    processor = document["States"]["BuildBlocks"]["ItemProcessor"]
    if mode == "INLINE":
        processor["ProcessorConfig"] = {"Mode": "INLINE"}
    return json.dumps(document)


class Stack:
    """Handlers behind the interpreter's Lambda, with faults on demand."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.calls: Counter[str] = Counter()
        self.answers: list[tuple[str, Any]] = []
        self.fault: Fault = lambda name, event, call: None
        self._handlers = Handlers(store)
        self._run = itertools.count()
        self._names = {function_name(name): name for name in NAMES}

    def invoke(self, arn: str, body: str, response_headers: dict[str, str]) -> str:
        """Answer as Lambda does: an error is a document with its bare class name."""
        name = self._names[arn.rsplit(":", 1)[-1]]
        self.calls[name] += 1
        event = json.loads(body)
        try:
            self.fault(name, event, self.calls[name])
            answer = self.handle(name, event)
            self.answers.append((name, answer))
            return json.dumps(answer)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, Lambda reports
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})

    def handle(self, name: str, event: dict[str, Any]) -> Any:
        return self._handlers.invoke(name, event)

    def run(self, mode: str = "INLINE", **more: Any) -> dict[str, Any]:
        return self.wait(self.start(mode, **more))

    def start(self, mode: str = "INLINE", **more: Any) -> str:
        client = boto3.client("stepfunctions", region_name="us-east-1")
        machine = client.create_state_machine(name=f"CubeBuild-{mode}", definition=definition(mode), roleArn=ROLE)
        event = json.dumps({"sector": 1, "camera": 4, "ccd": 2} | more)
        arn, name = machine["stateMachineArn"], f"run-{next(self._run)}"
        return str(client.start_execution(stateMachineArn=arn, name=name, input=event)["executionArn"])

    def wait(self, execution: str) -> dict[str, Any]:
        client = boto3.client("stepfunctions", region_name="us-east-1")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            answer: dict[str, Any] = client.describe_execution(executionArn=execution)
            if answer["status"] != "RUNNING":
                return answer
            time.sleep(0.05)
        raise AssertionError("the execution did not end")

    @property
    def published(self) -> bytes | None:
        """The cube that index and pointer name, of which they know the ETag."""
        cubes = read_index(self.store, SETTINGS.cube_bucket)[0].cubes
        if not cubes:
            return None
        pointer, _ = read_pointer(self.store, SETTINGS.cube_bucket, keys.current(cubes[0].cube_id))
        assert pointer == cubes[0]
        data, info = self.store.read(cubes[0].bucket, cubes[0].key)
        assert info.etag == cubes[0].etag
        return data

    @property
    def built(self) -> list[int]:
        """Numbers of the blocks that were built, and not found."""
        return sorted(answer["block"] for name, answer in self.answers if name == "build_block" and answer["built"])


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    stack = Stack(store_with(FRAMES))
    monkeypatch.setattr(
        LambdaSimpleBackend,
        "invoke",
        lambda _self, function_name, qualifier, body, headers, response_headers: stack.invoke(
            function_name, body, response_headers
        ),
    )
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}):
        yield stack


@pytest.fixture(scope="module")
def cube() -> bytes:
    store = store_with(FRAMES)
    published = run_build(store)
    return store.objects[published.bucket, published.key]


@pytest.mark.parametrize("mode", ["DISTRIBUTED", "INLINE"])
def test_frames_become_a_published_cube(stack: Stack, cube: bytes, mode: str) -> None:
    answer = stack.run(mode)
    assert answer["status"] == "SUCCEEDED"
    assert stack.published == cube
    assert stack.calls["build_block"] > 1
    assert json.loads(answer["output"])["cube"]["obs_id"] == "tess-s0001-4-2"


@pytest.mark.parametrize("name", ["plan_cube", "begin_upload", "build_block", "complete_upload"])
def test_a_transient_error_is_tried_again(stack: Stack, cube: bytes, name: str) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == name and call == 1:
            raise TransientError("503 SlowDown")

    stack.fault = fault
    assert stack.run()["status"] == "SUCCEEDED"
    assert stack.published == cube


def test_a_killed_worker_is_tried_again(stack: Stack, cube: bytes) -> None:
    killed = type("Runtime.ExitError", (Exception,), {})

    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "build_block" and call == 1:
            raise killed("RequestId: x Error: Runtime exited with error: signal: killed")

    stack.fault = fault
    assert stack.run()["status"] == "SUCCEEDED"
    assert stack.published == cube


@pytest.mark.parametrize("name", ["build_block", "complete_upload"])
def test_a_fatal_error_aborts_the_upload_and_fails_the_execution(stack: Stack, name: str) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == name:
            raise FatalError("the disk is on fire")

    stack.fault = fault
    answer = stack.run()
    assert answer["status"] == "FAILED"
    assert answer["error"] == "FatalError"
    assert "the disk is on fire" in answer["cause"]
    assert stack.published is None
    assert not stack.store.uploads
    assert stack.calls["abort_upload"] == 1


def test_an_unreadable_frame_fails_the_execution_by_its_name_and_nothing_is_left(stack: Stack) -> None:
    key = next(key for bucket, key in stack.store.objects if FRAMES[1][0] in key)
    stack.store.objects[SETTINGS.ffi_bucket, key] = FRAMES[1][1][:25_000]
    answer = stack.run()
    assert (answer["status"], answer["error"]) == ("FAILED", "UnreadableFrameError")
    assert FRAMES[1][0] in answer["cause"]
    assert not stack.store.uploads
    assert not any(bucket == SETTINGS.cube_bucket for bucket, _ in stack.store.objects)


# ---------------------------------------------------------------- giving up and carrying on


def always(name: str, error: Exception, block: int | None = None) -> Fault:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == name and (block is None or event.get("block") == block):
            raise error

    return fault


def no_fault(called: str, event: dict[str, Any], call: int) -> None:
    return None


def frame_reads(store: MemoryStore) -> int:
    return sum(operation == "read_range" for operation, _, _ in store.requests)


def reads_of_a_plan() -> int:
    store = store_with(FRAMES)
    plan(store)
    return frame_reads(store)


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
    assert stack.published == cube
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
    assert stack.published == cube
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
    assert stack.published == cube


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


def test_a_lost_child_that_the_interpreter_overlooks_is_noticed_by_the_last_step(stack: Stack, cube: bytes) -> None:
    stack.fault = always("build_block", FatalError("lost"), block=1)
    answer = stack.run("DISTRIBUTED")
    assert (answer["status"], answer["error"]) == ("FAILED", "UnfinishedBuildError")
    assert "block 1" in answer["cause"]
    assert stack.published is None

    stack.fault = no_fault
    assert stack.run("DISTRIBUTED")["status"] == "SUCCEEDED"
    assert stack.published == cube


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
    assert stack.published == cube


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
    assert stack.published == cube
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
    assert stack.published == cube
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
    put_frames(stack.store, tiny_sector(4, SHAPE)[3:])
    assert stack.run()["status"] == "SUCCEEDED"
    grown = stack.published

    may_end.set()
    answer = stack.wait(first)
    assert answer["status"] == "SUCCEEDED"
    output = json.loads(answer["output"])
    assert output["plan"]["build_id"] == early
    assert output["cube"]["n_cadences"] == 4
    assert stack.published == grown
    assert len([key for _, key in stack.store.objects if key.endswith("-cube.fits")]) == 2


# ---------------------------------------------------------------- other inputs


def test_tica_frames_become_a_cube_of_their_own(stack: Stack, cube: bytes) -> None:
    put_frames(stack.store, [tica_frame(n, tiny_flux(n, SHAPE), camera=4, ccd=2, sector=1) for n in range(3)])
    assert stack.run()["status"] == "SUCCEEDED"
    answer = stack.run(product="TICA")
    assert answer["status"] == "SUCCEEDED"
    published = json.loads(answer["output"])["cube"]
    assert published["obs_id"] == "tica-s0001-4-2"
    assert published["key"].endswith("/tica-s0001-4-2-cube.fits")
    assert stack.store.objects[SETTINGS.cube_bucket, keys.current(REQUEST.ccd_id)]
    cubes = read_index(stack.store, SETTINGS.cube_bucket)[0].cubes
    assert [other.obs_id for other in cubes] == ["tess-s0001-4-2", "tica-s0001-4-2"]
    assert stack.store.objects[SETTINGS.cube_bucket, cubes[0].key] == cube


def test_a_frame_that_is_left_out_is_in_the_output_by_name_and_reason(stack: Stack) -> None:
    name, data = FRAMES[1]
    stack.store.write(SETTINGS.ffi_bucket, frame_key(name), data[:25_000])
    answer = stack.run(on_unreadable="skip")
    assert answer["status"] == "SUCCEEDED"
    (left_out,) = json.loads(answer["output"])["cube"]["left_out"]
    assert left_out["name"] == name
    assert left_out["reason"]
    assert json.loads(answer["output"])["cube"]["n_cadences"] == 2


def test_what_the_machine_retries_leaves_the_upload_to_be_resumed() -> None:
    retried = set(json.loads(definition("INLINE"))["States"]["PlanCube"]["Retry"][0]["ErrorEquals"])
    assert "Sandbox.Timedout" in retried
    assert retried <= RESUMABLE
