"""The same machine on the one-machine stack: real processes, S3 by a server that keeps S3's rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tessera.tess.ids import CcdId
from tessera_cloud import keys
from tessera_cloud.adapters.s3 import S3Store
from tessera_cloud.application.coverage.parts import read_coverage
from tessera_cloud.bootstrap import open_s3_store
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.names import CubeId
from tessera_local.stack import Stack
from tests.support.builds import frame_key
from tests.support.frames import NamedFrame, tiny_sector
from tests.support.tica import tiny_tica_sector

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("workflow-stack")]
SHAPE = (1200, 500)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home: Path = tmp_path_factory.mktemp("workflows")
    with Stack(home) as stack:
        yield stack


@pytest.fixture
def store(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", stack.s3_endpoint)
    return open_s3_store()


def put(stack: Stack, frames: list[NamedFrame]) -> None:
    for name, data in frames:
        stack.s3.put_object(Bucket=stack.bucket("FfiBucket"), Key=frame_key(name), Body=data)


def published(stack: Stack, store: S3Store, cube_id: CubeId) -> PublishedCube:
    """What the pointer names, which must be there as the pointer says."""
    bucket = stack.bucket("CubeBucket")
    cube = PublishedCube.model_validate_json(store.read(bucket, keys.current(cube_id))[0])
    info = store.head(cube.bucket, cube.key)
    assert (info.etag, info.size) == (cube.etag, cube.size)
    assert "Uploads" not in stack.s3.list_multipart_uploads(Bucket=bucket)
    return cube


def in_steps(stack: Stack, ccd_id: CcdId) -> tuple[dict[str, Any], list[bool]]:
    """All but the last step of a build, by hand: the state, and which blocks were built."""
    event = {"sector": ccd_id.sector, "camera": ccd_id.camera, "ccd": ccd_id.ccd}
    ref = stack.invoke("PlanCubeFunction", event)
    upload = stack.invoke("BeginUploadFunction", ref)
    part = {name: ref[name] for name in ("bucket", "prefix", "max_concurrency")}
    tasks = [{"plan": part, "upload": upload, "block": block} for block in ref["blocks"]]
    built = [stack.invoke("BuildBlockFunction", task)["built"] for task in tasks]
    return {"plan": ref, "upload": upload}, built


def test_two_executions_of_a_build_at_once_publish_one_cube(stack: Stack, store: S3Store) -> None:
    put(stack, tiny_sector(3, SHAPE, sector=5))
    executions = [stack.start_build(5, 4, 2) for _ in range(2)]
    assert {stack.wait(execution, timeout=120).status for execution in executions} == {"SUCCEEDED"}
    assert published(stack, store, CubeId(CcdId(5, 4, 2))).n_cadences == 3
    coverage = read_coverage(store, stack.bucket("CubeBucket"))
    assert coverage is not None
    assert coverage.products["SPOC"]["s0005"].cubes == 1


def test_blocks_that_are_done_are_found_by_the_next_execution(stack: Stack, store: S3Store) -> None:
    put(stack, tiny_sector(3, SHAPE, sector=6))
    state, built = in_steps(stack, CcdId(6, 4, 2))
    again, found = in_steps(stack, CcdId(6, 4, 2))
    assert all(built)
    assert not any(found)
    assert len(built) > 1
    assert again["upload"] == state["upload"]
    assert stack.wait(stack.start_build(6, 4, 2), timeout=120).status == "SUCCEEDED"
    assert published(stack, store, CubeId(CcdId(6, 4, 2))).build_id == state["plan"]["build_id"]


def test_an_older_listing_that_ends_late_does_not_win(stack: Stack, store: S3Store) -> None:
    put(stack, tiny_sector(3, SHAPE, sector=7))
    state, _ = in_steps(stack, CcdId(7, 4, 2))
    put(stack, tiny_sector(4, SHAPE, sector=7)[3:])
    assert stack.wait(stack.start_build(7, 4, 2), timeout=120).status == "SUCCEEDED"
    late = stack.invoke("CompleteUploadFunction", state)
    current = published(stack, store, CubeId(CcdId(7, 4, 2)))
    assert current.n_cadences == late["n_cadences"] == 4
    assert store.head(current.bucket, state["upload"]["key"]).size < current.size
    assert stack.invoke("CleanCubesFunction", {}) == {"deleted": []}


def test_tica_frames_become_a_cube_of_their_own(stack: Stack, store: S3Store) -> None:
    put(stack, tiny_tica_sector(4, (40, 30)))
    ended = stack.wait(stack.start_build(27, 1, 4, product="TICA"), timeout=60)
    assert ended.status == "SUCCEEDED", ended
    cube = published(stack, store, CubeId(CcdId(27, 1, 4), "TICA"))
    assert cube.obs_id == "tica-s0027-1-4"
    index = json.loads(store.read(stack.bucket("CubeBucket"), keys.FOOTPRINT_INDEX)[0])
    assert "TICA FFI" in index["target_name"]


def test_a_page_of_parts_may_have_gaps_in_front(stack: Stack, store: S3Store) -> None:
    bucket = stack.bucket("CubeBucket")
    upload = store.begin_upload(bucket, "cubes/gap")
    for number in (2, 3, 7):
        store.upload_part(bucket, "cubes/gap", upload, number, b"data")
    try:
        assert [part.number for part in store.list_parts(bucket, "cubes/gap", upload, first=2, count=2)] == [2, 3]
        assert [part.number for part in store.list_parts(bucket, "cubes/gap", upload, first=4, count=2)] == [7]
    finally:
        store.abort_upload(bucket, "cubes/gap", upload)
