"""After a cube is published, its build goes on and measures it. A failure there never undoes the build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tessera import measure_cube
from tessera.provenance.ecsv_files import split_ecsv
from tessera_cloud import measure_keys
from tessera_cloud.errors import FatalError
from tests.support.builds import SETTINGS
from tests.support.same_bytes import without_record
from tests.support.state_machine import Stack, always, no_fault

ENDS = ("-changes.ecsv", "-reference.fits")


@pytest.fixture
def stack(stack: Stack) -> Stack:
    """Builds of cubes, which are measured."""
    stack.measures = True
    return stack


def measures(stack: Stack) -> dict[str, bytes]:
    """Files beside the cube: end of the name to content."""
    beside = {measure_keys.beside(cube_key(stack), end): end for end in ENDS}
    return {beside[key]: data for (_, key), data in stack.store.objects.items() if key in beside}


def cube_key(stack: Stack) -> str:
    return next(key for bucket, key in stack.store.objects if key.endswith("-cube.fits"))


def test_the_measures_are_those_of_the_library(stack: Stack, tmp_path: Path) -> None:
    assert stack.run("DISTRIBUTED")["status"] == "SUCCEEDED"
    cube = tmp_path / "tess-s0001-4-2-cube.fits"
    cube.write_bytes(stack.store.objects[SETTINGS.cube_bucket, cube_key(stack)])
    made = measure_cube(cube)
    found = measures(stack)  # the records name two places of the cube
    assert without_record(found["-reference.fits"]) == without_record(made.reference.read_bytes())
    assert split_ecsv(found["-changes.ecsv"])[1] == split_ecsv(made.changes.read_bytes())[1]
    assert stack.calls["measure_block"] == stack.calls["build_block"] > 1
    assert stack.calls["write_measures"] == 1


def test_a_cube_that_cannot_be_measured_is_published(stack: Stack) -> None:
    stack.fault = always("measure_block", FatalError("planted"))
    answer = stack.run("INLINE")
    assert answer["status"] == "SUCCEEDED"
    assert json.loads(answer["output"])["cube"]["outcome"] == "published"
    assert stack.published is not None
    assert measures(stack) == {}


def test_a_lost_block_is_measured_by_the_next_execution_and_the_others_are_not(stack: Stack, map_notices: bool) -> None:
    stack.fault = always("measure_block", FatalError("planted"), block=1)
    assert stack.run("DISTRIBUTED")["status"] == "SUCCEEDED"
    assert stack.calls["write_measures"] == (0 if map_notices else 1)
    assert stack.published is not None
    assert measures(stack) == {}

    stack.fault = no_fault
    stack.answers.clear()
    assert stack.run("DISTRIBUTED")["status"] == "SUCCEEDED"
    assert set(measures(stack)) == set(ENDS)
    measured = [answer["measured"] for name, answer in stack.answers if name == "measure_block"]
    assert sum(measured) == 1 < len(measured)
