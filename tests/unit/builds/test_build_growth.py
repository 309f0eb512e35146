"""Cubes that grow, pointers that never go back, and when an old cube goes."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tessera_cloud import keys, measure_keys
from tessera_cloud.application.builds.clean_up import delete_superseded, find_forgotten
from tessera_cloud.application.builds.generations import list_next
from tessera_cloud.application.index.footprint_index import publish, read_index, read_pointer
from tessera_cloud.contracts import PlanRef, PublishedCube
from tessera_cloud.errors import TransientError
from tessera_cloud.ports import ObjectInfo
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import REQUEST, SETTINGS, plan, put_frames, run_build, store_with
from tests.support.frames import tiny_sector
from tests.support.same_bytes import assert_same_bytes

SHAPE = (40, 30)
FRAMES = tiny_sector(6, SHAPE)
POINTER = keys.current(REQUEST.ccd_id)
HOUR = 3600.0


def pointed(store: MemoryStore) -> PublishedCube:
    cube, _ = read_pointer(store, SETTINGS.cube_bucket, POINTER)
    assert cube is not None
    assert read_index(store, SETTINGS.cube_bucket)[0].cubes == (cube,)
    return cube


def cube_keys(store: MemoryStore) -> set[str]:
    return {key for _, key in store.objects if key.endswith("-cube.fits")}


def test_later_frames_make_another_cube_and_the_pointer_moves_on() -> None:
    store = store_with(FRAMES[:4])
    first = run_build(store)
    put_frames(store, FRAMES[4:])
    second = run_build(store, hours=1)
    assert second.build_id != first.build_id
    assert pointed(store) == second
    assert second.n_cadences == 6
    assert cube_keys(store) == {first.key, second.key}
    fresh = store_with(FRAMES)
    assert_same_bytes(store.objects[second.bucket, second.key], fresh.objects[second.bucket, run_build(fresh).key])


def cube(n: int, generation: int) -> PublishedCube:
    """A cube of `n` frames whose listing has a number. The clocks go backwards, because no rule may follow them."""
    built = run_build(store_with(FRAMES[:n]), hours=-generation)
    return built.model_copy(update={"generation": generation + 1})


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_latest_listing_wins_in_every_order_of_publication(order: tuple[int, ...]) -> None:
    cubes, store = [cube(3, 0), cube(5, 1), cube(4, 2)], MemoryStore()
    for number in order:
        answer = publish(cubes[number], store=store)
        latest = max(order[: order.index(number) + 1])
        assert answer == cubes[latest]
    assert pointed(store) == cubes[2]


def test_frames_that_were_taken_away_make_a_smaller_cube_that_is_served() -> None:
    store = MemoryStore()
    publish(cube(6, 0), store=store)
    publish(cube(5, 1), store=store)
    assert pointed(store).n_cadences == 5


@pytest.mark.parametrize("step", ["pointer", "index"])
def test_a_newer_cube_that_comes_in_between_stays(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    store, old, new = MemoryStore(), cube(3, 0), cube(5, 1)
    write, busy = store.write, list[bool]()
    key = {"pointer": POINTER, "index": keys.FOOTPRINT_INDEX}[step]

    def interrupted(bucket: str, where: str, data: bytes, **conditions: object) -> str:
        if where == key and not busy:
            busy.append(True)
            publish(new, store=store)
        return write(bucket, where, data, **conditions)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "write", interrupted)
    publish(old, store=store)
    assert pointed(store) == new


def test_an_old_execution_mends_an_index_that_a_newer_one_left_behind() -> None:
    store, old, new = MemoryStore(), cube(3, 0), cube(5, 1)
    publish(old, store=store)
    store.write(SETTINGS.cube_bucket, POINTER, new.model_dump_json().encode())
    publish(old, store=store)
    assert pointed(store) == new


def test_a_pointer_that_never_rests_is_a_transient_error(monkeypatch: pytest.MonkeyPatch) -> None:
    store, first = MemoryStore(), cube(3, 0)
    publish(first, store=store)
    count, read = itertools.count(), store.read

    def changing(bucket: str, key: str) -> object:
        answer = read(bucket, key)
        if key == POINTER:
            changed = first.model_copy(update={"size": next(count)})
            store.write(bucket, key, changed.model_dump_json().encode())
        return answer

    monkeypatch.setattr(store, "read", changing)
    with pytest.raises(TransientError, match="changed 10 times"):
        publish(cube(4, 1), store=store)


def test_a_clock_that_was_wrong_once_keeps_no_later_build_back() -> None:
    store = store_with(FRAMES[:4])
    ahead = run_build(store, hours=1e6)
    put_frames(store, FRAMES[4:])
    later = run_build(store, hours=0)
    assert later.planned_at < ahead.planned_at
    assert pointed(store) == later


def test_frames_are_listed_again_if_another_execution_has_listed_them_meanwhile() -> None:
    store = store_with(FRAMES[:4])
    inner: list[PlanRef] = []

    def list_frames() -> list[ObjectInfo]:
        found = list(store.list_objects(SETTINGS.ffi_bucket, ""))
        if not inner:
            put_frames(store, FRAMES[4:])
            inner.append(plan(store))
        return found

    found, generation = list_next(REQUEST.cube_id, list_frames, store=store, bucket=SETTINGS.cube_bucket)
    assert (len(found), generation, inner[0].generation) == (6, 2, 1)


def test_listings_that_run_at_once_all_get_numbers_of_their_own() -> None:
    store = store_with(FRAMES[:2])

    def draw(_: int) -> int:
        for _ in range(20):
            with suppress(TransientError):
                return list_next(REQUEST.cube_id, list, store=store, bucket=SETTINGS.cube_bucket)[1]
        raise AssertionError

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(draw, range(24))) == list(range(1, 25))


def test_numbers_of_listings_go_on_after_their_record_has_expired() -> None:
    store = store_with(FRAMES)
    for _ in range(3):
        first = run_build(store)
    del store.objects[SETTINGS.cube_bucket, keys.generation(REQUEST.cube_id)]
    assert plan(store).generation == first.generation + 1 == 4


def test_pointers_of_before_listings_were_numbered_are_older() -> None:
    store = MemoryStore()
    old = cube(3, 0).model_dump(exclude={"generation", "left_out"}) | {"planned_at": "2999-01-01T00:00:00+00:00"}
    publish(PublishedCube.model_validate(old), store=store)
    publish(cube(4, 1), store=store)
    assert pointed(store).n_cadences == 4


# ---------------------------------------------------------------- clean-up


class Clock:
    def __init__(self) -> None:
        self.hours = 0.0

    def __call__(self) -> float:
        return self.hours * HOUR


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    """A cube of hour 0 and a larger one of hour 100."""
    store = store_with(FRAMES[:4])
    store.clock = clock
    run_build(store)
    clock.hours = 100
    put_frames(store, FRAMES[4:])
    run_build(store, hours=100)
    return store


def clean(store: MemoryStore, hours: float) -> list[str]:
    return delete_superseded(store=store, bucket=SETTINGS.cube_bucket, now=hours * HOUR)


def test_a_superseded_cube_goes_after_a_day(store: MemoryStore) -> None:
    old = cube_keys(store) - {pointed(store).key}
    assert clean(store, 123) == []
    assert clean(store, 125) == list(old)
    assert cube_keys(store) == {pointed(store).key}
    assert clean(store, 126) == []


def test_what_was_measured_goes_with_its_cube(store: MemoryStore) -> None:
    for key in cube_keys(store):
        store.write(SETTINGS.cube_bucket, measure_keys.beside(key, "-reference.fits"), b"measured")
    clean(store, 1000)
    left = {key for _, key in store.objects if key.endswith("-reference.fits")}
    assert left == {measure_keys.beside(pointed(store).key, "-reference.fits")}


def test_uploads_that_no_execution_can_still_use_are_reported(store: MemoryStore, clock: Clock) -> None:
    clock.hours = 0.0
    store.begin_upload(SETTINGS.cube_bucket, "cubes/s0001-4-2/abc/tess-s0001-4-2-cube.fits")
    for hours, found in ((19, 0), (21, 1)):
        forgotten = find_forgotten(store=store, bucket=SETTINGS.cube_bucket, now=hours * HOUR)
        assert forgotten == ["cubes/s0001-4-2/abc/tess-s0001-4-2-cube.fits"][:found]


def test_only_cubes_are_deleted(store: MemoryStore) -> None:
    before = {key for _, key in store.objects} - cube_keys(store)
    clean(store, 1000)
    assert {key for _, key in store.objects} - cube_keys(store) == before


def test_a_cube_that_was_never_published_stays(store: MemoryStore) -> None:
    del store.objects[SETTINGS.cube_bucket, POINTER]
    store.delete(SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX)
    assert clean(store, 1000) == []


def test_a_cube_that_the_index_still_serves_stays(store: MemoryStore) -> None:
    index, _ = read_index(store, SETTINGS.cube_bucket)
    (old,) = cube_keys(store) - {pointed(store).key}
    behind = index.of([index.cubes[0].model_copy(update={"key": old})])
    store.write(SETTINGS.cube_bucket, keys.FOOTPRINT_INDEX, behind.to_json())
    assert clean(store, 1000) == []


def test_a_cube_that_an_execution_may_want_back_stays(store: MemoryStore, clock: Clock) -> None:
    """The frames are taken away again: the build of hour 0 is planned anew, and finds its cube."""
    clock.hours = 200
    for name, _ in FRAMES[4:]:
        store.delete(SETTINGS.ffi_bucket, next(key for _, key in store.objects if key.endswith(name)))
    ref = plan(store, hours=200)
    (old,) = cube_keys(store) - {pointed(store).key}
    assert ref.build_id in old
    assert clean(store, 210) == []
    run_build(store, hours=210)
    assert pointed(store).key == old
    clean(store, 211)
    assert old in cube_keys(store)


def test_a_cube_whose_plan_has_expired_goes(store: MemoryStore) -> None:
    for bucket, key in list(store.objects):
        if key.startswith("builds/"):
            store.delete(bucket, key)
    assert len(clean(store, 1000)) == 1
