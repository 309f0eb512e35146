"""The FootprintIndex workflow when cubes are broken, change, vanish, or lose their task."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tessera_cloud.application.caches import IndexCache
from tessera_cloud.application.index.list_cubes import list_cubes
from tessera_cloud.application.index.messages import IndexSummary
from tessera_cloud.application.index.read_cube import read_cube_row
from tessera_cloud.application.index.served import settle
from tessera_cloud.application.index.write_index import require_outcomes, write_index
from tessera_cloud.application.indexing import RunRequest
from tessera_cloud.errors import EmptySourceError, FatalError, UnreadCubesError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.sources import (
    BUCKET,
    SETTINGS,
    SOURCE,
    key,
    ordered,
    put_cube,
    rows,
    run_index,
    small_cube,
    tasks_of,
    two_cubes,
)

OWN = SETTINGS.cube_bucket


@pytest.fixture
def store() -> MemoryStore:
    return two_cubes()


def test_a_vanished_cube_is_removed_and_named(store: MemoryStore) -> None:
    run_index(store)
    store.delete(BUCKET, key("tess-s0001-1-1"))
    summary = run_index(store, "run-2")
    assert (summary.removed, summary.removed_names) == (1, ("tess-s0001-1-1",))
    assert list(rows(store)) == ["tess-s0001-4-2"]


def test_a_source_that_shows_nothing_is_not_believed(store: MemoryStore) -> None:
    run_index(store)
    for name in ("tess-s0001-1-1", "tess-s0001-4-2"):
        store.delete(BUCKET, key(name))
    with pytest.raises(EmptySourceError, match=f"{SOURCE} lists no cubes, but the index has 2"):
        run_index(store, "run-2")
    assert len(rows(store)) == 2


def test_cubes_of_a_source_that_is_given_up_are_removed(store: MemoryStore) -> None:
    run_index(store)
    settings = dataclasses.replace(SETTINGS, cube_sources=())
    ref = list_cubes(RunRequest(run="run-2"), store=store, settings=settings)
    assert write_index(ref, store=store).removed == 2


BROKEN = {
    "text": b"this is not a cube",
    "nothing": b"",
    "a cut-off table": small_cube(1, 1)[:-2880],
    "headers alone": small_cube(1, 1)[:5760],
    "zeros": bytes(28800),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_cube_that_cannot_be_read_is_told_and_does_not_stop_the_others(store: MemoryStore, kind: str) -> None:
    put_cube(store, "tess-s0001-1-1", BROKEN[kind])
    summary = run_index(store)
    assert (summary.read, summary.failed, summary.lost) == (1, 1, 0)
    assert summary.failures[0].obs_id == "tess-s0001-1-1"
    assert "CubeFormatError: tess-s0001-1-1-cube.fits" in summary.failures[0].reason
    assert list(rows(store)) == ["tess-s0001-4-2"]


def test_a_cube_without_any_wcs_is_told(store: MemoryStore) -> None:
    bare = small_cube(1, 1).replace(b"CHECKSUM= ", b"OLD_SUM = ").replace(b"DEC--TAN-SIP", b"DEC--LINEAR ")
    put_cube(store, "tess-s0001-1-1", bare)
    (failure,) = run_index(store).failures
    assert failure.reason.startswith("NoWcsError: tess-s0001-1-1-cube.fits")


def test_a_refused_cube_is_told(store: MemoryStore) -> None:
    class Refusing(MemoryStore):
        def read_range(self, bucket: str, key: str, *args: Any, **more: Any) -> Any:
            if key.endswith("tess-s0001-1-1-cube.fits"):
                raise FatalError("AccessDenied")
            return super().read_range(bucket, key, *args, **more)

    summary = run_index(Refusing(store.objects))
    assert [(failure.obs_id, failure.reason) for failure in summary.failures] == [
        ("tess-s0001-1-1", "FatalError: AccessDenied")
    ]


def test_a_cube_that_is_replaced_after_the_listing_is_read_as_it_is(store: MemoryStore) -> None:
    ref, _ = ordered(store, "run-1")
    etag = put_cube(store, "tess-s0001-1-1", small_cube(1, 1, 7))
    for task in tasks_of(store, ref):
        read_cube_row(task, store=store, cube_bucket=OWN)
    write_index(ref, store=store)
    assert (rows(store)["tess-s0001-1-1"].etag, rows(store)["tess-s0001-1-1"].n_cadences) == (etag, 7)


def test_a_cube_that_vanishes_after_the_listing_is_told(store: MemoryStore) -> None:
    ref, _ = ordered(store, "run-1")
    store.delete(BUCKET, key("tess-s0001-1-1"))
    outcomes = [read_cube_row(task, store=store, cube_bucket=OWN) for task in tasks_of(store, ref)]
    assert [outcome.row is None for outcome in outcomes] == [True, False]
    assert "ObjectMissingError" in outcomes[0].reason


def without_outcome(store: MemoryStore, run: str, lost: str) -> IndexSummary:
    """A run in which the task of one cube dies."""
    ref, _ = ordered(store, run)
    for task in tasks_of(store, ref):
        if task.cube.obs_id != lost:
            read_cube_row(task, store=store, cube_bucket=OWN)
    return write_index(ref, store=store)


def test_a_cube_whose_task_died_is_noticed_and_read_next_time(store: MemoryStore) -> None:
    summary = without_outcome(store, "run-1", "tess-s0001-1-1")
    assert (summary.lost, summary.cubes) == (1, 1)
    with pytest.raises(UnreadCubesError, match="tess-s0001-1-1"):
        require_outcomes(summary)
    assert ordered(store, "run-2")[1] == ["tess-s0001-1-1"]
    require_outcomes(run_index(store, "run-3"))
    assert len(rows(store)) == 2


def test_a_replaced_cube_whose_task_died_stays_findable(store: MemoryStore) -> None:
    run_index(store)
    etag = put_cube(store, "tess-s0001-1-1", small_cube(1, 1, 7))
    without_outcome(store, "run-2", "tess-s0001-1-1")
    row = rows(store)["tess-s0001-1-1"]
    assert row.etag == ""
    settled = settle(row, store, IndexCache(), 0.0)
    assert settled is not None
    assert (settled.etag, settled.size) == (etag, len(small_cube(1, 1, 7)))
    run_index(store, "run-3")
    assert rows(store)["tess-s0001-1-1"].etag == etag


def test_a_run_needs_a_name_that_is_part_of_a_key() -> None:
    for name in ("", "a/b", "../x", "a b", "x" * 129):
        with pytest.raises(ValueError, match="run"):
            RunRequest(run=name)


def test_many_failures_are_counted_and_the_first_are_named() -> None:
    store = MemoryStore()
    for sector in range(1, 31):
        put_cube(store, f"tess-s{sector:04d}-1-1", b"broken")
    summary = run_index(store)
    assert (summary.failed, len(summary.failures)) == (30, 20)
    assert len(summary.model_dump_json()) < 20_000
