"""The functions of the FootprintIndex workflow run their sample events, one after the other."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.application.index.messages import CubeTask
from tessera_cloud.application.indexing import RunRef
from tessera_cloud.errors import UnreadCubesError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.handlers import Handlers, sample_event
from tests.support.sources import SETTINGS, put_cube, small_cube, tasks_of


@pytest.fixture
def handlers() -> Handlers:
    store = MemoryStore()
    put_cube(store, "tess-s0001-4-2", small_cube())
    handlers = Handlers(store)
    handlers.services = dataclasses.replace(handlers.services, settings=SETTINGS)
    return handlers


def test_the_sample_events_belong_together(handlers: Handlers) -> None:
    ref = RunRef.model_validate(handlers.invoke("list_cubes", sample_event("list_cubes")))
    assert ref == RunRef.model_validate(sample_event("write_index"))
    (item,) = json.loads(handlers.services.store.read(ref.bucket, ref.to_read)[0])
    sample = CubeTask.model_validate(sample_event("read_cube"))
    task = CubeTask.model_validate(item)
    assert task.cube.model_copy(update={"size": sample.cube.size, "etag": sample.cube.etag}) == sample.cube


def test_the_sample_events_make_an_index(handlers: Handlers) -> None:
    handlers.invoke("list_cubes", sample_event("list_cubes"))
    assert handlers.invoke("read_cube", sample_event("read_cube")) == {"obs_id": "tess-s0001-4-2", "read": True}
    summary = handlers.invoke("write_index", sample_event("write_index"))
    assert (summary["cubes"], summary["read"], summary["failures"]) == (1, 1, [])
    (row,) = read_index(handlers.services.store, SETTINGS.cube_bucket)[0].cubes
    assert row.etag == handlers.services.store.head(row.bucket, row.key).etag


def test_a_cube_that_cannot_be_read_is_an_answer(handlers: Handlers) -> None:
    put_cube(handlers.services.store, "tess-s0001-4-2", b"broken")
    assert handlers.invoke("read_cube", sample_event("read_cube")) == {"obs_id": "tess-s0001-4-2", "read": False}
    left, _ = handlers.services.store.read(SETTINGS.cube_bucket, keys.cube_outcome("sample", "tess-s0001-4-2"))
    assert json.loads(left)["reason"].startswith("CubeFormatError")


def test_a_cube_without_an_outcome_is_an_error(handlers: Handlers) -> None:
    handlers.invoke("list_cubes", sample_event("list_cubes"))
    with pytest.raises(UnreadCubesError, match="1 cubes left no outcome; not read: tess-s0001-4-2"):
        handlers.invoke("write_index", sample_event("write_index"))


def test_what_is_read_and_what_cannot_be_is_measured(handlers: Handlers, capsys: pytest.CaptureFixture[str]) -> None:
    put_cube(handlers.services.store, "tess-s0001-1-1", b"broken")
    ref = RunRef.model_validate(handlers.invoke("list_cubes", sample_event("list_cubes")))
    for task in tasks_of(handlers.services.store, ref):
        handlers.invoke("read_cube", task.model_dump(mode="json"))
    capsys.readouterr()
    handlers.invoke("write_index", ref.model_dump(mode="json"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    metrics = {
        name: line[name] for line in lines for name in ("CubesRead", "CubesUnreadable", "CubesRemoved") if name in line
    }
    assert metrics == {"CubesRead": [1.0], "CubesUnreadable": [1.0]}
