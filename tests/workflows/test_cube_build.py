"""The real CubeBuild state machine, run by an interpreter that is not ours, over the real handlers.

The interpreter lets a distributed Map succeed although a child failed. So failures are tested with the Map inline, as
AWS would see them, and once more distributed, where the last step must notice by itself.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend

from tessera_cloud.adapters.memory import MemoryStore
from tessera_cloud.application.footprint_index import read_index
from tessera_cloud.errors import FatalError, TransientError
from tests.support.builds import SETTINGS, run_build, store_with
from tests.support.frames import tiny_sector
from tests.support.handlers import NAMES, ROOT, Handlers

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
        self.fault: Fault = lambda name, event, call: None
        self._handlers = Handlers(store)
        self._names = {function_name(name): name for name in NAMES}

    def invoke(self, arn: str, body: str, response_headers: dict[str, str]) -> str:
        """Answer as Lambda does: an error is a document with its bare class name."""
        name = self._names[arn.rsplit(":", 1)[-1]]
        self.calls[name] += 1
        event = json.loads(body)
        try:
            self.fault(name, event, self.calls[name])
            return json.dumps(self._handlers.invoke(name, event))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, Lambda reports
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})

    def run(self, mode: str = "INLINE") -> dict[str, Any]:
        client = boto3.client("stepfunctions", region_name="us-east-1")
        machine = client.create_state_machine(name="CubeBuild", definition=definition(mode), roleArn=ROLE)
        event = json.dumps({"sector": 1, "camera": 4, "ccd": 2})
        execution = client.start_execution(stateMachineArn=machine["stateMachineArn"], input=event)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            answer: dict[str, Any] = client.describe_execution(executionArn=execution["executionArn"])
            if answer["status"] != "RUNNING":
                return answer
            time.sleep(0.05)
        raise AssertionError("the execution did not end")

    @property
    def published(self) -> bytes | None:
        cubes = read_index(self.store, SETTINGS.cube_bucket)[0].cubes
        return self.store.objects[cubes[0].bucket, cubes[0].key] if cubes else None


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


def test_a_block_that_never_succeeds_aborts_the_upload(stack: Stack) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "build_block" and event["block"] == 1:
            raise TransientError("503 SlowDown")

    stack.fault = fault
    answer = stack.run()
    assert (answer["status"], answer["error"]) == ("FAILED", "TransientError")
    assert stack.published is None
    assert not stack.store.uploads


def test_a_failed_child_that_the_interpreter_overlooks_is_noticed_by_the_last_step(stack: Stack) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "build_block" and event["block"] == 1:
            raise FatalError("lost")

    stack.fault = fault
    answer = stack.run("DISTRIBUTED")
    assert answer["status"] == "FAILED"
    assert stack.published is None
    assert not stack.store.uploads


def test_an_unreadable_frame_fails_the_execution_by_its_name_and_nothing_is_left(stack: Stack) -> None:
    key = next(key for bucket, key in stack.store.objects if FRAMES[1][0] in key)
    stack.store.objects[SETTINGS.ffi_bucket, key] = FRAMES[1][1][:25_000]
    answer = stack.run()
    assert (answer["status"], answer["error"]) == ("FAILED", "UnreadableFrameError")
    assert FRAMES[1][0] in answer["cause"]
    assert not stack.store.uploads
    assert not any(bucket == SETTINGS.cube_bucket for bucket, _ in stack.store.objects)
