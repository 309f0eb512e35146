"""The steps of a job: plan it, cut its cubes side by side, put the files into one archive."""

from __future__ import annotations

import io
import zipfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Annotated

from pydantic import Field

from tessera.errors import TesseraError
from tessera_cloud import keys
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.cutout_order import CutoutOrder
from tessera_cloud.application.cutouts import NO_DATA, ZIP64_FROM, known_cube, plan_cutout
from tessera_cloud.application.job_records import (
    CubeRecord,
    JobOutcome,
    JobPlan,
    JobRecord,
    change_job,
    read_cube_records,
)
from tessera_cloud.application.results import ResultWriter
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import FatalError, ObjectMissingError, UsageError

_READ_BYTES = 16_000_000
_READS_AHEAD = 4
_PERMANENT = (TesseraError, UsageError, FatalError)
"""What a cube's failure is that would come back; what may pass is left to the state machine to be tried again."""


class JobRef(Wire):
    """Input of the CutoutJob state machine, and of plan_job and finish_job."""

    job: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    attempt: Annotated[int, Field(ge=1)]


class JobItems(Wire):
    """Answer of plan_job: numbers of the cubes to cut."""

    items: tuple[int, ...]


class CutTask(Wire):
    """Input of cut_item."""

    job: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    item: Annotated[int, Field(ge=0)]


def plan_job(ref: JobRef, backend: Backend) -> JobItems:
    """Open the cubes of a job, see which of them have pixels for it, and write the plan.

    Raises
    ------
    TooLargeError
        When a window turns out to be larger than is ever cut.
    """
    store, settings = backend.store, backend.settings
    data, _ = store.read(settings.result_bucket, keys.job_order(ref.job))
    order = CutoutOrder.model_validate_json(data)
    items, missed = [], []
    for number, published in enumerate(order.cubes):
        try:
            cube = known_cube(published, store, settings.cube_bucket, backend.cubes)
            if plan_cutout(published, cube, order.request, settings.max_job_pixels):
                items.append(number)
        except (TesseraError, FatalError) as error:
            missed.append(CubeRecord(obs_id=published.obs_id, status="failed", reason=_reason(error)))
    plan = JobPlan(order=order, items=tuple(items), missed=tuple(missed))
    store.write(settings.result_bucket, keys.job_plan(ref.job), plan.model_dump_json().encode())
    return JobItems(items=plan.items)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _read_plan(job_id: str, backend: Backend) -> JobPlan:
    data, _ = backend.store.read(backend.settings.result_bucket, keys.job_plan(job_id))
    return JobPlan.model_validate_json(data)


def cut_item(task: CutTask, backend: Backend) -> CubeRecord:
    """Make the target pixel file of one cube and leave a record; a file that is there already is not made again.

    A cube that fails for good is recorded and does not fail the job.
    """
    store, bucket = backend.store, backend.settings.result_bucket
    key = keys.job_record(task.job, task.item)
    try:
        before = CubeRecord.model_validate_json(store.read(bucket, key)[0])
        if before.status == "succeeded":
            return before
    except ObjectMissingError:
        pass
    order = _read_plan(task.job, backend).order
    try:
        record = _make_file(task, order, backend)
    except _PERMANENT as error:
        record = CubeRecord(obs_id=order.cubes[task.item].obs_id, status="failed", reason=_reason(error))
    store.write(bucket, key, record.model_dump_json().encode())
    return record


def _make_file(task: CutTask, order: CutoutOrder, backend: Backend) -> CubeRecord:
    store, settings, published = backend.store, backend.settings, order.cubes[task.item]
    cube = known_cube(published, store, settings.cube_bucket, backend.cubes)
    planned = plan_cutout(published, cube, order.request, settings.max_job_pixels)
    if planned is None:
        raise FatalError(f"{published.obs_id} had pixels when the job was planned, and has none now")
    if planned.memory > 0.95e6 * settings.memory_mb:
        raise FatalError(f"{planned.memory:,} bytes of memory are needed; the function has {settings.memory_mb} MB")
    name, pieces = planned.cut(order.request, store)
    with ResultWriter(store, settings.result_bucket, keys.job_file(task.job, name)) as out:
        for piece in pieces:
            out.write(piece)
        out.keep()
        return CubeRecord(obs_id=published.obs_id, status="succeeded", name=name, bytes=out.n_bytes)


def _pieces(key: str, size: int, backend: Backend) -> Iterator[bytes]:
    """An object of the bucket of results, a few range requests ahead."""
    bucket, pending = backend.settings.result_bucket, deque[Future[bytes]]()

    def read(start: int) -> bytes:
        return bytes(backend.store.read_range(bucket, key, start, min(_READ_BYTES, size - start)))

    with ThreadPoolExecutor(_READS_AHEAD) as pool:
        for start in range(0, size, _READ_BYTES):
            if len(pending) == _READS_AHEAD:
                yield pending.popleft().result()
            pending.append(pool.submit(read, start))
        while pending:
            yield pending.popleft().result()


def _write_archive(made: list[CubeRecord], job_id: str, out: io.RawIOBase, backend: Backend) -> None:
    # Members that are opened by name are dated 1980-01-01: no clock gets into the answer.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for record in made:
            with archive.open(record.name, "w", force_zip64=record.bytes > ZIP64_FROM) as file:
                for piece in _pieces(keys.job_file(job_id, record.name), record.bytes, backend):
                    file.write(piece)


def _collect(ref: JobRef, backend: Backend) -> tuple[list[CubeRecord], list[CubeRecord]]:
    """Files that were made, and cubes without one."""
    plan = _read_plan(ref.job, backend)
    store, bucket = backend.store, backend.settings.result_bucket
    found = {record.obs_id: record for record in read_cube_records(store, bucket, ref.job)}
    wanted = [plan.order.cubes[number].obs_id for number in plan.items]
    lost = CubeRecord(obs_id="", status="failed", reason="the task did not end; trying again may help")
    records = [found.get(obs_id) or lost.model_copy(update={"obs_id": obs_id}) for obs_id in wanted]
    made = [record for record in records if record.status == "succeeded"]
    return made, [*plan.missed, *(record for record in records if record.status == "failed")]


def finish_job(ref: JobRef, backend: Backend) -> JobOutcome:
    """Put the files of a job into one archive and write how it ended.

    An archive that lacks cubes has a key of its own, so that asking again does not find it.
    """
    made, failed = _collect(ref, backend)
    key, n_bytes = "", 0
    if made:
        key = keys.partial_result(ref.job, ref.attempt) if failed else keys.result(ref.job)
        with ResultWriter(backend.store, backend.settings.result_bucket, key) as out:
            _write_archive(made, ref.job, out, backend)
            out.keep()
            n_bytes = out.n_bytes
    outcome = JobOutcome(
        status="partial" if made and failed else "succeeded" if made else "failed",
        finished=backend.now().timestamp(),
        key=key,
        bytes=n_bytes,
        n_succeeded=len(made),
        n_failed=len(failed),
        reason="; ".join(f"{record.obs_id}: {record.reason}" for record in failed)[:1000] or ("" if made else NO_DATA),
    )
    _record_outcome(ref, outcome, backend)
    return outcome


def _record_outcome(ref: JobRef, outcome: JobOutcome, backend: Backend) -> None:
    def end(record: JobRecord) -> JobRecord | None:
        if record.attempt != ref.attempt or record.cancelled:
            return None
        return record.model_copy(update={"outcome": outcome})

    change_job(backend.state, ref.job, outcome.finished, end)
