"""Writing the coverage: what is made again, what two writers do to each other, and what a dead one leaves."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import threading
from collections.abc import Callable, Iterator

import pytest
from mocpy import MOC

from tessera_cloud import keys
from tessera_cloud.application.coverage.write_coverage import CoverageSummary, write_coverage
from tessera_cloud.application.index.withdrawn import restore, withdraw
from tessera_cloud.errors import TransientError
from tessera_cloud.names import CubeId
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.covers import BUCKET, DAY, SETTINGS, coverage_objects, cube, document, file_of, put_index, written
from tests.support.paths import DATA

ONE, TWO = cube("tess-s0001-1-1", 10), cube("tess-s0002-1-1", 100)
PARTS_OF_TWO = 6
"""All and two sectors, of SPOC and of all products."""


def with_index() -> MemoryStore:
    store = MemoryStore()
    put_index(store, ONE, TWO)
    return store


def coverages_written(store: MemoryStore) -> list[str]:
    return [key for operation, _, key in store.requests if operation == "write" and key.startswith(keys.COVERAGE)]


class Interrupted(MemoryStore):
    """A store that calls a function before a write, by the number of the write."""

    before: Callable[[int], None] = staticmethod(lambda _n: None)
    writes: Iterator[int] = iter(())

    def write(self, bucket: str, key: str, data: bytes, *, only_over: str | None = None, only_new: bool = False) -> str:
        if key.startswith(keys.COVERAGE):
            self.before(next(self.writes))
        return super().write(bucket, key, data, only_over=only_over, only_new=only_new)


def interrupted() -> Interrupted:
    store = Interrupted(objects=dict(with_index().objects))
    store.writes = itertools.count(1)
    return store


def test_every_part_has_four_files_and_the_document_has_their_sizes() -> None:
    store = with_index()
    assert written(store).made == PARTS_OF_TWO
    found = document(store)
    assert {product: list(parts) for product, parts in found.items()} == {
        "all": ["all", "s0001", "s0002"],
        "SPOC": ["all", "s0001", "s0002"],
    }
    part = found["SPOC"]["s0001"]
    assert part["files"] == {name: len(file_of(store, "SPOC", name)) for name in part["files"]}
    assert sorted(part["files"]) == ["s0001-st.fits", "s0001-st.json", "s0001.fits", "s0001.json"]
    assert (part["cubes"], part["t_min"], part["t_max"]) == (1, ONE.t_min, ONE.t_max)
    both = MOC.from_fits(io.BytesIO(file_of(store, "all", "all.fits")))
    assert found["all"]["all"]["sky_fraction"] == both.sky_fraction
    assert len(coverage_objects(store)) == 4 * PARTS_OF_TWO + 1


def test_a_run_without_a_change_writes_nothing() -> None:
    store = with_index()
    written(store)
    before = coverage_objects(store)
    store.requests.clear()
    assert written(store) == CoverageSummary(kept=PARTS_OF_TWO)
    assert coverages_written(store) == []
    assert coverage_objects(store) == before


def test_only_what_changed_is_made_again() -> None:
    store = with_index()
    written(store)
    old = document(store)
    put_index(store, ONE, TWO, cube("tess-s0002-1-2", 104))
    store.requests.clear()
    summary = written(store)
    new = document(store)
    assert (summary.made, summary.kept) == (4, 2)
    assert {name for name in new["SPOC"] if new["SPOC"][name] != old["SPOC"][name]} == {"all", "s0002"}
    assert not [key for key in coverages_written(store) if "s0001" in key]


def test_the_times_of_a_cube_are_a_change() -> None:
    store = with_index()
    written(store)
    put_index(store, ONE, TWO.model_copy(update={"t_max": TWO.t_max + 1}))
    assert written(store).made == 4


def test_another_key_or_etag_of_a_cube_is_no_change() -> None:
    store = with_index()
    written(store)
    put_index(store, ONE, TWO.model_copy(update={"etag": "another", "build_id": "c", "n_cadences": 7}))
    assert written(store).made == 0


def test_a_sector_that_is_gone_is_gone_from_the_coverage() -> None:
    store = with_index()
    written(store)
    put_index(store, ONE)
    summary = written(store)
    assert (summary.made, summary.kept, summary.dropped) == (2, 2, 2)
    assert list(document(store)["SPOC"]) == ["all", "s0001"]
    assert file_of(store, "SPOC", "all.json") == file_of(store, "SPOC", "s0001.json")


def test_an_empty_index_is_an_empty_coverage() -> None:
    store = MemoryStore()
    assert written(store) == CoverageSummary()
    assert document(store) == {}


# ---------------------------------------------------------------- which cubes


def test_a_withdrawn_cube_leaves_with_the_next_run_and_comes_back_when_it_is_restored() -> None:
    store = with_index()
    written(store)
    first = document(store)
    withdraw(CubeId.parse(TWO.obs_id), "wrong WCS", store=store, bucket=BUCKET, now=0.0)
    written(store)
    assert list(document(store)["SPOC"]) == ["all", "s0001"]
    restore(CubeId.parse(TWO.obs_id), store=store, bucket=BUCKET)
    written(store)
    assert document(store) == first


def test_cubes_that_only_masts_file_names_are_covered_as_they_are_served() -> None:
    place = "tess/public/footprints/tess_ffi_footprint_cache.json"
    table = json.loads((DATA / "tess_ffi_footprints.json").read_bytes())
    first = {name: column[:16] for name, column in table.items()}
    store = MemoryStore({("stpubdata", place): json.dumps(first).encode()})
    put_index(store, TWO)
    settings = dataclasses.replace(
        SETTINGS, cube_sources=("stpubdata/tess/public/mast/",), published_footprints=f"stpubdata/{place}"
    )
    write_coverage(store=store, settings=settings, now=0.0)
    parts = document(store)["SPOC"]
    assert {name: part["cubes"] for name, part in parts.items()} == {"all": 17, "s0001": 16, "s0002": 1}
    assert parts["s0001"]["sky_fraction"] == pytest.approx(0.0546, abs=0.02)


# ---------------------------------------------------------------- writers that die, and two at once


@pytest.mark.parametrize("death", [1, 2, 4, 13, 4 * PARTS_OF_TWO, 4 * PARTS_OF_TWO + 1])
def test_a_writer_may_die_before_any_write(death: int) -> None:
    """Until the document is written, there is none. Whatever was written before, the next run gives the same."""
    whole = with_index()
    written(whole)
    store = interrupted()

    def die(n: int) -> None:
        if n >= death:
            raise TransientError("killed")

    store.before = die
    with pytest.raises(TransientError):
        written(store)
    assert keys.COVERAGE_DOCUMENT not in coverage_objects(store)
    store.before = lambda _n: None
    written(store)
    assert coverage_objects(store) == coverage_objects(whole)


def test_a_writer_that_dies_leaves_the_coverage_of_before() -> None:
    store = interrupted()
    written(store)
    before = document(store)
    put_index(store, ONE)

    def die(_n: int) -> None:
        raise TransientError("killed")

    store.before = die
    with pytest.raises(TransientError):
        written(store)
    assert document(store) == before
    assert all((BUCKET, key) in store.objects for key in keys_of(store))


def keys_of(store: MemoryStore) -> list[str]:
    """Keys of all files that the document names."""
    return [
        keys.coverage_file(product, name, part["hash"])
        for product, parts in document(store).items()
        for part in parts.values()
        for name in part["files"]
    ]


def test_a_writer_whose_index_is_old_does_not_undo_what_a_faster_one_wrote() -> None:
    """The slow one has read the index. Before it writes the document, a cube appears, and another writer ends."""
    store = interrupted()
    three = cube("tess-s0003-1-1", 200)

    def overtake(n: int) -> None:
        if n == 4 * PARTS_OF_TWO + 1:
            put_index(store, ONE, TWO, three)
            written(store)

    store.before = overtake
    written(store)
    assert list(document(store)["SPOC"]) == ["all", "s0001", "s0002", "s0003"]
    fresh = MemoryStore()
    put_index(fresh, ONE, TWO, three)
    written(fresh)
    assert document(store) == document(fresh)


def test_many_writers_at_once_end_with_the_coverage_of_the_last_index() -> None:
    store = MemoryStore()
    cubes = [cube(f"tess-s{n:04d}-1-1", 20.0 * n) for n in range(1, 7)]
    lock = threading.Lock()
    errors: list[Exception] = []

    def publish_and_write(n: int) -> None:
        with lock:
            put_index(store, *cubes[: max(n, published[0])])
            published[0] = max(n, published[0])
        try:
            written(store)
        except Exception as error:  # noqa: BLE001 - whatever a thread raises, the test tells
            errors.append(error)

    published = [0]
    threads = [threading.Thread(target=publish_and_write, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert document(store)["SPOC"]["all"]["cubes"] == 6
    assert all((BUCKET, key) in store.objects for key in keys_of(store))


# ---------------------------------------------------------------- files that are lost, damaged or old


@pytest.mark.parametrize("damage", ["gone", "short"])
def test_a_file_that_is_lost_or_cut_off_is_made_again(damage: str) -> None:
    store = with_index()
    written(store)
    before = coverage_objects(store)
    key = next(key for key in before if "SPOC/s0002" in key and key.endswith(".fits"))
    if damage == "gone":
        store.delete(BUCKET, key)
    else:
        store.write(BUCKET, key, before[key][:100])
    assert written(store).made == 1
    assert coverage_objects(store) == before


def test_a_document_that_cannot_be_read_is_made_again() -> None:
    store = with_index()
    written(store)
    before = coverage_objects(store)
    store.write(BUCKET, keys.COVERAGE_DOCUMENT, b"{")
    written(store)
    assert coverage_objects(store) == before


def test_superseded_files_are_deleted_after_a_day() -> None:
    now = [0.0]
    store = MemoryStore(objects=dict(with_index().objects), clock=lambda: now[0])
    written(store)
    old = set(coverage_objects(store))
    put_index(store, ONE, TWO, cube("tess-s0003-1-1", 200))
    now[0] = 10.0
    assert written(store, now[0]).deleted == 0
    now[0] = DAY + 1
    assert written(store, now[0]).deleted == 8
    left = set(coverage_objects(store))
    assert {name.split("/")[-1].split("-")[0] for name in old - left} == {"all"}
    assert left == {*keys_of(store), keys.COVERAGE_DOCUMENT}


def test_a_file_that_is_used_again_is_not_deleted_for_its_age() -> None:
    now = [0.0]
    store = MemoryStore(objects=dict(with_index().objects), clock=lambda: now[0])
    written(store)
    first = coverage_objects(store)
    put_index(store, ONE)
    now[0] = DAY / 2
    written(store, now[0])
    put_index(store, ONE, TWO)
    now[0] = DAY + 1
    written(store, now[0])
    assert first.items() <= coverage_objects(store).items()
