"""Ingest as a whole, over real listings: whatever arrives, in whatever order, each CCD is built once."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tessera_cloud.application.ingest.manifests import Change, parse_manifest
from tessera_cloud.application.ingest.rules import Rest, Start, Wait
from tests.support.catalogs import read_catalog, shuffled
from tests.support.ingest_world import DAY, HOUR, MACHINE, World, ccds_of, notification, some


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
@pytest.mark.slow
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


@pytest.mark.slow
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
