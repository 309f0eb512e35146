"""Ends a build: checks its parts, completes the upload and publishes the cube. `uploads` and `build_block` come before.

Every function gives the same result when it runs again, later or at the same time. All executions of a build share one
upload, and send equal parts under equal numbers. A cube exists at its key only when the upload is completed, which
happens once. It is served only when the footprint index lists it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tessera.cubes.hashes.making import format_record
from tessera.cubes.hdus import build_image_header
from tessera.fits.checksum import ones_complement_add
from tessera_cloud import keys
from tessera_cloud.application.builds.cube_record import is_record_of, read_planned_record
from tessera_cloud.application.builds.plan_document import FIRST_ROWS, INFO, PRIMARY, BuildStore, read_plan
from tessera_cloud.application.index.footprint_index import publish
from tessera_cloud.application.results import exists
from tessera_cloud.contracts import (
    BlockRecord,
    BuildState,
    CubePlan,
    PlanRef,
    PublishedCube,
    UploadRef,
)
from tessera_cloud.errors import (
    IncompleteUploadError,
    NoSuchUploadError,
    ObjectChangedError,
    ObjectMissingError,
    TransientError,
    UnfinishedBuildError,
)
from tessera_cloud.ports import ObjectInfo, ObjectReader, UploadedPart

_RECORD_READS = 32


def _read_records(plan: CubePlan, ref: PlanRef, store: ObjectReader) -> list[BlockRecord]:
    def read(index: int) -> BlockRecord:
        try:
            data, _ = store.read(ref.bucket, keys.block_record(ref.prefix, index))
        except ObjectMissingError as error:
            raise UnfinishedBuildError(f"{plan.cube_key}: block {index} has left no record") from error
        return BlockRecord.model_validate_json(data)

    with ThreadPoolExecutor(_RECORD_READS) as pool:
        return list(pool.map(read, range(len(plan.blocks))))


def _end_parts(plan: CubePlan, ref: PlanRef, data_sum: int, store: ObjectReader) -> Iterator[tuple[int, bytes]]:
    """Parts that can be written only at the end: part 1 with the headers, and the tail with the info table."""
    primary, _ = store.read(ref.bucket, ref.prefix + PRIMARY)
    first_rows, _ = store.read(ref.bucket, ref.prefix + FIRST_ROWS)
    info, _ = store.read(ref.bucket, ref.prefix + INFO)
    head = primary + build_image_header(plan.layout, data_sum)
    record = format_record(read_planned_record(ref, store), head, info)
    tail = bytes(plan.layout.padding) + info + record
    if plan.tail_number == 1:
        yield 1, head + first_rows + tail
    else:
        yield 1, head + first_rows
        yield plan.tail_number, tail


def _check_parts(expected: dict[int, tuple[int, str]], found: list[UploadedPart]) -> None:
    """Compare the parts that S3 has with the parts that were sent.

    Raises
    ------
    IncompleteUploadError
        If a part is missing, is not in the plan, or has another size or ETag. The message names the first such part.
    """
    have = {part.number: (part.size, part.etag) for part in found}
    for number in sorted(expected.keys() | have.keys()):
        if expected.get(number) != have.get(number):
            raise IncompleteUploadError(
                f"part {number}: sent (size, ETag) {expected.get(number)}, S3 has {have.get(number)}"
            )


def _expected_parts(plan: CubePlan, records: list[BlockRecord]) -> dict[int, tuple[int, str]]:
    """Size and ETag of every part with rows, by part number.

    Each record must be that of its block: a part in two records would be in the checksum of the cube twice.
    """
    row_bytes = plan.layout.row_bytes
    for index, record in enumerate(records):
        planned = {part.number: part.n_rows * row_bytes for part in plan.block(index).parts}
        if {part.number: part.size for part in record.parts} != planned:
            raise UnfinishedBuildError(
                f"{plan.cube_key}: the record of block {index} has other parts than the plan, "
                "because another execution has replaced one of them; a new execution builds the block again"
            )
    return {part.number: (part.size, part.etag) for record in records for part in record.parts}


def _finish_upload(plan: CubePlan, ref: PlanRef, upload: UploadRef, upload_id: str, store: BuildStore) -> None:
    records = _read_records(plan, ref, store)
    expected = _expected_parts(plan, records)
    data_sum = ones_complement_add(*(record.data_sum for record in records))
    for number, data in _end_parts(plan, ref, data_sum, store):
        etag = store.upload_part(upload.bucket, upload.key, upload_id, number, data)
        expected[number] = (len(data), etag)
    found = store.list_parts(upload.bucket, upload.key, upload_id)
    _check_parts(expected, found)
    store.complete_upload(upload.bucket, upload.key, upload_id, found)


def _complete_once(plan: CubePlan, ref: PlanRef, upload: UploadRef, store: BuildStore) -> None:
    """Complete the upload, unless the cube exists. A second execution leaves the cube unchanged."""
    if upload.upload_id is None:
        return
    if exists(store, upload.bucket, upload.key):
        store.abort_upload(upload.bucket, upload.key, upload.upload_id)
        return
    try:
        _finish_upload(plan, ref, upload, upload.upload_id, store)
    except NoSuchUploadError:
        return  # another execution has just completed it; if the cube is missing, the check of its size fails
    except ObjectChangedError as error:
        if not exists(store, upload.bucket, upload.key):
            raise TransientError(f"s3://{upload.bucket}/{upload.key} is being completed by another task") from error
        store.abort_upload(upload.bucket, upload.key, upload.upload_id)


def _check_size(plan: CubePlan, ref: PlanRef, cube: ObjectInfo, store: BuildStore) -> None:
    """Check that a cube ends with its info table, or with its record behind it."""
    around = sum(store.head(ref.bucket, ref.prefix + name).size for name in (PRIMARY, INFO))
    size = around + len(build_image_header(plan.layout, 0)) + plan.layout.data_bytes + plan.layout.padding
    behind = cube.size - size
    end = bytes(store.read_range(ref.bucket, cube.key, size, behind, cube.etag)) if behind > 0 else b""
    if behind < 0 or not is_record_of(plan, end):
        raise IncompleteUploadError(f"{cube.key} has {cube.size:,} bytes; {size:,} and a record were planned")


def complete_upload(state: BuildState, *, store: BuildStore) -> PublishedCube:
    """Write the first and the last part, check all parts, complete the upload and publish the cube.

    Parameters
    ----------
    state : BuildState
        Plan and upload of the build.
    store : BuildStore
        Store of plan and upload.

    Returns
    -------
    PublishedCube
        Cube that the pointer names afterwards: this one, or the growing cube that has it as a segment, or that of a
        build whose frames were listed later.

    Raises
    ------
    UnfinishedBuildError
        If a block has left no record.
    IncompleteUploadError
        If S3 does not have exactly the parts of the plan, or if the cube does not have the planned size.
    """
    ref, upload = state.plan, state.upload
    plan = read_plan(store, ref.bucket, ref.prefix)
    _complete_once(plan, ref, upload, store)
    info = store.head(upload.bucket, upload.key)
    _check_size(plan, ref, info, store)
    cube = PublishedCube(
        obs_id=plan.cube_id.obs_id,
        sequence_number=plan.cube_id.ccd_id.sector,
        s_region=plan.s_region,
        t_min=plan.t_min,
        t_max=plan.t_max,
        n_cadences=len(plan.frames),
        build_id=plan.build_id,
        bucket=upload.bucket,
        key=upload.key,
        size=info.size,
        etag=info.etag,
        planned_at=ref.planned_at,
        generation=ref.generation,
        left_out=plan.left_out,
    )
    if plan.growth is not None:
        from tessera_cloud.application.builds.growth import publishable  # noqa: PLC0415 - few builds grow a cube

        cube = publishable(plan, ref, cube, store)
    return publish(cube, store=store)
