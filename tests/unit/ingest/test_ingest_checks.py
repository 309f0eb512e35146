"""Hints, checks and the clock: when a sector is listed, and when it is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tessera_cloud.application.ingest.sweeps import send_sweeps
from tessera_cloud.errors import TransientError
from tessera_cloud.ports import ObjectInfo
from tests.support.builds import SETTINGS
from tests.support.catalogs import read_catalog
from tests.support.ingest_world import CCDS, DAY, HOUR, World, ccds_of, notification, small_sector, some


def full_world() -> World:
    """A sector whose builds wait for one that does not end, some time before the next check of that."""
    world = World(stable_seconds=600, max_builds=1, build_seconds=1e9, schedule_seconds=1e9)
    world.put(small_sector())
    world.advance(2 * HOUR)
    while not 0 < world.queue.messages[0][0] - world.now < 300:
        world.advance(60)
    return world


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


def test_builds_that_wait_for_others_begin_soon_where_frames_settle_soon() -> None:
    """On one machine frames settle within seconds; a second CCD must not wait a quarter of an hour for the first."""
    world = World(stable_seconds=3, max_builds=1, build_seconds=5)
    world.put([*some(3, "1-1"), *some(3, "1-2"), *some(3, "1-3")])
    world.advance(45, step=5)
    assert sorted(ccds_of(world.started)) == ["s0001-1-1", "s0001-1-2", "s0001-1-3"]


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


def test_new_frames_are_listed_although_builds_wait_for_others() -> None:
    world = full_world()
    world.put(some(1, "4-4", first=3))
    world.advance(1500)
    assert world.ccd("s0001-4-4").n_frames == 4


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
