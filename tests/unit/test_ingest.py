"""Ingest as a whole, over real listings: whatever arrives, in whatever order, each CCD is built once."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tessera_cloud.adapters.memory_state import MemoryState
from tessera_cloud.application.ingest import send_sweeps
from tessera_cloud.application.ingest_state import MAX_ATTEMPTS, Rest, Start, Wait
from tessera_cloud.application.manifests import Change, parse_manifest
from tessera_cloud.errors import TransientError
from tessera_cloud.ports import ObjectInfo
from tests.support.builds import SETTINGS
from tests.support.catalogs import read_catalog, shuffled
from tests.support.ingest_world import DAY, HOUR, MACHINE, World, notification

SECTOR = [frame.info for frame in read_catalog("s0001-spoc")]
CCDS = [f"s0001-{camera}-{ccd}" for camera in range(1, 5) for ccd in range(1, 5)]


def some(n: int, ccd: str = "1-1", first: int = 0) -> list[ObjectInfo]:
    """Frames of one CCD."""
    frames = [info for info in SECTOR if f"-s0001-{ccd}-" in info.key]
    return frames[first : first + n]


def small_sector(n: int = 3) -> list[ObjectInfo]:
    """A few frames of each CCD."""
    return [info for ccd in CCDS for info in some(n, ccd.removeprefix("s0001-"))]


def ccds_of(started: list[str]) -> list[str]:
    """CCDs that were built, as often as they were."""
    return sorted("-".join(name.split("-")[:3]) for name in started)


def kept_manifests(world: World, ccd: str) -> dict[str, int]:
    """Frames of each manifest that is kept of a CCD, by hash."""
    prefix = f"ingest/{ccd}/"
    return {
        key.removeprefix(prefix).removesuffix(".json"): len(parse_manifest(data))
        for (_, key), data in world.store.objects.items()
        if key.startswith(prefix)
    }


@pytest.mark.slow
def test_190_000_notifications_in_any_order_with_duplicates_end_in_16_builds() -> None:
    catalog = shuffled(frame.info for frame in read_catalog("s0056-spoc"))
    chance = random.Random(7)
    again = [notification(info.key) for info in catalog if chance.random() < 0.1]
    world = World()
    for first in range(0, len(catalog), 3000):  # over two hours
        world.put(catalog[first : first + 3000])
        world.arrivals += again[first // 10 : first // 10 + 300]
        chance.shuffle(world.arrivals)
        world.advance(120)
    in_the_burst = len(world.store.listings)
    world.advance(3 * DAY, step=300)
    ccds = [f"s0056-{camera}-{ccd}" for camera in range(1, 5) for ccd in range(1, 5)]
    assert ccds_of(world.started) == ccds
    assert [world.ccd(ccd).n_frames for ccd in ccds] == [11_775] * 16
    assert (world.log.junk, world.log.errors) == ([], [])
    assert in_the_burst <= 9  # one per quarter of an hour
    assert len(world.store.listings) - in_the_burst <= 9  # one per run of the clock, until all is built


@pytest.mark.parametrize("name", ["s0001-spoc", "s0027-spoc", "s0027-tica"])
def test_a_sector_that_nobody_announced_is_found_and_built(name: str) -> None:
    world = World()
    world.put([frame.info for frame in read_catalog(name)], tell=False)
    world.advance(2 * DAY, step=600)
    prefix = "tica-s0027" if name.endswith("tica") else name[:5]
    assert sorted(world.started) == sorted(
        f"{prefix}-{camera}-{ccd}-{world.ccd(f'{prefix}-{camera}-{ccd}').hash[:12]}"
        for camera in range(1, 5)
        for ccd in range(1, 5)
    )
    request = world.executions.executions[MACHINE, world.started[0]].request
    assert request == {
        "sector": int(name[1:5]),
        "camera": 1,
        "ccd": 1,
        "product": "TICA" if name.endswith("tica") else "SPOC",
    }


def test_a_build_starts_when_its_frames_were_the_same_for_long_enough_and_not_before() -> None:
    world = World(stable_seconds=7200, schedule_seconds=1e9)
    world.put(some(3))
    world.advance(900 + 7200 - 60)
    assert world.started == []
    world.advance(180)
    assert ccds_of(world.started) == ["s0001-1-1"]
    assert len(world.store.listings) == 2


def test_waits_are_short_where_they_may_be() -> None:
    world = World(stable_seconds=5, schedule_seconds=1e9)
    world.put(some(3))
    world.advance(12, step=1)
    assert ccds_of(world.started) == ["s0001-1-1"]


def test_ccds_are_complete_each_for_itself() -> None:
    world = World(stable_seconds=3600)
    world.put(some(3, "1-1"))
    world.advance(2000)
    world.put(some(3, "1-2"))
    world.advance(900 + 3600 - 2000 + 120)
    assert ccds_of(world.started) == ["s0001-1-1"]
    world.advance(2 * HOUR)
    assert ccds_of(world.started) == ["s0001-1-1", "s0001-1-2"]


def test_later_frames_lead_to_a_second_build() -> None:
    world = World()
    world.put(some(3))
    world.advance(2 * DAY, step=300)
    world.put(some(2, first=3))
    world.advance(2 * DAY, step=300)
    assert ccds_of(world.started) == ["s0001-1-1"] * 2
    state = world.ccd("s0001-1-1")
    assert (state.n_frames, state.removed, state.replaced, state.published) == (5, 0, 0, True)
    assert state.built_hash == state.hash
    assert sorted(kept_manifests(world, "s0001-1-1").values()) == [3, 5]


def test_only_the_last_two_manifests_are_kept() -> None:
    world = World()
    for first in range(0, 10, 2):
        world.put(some(2, first=first))
        world.advance(1200)
    assert sorted(kept_manifests(world, "s0001-1-1").values()) == [8, 10]
    state = world.ccd("s0001-1-1")
    assert kept_manifests(world, "s0001-1-1").keys() == {state.hash, state.previous_hash}


def test_frames_that_go_or_are_replaced_are_told() -> None:
    world = World()
    frames = some(8)
    world.put(frames)
    world.advance(2 * DAY, step=300)
    world.remove(frames[:2])
    world.put([replace(info, etag="other") for info in frames[3:6]])
    world.advance(2 * DAY, step=300)
    (change,) = [report.change for report in world.log.reports if report.change]
    names = [info.key.rsplit("/", 1)[-1] for info in frames]
    assert change == Change(removed=tuple(names[:2]), replaced=tuple(names[3:6]))
    state = world.ccd("s0001-1-1")
    assert (state.n_frames, state.removed, state.replaced) == (6, 2, 3)
    assert ccds_of(world.started) == ["s0001-1-1"] * 2


def test_a_ccd_whose_frames_are_all_gone_is_told_and_not_built() -> None:
    world = World()
    frames = some(3)
    world.put([*frames, *some(1, "1-2")])
    world.advance(2 * DAY, step=300)
    world.remove(frames)
    world.advance(2 * DAY, step=300)
    assert ccds_of(world.started) == ["s0001-1-1", "s0001-1-2"]
    assert world.ccd("s0001-1-1").removed == 3
    assert Rest("empty") in [report.action for report in world.log.reports]


def test_frames_that_come_back_are_built_again_since_another_cube_is_served_now() -> None:
    world = World()
    frames = some(3)
    world.put(frames)
    world.advance(2 * DAY, step=300)
    world.remove(frames[:1])
    world.advance(2 * DAY, step=300)
    world.put(frames[:1])
    world.advance(2 * DAY, step=300)
    names = world.started
    assert len(names) == 3
    assert names[2] == f"{names[0]}-2"
    assert world.ccd("s0001-1-1").published


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


def test_waiting_for_other_builds_lists_nothing() -> None:
    world = World(stable_seconds=600, max_builds=1, build_seconds=1e9, schedule_seconds=1e9)
    world.put(small_sector())
    world.advance(2 * HOUR)
    listings = len(world.store.listings)
    assert len(world.started) == 1
    world.advance(5 * HOUR)
    assert len(world.store.listings) == listings
    world.build_seconds = 1.0
    world.advance(12 * HOUR)
    assert ccds_of(world.started) == CCDS


def full_world() -> World:
    """A sector whose builds wait for one that does not end, some time before the next check of that."""
    world = World(stable_seconds=600, max_builds=1, build_seconds=1e9, schedule_seconds=1e9)
    world.put(small_sector())
    world.advance(2 * HOUR)
    while not 0 < world.queue.messages[0][0] - world.now < 300:
        world.advance(60)
    return world


def test_new_frames_are_listed_although_builds_wait_for_others() -> None:
    world = full_world()
    world.put(some(1, "4-4", first=3))
    world.advance(1500)
    assert world.ccd("s0001-4-4").n_frames == 4


def settled_world() -> World:
    """A sector whose cube is served, so that nothing but news leads to a listing."""
    world = World(stable_seconds=600, schedule_seconds=1e9)
    world.put(some(3))
    world.advance(2 * HOUR)
    assert world.started
    world.take(['{"sweep": "SPOC/s0001"}'])
    assert world.ccd("s0001-1-1").published
    return world


def arrive_during_the_next_listing(world: World, info: ObjectInfo) -> None:
    """Let a frame arrive, and be told of, when a listing has passed its place."""
    list_objects, late = world.store.list_objects, [info]

    def list_and_be_told(bucket: str, prefix: str) -> Any:
        listed = list(list_objects(bucket, prefix))
        if late:
            world.store.listed[info.key] = late.pop()
            world.take([notification(info.key)])
        return iter(listed)

    world.store.list_objects = list_and_be_told  # type: ignore[method-assign]


def test_what_arrives_while_a_sector_is_listed_leads_to_another_listing() -> None:
    world = settled_world()
    world.arrivals.append(notification(some(1)[0].key))
    arrive_during_the_next_listing(world, some(1, first=3)[0])
    world.advance(1300)
    assert world.ccd("s0001-1-1").n_frames == 4


def test_what_arrives_while_a_full_sector_is_listed_leads_to_another_listing() -> None:
    world = full_world()
    arrive_during_the_next_listing(world, some(1, "4-4", first=3)[0])
    world.take(['{"sweep": "SPOC/s0001"}'])
    world.advance(1500)
    assert world.ccd("s0001-4-4").n_frames == 4


def test_a_check_that_arrives_again_after_it_was_done_lists_nothing() -> None:
    world = settled_world()
    world.arrivals.append(notification(some(1)[0].key))
    world.turn()
    ((_, text),) = world.queue.messages
    world.advance(700)
    listings = len(world.store.listings)
    world.take([text])
    assert len(world.store.listings) == listings


def test_frames_that_come_and_go_are_built_each_time() -> None:
    world = World(schedule_seconds=1e9, stable_seconds=600)
    frames = some(3)
    world.put(frames)
    world.advance(3 * HOUR)
    for _ in range(6):
        world.remove(frames[:1])
        world.advance(3 * HOUR)
        world.put(frames[:1])
        world.advance(3 * HOUR)
    assert len(world.started) == 13
    assert ccds_of(world.started) == ["s0001-1-1"] * 13


def test_hints_without_end_do_not_keep_a_sector_from_being_listed() -> None:
    world = World(stable_seconds=600, schedule_seconds=1e9)
    for number in range(1200):
        world.put(some(1, first=number % 100))
        world.advance(6, step=6)
    assert 10 <= len(world.store.listings) <= 12
    assert ccds_of(world.started) == ["s0001-1-1"]


def test_a_lost_message_does_not_silence_a_sector_for_long() -> None:
    world = World(schedule_seconds=1e9)
    world.put(some(3))
    world.turn()
    world.queue.messages.clear()
    world.now += 5000
    world.put(some(1, first=3))
    world.advance(1000)
    assert world.ccd("s0001-1-1").n_frames == 4


def test_a_listing_that_dies_is_repeated_when_its_message_comes_again() -> None:
    world = World(schedule_seconds=1e9)
    world.put(some(3))
    list_objects, deaths = world.store.list_objects, [1, 2]

    def die(bucket: str, prefix: str) -> Any:
        if deaths:
            deaths.pop()
            raise TransientError("the connection is gone")
        return list_objects(bucket, prefix)

    world.store.list_objects = die  # type: ignore[method-assign]
    world.advance(1200)
    assert world.ccd("s0001-1-1").n_frames == 3
    assert len(world.log.errors) == 2


def test_a_hint_leads_to_a_listing_in_a_while_and_more_hints_to_no_more() -> None:
    world = World(schedule_seconds=1e9)
    world.put(some(1000))
    world.turn()
    ((due, text),) = world.queue.messages
    assert due == world.now + 900
    assert json.loads(text) == {"sweep": "SPOC/s0001", "due": due}
    world.advance(840)
    world.put(some(1, "1-2"))
    world.advance(120)
    assert len(world.store.listings) == 1


def test_a_hint_after_a_listing_leads_to_another() -> None:
    world = World(schedule_seconds=1e9)
    for number in range(3):
        world.put(some(1, first=number))
        world.advance(1000)
    assert len(world.store.listings) == 3


def test_a_hint_brings_a_check_forward() -> None:
    world = World(schedule_seconds=1e9)
    world.put(some(3))
    world.advance(1000)  # listed; the next check is due in a day
    world.put(some(1, first=3))
    world.advance(1000)
    assert len(world.store.listings) == 2
    assert world.ccd("s0001-1-1").n_frames == 4


def test_a_check_that_arrives_twice_lists_once() -> None:
    world = World(schedule_seconds=1e9)
    world.put(some(3))
    world.turn()
    ((_, text),) = world.queue.messages
    world.now += 900
    world.take([text])
    world.take([text, text])
    assert len(world.store.listings) == 1


def test_a_check_that_arrives_early_goes_back_without_a_listing() -> None:
    world = World(schedule_seconds=1e9)
    world.put(some(3))
    world.turn()
    ((due, text),) = world.queue.messages
    world.queue.messages.clear()
    world.now += 100
    world.take([text])
    assert world.store.listings == []
    assert world.queue.messages == [(due, text)]


def test_what_there_is_no_time_for_is_sent_again() -> None:
    world = World(schedule_seconds=1e9)
    world.put(some(3))
    times = iter([True, False, False])
    texts = [f'{{"sweep": "SPOC/s{sector:04d}"}}' for sector in (1, 2, 3)]
    assert world.take(texts, has_time=lambda: next(times)) == []
    assert len(world.store.listings) == 1
    assert world.queue.take() == texts[1:]


def test_a_listing_that_fails_comes_again_and_the_others_do_not() -> None:
    world = World(schedule_seconds=1e9)
    list_objects = world.store.list_objects

    def fail(bucket: str, prefix: str) -> Any:
        if prefix.endswith("s0002/"):
            raise TransientError("slow down")
        return list_objects(bucket, prefix)

    world.store.list_objects = fail  # type: ignore[method-assign]
    texts = [f'{{"sweep": "SPOC/s{sector:04d}"}}' for sector in (1, 2, 3)]
    assert world.take(["junk", *texts]) == [texts[1]]
    assert world.log.errors == ["TransientError: slow down"]
    assert world.log.junk == ["junk"]


def test_a_hint_that_could_not_be_noted_comes_again() -> None:
    world = World(schedule_seconds=1e9)

    def fail(message: str, *, delay_seconds: int = 0) -> None:
        raise TransientError("the queue is away")

    world.queue.send = fail  # type: ignore[method-assign]
    bodies = [notification(info.key) for info in some(3)]
    assert world.take(bodies) == bodies
    assert world.state.records == {}


def test_the_clock_asks_for_all_sectors_and_for_settled_ones_once_a_day() -> None:
    world = World(stable_seconds=60)
    world.put(some(3), tell=False)
    world.put([frame.info for frame in read_catalog("s0027-tica")[:3]], tell=False)
    asked = [str(sweep) for sweep in send_sweeps(ports=world.ports, now=world.now)]
    assert asked == ["SPOC/s0001", "TICA/s0027"]
    world.advance(12 * HOUR)
    assert len(world.started) == 2
    listings = len(world.store.listings)
    world.advance(10 * DAY, step=300)
    assert listings + 16 <= len(world.store.listings) <= listings + 20
    world.remove(some(1))
    world.arrivals.clear()  # nobody tells
    world.advance(DAY + 6 * HOUR, step=300)
    assert world.ccd("s0001-1-1").removed == 1


def test_folders_that_are_no_sectors_are_passed_over() -> None:
    world = World()
    for folder in ("s0001", "s1", "s00001", "readme", "s0000", "S0002"):
        key = f"{SETTINGS.ffi_prefix}{folder}/x.fits"
        world.store.listed[key] = ObjectInfo(key, 1, "e")
    assert [str(sweep) for sweep in send_sweeps(ports=world.ports, now=0.0)] == ["SPOC/s0001"]


def test_sectors_that_are_not_wanted_are_never_listed() -> None:
    world = World(stable_seconds=60)
    world.ports = replace(world.ports, settings=replace(world.ports.settings, ingest_sectors=((2, 9),)))
    world.put(some(3))
    world.arrivals.append('{"sweep": "SPOC/s0001"}')
    world.advance(DAY, step=300)
    assert (world.store.listings, world.started, world.log.junk) == ([], [], [])


def test_frames_in_the_wrong_place_are_told() -> None:
    world = World()
    (frame,) = some(1)
    stray = frame.key.replace("/s0001/", "/s0001/").replace("-s0001-1-1", "-s0002-1-1")
    world.put([frame, replace(frame, key=stray)])
    world.advance(1000)
    ((sweep, keys),) = world.log.strays.items()
    assert (str(sweep), keys) == ("SPOC/s0001", (stray,))
    assert world.ccd("s0001-1-1").n_frames == 1


def test_reports_say_what_was_done() -> None:
    world = World(stable_seconds=600, schedule_seconds=1e9)
    world.put(some(3))
    world.advance(3 * HOUR)
    actions = [type(report.action) for report in world.log.reports]
    assert actions == [Wait, Start]
    assert world.log.reports[-1].state == world.ccd("s0001-1-1")


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
