"""Builds one block of a cube: reads its rows of every frame, transposes them, uploads them, and leaves a record."""

from __future__ import annotations

import json
from concurrent.futures import CancelledError, ThreadPoolExecutor
from threading import Event

import numpy as np
from numpy.typing import NDArray

from tessera.builds.conversion import to_words
from tessera.builds.plan import MIB, PARALLEL_UPLOADS, Block, Part, block_memory
from tessera.builds.transpose import RowStream, allocate_block
from tessera.cubes.frame_checks import PixelFormat
from tessera.errors import TesseraError
from tessera.fits.checksum import ones_complement_add, ones_complement_sum
from tessera_cloud import keys
from tessera_cloud.application.builds.plan_document import FIRST_ROWS, BuildStore, read_plan
from tessera_cloud.application.results import exists
from tessera_cloud.contracts import BlockOutcome, BlockRecord, BlockTask, CubePlan, FailureNote, PartRecord
from tessera_cloud.errors import (
    FatalError,
    NoSuchUploadError,
    ObjectMissingError,
    UnfinishedBuildError,
    UsageError,
)
from tessera_cloud.ports import ObjectWriter, RangeReader, RequestPace

FRAME_READS = 32
"""Largest number of range requests of a block that are in flight."""


def _read_block(
    plan: CubePlan, block: Block, store: RangeReader, pace: RequestPace | None
) -> tuple[NDArray[np.uint32], int]:
    """Read a block, with one contiguous range per frame and plane. Returns its pixels and their ones-complement sum."""
    pixels = allocate_block(len(plan.frames), plan.n_planes, block.n_rows, plan.n_columns)
    plain = (PixelFormat(),) * plan.n_planes
    failed = Event()  # a block that has failed sends no more requests

    def read(cadence: int, plane: int) -> int:
        if failed.is_set():
            raise CancelledError
        try:
            return read_plane(cadence, plane)
        except BaseException:
            failed.set()
            raise

    def read_plane(cadence: int, plane: int) -> int:
        frame, form = plan.frames[cadence], plan.formats.get(cadence, plain)[plane]
        row_bytes = plan.n_columns * form.word
        start = frame.offsets[plane] + block.first_row * row_bytes
        length = block.n_rows * row_bytes
        data = store.read_range(plan.source_bucket, frame.key, start, length, frame.etag, pace=pace)
        words = to_words(data, form)
        pixels[cadence, plane] = words.reshape(block.n_rows, plan.n_columns)
        return ones_complement_sum(words)

    n = len(plan.frames)
    first = block.index * n // len(plan.blocks)  # tasks begin at different frames, to spread requests over prefixes
    wanted = [((first + step) % n, plane) for step in range(n) for plane in range(plan.n_planes)]
    with ThreadPoolExecutor(FRAME_READS) as pool:
        return pixels, ones_complement_add(*pool.map(read, *zip(*wanted, strict=True)))


def _planned_block(plan: CubePlan, task: BlockTask, memory_mb: int | None) -> Block:
    if task.block >= len(plan.blocks):
        raise UnfinishedBuildError(
            f"{plan.cube_key}: there is no block {task.block} among the {len(plan.blocks)} of the plan, "
            "because another execution has replaced the plan"
        )
    block = plan.block(task.block)
    needed_mb = plan.memory_mb or -(-block_memory(plan.layout, plan.parts, block.n_rows) // MIB)
    if memory_mb is not None and needed_mb > memory_mb:
        raise UnfinishedBuildError(
            f"{plan.cube_key}: its blocks are planned for tasks of {needed_mb:,} MB, and this one has "
            f"{memory_mb:,} MB, because a deployment has changed the functions; a new execution plans again"
        )
    return block


def _find_record(plan: CubePlan, block: Block, task: BlockTask, store: BuildStore) -> BlockRecord | None:
    """Record of a block that was built before; None if there is none, or if S3 no longer has all parts."""
    try:
        data, _ = store.read(task.plan.bucket, keys.block_record(task.plan.prefix, block.index))
        record = BlockRecord.model_validate_json(data)
        recorded = {part.number: (part.size, part.etag) for part in record.parts}
        row_bytes = plan.layout.row_bytes
        if {n: size for n, (size, _) in recorded.items()} != {p.number: p.n_rows * row_bytes for p in block.parts}:
            return None
        found = _found_parts(block, task, store)
    except ObjectMissingError as error:
        if isinstance(error, NoSuchUploadError):
            raise
        return None
    return record if found == recorded else None


def _found_parts(block: Block, task: BlockTask, store: BuildStore) -> dict[int, tuple[int, str]]:
    """Size and ETag of the block's parts that S3 has, by part number. One request lists all uploaded parts."""
    upload, numbers = task.upload, [part.number for part in block.parts]
    found = {}
    if 1 in numbers:
        rows = store.head(task.plan.bucket, task.plan.prefix + FIRST_ROWS)
        found[1] = (rows.size, rows.etag)
        numbers.remove(1)
    if numbers:
        upload_id = upload.upload_id or ""
        parts = store.list_parts(upload.bucket, upload.key, upload_id, first=numbers[0], count=len(numbers))
        found |= {part.number: (part.size, part.etag) for part in parts}
    return found


def _build(plan: CubePlan, block: Block, task: BlockTask, store: BuildStore, pace: RequestPace | None) -> BlockRecord:
    pixels, data_sum = _read_block(plan, block, store, pace)
    upload = task.upload

    def send(part: Part) -> PartRecord:
        rows = RowStream(pixels, part.first_row - block.first_row, part.n_rows)
        if part.number == 1:
            etag = store.write(task.plan.bucket, task.plan.prefix + FIRST_ROWS, rows)
        else:
            etag = store.upload_part(upload.bucket, upload.key, upload.upload_id or "", part.number, rows)
        return PartRecord(number=part.number, size=len(rows), etag=etag)

    with ThreadPoolExecutor(PARALLEL_UPLOADS) as pool:
        sent = tuple(pool.map(send, block.parts))
    record = BlockRecord(block=block.index, parts=sent, data_sum=data_sum)
    key = keys.block_record(task.plan.prefix, block.index)
    store.write(task.plan.bucket, key, record.model_dump_json().encode())
    return record


def _note_failure(task: BlockTask, error: Exception, store: ObjectWriter) -> None:
    name = type(error).__name__
    cause = json.dumps({"errorMessage": str(error), "errorType": name})
    note = FailureNote(upload_id=task.upload.upload_id or "", block=task.block, error=name, cause=cause)
    store.write(task.plan.bucket, keys.failure(task.plan.prefix), note.model_dump_json().encode())


def build_block(
    task: BlockTask, *, store: BuildStore, pace: RequestPace | None = None, memory_mb: int | None = None
) -> BlockOutcome:
    """Build one block of a cube and upload its parts, unless that has been done.

    Part 1 is left beside the plan instead, because the cube's headers stand before its rows, and the checksums in them
    are known only when all blocks are built. The block leaves a record beside the plan. `complete_upload` and later
    tasks for the same block read it.

    Parameters
    ----------
    task : BlockTask
        Plan, upload and number of the block.
    store : BuildStore
        Store of frames, plan and upload.
    pace : RequestPace, optional
        Pace of the requests for frames.
    memory_mb : int, optional
        Memory of this task, which is compared with that of the plan.

    Returns
    -------
    BlockOutcome
        Number of the block, and whether this task built it.

    Raises
    ------
    ObjectChangedError
        If a frame was replaced after the plan was made. The message names the frame.
    NoSuchUploadError
        If neither the upload nor the cube exists.
    UnfinishedBuildError
        If the block is not in the plan, or is planned for a task with more memory.
    """
    plan = read_plan(store, task.plan.bucket, task.plan.prefix)
    block = _planned_block(plan, task, memory_mb)
    size = block.n_rows * plan.layout.row_bytes
    done = BlockOutcome(block=block.index, parts=len(block.parts), size=size, built=False)
    if task.upload.upload_id is None:
        return done
    try:
        if _find_record(plan, block, task, store) is None:
            _build(plan, block, task, store, pace)
            return done.model_copy(update={"built": True})
    except NoSuchUploadError:
        if not exists(store, task.upload.bucket, task.upload.key):
            raise  # if there is a cube, another execution of the same build has completed it
    except (UsageError, FatalError, TesseraError) as error:
        _note_failure(task, error, store)
        raise
    return done
