"""The state machine with frames in its bucket, and the cube that it shall make of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend

from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import Api, store_of_cubes
from tests.support.builds import run_build, store_with
from tests.support.bulk_machine import BulkStack
from tests.support.image_machine import ImageStack
from tests.support.index_machine import IndexStack
from tests.support.job_machine import JobStack
from tests.support.state_machine import FRAMES, Stack


@contextmanager
def interpreted(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put a stack behind the interpreter."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(
        LambdaSimpleBackend,
        "invoke",
        lambda _self, function_name, qualifier, body, headers, response_headers: stack.invoke(
            function_name, body, response_headers
        ),
    )
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}):
        yield


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Builds of cubes, which are not measured."""
    stack = Stack(store_with(FRAMES))
    stack.measures = False
    with interpreted(stack, monkeypatch):
        yield stack


@pytest.fixture
def index_stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexStack]:
    stack = IndexStack()
    with interpreted(stack, monkeypatch):
        stack.open()
        yield stack


@pytest.fixture
def image_stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[ImageStack]:
    stack = ImageStack()
    with interpreted(stack, monkeypatch):
        stack.open()
        yield stack


@pytest.fixture(scope="session")
def cubes() -> MemoryStore:
    return store_of_cubes()


@pytest.fixture
def job_stack(cubes: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobStack]:
    stack = JobStack(Api(MemoryStore(objects=dict(cubes.objects))))
    with interpreted(stack, monkeypatch):
        yield stack


@pytest.fixture(scope="session")
def cube() -> bytes:
    store = store_with(FRAMES)
    published = run_build(store)
    return store.objects[published.bucket, published.key]


@pytest.fixture
def bulk_stack(cubes: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[BulkStack]:
    stack = BulkStack(cubes)
    with interpreted(stack, monkeypatch):
        stack.open()
        yield stack
