"""Builds that are begun twice: what is found is used, what is damaged is built again, nothing is published twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tessera_cloud import keys
from tessera_cloud.application.builds.build_block import FRAME_READS, build_block
from tessera_cloud.application.builds.complete_upload import complete_upload
from tessera_cloud.application.builds.uploads import abort_upload, begin_upload
from tessera_cloud.contracts import (
    BlockOutcome,
    BlockRecord,
    BuildState,
    CubePlan,
    FailedState,
    PlanRef,
    TaskFailure,
    UploadRef,
)
from tessera_cloud.errors import (
    FatalError,
    NoSuchUploadError,
    ObjectChangedError,
    TransientError,
    UnfinishedBuildError,
)
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import SETTINGS, frame_key, plan, run_build, store_with, task
from tests.support.frames import tiny_sector
from tests.support.same_bytes import assert_same_bytes

pytestmark = pytest.mark.slow

SHAPE = (1200, 500)
FRAMES = tiny_sector(3, SHAPE)


@pytest.fixture
def store() -> MemoryStore:
    return store_with(FRAMES)


@pytest.fixture
def ref(store: MemoryStore) -> PlanRef:
    return plan(store)


def build(store: MemoryStore, ref: PlanRef, upload: UploadRef, *blocks: int) -> list[BlockOutcome]:
    store.requests.clear()
    return [build_block(task(ref, upload, block), store=store) for block in blocks]


def frame_reads(store: MemoryStore) -> int:
    return sum(operation == "read_range" for operation, _, _ in store.requests)


def open_parts(store: MemoryStore, upload: UploadRef) -> dict[int, bytes]:
    assert upload.upload_id is not None
    return store.uploads[upload.upload_id][2]


def failed(ref: PlanRef, upload: UploadRef, error: str) -> FailedState:
    return FailedState(plan=ref, upload=upload, error=TaskFailure.model_validate({"Error": error, "Cause": "{}"}))


def test_an_unfinished_upload_is_used_again(store: MemoryStore, ref: PlanRef) -> None:
    first = begin_upload(ref, store=store)
    assert begin_upload(ref, store=store) == first
    assert len(store.uploads) == 1


def test_an_upload_that_has_expired_is_begun_anew(store: MemoryStore, ref: PlanRef) -> None:
    first = begin_upload(ref, store=store)
    store.abort_upload(first.bucket, first.key, first.upload_id or "")
    second = begin_upload(ref, store=store)
    assert second.upload_id in store.uploads
    assert begin_upload(ref, store=store) == second


def test_two_executions_that_begin_at_once_share_one_upload(
    store: MemoryStore, ref: PlanRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, others = store.begin_upload, list[UploadRef]()

    def interrupted(bucket: str, key: str) -> str:
        upload_id = begin(bucket, key)
        if not others:
            others.append(UploadRef(bucket=bucket, key=key, upload_id=None))
            others[0] = begin_upload(ref, store=store)
        return upload_id

    monkeypatch.setattr(store, "begin_upload", interrupted)
    assert begin_upload(ref, store=store) == others[0]
    assert len(store.uploads) == 1


def test_a_build_whose_cube_exists_begins_no_upload(store: MemoryStore) -> None:
    run_build(store)
    ref = plan(store)
    upload = begin_upload(ref, store=store)
    assert upload.upload_id is None
    assert not any(outcome.built for outcome in build(store, ref, upload, *ref.blocks))
    assert frame_reads(store) == 0
    assert complete_upload(BuildState(plan=ref, upload=upload), store=store).build_id == ref.build_id


def test_a_finished_block_is_found_with_four_small_requests(store: MemoryStore, ref: PlanRef) -> None:
    upload = begin_upload(ref, store=store)
    assert [outcome.built for outcome in build(store, ref, upload, 1)] == [True]
    assert [outcome.built for outcome in build(store, ref, upload, 1)] == [False]
    assert [operation for operation, _, _ in store.requests] == ["read", "read", "list_parts"]


def test_the_first_block_is_found_without_its_part_in_the_upload(store: MemoryStore, ref: PlanRef) -> None:
    upload = begin_upload(ref, store=store)
    build(store, ref, upload, 0)
    assert 1 not in open_parts(store, upload)
    assert not build(store, ref, upload, 0)[0].built
    assert frame_reads(store) == 0


@pytest.mark.parametrize("damage", ["part lost", "part short", "part foreign", "record lost", "record of another plan"])
def test_a_block_that_is_not_whole_is_built_again(store: MemoryStore, ref: PlanRef, damage: str) -> None:
    upload = begin_upload(ref, store=store)
    build(store, ref, upload, *ref.blocks)
    parts, record = open_parts(store, upload), (ref.bucket, keys.block_record(ref.prefix, 1))
    number = min(parts)
    if damage == "part lost":
        del parts[number]
    elif damage == "part short":
        parts[number] = parts[number][:-4]
    elif damage == "part foreign":
        parts[number] = bytes(len(parts[number]))
    elif damage == "record lost":
        del store.objects[record]
    else:
        store.objects[record] = store.objects[ref.bucket, keys.block_record(ref.prefix, 0)]
    assert build(store, ref, upload, 1)[0].built
    assert not build(store, ref, upload, 1)[0].built
    published = complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert_same_bytes(store.objects[published.bucket, published.key], whole())


def test_first_rows_that_were_lost_are_built_again(store: MemoryStore, ref: PlanRef) -> None:
    upload = begin_upload(ref, store=store)
    build(store, ref, upload, 0)
    del store.objects[ref.bucket, f"{ref.prefix}first-rows"]
    assert build(store, ref, upload, 0)[0].built


def whole() -> bytes:
    store = store_with(FRAMES)
    cube = run_build(store)
    return store.objects[cube.bucket, cube.key]


def test_a_build_may_be_carried_on_with_other_settings(store: MemoryStore) -> None:
    ref = plan(store, settings=replace(SETTINGS, block_sizes_mb=(400,), block_concurrency=1))
    upload = begin_upload(ref, store=store)
    build(store, ref, upload, 0)
    ref = plan(store)
    assert begin_upload(ref, store=store) == upload
    build(store, ref, upload, *ref.blocks)
    published = complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert_same_bytes(store.objects[published.bucket, published.key], whole())


def test_a_cube_does_not_depend_on_the_day_on_which_its_build_was_carried_on(store: MemoryStore) -> None:
    first = plan(store)
    upload = begin_upload(first, store=store)
    build(store, first, upload, 0)
    again = plan(store, hours=48)
    build(store, again, upload, *again.blocks)
    published = complete_upload(BuildState(plan=again, upload=upload), store=store)
    assert_same_bytes(store.objects[published.bucket, published.key], whole())


def test_a_block_that_the_plan_does_not_have_any_more_says_so(store: MemoryStore, ref: PlanRef) -> None:
    upload = begin_upload(ref, store=store)
    with pytest.raises(UnfinishedBuildError, match="block 99"):
        build(store, ref, upload, 99)


def test_a_task_with_less_memory_than_the_plan_says_so_before_it_reads_and_a_new_execution_goes_on(
    store: MemoryStore,
) -> None:
    ref = plan(store, settings=replace(SETTINGS, block_sizes_mb=(10_240,)))
    upload, headers = begin_upload(ref, store=store), frame_reads(store)
    with pytest.raises(UnfinishedBuildError, match="planned for tasks of 10,240 MB, and this one has 2,048 MB"):
        build_block(task(ref, upload, 0), store=store, memory_mb=2048)
    assert frame_reads(store) == headers
    ref = plan(store)
    for block in ref.blocks:
        build_block(task(ref, begin_upload(ref, store=store), block), store=store, memory_mb=2048)
    published = complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert_same_bytes(store.objects[published.bucket, published.key], whole())


def test_a_plan_of_the_release_before_is_checked_by_what_its_block_needs(store: MemoryStore, ref: PlanRef) -> None:
    key = (ref.bucket, ref.prefix + keys.PLAN)
    plan_of_before = CubePlan.model_validate_json(store.objects[key]).model_copy(update={"memory_mb": 0})
    store.objects[key] = plan_of_before.model_dump_json().encode()
    upload = begin_upload(ref, store=store)
    with pytest.raises(UnfinishedBuildError, match="planned for tasks of 361 MB, and this one has 350 MB"):
        build_block(task(ref, upload, 0), store=store, memory_mb=350)
    assert build_block(task(ref, upload, 0), store=store, memory_mb=400).built


def test_a_record_of_a_plan_with_larger_blocks_is_not_counted_beside_those_of_the_plan(
    store: MemoryStore, ref: PlanRef
) -> None:
    upload = begin_upload(ref, store=store)
    build(store, ref, upload, *ref.blocks)
    keys_of_records = [(ref.bucket, keys.block_record(ref.prefix, block)) for block in ref.blocks]
    first, *others = (BlockRecord.model_validate_json(store.objects[key]) for key in keys_of_records)
    larger = first.model_copy(update={"parts": (*first.parts, *others[0].parts)})
    store.objects[keys_of_records[0]] = larger.model_dump_json().encode()
    with pytest.raises(UnfinishedBuildError, match="the record of block 0 has other parts than the plan"):
        complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert [outcome.built for outcome in build(store, ref, upload, *ref.blocks)] == [True] + [False] * len(others)
    published = complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert_same_bytes(store.objects[published.bucket, published.key], whole())


def test_a_block_that_comes_after_the_cube_is_complete_does_nothing(store: MemoryStore, ref: PlanRef) -> None:
    upload = begin_upload(ref, store=store)
    build(store, ref, upload, *ref.blocks)
    published = complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert not build(store, ref, upload, 1)[0].built
    store.objects.pop((ref.bucket, keys.block_record(ref.prefix, 1)))
    assert not build(store, ref, upload, 1)[0].built
    assert store.head(published.bucket, published.key).etag == published.etag


def test_a_block_without_upload_and_without_cube_fails(store: MemoryStore, ref: PlanRef) -> None:
    upload = begin_upload(ref, store=store)
    store.abort_upload(upload.bucket, upload.key, upload.upload_id or "")
    with pytest.raises(NoSuchUploadError):
        build(store, ref, upload, 0, 1)


@pytest.mark.parametrize("late", ["complete", "parts"])
def test_the_second_to_complete_finds_the_cube_of_the_first(
    store: MemoryStore, ref: PlanRef, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    """Whenever the other execution completes: the pointer holds the ETag of the object."""
    upload = begin_upload(ref, store=store)
    build(store, ref, upload, *ref.blocks)
    state, name = BuildState(plan=ref, upload=upload), {"complete": "complete_upload", "parts": "upload_part"}[late]
    original, busy = getattr(store, name), list[bool]()

    def interrupted(*args: object) -> object:
        if not busy:
            busy.append(True)
            complete_upload(state, store=store)
        return original(*args)

    monkeypatch.setattr(store, name, interrupted)
    published = complete_upload(state, store=store)
    assert store.head(published.bucket, published.key).etag == published.etag
    assert_same_bytes(store.objects[published.bucket, published.key], whole())


def test_a_completion_in_conflict_is_tried_again(
    store: MemoryStore, ref: PlanRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begin_upload(ref, store=store)
    build(store, ref, upload, *ref.blocks)

    def conflict(*args: object) -> str:
        raise ObjectChangedError("ConditionalRequestConflict")

    with monkeypatch.context() as patch:
        patch.setattr(store, "complete_upload", conflict)
        with pytest.raises(TransientError, match="completed by another task"):
            complete_upload(BuildState(plan=ref, upload=upload), store=store)
    assert complete_upload(BuildState(plan=ref, upload=upload), store=store).build_id == ref.build_id


# ---------------------------------------------------------------- giving up


@pytest.mark.parametrize(
    ("error", "aborted"),
    [
        ("FatalError", True),
        ("IncompleteUploadError", True),
        ("PlanError", True),
        ("ValidationError", True),
        ("TransientError", False),
        ("States.Timeout", False),
        ("Lambda.TooManyRequestsException", False),
        ("States.ExceedToleratedFailureThreshold", False),
        ("UnfinishedBuildError", False),
    ],
)
def test_an_upload_is_aborted_unless_trying_again_may_help(
    store: MemoryStore, ref: PlanRef, error: str, aborted: bool
) -> None:
    upload = begin_upload(ref, store=store)
    failure, was_aborted = abort_upload(failed(ref, upload, error), store=store)
    assert (failure.error, was_aborted) == (error, aborted)
    assert bool(store.uploads) is not aborted


def test_the_error_of_a_block_is_known_although_the_map_tells_only_that_one_failed(
    store: MemoryStore, ref: PlanRef
) -> None:
    upload = begin_upload(ref, store=store)
    store.write(SETTINGS.ffi_bucket, frame_key(FRAMES[2][0]), FRAMES[0][1])
    with pytest.raises(ObjectChangedError):
        build(store, ref, upload, 1)
    failure, aborted = abort_upload(failed(ref, upload, "States.ExceedToleratedFailureThreshold"), store=store)
    assert failure.error == "ObjectChangedError"
    assert FRAMES[2][0] in failure.cause
    assert aborted


def test_the_failure_of_an_earlier_upload_is_no_reason(store: MemoryStore, ref: PlanRef) -> None:
    first = begin_upload(ref, store=store)
    frame = (SETTINGS.ffi_bucket, frame_key(FRAMES[0][0]))
    data = store.objects.pop(frame)
    with pytest.raises(FatalError):
        build(store, ref, first, 1)
    store.objects[frame] = data
    abort_upload(failed(ref, first, "FatalError"), store=store)
    second = begin_upload(ref, store=store)
    failure, aborted = abort_upload(failed(ref, second, "States.ExceedToleratedFailureThreshold"), store=store)
    assert failure.error == "States.ExceedToleratedFailureThreshold"
    assert not aborted


def test_an_error_without_a_cause_is_reported(store: MemoryStore, ref: PlanRef) -> None:
    upload = begin_upload(ref, store=store)
    event = {"plan": ref.model_dump(), "upload": upload.model_dump(), "error": {"Error": "States.Timeout"}}
    failure, _ = abort_upload(FailedState.model_validate(event), store=store)
    assert failure.model_dump(by_alias=True) == {"Error": "States.Timeout", "Cause": ""}


def test_a_block_that_fails_stops_asking(store: MemoryStore) -> None:
    store = store_with(tiny_sector(40, (40, 30)))
    ref = plan(store)
    upload = begin_upload(ref, store=store)
    for bucket, key in list(store.objects):
        if bucket == SETTINGS.ffi_bucket:
            store.objects[bucket, key] = b"another"
    with pytest.raises(ObjectChangedError):
        build(store, ref, upload, 0)
    assert frame_reads(store) <= FRAME_READS
