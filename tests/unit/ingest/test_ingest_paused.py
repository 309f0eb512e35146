"""While the service is paused, ingest starts no build and loses no message; afterwards it goes on."""

from __future__ import annotations

from tessera_cloud.application.ingest.ccds import BuildSlots
from tessera_cloud.application.switch import CAUSE, Switch, write_switch
from tests.support.ingest_world import CCDS, DAY, HOUR, MACHINE, World, ccds_of, small_sector, some


def test_no_build_begins_during_a_pause_and_all_begin_after_it() -> None:
    world = World()
    write_switch(world.state, Switch(paused=True))
    world.put(small_sector())
    world.advance(5 * DAY, step=600)
    assert world.started == []
    write_switch(world.state, Switch())
    world.advance(6 * HOUR, step=600)
    assert ccds_of(world.started) == CCDS


def test_a_build_that_a_pause_has_stopped_is_built_afterwards_and_one_that_an_operator_has_stopped_is_not() -> None:
    world = World(build_seconds=100 * DAY)
    world.put([*some(3, "1-1"), *some(3, "1-2")])
    world.advance(1.5 * DAY, step=600)
    first, second = sorted(world.started)
    world.executions.stop(MACHINE, first, CAUSE)
    world.executions.stop(MACHINE, second, "not now")
    write_switch(world.state, Switch(paused=True))
    world.advance(DAY, step=600)
    assert len(world.started) == 2
    write_switch(world.state, Switch())
    world.advance(DAY, step=600)
    assert ccds_of(world.started) == ["s0001-1-1", "s0001-1-1", "s0001-1-2"]


def test_a_pause_in_the_middle_of_a_sweep_stops_the_builds_that_have_not_begun() -> None:
    world = World()
    slots = BuildSlots(world.ports)
    assert slots.take()
    write_switch(world.state, Switch(paused=True))
    assert not slots.take()
