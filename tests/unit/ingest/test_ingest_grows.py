"""Ingest follows a sector while it is observed: segments after a quiet hour, and the whole cube after a quiet day."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera_cloud.application.ingest.manifests import Manifest
from tessera_cloud.application.ingest.rules import (
    MAX_ATTEMPTS,
    Action,
    BuildStatus,
    CcdState,
    Rest,
    Start,
    Wait,
    decide,
    record_start,
)
from tessera_cloud.ports import ObjectInfo
from tests.support.ingest_world import DAY, HOUR, World, some

FRAMES = Manifest.of([ObjectInfo("frame", 1, "e")])


def decided(
    state: CcdState | None, now: float, build: BuildStatus = "none", ended: float = 0.0
) -> tuple[CcdState, Action]:
    return decide(state, FRAMES, now, DAY, grow_seconds=HOUR, build=build, ended=ended)


def followed(**more: Any) -> World:
    return World(grow_seconds=int(HOUR), build_seconds=600, **more)


def kinds(world: World) -> list[str]:
    return ["segment" if "-grow" in name else "whole" for name in world.started]


def test_each_day_of_frames_is_served_within_hours_and_the_end_is_the_whole_cube() -> None:
    world = followed()
    for day in range(3):
        world.put(some(4, first=4 * day))
        world.advance(20 * HOUR)
        assert kinds(world) == ["segment"] * (day + 1)
        assert world.ccd("s0001-1-1").published == (day == 0)  # the first build has nothing to grow: it is a whole cube
    world.advance(2 * DAY)
    assert kinds(world) == ["segment"] * 3 + ["whole"]
    assert world.ccd("s0001-1-1").published
    requests = [execution.request or {} for execution in world.executions.executions.values()]
    assert [request.get("grow", False) for request in requests] == [True] * 3 + [False]
    world.advance(5 * DAY)
    assert len(world.started) == 4


def test_a_growing_cube_is_known_when_the_records_are_lost() -> None:
    world = followed()
    for day in range(2):
        world.put(some(4, first=4 * day))
        world.advance(3 * HOUR)
    world.state.records.clear()
    world.executions.executions.clear()
    world.advance(20 * HOUR)
    assert world.started == []
    world.advance(2 * DAY)
    assert kinds(world) == ["whole"]


def test_frames_that_come_at_once_are_built_once() -> None:
    world = followed()
    world.put(some(4))
    world.advance(5 * DAY)
    assert kinds(world) == ["segment"]  # there was nothing to grow, so that this build made the whole cube
    assert world.ccd("s0001-1-1").published


def test_segments_that_fail_are_left_to_the_whole_cube() -> None:
    world = followed(ends=lambda name: "FAILED" if "-grow" in name else "SUCCEEDED")
    world.put(some(4))
    world.advance(4 * DAY)
    assert kinds(world) == ["segment"] * MAX_ATTEMPTS + ["whole"]
    assert world.ccd("s0001-1-1").published


def test_without_the_setting_there_are_no_segments() -> None:
    world = World(build_seconds=600)
    world.put(some(4))
    world.advance(3 * DAY)
    assert kinds(world) == ["whole"]


def begun(**facts: object) -> CcdState:
    state, _ = decided(None, 0.0)
    return record_start(state, "name", 1, growing=True).model_copy(update=facts)


@pytest.mark.parametrize("build", ["grown", "stopped", "superseded"])
def test_the_whole_cube_waits_until_the_frames_are_complete(build: BuildStatus) -> None:
    state, action = decided(begun(), 2 * HOUR, build)
    assert action == Wait(DAY - 2 * HOUR)
    assert decided(state, DAY, build)[1] == Start(1)


def test_a_whole_cube_that_fails_is_not_followed_by_segments() -> None:
    state = record_start(begun(), "name", 1)
    assert decided(state, 2 * HOUR, "failed")[1] == Wait(DAY - 2 * HOUR)
    state = record_start(begun(), "name", MAX_ATTEMPTS)
    assert decided(state, DAY, "failed")[1] == Rest("gave up")


PAUSES = st.sampled_from([0.0, HOUR / 2, HOUR, DAY])


@settings(max_examples=40)
@given(st.lists(st.tuples(PAUSES, st.sampled_from(["failed", "interrupted"])), max_size=12))
def test_segments_need_a_quiet_time_and_end_before_the_frames_are_complete(
    history: list[tuple[float, BuildStatus]],
) -> None:
    state, now = None, 0.0
    for pause, build in history:
        now += pause
        known: BuildStatus = build if state and state.attempt else "none"
        state, action = decided(state, now, known, ended=now)
        if isinstance(action, Start):
            assert action.attempt - action.spared <= MAX_ATTEMPTS
            assert (HOUR <= now - state.first_seen < DAY) if action.grows else now - state.first_seen >= DAY
            state = record_start(state, "name", action.attempt, action.spared, growing=action.grows)
        elif isinstance(action, Wait):
            assert action.seconds > 0
