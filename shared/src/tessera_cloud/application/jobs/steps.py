"""Steps of a job that open cubes: plan the job, and cut its cubes in parallel."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tessera.errors import TesseraError
from tessera_cloud import keys
from tessera_cloud.application.backend import Backend
from tessera_cloud.application.cutouts.answer import plan_cutout
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.index.look_again import use_current
from tessera_cloud.application.jobs.plans import CubeRecord, JobPlan, read_order, read_plan
from tessera_cloud.application.jobs.records import JobId, JobRef
from tessera_cloud.application.results import ResultWriter, exists
from tessera_cloud.contracts import PublishedCube, Wire
from tessera_cloud.errors import FatalError, ObjectChangedError, ObjectMissingError, UsageError

_PERMANENT = (TesseraError, UsageError, FatalError)
"""Errors of a cube that another attempt would repeat. The state machine retries after other errors."""


class JobItems(Wire):
    """Answer of plan_job: positions of the cubes to cut, and how many of them are cut at the same time."""

    items: tuple[int, ...]
    max_concurrency: Annotated[int, Field(ge=1)]


class CutTask(Wire):
    """Input of cut_item."""

    job: JobId
    item: Annotated[int, Field(ge=0)]


def plan_job(ref: JobRef, backend: Backend) -> JobItems:
    """Open the cubes of a job, find those that have pixels for it, and write the plan.

    Raises
    ------
    TooLargeError
        If a window is larger than the service cuts.
    NewerOrderError
        See `read_order`.
    """
    store, settings = backend.store, backend.settings
    order = read_order(store, settings.result_bucket, ref.job)
    items, missed = [], []
    for number, published in enumerate(order.cubes):
        try:
            if use_current(published, backend, lambda cube: plan_cutout(cube, order, backend) is not None):
                items.append(number)
        except (TesseraError, FatalError) as error:
            missed.append(CubeRecord(obs_id=published.obs_id, status="failed", reason=_reason(error)))
    plan = JobPlan(order=order, items=tuple(items), missed=tuple(missed))
    store.write(settings.result_bucket, keys.job_plan(ref.job), plan.model_dump_json().encode())
    return JobItems(items=plan.items, max_concurrency=settings.job_concurrency)


def _reason(error: Exception) -> str:
    """Reason for the user why a cube has no file."""
    if isinstance(error, ObjectChangedError):
        return "the cube was replaced while it was read; ask for the job again"
    return str(error)[:500]


def cut_item(task: CutTask, backend: Backend) -> CubeRecord:
    """Make the target pixel file of one cube and leave a record. An existing file is used again.

    A cube that fails for good gets a record too, and the job continues.
    """
    store, bucket = backend.store, backend.settings.result_bucket
    key = keys.job_record(task.job, task.item)
    try:
        before = CubeRecord.model_validate_json(store.read(bucket, key)[0])
        if before.status == "succeeded" and exists(store, bucket, keys.job_file(task.job, before.name)):
            return before
    except ObjectMissingError:
        pass
    order = read_plan(store, bucket, task.job).order
    published = order.cubes[task.item]
    try:
        record = use_current(published, backend, lambda cube: _build_file(task, cube, order, backend))
    except _PERMANENT as error:
        record = CubeRecord(obs_id=published.obs_id, status="failed", reason=_reason(error))
    store.write(bucket, key, record.model_dump_json().encode())
    return record


def _build_file(task: CutTask, published: PublishedCube, order: CutoutOrder, backend: Backend) -> CubeRecord:
    store, settings = backend.store, backend.settings
    planned = plan_cutout(published, order, backend)
    if planned is None:
        raise FatalError(f"{published.obs_id} had pixels when the job was planned, and has none now")
    memory = order.request.target.memory(planned.n_values)
    if memory > 0.95e6 * settings.memory_mb:
        raise FatalError(f"{memory:,} bytes of memory are needed; the function has {settings.memory_mb} MB")
    name, pieces = planned.cut(store)
    with ResultWriter(store, settings.result_bucket, keys.job_file(task.job, name)) as out:
        for piece in pieces:
            out.write(piece)
        out.keep()
        return CubeRecord(obs_id=published.obs_id, status="succeeded", name=name, bytes=out.n_bytes)
