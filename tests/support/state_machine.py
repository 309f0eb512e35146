"""The real state machines, run by an interpreter over the real handlers."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend

from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import read_index, read_pointer
from tessera_cloud.errors import FatalError
from tessera_cloud.settings import Settings
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import SETTINGS
from tests.support.frames import tiny_sector
from tests.support.handlers import NAMES, ROOT, Handlers

SHAPE = (1200, 500)
FRAMES = tiny_sector(3, SHAPE)
ROLE = "arn:aws:iam::123456789012:role/states"
SIZES = {"BuildBlockMediumFunction": "build_block", "BuildBlockLargeFunction": "build_block"}
"""Functions that are another size of one."""
Fault = Callable[[str, dict[str, Any], int], None]
"""Called with the name of a function, its event, and the number of the call. It may raise an error for the function."""


def function_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_")) + "Function"


FUNCTIONS = (*map(function_name, NAMES), *SIZES)
"""Functions that a state machine may name."""


def definition(mode: str, machine: str = "cube_build") -> str:
    """Definition of a state machine, with its placeholders filled, quick retries, and its Maps in a mode."""
    text = (ROOT / f"statemachines/{machine}.asl.json").read_text(encoding="utf-8")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:"
    for name in FUNCTIONS:
        text = text.replace(f"${{{name}Arn}}", arn + name)
    text = text.replace("${Partition}", "aws")
    assert "${" not in text
    text = re.sub(r'"IntervalSeconds": \d+', '"IntervalSeconds": 1', text)
    text = re.sub(r'"BackoffRate": [\d.]+', '"BackoffRate": 1.0', text)
    text = re.sub(r'"MaxAttempts": \d{3,}', '"MaxAttempts": 4', text)
    document = json.loads(text)
    for state in document["States"].values():
        if state["Type"] == "Map" and mode == "INLINE":
            state["ItemProcessor"]["ProcessorConfig"] = {"Mode": "INLINE"}
    return json.dumps(document)


class Stack:
    """Handlers behind the interpreter's Lambda. A fault can make them fail."""

    machine = "cube_build"
    measures = True
    """Whether cubes are measured. If not, builds go on as they do when a cube cannot be measured, in half the time."""

    def __init__(self, store: MemoryStore, settings: Settings = SETTINGS) -> None:
        self.store = store
        self.calls: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()
        self.answers: list[tuple[str, Any]] = []
        self.fault: Fault = lambda name, event, call: None
        self.handlers = Handlers(store)
        self.handlers.services = dataclasses.replace(self.handlers.services, settings=settings)
        self._run = itertools.count()
        self._names = {function_name(name): name for name in NAMES} | SIZES

    def invoke(self, arn: str, body: str, response_headers: dict[str, str]) -> str:
        """Answer as Lambda does. An error becomes a document with its bare class name."""
        function = arn.rsplit(":", 1)[-1]
        name = self._names[function]
        self.functions[function] += 1
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
        if name == "measure_block" and not self.measures:
            raise FatalError("nothing is measured in this test")
        return self.handlers.invoke(name, event)

    def run(self, mode: str = "INLINE", **more: Any) -> dict[str, Any]:
        return self.wait(self.start(mode, **more))

    def start(self, mode: str = "INLINE", **more: Any) -> str:
        return self.start_with({"sector": 1, "camera": 4, "ccd": 2} | more, mode)

    def start_with(self, request: dict[str, Any], mode: str = "DISTRIBUTED") -> str:
        """Start an execution with an input, and return its ARN."""
        client = boto3.client("stepfunctions", region_name="us-east-1")
        machine = client.create_state_machine(
            name=f"{self.machine}-{mode}", definition=definition(mode, self.machine), roleArn=ROLE
        )
        arn, name = machine["stateMachineArn"], f"run-{next(self._run)}"
        return str(client.start_execution(stateMachineArn=arn, name=name, input=json.dumps(request))["executionArn"])

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
        """Bytes of the cube that index and pointer name. Both must have its ETag."""
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
        """Numbers of the blocks that were built, without those that were found."""
        return sorted(answer["block"] for name, answer in self.answers if name == "build_block" and answer["built"])


Behind = Callable[[Stack], AbstractContextManager[None]]
"""Puts a stack behind an interpreter."""


@contextmanager
def behind_moto(stack: Stack) -> Iterator[None]:
    """Put a stack behind moto's interpreter, in this process."""

    def invoke(_self: object, function_name: str, _qualifier: str, body: str, _headers: object, answered: Any) -> str:
        return stack.invoke(function_name, body, answered)

    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    with (
        patch.dict(os.environ, keys),
        patch.object(LambdaSimpleBackend, "invoke", invoke),
        mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}),
    ):
        yield


def always(name: str, error: Exception, block: int | None = None) -> Fault:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == name and (block is None or event.get("block") == block):
            raise error

    return fault


def no_fault(called: str, event: dict[str, Any], call: int) -> None:
    return None
