"""Builds that Lambda has no room for are started again with patience, however often."""

from __future__ import annotations

import pytest

from tessera_cloud.application.ingest.manifests import Manifest
from tessera_cloud.application.ingest.rules import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    MAX_ATTEMPTS,
    Rest,
    Start,
    Wait,
    decide,
    execution_name,
    record_start,
)
from tessera_cloud.names import CubeId
from tessera_cloud.ports import ObjectInfo
from tests.support.ingest_world import DAY, HOUR, MACHINE, World, some

FRAMES = Manifest.of([ObjectInfo("frame", 1, "e")])
THROTTLED = ("Lambda.TooManyRequestsException", "UnfinishedBuildError")


def ends_well_after(starts: int) -> World:
    """A world whose first executions fail."""
    world = World(stable_seconds=3600)
    world.ends = lambda name: "FAILED" if len(world.started) < starts else "SUCCEEDED"
    world.put(some(3))
    return world


@pytest.mark.parametrize("error", THROTTLED)
def test_a_build_that_was_throttled_ten_times_is_not_given_up(error: str) -> None:
    world = ends_well_after(11)
    world.error = lambda name: error
    world.advance(8 * DAY, step=300)

    assert len(world.started) == 11
    assert world.ccd("s0001-1-1").published
    assert Rest("gave up") not in [report.action for report in world.log.reports]


def test_a_build_that_ran_out_of_time_goes_on() -> None:
    world = ends_well_after(5)
    world.ends = lambda name: "TIMED_OUT" if len(world.started) < 5 else "SUCCEEDED"
    world.advance(4 * DAY, step=300)

    assert len(world.started) == 5
    assert world.ccd("s0001-1-1").published


def test_pauses_grow_to_six_hours() -> None:
    state, _ = decide(None, FRAMES, 0.0, 100.0)
    pauses = []
    for spared in range(40):
        state = record_start(state, "name", spared + 1, spared)
        _, action = decide(state, FRAMES, 1_000.0, 100.0, build="interrupted", ended=1_000.0)
        assert isinstance(action, Wait)
        pauses.append(action.seconds)

    assert pauses[:5] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE, 16 * FIRST_PAUSE]
    assert set(pauses[5:]) == {LONGEST_PAUSE}


def test_a_throttled_build_runs_a_few_times_a_day() -> None:
    world = World(stable_seconds=3600, ends=lambda name: "FAILED", error=lambda name: THROTTLED[0])
    world.put(some(3))
    world.advance(10 * DAY, step=300)

    assert 20 <= len(world.started) <= 40


def test_builds_that_fail_are_given_up_as_before_when_throttled_ones_lie_between() -> None:
    world = World(stable_seconds=3600, ends=lambda name: "FAILED")
    world.error = lambda name: THROTTLED[0] if name.endswith(("-2", "-4")) else "FatalError"
    world.put(some(3))
    world.advance(4 * DAY, step=300)

    assert len(world.started) == MAX_ATTEMPTS + 2
    assert world.log.reports[-1].action == Rest("gave up")


def test_a_decision_that_is_made_again_counts_an_interruption_once() -> None:
    state, _ = decide(None, FRAMES, 0.0, 100.0)
    state = record_start(state, "name", 1)
    for now in (1_000.0, 1_500.0):
        state, action = decide(state, FRAMES, now, 100.0, build="interrupted", ended=900.0)
        assert action == Wait(900.0 + FIRST_PAUSE - now)
    state, action = decide(state, FRAMES, 900.0 + FIRST_PAUSE, 100.0, build="interrupted", ended=900.0)
    assert (action, state.spared) == (Start(2, spared=1), 0)
    assert record_start(state, "name-2", 2, 1).spared == 1


def test_an_end_in_the_future_delays_no_build_for_longer_than_its_pause() -> None:
    state, _ = decide(None, FRAMES, 0.0, 100.0)
    state = record_start(state, "name", 1)
    _, action = decide(state, FRAMES, 200.0, 100.0, build="interrupted", ended=1e9)
    assert action == Wait(FIRST_PAUSE)
    assert HOUR > FIRST_PAUSE


def test_a_lost_record_does_not_stop_a_build_that_was_throttled_for_days() -> None:
    world = World(stable_seconds=3600, build_seconds=60, error=lambda name: "FatalError")
    world.ends = lambda name: "FAILED" if len(world.started) < 32 else "SUCCEEDED"
    cube, frames = CubeId.parse("s0001-1-1"), Manifest.of(some(3)).hash
    for attempt in range(1, 31):
        name = execution_name(cube, frames, attempt)
        world.executions.start(MACHINE, name, {})
        world.executions.end(MACHINE, name, "FAILED", error=THROTTLED[0])
    world.put(some(3))
    world.advance(14 * HOUR, step=600)

    assert len(world.started) == 32, "one of the two that are new fails, which is one of three attempts"
    assert world.ccd("s0001-1-1").published
    assert world.ccd("s0001-1-1").spared == 30
