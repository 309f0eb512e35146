"""Builds over a store in memory: retries, gaps, repeats, and what is published when."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace

import pytest
from astropy.io import fits

from tessera.builds.plan import MIB
from tessera.errors import InconsistentFramesError, UnreadableFrameError
from tessera_cloud import keys
from tessera_cloud.application.builds.build_block import build_block
from tessera_cloud.application.builds.complete_upload import complete_upload
from tessera_cloud.application.builds.plan_document import read_plan
from tessera_cloud.application.builds.uploads import begin_upload
from tessera_cloud.application.index.footprint_index import publish, read_index
from tessera_cloud.contracts import BuildRequest, BuildState, PlanRef, UploadRef
from tessera_cloud.errors import IncompleteUploadError, NoFramesError, ObjectChangedError, UnfinishedBuildError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import REQUEST, SETTINGS, plan, put_frames, run_build, store_with, task
from tests.support.frames import tiny_sector
from tests.support.same_bytes import assert_same_bytes

SHAPE = (1200, 500)
N = 6
FRAMES = tiny_sector(N, SHAPE)


def begun(store: MemoryStore) -> tuple[PlanRef, UploadRef]:
    ref = plan(store)
    return ref, begin_upload(ref, store=store)


def finish(store: MemoryStore, ref: PlanRef, upload: UploadRef) -> bytes:
    cube = complete_upload(BuildState(plan=ref, upload=upload), store=store)
    return store.objects[cube.bucket, cube.key]


@pytest.fixture(scope="module")
def whole() -> bytes:
    store = store_with(FRAMES)
    cube = run_build(store)
    return store.objects[cube.bucket, cube.key]


def test_the_cube_has_several_parts(whole: bytes) -> None:
    store = store_with(FRAMES)
    document = read_plan(store, SETTINGS.cube_bucket, plan(store).prefix)
    assert document.tail_number > 1
    assert fits.open(io.BytesIO(whole))[1].data.shape == (*SHAPE, N, 2)


@pytest.mark.parametrize("concurrency", [1, 2, 3, 50])
def test_the_cube_is_the_same_for_every_block_plan(whole: bytes, concurrency: int) -> None:
    store = store_with(FRAMES)
    cube = run_build(store, settings=replace(SETTINGS, block_concurrency=concurrency))
    assert_same_bytes(store.objects[cube.bucket, cube.key], whole)


def test_blocks_in_any_order_and_twice_give_the_same_cube(whole: bytes) -> None:
    store = store_with(FRAMES)
    ref, upload = begun(store)
    for block in itertools.chain(reversed(ref.blocks), ref.blocks):
        build_block(task(ref, upload, block), store=store)
    assert_same_bytes(finish(store, ref, upload), whole)


def test_completing_twice_publishes_the_same_cube(whole: bytes) -> None:
    store = store_with(FRAMES)
    ref, upload = begun(store)
    for block in ref.blocks:
        build_block(task(ref, upload, block), store=store)
    assert_same_bytes(finish(store, ref, upload), whole)
    index = read_index(store, SETTINGS.cube_bucket)[0]
    assert_same_bytes(finish(store, ref, upload), whole)
    assert read_index(store, SETTINGS.cube_bucket)[0].cubes == index.cubes


def test_planning_twice_gives_the_same_build() -> None:
    store = store_with(FRAMES)
    first, second = plan(store), plan(store)
    assert (first.generation, second.generation) == (1, 2)
    assert second == first.model_copy(update={"generation": 2})


def test_another_set_of_frames_is_another_build() -> None:
    store = store_with(FRAMES)
    first = plan(store)
    put_frames(store, tiny_sector(N + 1, SHAPE)[N:])
    assert plan(store).build_id != first.build_id


def test_a_missing_block_stops_the_build_and_nothing_is_published() -> None:
    store = store_with(FRAMES)
    ref, upload = begun(store)
    build_block(task(ref, upload, ref.blocks[0]), store=store)
    with pytest.raises(UnfinishedBuildError, match="block 1 has left no record"):
        complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert not read_index(store, SETTINGS.cube_bucket)[0].cubes


@pytest.mark.parametrize("damage", ["lost", "short", "foreign"])
def test_a_part_that_is_not_the_one_that_was_sent_stops_the_build(damage: str) -> None:
    store = store_with(FRAMES)
    ref, upload = begun(store)
    for block in ref.blocks:
        build_block(task(ref, upload, block), store=store)
    assert upload.upload_id is not None
    parts = store.uploads[upload.upload_id][2]
    if damage == "lost":
        del parts[2]
    elif damage == "short":
        parts[2] = parts[2][:-4]
    else:
        parts[99] = b"x"
    with pytest.raises(IncompleteUploadError, match="part 99" if damage == "foreign" else "part 2"):
        complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert (SETTINGS.cube_bucket, upload.key) not in store.objects


def test_a_frame_that_is_replaced_between_plan_and_read_stops_the_build() -> None:
    store = store_with(FRAMES)
    ref, upload = begun(store)
    key = read_plan(store, ref.bucket, ref.prefix).frames[3].key
    store.write(SETTINGS.ffi_bucket, key, tiny_sector(N, SHAPE, dquality={3: 1})[3][1])
    with pytest.raises(ObjectChangedError, match=FRAMES[3][0]):
        build_block(task(ref, upload, 0), store=store)


def test_an_unreadable_frame_stops_the_plan_and_is_named() -> None:
    frames = [*FRAMES[:-1], (FRAMES[-1][0], FRAMES[-1][1][:30_000])]
    store = store_with(frames)
    with pytest.raises(UnreadableFrameError, match=FRAMES[-1][0]):
        plan(store)
    left = [key for bucket, key in store.objects if bucket == SETTINGS.cube_bucket]
    assert left == [keys.generation(REQUEST.cube_id)]


def test_frames_of_other_ccds_in_the_bucket_are_left_alone(whole: bytes) -> None:
    store = store_with([*FRAMES, *tiny_sector(2, SHAPE, ccd=3), *tiny_sector(2, SHAPE, sector=11)])
    cube = run_build(store)
    assert_same_bytes(store.objects[cube.bucket, cube.key], whole)


def test_a_mislabelled_frame_is_named() -> None:
    store = store_with(FRAMES)
    name, data = FRAMES[0][0], tiny_sector(1, SHAPE, ccd=3)[0][1]
    put_frames(store, [(name, data)])
    with pytest.raises(InconsistentFramesError, match=r"CAMERA, CCD"):
        plan(store)


def test_no_frames_is_an_error_that_says_where_it_looked() -> None:
    with pytest.raises(NoFramesError, match="no SPOC frames of s0002-1-1 below s3://frames/tess/public/ffi/s0002/"):
        plan(MemoryStore(), BuildRequest(sector=2, camera=1, ccd=1))


def test_frames_are_read_in_two_ranges_a_block_and_two_for_their_headers() -> None:
    store = store_with(FRAMES)
    ref, upload = begun(store)
    assert sum(operation == "read_range" for operation, _, _ in store.requests) == 2 * N
    store.requests.clear()
    build_block(task(ref, upload, 0), store=store)
    assert sum(operation == "read_range" for operation, _, _ in store.requests) == 2 * N


def test_a_published_cube_is_pointed_to_and_indexed() -> None:
    store = store_with(FRAMES)
    cube = run_build(store)
    index, _ = read_index(store, SETTINGS.cube_bucket)
    assert index.cubes == (cube,)
    assert (SETTINGS.cube_bucket, keys.current(REQUEST.ccd_id)) in store.objects
    assert cube.s_region.startswith("POLYGON ")
    assert cube.t_max > cube.t_min > 58_000


def test_publishing_at_the_same_time_loses_no_cube() -> None:
    store = store_with(FRAMES)
    cube = run_build(store)
    second = cube.model_copy(update={"obs_id": "tess-s0001-4-3"})
    third = cube.model_copy(update={"obs_id": "tess-s0001-4-4"})
    write = store.write

    def racing_write(bucket: str, key: str, data: bytes, **condition: object) -> str:
        if key == keys.FOOTPRINT_INDEX:
            store.write = write  # type: ignore[method-assign]
            publish(third, store=store)
        return write(bucket, key, data, **condition)  # type: ignore[arg-type]

    store.write = racing_write  # type: ignore[method-assign]
    publish(second, store=store)
    assert [item.obs_id for item in read_index(store, SETTINGS.cube_bucket)[0].cubes] == [
        "tess-s0001-4-2",
        "tess-s0001-4-3",
        "tess-s0001-4-4",
    ]


def test_a_plan_keeps_to_the_memory_of_the_block_function() -> None:
    store = store_with(FRAMES)
    ref = plan(store, settings=replace(SETTINGS, block_sizes_mb=(400,), block_concurrency=1))
    document = read_plan(store, ref.bucket, ref.prefix)
    assert len(ref.blocks) >= 1
    assert all(document.block(block).n_rows * document.layout.row_bytes < 50 * MIB for block in ref.blocks)


@pytest.mark.parametrize("size", [0, 1, 2880])
def test_a_frame_without_bytes_is_unreadable_and_may_be_left_out(size: int) -> None:
    name, data = FRAMES[1]
    store = store_with([FRAMES[0], (name, data[:size]), *FRAMES[2:]])
    with pytest.raises(UnreadableFrameError, match=name):
        plan(store)
    skipping = REQUEST.model_copy(update={"on_unreadable": "skip"})
    assert [left.name for left in run_build(store, skipping).left_out] == [name]
