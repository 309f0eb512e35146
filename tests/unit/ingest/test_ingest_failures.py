"""Ingest where others are faster, calls fail, builds fail and records are lost."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tessera_cloud.application.ingest.rules import MAX_ATTEMPTS, Rest
from tessera_cloud.errors import TransientError
from tessera_cloud.testing.memory_state import MemoryState
from tests.support.builds import SETTINGS
from tests.support.ingest_world import CCDS, DAY, HOUR, MACHINE, World, ccds_of, notification, small_sector, some


class Racing(MemoryState):
    """State to which another task writes just before we do."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.races: dict[str, int] = {}
        self.others: dict[str, Mapping[str, Any]] = {}

    def put(self, kind: str, name: str, value: Mapping[str, Any], *, over: int, expires: float | None = None) -> int:
        if self.races.get(kind, 0):
            self.races[kind] -= 1
            other = self.others.get(name, value)
            super().put(kind, name, other, over=over)
        return super().put(kind, name, value, over=over, expires=expires)


def racing(**more: Any) -> tuple[World, Racing]:
    world = World(**more)
    state = Racing(world.clock)
    world.state = state
    world.ports = replace(world.ports, state=state)
    return world, state


@pytest.mark.parametrize("kind", ["ccd", "sweep"])
def test_lost_races_change_nothing(kind: str) -> None:
    world, state = racing(stable_seconds=3600)
    world.put(small_sector())
    for _ in range(12):
        state.races[kind] = 5
        world.advance(900)
    assert ccds_of(world.started) == CCDS
    assert (world.log.errors, world.arrivals) == ([], [])


def test_a_race_that_is_lost_again_and_again_is_given_up_and_comes_again() -> None:
    world, state = racing(stable_seconds=60)
    world.put(some(3))
    state.races["ccd"] = 1000
    world.advance(180)
    assert "changed 10 times" in str(world.log.reports[-1].error)
    assert world.started == []
    state.races["ccd"] = 0
    world.advance(900)
    assert ccds_of(world.started) == ["s0001-1-1"]


def test_an_older_listing_does_not_undo_a_newer_one() -> None:
    world, state = racing()
    frames = some(3)
    world.put(frames)
    world.advance(1200)
    newer = world.ccd("s0001-1-1").model_copy(update={"hash": "b" * 64, "last_seen": world.now + 30, "n_frames": 4})
    version = state.records["ccd", "s0001-1-1"][0]
    state.put("ccd", "s0001-1-1", newer.model_dump(), over=version)
    world.take(['{"sweep": "SPOC/s0001"}'])
    assert world.log.reports[-1].action == Rest("outdated")
    assert world.ccd("s0001-1-1") == newer


def test_a_start_that_fails_is_tried_again() -> None:
    world = World(stable_seconds=600)
    world.put(small_sector())
    start, refused = world.executions.start, set()

    def refuse_once(machine: str, name: str, request: Mapping[str, Any]) -> bool:
        if name not in refused and name.startswith(("s0001-2", "s0001-3-1")):
            refused.add(name)
            raise TransientError("too many requests")
        return start(machine, name, request)

    world.executions.start = refuse_once  # type: ignore[method-assign]
    world.advance(2 * HOUR)
    assert ccds_of(world.started) == CCDS
    errors = [str(report.error) for report in world.log.reports if report.error]
    assert errors == ["too many requests"] * len(refused) == ["too many requests"] * 5


def test_the_others_start_although_one_fails() -> None:
    world = World(stable_seconds=600)
    world.put(small_sector())
    start = world.executions.start

    def refuse(machine: str, name: str, request: Mapping[str, Any]) -> bool:
        if name.startswith("s0001-1-1"):
            raise TransientError("too many requests")
        return start(machine, name, request)

    world.executions.start = refuse  # type: ignore[method-assign]
    world.advance(2 * HOUR)
    assert ccds_of(world.started) == CCDS[1:]


def test_a_start_that_could_not_be_recorded_is_found() -> None:
    world = World(stable_seconds=600, build_seconds=1e9)
    world.put(some(3))
    put = world.state.put

    def die(kind: str, name: str, value: Mapping[str, Any], *, over: int, expires: float | None = None) -> int:
        if value.get("execution") and not died:
            died.append(name)
            raise TransientError("the table is away")
        return put(kind, name, value, over=over, expires=expires)

    died: list[str] = []
    world.state.put = die  # type: ignore[method-assign]
    world.advance(7 * HOUR)
    assert died == ["s0001-1-1"]
    assert ccds_of(world.started) == ["s0001-1-1"]
    assert world.ccd("s0001-1-1").execution == world.started[0]


def test_a_build_that_fails_is_started_again_and_then_left_to_people() -> None:
    world = World(ends=lambda name: "FAILED")
    world.put(some(3))
    world.advance(6 * DAY, step=300)
    base = world.started[0]
    assert world.started == [base, f"{base}-2", f"{base}-3"]
    assert len(world.started) == MAX_ATTEMPTS
    assert world.log.reports[-1].action == Rest("gave up")


class Overtaken(World):
    """Builds succeed, but the cube of a later listing is current when they end."""

    def publish(self, request: Any, name: str) -> None:
        super().publish(request, "s0001-1-1-0123456789ab")


def test_a_build_that_succeeds_behind_the_cube_of_a_later_listing_is_not_repeated() -> None:
    world = Overtaken()
    world.put(some(3))
    world.advance(6 * DAY, step=300)
    assert len(world.started) == 1
    assert world.log.reports[-1].action == Rest("superseded")
    world.put(some(1, first=3))
    world.advance(3 * DAY, step=300)
    assert len(world.started) == 2


def test_a_build_whose_pointer_was_deleted_is_started_again() -> None:
    world = World()
    world.put(some(3))
    world.publish = lambda request, name: None  # type: ignore[method-assign]
    world.advance(3 * DAY, step=300)
    assert len(world.started) == MAX_ATTEMPTS


def test_a_clock_that_was_wrong_once_delays_no_later_frames() -> None:
    world = World(now=1e9 + 100 * DAY)
    world.put(some(3))
    world.advance(2 * DAY, step=300)
    world.now, world.next_schedule = 1e9, 1e9
    world.put(some(1, first=3))
    world.advance(2 * DAY, step=300)
    assert len(world.started) == 2
    assert world.ccd("s0001-1-1").published


def test_a_build_that_fails_once_ends_well() -> None:
    world = World(ends=lambda name: "SUCCEEDED" if name.endswith("-2") else "TIMED_OUT")
    world.put(some(3))
    world.advance(6 * DAY, step=300)
    assert len(world.started) == 2
    assert world.ccd("s0001-1-1").published


def test_a_build_that_somebody_stopped_is_not_started_again() -> None:
    world = World(ends=lambda name: "ABORTED")
    world.put(some(3))
    world.advance(6 * DAY, step=300)
    assert len(world.started) == 1
    assert world.log.reports[-1].action == Rest("stopped")


def test_new_frames_make_a_new_start_after_builds_that_failed() -> None:
    world = World(ends=lambda name: "FAILED" if world.ccd("s0001-1-1").n_frames == 3 else "SUCCEEDED")
    world.put(some(3))
    world.advance(6 * DAY, step=300)
    world.put(some(1, first=3))
    world.advance(6 * DAY, step=300)
    assert len(world.started) == MAX_ATTEMPTS + 1
    assert world.ccd("s0001-1-1").published


def test_only_so_many_builds_run_at_once_and_the_rest_follow() -> None:
    world = World(stable_seconds=600, max_builds=3, build_seconds=1800)
    world.put(small_sector())
    most = 0
    for _ in range(600):
        world.advance(60)
        running = len(world.executions.list_executions(MACHINE, status="RUNNING"))
        most = max(most, running)
    assert most == 3
    assert ccds_of(world.started) == CCDS


def test_a_public_bucket_is_read_by_one_build_at_a_time() -> None:
    world = World(stable_seconds=600, max_builds=5, build_seconds=1800)
    public = replace(world.ports.settings, cube_sources=(f"{SETTINGS.ffi_bucket}/cubes",), ingest_sectors=((1, 1),))
    world.ports = replace(world.ports, settings=public)
    world.put(small_sector())
    most = 0
    for _ in range(24 * 60):
        world.advance(60)
        most = max(most, len(world.executions.list_executions(MACHINE, status="RUNNING")))
    assert most == 1
    assert ccds_of(world.started) == CCDS


def test_a_lost_state_rebuilds_nothing_that_is_served() -> None:
    world = World()
    world.put(small_sector())
    world.advance(2 * DAY, step=300)
    assert len(world.started) == 16
    world.state.records.clear()
    world.advance(2 * DAY, step=300)
    assert len(world.started) == 16
    assert all(world.ccd(ccd).published for ccd in CCDS)


def test_a_lost_state_finds_the_builds_that_are_running() -> None:
    world = World(stable_seconds=3600, build_seconds=1e9)
    world.put(some(3))
    world.advance(2 * HOUR)
    world.state.records.clear()
    world.advance(20 * HOUR, step=300)
    assert ccds_of(world.started) == ["s0001-1-1"]
    assert world.ccd("s0001-1-1").execution == world.started[0]


def test_many_tasks_at_once_start_each_build_once() -> None:
    world = World(stable_seconds=900, max_builds=1000)
    world.put(small_sector(), tell=False)
    for frame in range(3, 6):
        hints = [notification(info.key) for ccd in CCDS for info in some(1, ccd.removeprefix("s0001-"), first=frame)]
        world.put([info for ccd in CCDS for info in some(1, ccd.removeprefix("s0001-"), first=frame)], tell=False)
        for _ in range(4):
            bodies = [*hints, *world.queue.take(), '{"sweep": "SPOC/s0001"}']
            with ThreadPoolExecutor(8) as pool:
                again = [body for failed in pool.map(world.take, [bodies] * 8) for body in failed]
            for body in again:
                world.queue.send(body)
            world.now += 950
    for _ in range(4):
        world.take([*world.queue.take(), '{"sweep": "SPOC/s0001"}'])
        world.now += 950
    hashes = {name.rsplit("-", 1)[1] for name in world.started}
    assert len(world.started) == len(hashes)
    assert set(ccds_of(world.started)) == set(CCDS)
    assert len(world.started) <= 3 * 16
    assert all(world.ccd(ccd).built_hash == world.ccd(ccd).hash for ccd in CCDS)
    assert all(world.ccd(ccd).n_frames == 6 for ccd in CCDS)
