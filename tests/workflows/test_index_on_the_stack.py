"""The FootprintIndex machine on the one-machine stack: its Map reads its items from S3, and failed children count."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_local.stack import Stack
from tests.support.sources import BUCKET, PREFIX, key, small_cube

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("index-stack")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home: Path = tmp_path_factory.mktemp("index")
    with Stack(home, parameters={"CubeSources": f"{BUCKET}/{PREFIX}"}) as stack:
        stack.s3.create_bucket(Bucket=BUCKET)
        yield stack


def put_cube(stack: Stack, obs_id: str, data: bytes) -> None:
    stack.s3.put_object(Bucket=BUCKET, Key=key(obs_id), Body=data)


def run(stack: Stack) -> dict[str, Any]:
    execution = stack.start_execution("FootprintIndexStateMachine", {})
    ended = stack.wait(execution, timeout=120)
    assert ended.status == "SUCCEEDED", ended
    summary: dict[str, Any] = json.loads(stack.states.describe_execution(executionArn=execution)["output"])
    return summary


def test_a_public_source_is_indexed_and_its_cubes_are_found(stack: Stack) -> None:
    for camera, ccd in ((1, 1), (4, 2)):
        put_cube(stack, f"tess-s0001-{camera}-{ccd}", small_cube(camera, ccd))
    put_cube(stack, "tess-s0001-3-3", b"broken")
    first = run(stack)
    assert (first["cubes"], first["read"]) == (2, 2)
    assert [failure["obs_id"] for failure in first["failures"]] == ["tess-s0001-3-3"]
    put_cube(stack, "tess-s1751-2-3", small_cube(2, 3))
    stack.s3.delete_object(Bucket=BUCKET, Key=key("tess-s0001-1-1"))
    second = run(stack)
    assert (second["kept"], second["read"], second["removed_names"]) == (1, 1, ["tess-s0001-1-1"])
    data = stack.s3.get_object(Bucket=stack.bucket("CubeBucket"), Key="index/footprints.json")["Body"].read()
    assert [row.obs_id for row in FootprintIndex.from_json(data).cubes] == ["tess-s0001-4-2", "tess-s1751-2-3"]
    listed = httpx.get(f"{stack.url}/v1/coverage").json()["coverage"]
    assert [item["sector"] for item in listed if item["product"] == "SPOC"] == [None, 1, 1751]
    for item in listed:
        for address in item["files"].values():
            assert httpx.get(address).status_code == 200


def test_a_run_without_anything_to_read_succeeds(stack: Stack) -> None:
    stack.s3.delete_object(Bucket=BUCKET, Key=key("tess-s0001-3-3"))
    run(stack)
    assert run(stack)["read"] == 0
