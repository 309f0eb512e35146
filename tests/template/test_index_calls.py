"""The FootprintIndex workflow does its work within its policies; public sources need none."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.application.indexing import RunRef
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import put_frames, run_build
from tests.support.frames import tiny_sector
from tests.support.handlers import sample_event
from tests.support.sources import BUCKET, SETTINGS, put_cube, small_cube, tasks_of
from tests.template.test_calls import PolicedHandlers, PolicedStore


class PublicStore(PolicedStore):
    """A store with a bucket that everyone may read, and nobody write."""

    def demand(self, action: str, bucket: str, key: str) -> None:
        if bucket == BUCKET and self.function is not None:
            assert action in {"s3:ListBucket", "s3:GetObject"}
        elif bucket != BUCKET:
            super().demand(action, bucket, key)


@pytest.fixture
def handlers() -> PolicedHandlers:
    store = PublicStore()
    put_cube(store, "tess-s0001-1-1", small_cube(1, 1))
    put_frames(store, tiny_sector())
    handlers = PolicedHandlers(store)
    handlers.services = dataclasses.replace(handlers.services, settings=SETTINGS)
    return handlers


def run_index(handlers: PolicedHandlers) -> dict[str, Any]:
    answer = handlers.invoke("list_cubes", sample_event("list_cubes"))
    for task in tasks_of(handlers.services.store, RunRef.model_validate(answer)):
        handlers.invoke("read_cube", task.model_dump(mode="json"))
    summary: dict[str, Any] = handlers.invoke("write_index", answer)
    handlers.invoke("write_coverage", sample_event("write_coverage"))
    return summary


def test_the_workflow_is_allowed_to_do_what_it_does(handlers: PolicedHandlers) -> None:
    run_build(handlers.services.store)
    assert run_index(handlers)["cubes"] == 2
    assert run_index(handlers)["kept"] == 1


def test_the_first_run_is_allowed_to_find_nothing_of_ours(handlers: PolicedHandlers) -> None:
    assert run_index(handlers)["read"] == 1


def test_a_broken_cube_and_a_broken_pointer_are_told_and_not_refused(handlers: PolicedHandlers) -> None:
    store = handlers.services.store
    assert isinstance(store, MemoryStore)
    own = run_build(store)
    store.delete(own.bucket, own.key)
    put_cube(store, "tess-s0001-1-1", b"broken")
    assert {failure["obs_id"] for failure in run_index(handlers)["failures"]} == {"tess-s0001-1-1", "tess-s0001-4-2"}
    assert read_index(store, own.bucket)[0].cubes == ()


def test_the_coverage_is_allowed_to_replace_itself_and_to_delete_what_is_old(handlers: PolicedHandlers) -> None:
    """The first files are of an index of one cube. They are more than a day old when a second one appears."""
    run_index(handlers)
    store = handlers.services.store
    assert isinstance(store, MemoryStore)
    before = [key for _, key in store.objects if key.startswith(keys.COVERAGE)]
    run_build(store)
    run_index(handlers)
    assert [key for key in before if (SETTINGS.cube_bucket, key) not in store.objects]
