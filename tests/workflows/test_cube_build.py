"""The CubeBuild state machine: what it makes, what it tries again, and how it fails.

moto's interpreter lets a distributed Map succeed although a child failed; ministack does not. So failures are tested
with the Map inline, as AWS would see them, and once more distributed, where the last step must notice by itself.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tessera_cloud import keys
from tessera_cloud.application.builds.uploads import RESUMABLE
from tessera_cloud.application.coverage.parts import read_coverage
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.errors import FatalError, TransientError
from tests.support.builds import REQUEST, SETTINGS, frame_key, put_frames
from tests.support.frames import tiny_flux
from tests.support.same_bytes import assert_same_bytes
from tests.support.state_machine import FRAMES, SHAPE, Stack, always, definition
from tests.support.tica import tica_frame


@pytest.mark.parametrize("mode", ["DISTRIBUTED", "INLINE"])
def test_frames_become_a_published_cube(stack: Stack, cube: bytes, mode: str) -> None:
    answer = stack.run(mode)
    assert answer["status"] == "SUCCEEDED"
    assert_same_bytes(stack.published, cube)
    assert stack.calls["build_block"] > 1
    assert json.loads(answer["output"])["cube"]["obs_id"] == "tess-s0001-4-2"
    coverage = read_coverage(stack.store, SETTINGS.cube_bucket)
    assert coverage is not None
    assert [of for of in coverage.by_name() if of[0] == "SPOC"] == [("SPOC", "all"), ("SPOC", "s0001")]


@pytest.mark.parametrize(
    ("sizes_mb", "function"),
    [((10_240, 2048, 4096), "BuildBlockMediumFunction"), ((2048, 2048, 2048), "BuildBlockFunction")],
)
def test_blocks_are_built_by_the_function_whose_memory_costs_least(
    stack: Stack, sizes_mb: tuple[int, ...], function: str
) -> None:
    settings = replace(SETTINGS, block_sizes_mb=sizes_mb)
    stack.handlers.services = replace(stack.handlers.services, settings=settings)
    assert stack.run()["status"] == "SUCCEEDED"
    assert {name for name in stack.functions if name.startswith("BuildBlock")} == {function}
    assert stack.functions[function] == stack.calls["build_block"] > 1


@pytest.mark.parametrize("name", ["plan_cube", "begin_upload", "build_block", "complete_upload"])
def test_a_transient_error_is_tried_again(stack: Stack, cube: bytes, name: str) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == name and call == 1:
            raise TransientError("503 SlowDown")

    stack.fault = fault
    assert stack.run()["status"] == "SUCCEEDED"
    assert_same_bytes(stack.published, cube)


def test_a_killed_worker_is_tried_again(stack: Stack, cube: bytes) -> None:
    killed = type("Runtime.ExitError", (Exception,), {})

    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == "build_block" and call == 1:
            raise killed("RequestId: x Error: Runtime exited with error: signal: killed")

    stack.fault = fault
    assert stack.run()["status"] == "SUCCEEDED"
    assert_same_bytes(stack.published, cube)


@pytest.mark.parametrize("name", ["build_block", "complete_upload"])
def test_a_fatal_error_aborts_the_upload_and_fails_the_execution(stack: Stack, name: str) -> None:
    def fault(called: str, event: dict[str, Any], call: int) -> None:
        if called == name:
            raise FatalError("the disk is on fire")

    stack.fault = fault
    answer = stack.run()
    assert answer["status"] == "FAILED"
    assert answer["error"] == "FatalError"
    assert "the disk is on fire" in answer["cause"]
    assert stack.published is None
    assert not stack.store.uploads
    assert stack.calls["abort_upload"] == 1
    assert stack.calls["write_coverage"] == 0


def test_an_unreadable_frame_fails_the_execution_by_its_name_and_nothing_is_left(stack: Stack) -> None:
    key = next(key for bucket, key in stack.store.objects if FRAMES[1][0] in key)
    stack.store.objects[SETTINGS.ffi_bucket, key] = FRAMES[1][1][:25_000]
    answer = stack.run()
    assert (answer["status"], answer["error"]) == ("FAILED", "UnreadableFrameError")
    assert FRAMES[1][0] in answer["cause"]
    assert not stack.store.uploads
    left = [key for bucket, key in stack.store.objects if bucket == SETTINGS.cube_bucket]
    assert left == ["builds/s0001-4-2/generation.json"]


# ---------------------------------------------------------------- other inputs


def test_tica_frames_become_a_cube_of_their_own(stack: Stack, cube: bytes) -> None:
    put_frames(stack.store, [tica_frame(n, tiny_flux(n, SHAPE), camera=4, ccd=2, sector=1) for n in range(3)])
    assert stack.run()["status"] == "SUCCEEDED"
    answer = stack.run(product="TICA")
    assert answer["status"] == "SUCCEEDED"
    published = json.loads(answer["output"])["cube"]
    assert published["obs_id"] == "tica-s0001-4-2"
    assert published["key"].endswith("/tica-s0001-4-2-cube.fits")
    assert stack.store.objects[SETTINGS.cube_bucket, keys.current(REQUEST.ccd_id)]
    cubes = read_index(stack.store, SETTINGS.cube_bucket)[0].cubes
    assert [other.obs_id for other in cubes] == ["tess-s0001-4-2", "tica-s0001-4-2"]
    assert_same_bytes(stack.store.objects[SETTINGS.cube_bucket, cubes[0].key], cube)


def test_a_frame_that_is_left_out_is_in_the_output_by_name_and_reason(stack: Stack) -> None:
    name, data = FRAMES[1]
    stack.store.write(SETTINGS.ffi_bucket, frame_key(name), data[:25_000])
    answer = stack.run(on_unreadable="skip")
    assert answer["status"] == "SUCCEEDED"
    (left_out,) = json.loads(answer["output"])["cube"]["left_out"]
    assert left_out["name"] == name
    assert left_out["reason"]
    assert json.loads(answer["output"])["cube"]["n_cadences"] == 2


def test_what_the_machine_retries_leaves_the_upload_to_be_resumed() -> None:
    rules = json.loads(definition("INLINE"))["States"]["PlanCube"]["Retry"]
    retried = {error for rule in rules for error in rule["ErrorEquals"]}
    assert "Sandbox.Timedout" in retried
    assert retried <= RESUMABLE


# ---------------------------------------------------------------- the coverage


def test_a_cube_is_published_although_its_coverage_is_not_written(stack: Stack, cube: bytes) -> None:
    stack.fault = always("write_coverage", FatalError("no MOC"))
    answer = stack.run()
    assert answer["status"] == "SUCCEEDED"
    assert json.loads(answer["output"])["cube"]["obs_id"] == "tess-s0001-4-2"
    assert_same_bytes(stack.published, cube)
    assert stack.calls["abort_upload"] == 0
    assert read_coverage(stack.store, SETTINGS.cube_bucket) is None
