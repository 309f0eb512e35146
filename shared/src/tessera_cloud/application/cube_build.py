"""Carrying a plan out: begin, build blocks, complete, publish, or abort.

Every function may run twice with the same result. A block overwrites its own parts and its own record; a cube becomes
visible at its key only when its upload is completed, and is served only when the pointer names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from tessera.checksum import ones_complement_add, ones_complement_sum
from tessera.cube import build_image_header
from tessera.layout import WORD
from tessera.plans import PARALLEL_UPLOADS, Block, Part
from tessera.transpose import allocate_block, transpose_rows
from tessera_cloud import keys
from tessera_cloud.application.cube_plan import INFO, PRIMARY, read_plan
from tessera_cloud.application.footprint_index import publish
from tessera_cloud.contracts import (
    BlockRecord,
    BlockTask,
    BuildState,
    CubePlan,
    PartRecord,
    PlanRef,
    PublishedCube,
    UploadRef,
)
from tessera_cloud.errors import IncompleteUploadError, NoSuchUploadError
from tessera_cloud.ports import ObjectStore, UploadedPart

FRAME_READS = 32
"""Range requests of a block that are in flight at the same time."""
FIRST_ROWS = "first-rows"
"""Pixels of part 1, kept until the header in front of them can be written."""


def begin_upload(plan: PlanRef, *, store: ObjectStore) -> UploadRef:
    """Begin the multipart upload of a planned cube."""
    key = read_plan(store, plan.bucket, plan.prefix).cube_key
    return UploadRef(bucket=plan.bucket, key=key, upload_id=store.begin_upload(plan.bucket, key))


def _read_block(plan: CubePlan, block: Block, store: ObjectStore) -> NDArray[np.uint32]:
    """Fill a block, one contiguous range per frame and plane."""
    pixels = allocate_block(len(plan.frames), plan.n_planes, block.n_rows, plan.n_columns)
    row_bytes = plan.n_columns * WORD

    def read(cadence: int, plane: int) -> None:
        frame = plan.frames[cadence]
        start = frame.offsets[plane] + block.first_row * row_bytes
        data = store.read_range(plan.source_bucket, frame.key, start, block.n_rows * row_bytes, frame.etag)
        pixels[cadence, plane] = np.frombuffer(data, np.uint32).reshape(block.n_rows, plan.n_columns)

    n = len(plan.frames)
    first = block.index * n // len(plan.blocks)  # tasks begin at different frames, so they do not crowd one prefix
    with ThreadPoolExecutor(FRAME_READS) as pool:
        wanted = (((first + step) % n, plane) for step in range(n) for plane in range(plan.n_planes))
        for done in [pool.submit(read, cadence, plane) for cadence, plane in wanted]:
            done.result()
    return pixels


def build_block(task: BlockTask, *, store: ObjectStore) -> BlockRecord:
    """Build one block of a cube and upload its parts.

    Part 1 is not uploaded but kept beside the plan: the checksums in the headers in front of it are known only when
    all blocks are done.

    Returns
    -------
    BlockRecord
        Also written beside the plan, where `complete_upload` looks for it.
    """
    plan = read_plan(store, task.plan.bucket, task.plan.prefix)
    block = plan.block(task.block)
    pixels = _read_block(plan, block, store)
    upload = task.upload

    def send(part: Part) -> tuple[PartRecord, int]:
        rows = transpose_rows(pixels, part.first_row - block.first_row, part.n_rows)
        if part.number == 1:
            etag = store.write(task.plan.bucket, task.plan.prefix + FIRST_ROWS, rows.tobytes())
        else:
            etag = store.upload_part(upload.bucket, upload.key, upload.upload_id, part.number, rows)
        return PartRecord(number=part.number, size=rows.nbytes, etag=etag), ones_complement_sum(rows)

    with ThreadPoolExecutor(PARALLEL_UPLOADS) as pool:
        sent = list(pool.map(send, block.parts))
    record = BlockRecord(
        block=block.index,
        parts=tuple(part for part, _ in sent),
        data_sum=ones_complement_add(*(data_sum for _, data_sum in sent)),
    )
    key = keys.block_record(task.plan.prefix, block.index)
    store.write(task.plan.bucket, key, record.model_dump_json().encode())
    return record


def _read_records(plan: CubePlan, ref: PlanRef, store: ObjectStore) -> list[BlockRecord]:
    def read(index: int) -> BlockRecord:
        return BlockRecord.model_validate_json(store.read(ref.bucket, keys.block_record(ref.prefix, index))[0])

    with ThreadPoolExecutor(FRAME_READS) as pool:
        return list(pool.map(read, range(len(plan.blocks))))


def _end_parts(plan: CubePlan, ref: PlanRef, data_sum: int, store: ObjectStore) -> Iterator[tuple[int, bytes]]:
    """The parts that could be written only at the end: part 1 with the headers, and the tail with the info table."""
    primary, _ = store.read(ref.bucket, ref.prefix + PRIMARY)
    first_rows, _ = store.read(ref.bucket, ref.prefix + FIRST_ROWS)
    info, _ = store.read(ref.bucket, ref.prefix + INFO)
    head = primary + build_image_header(plan.layout, data_sum) + first_rows
    tail = bytes(plan.layout.padding) + info
    if plan.tail_number == 1:
        yield 1, head + tail
    else:
        yield 1, head
        yield plan.tail_number, tail


def _check_parts(expected: dict[int, tuple[int, str]], found: list[UploadedPart]) -> None:
    """Compare the parts that S3 has with the parts that were sent.

    Raises
    ------
    IncompleteUploadError
        Naming the first part that is missing, foreign, or of another size or content.
    """
    have = {part.number: (part.size, part.etag) for part in found}
    for number in sorted(expected.keys() | have.keys()):
        if expected.get(number) != have.get(number):
            raise IncompleteUploadError(
                f"part {number}: sent (size, ETag) {expected.get(number)}, S3 has {have.get(number)}"
            )


def _expected_parts(plan: CubePlan, records: list[BlockRecord]) -> dict[int, tuple[int, str]]:
    """Size and ETag of every part with rows, by number; the records must cover the plan."""
    expected = {part.number: (part.size, part.etag) for record in records for part in record.parts}
    row_bytes = plan.layout.row_bytes
    planned = {number: plan.parts.part(number).n_rows * row_bytes for number in range(1, plan.n_row_parts + 1)}
    if {number: size for number, (size, _) in expected.items()} != planned:
        raise IncompleteUploadError(f"{plan.cube_key}: the block records do not cover the planned parts")
    return expected


def _finish_upload(plan: CubePlan, ref: PlanRef, upload: UploadRef, store: ObjectStore) -> None:
    records = _read_records(plan, ref, store)
    expected = _expected_parts(plan, records)
    data_sum = ones_complement_add(*(record.data_sum for record in records))
    for number, data in _end_parts(plan, ref, data_sum, store):
        etag = store.upload_part(upload.bucket, upload.key, upload.upload_id, number, data)
        expected[number] = (len(data), etag)
    found = store.list_parts(upload.bucket, upload.key, upload.upload_id)
    _check_parts(expected, found)
    store.complete_upload(upload.bucket, upload.key, upload.upload_id, found)


def _cube_size(plan: CubePlan, ref: PlanRef, store: ObjectStore) -> int:
    around = sum(store.head(ref.bucket, ref.prefix + name).size for name in (PRIMARY, INFO))
    return around + len(build_image_header(plan.layout, 0)) + plan.layout.data_bytes + plan.layout.padding


def complete_upload(state: BuildState, *, store: ObjectStore) -> PublishedCube:
    """Write the first and the last part, check all of them, complete the upload and publish the cube.

    Raises
    ------
    ObjectMissingError
        When a block has left no record.
    IncompleteUploadError
        When S3 does not have exactly the parts of the plan, or the cube is not of the planned size.
    """
    ref, upload = state.plan, state.upload
    plan = read_plan(store, ref.bucket, ref.prefix)
    with suppress(NoSuchUploadError):  # completed by an earlier try that did not live to publish; the size tells
        _finish_upload(plan, ref, upload, store)
    info, size = store.head(upload.bucket, upload.key), _cube_size(plan, ref, store)
    if info.size != size:
        raise IncompleteUploadError(f"{upload.key} has {info.size:,} bytes; {size:,} were planned")
    cube = PublishedCube(
        obs_id=plan.ccd_id.obs_id,
        sequence_number=plan.ccd_id.sector,
        s_region=plan.s_region,
        t_min=plan.t_min,
        t_max=plan.t_max,
        n_cadences=len(plan.frames),
        build_id=plan.build_id,
        bucket=upload.bucket,
        key=upload.key,
        size=size,
        etag=info.etag,
    )
    publish(cube, store=store)
    return cube


def abort_upload(state: BuildState, *, store: ObjectStore) -> None:
    """Throw away the upload of a build that failed."""
    store.abort_upload(state.upload.bucket, state.upload.key, state.upload.upload_id)
