"""The state machine with frames in its bucket, and the cube that it shall make of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import Api, store_of_cubes
from tests.support.builds import run_build, store_with
from tests.support.bulk_machine import BulkStack
from tests.support.image_machine import ImageStack
from tests.support.index_machine import IndexStack
from tests.support.job_machine import JobStack
from tests.support.ministack import Ministack
from tests.support.state_machine import FRAMES, Behind, Stack, behind_moto


@pytest.fixture
def behind(request: pytest.FixtureRequest) -> Behind:
    """The interpreter that the option `--interpreter` names: moto's, or ministack's."""
    if request.config.getoption("--interpreter") == "moto":
        return behind_moto
    ministack: Ministack = request.getfixturevalue("ministack")
    return ministack.behind


@pytest.fixture
def map_notices(request: pytest.FixtureRequest) -> bool:
    """Whether a distributed Map fails when a child fails, as on AWS. Moto's succeeds."""
    return bool(request.config.getoption("--interpreter") != "moto")


@pytest.fixture
def stack(behind: Behind) -> Iterator[Stack]:
    """Builds of cubes, which are not measured."""
    stack = Stack(store_with(FRAMES))
    stack.measures = False
    with behind(stack):
        yield stack


@pytest.fixture
def index_stack(behind: Behind) -> Iterator[IndexStack]:
    stack = IndexStack()
    with behind(stack):
        stack.open()
        yield stack


@pytest.fixture
def image_stack(behind: Behind) -> Iterator[ImageStack]:
    stack = ImageStack()
    with behind(stack):
        stack.open()
        yield stack


@pytest.fixture(scope="session")
def cubes() -> MemoryStore:
    return store_of_cubes()


@pytest.fixture
def job_stack(cubes: MemoryStore, behind: Behind) -> Iterator[JobStack]:
    stack = JobStack(Api(MemoryStore(objects=dict(cubes.objects))))
    with behind(stack):
        yield stack


@pytest.fixture(scope="session")
def cube() -> bytes:
    store = store_with(FRAMES)
    published = run_build(store)
    return store.objects[published.bucket, published.key]


@pytest.fixture
def bulk_stack(cubes: MemoryStore, behind: Behind) -> Iterator[BulkStack]:
    stack = BulkStack(cubes)
    with behind(stack):
        stack.open()
        yield stack
