"""Plan of a job, and what its cubes leave: small objects below the job's prefix in the bucket of results."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

from pydantic import ValidationError

from tessera_cloud import keys
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.jobs.submit import Wanted
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import NewerOrderError
from tessera_cloud.ports import ObjectLister, ObjectReader

_READS = 16
_Ordered = TypeVar("_Ordered", bound=Wire)


class CubeRecord(Wire):
    """Result of one cube of a job."""

    obs_id: str
    status: Literal["succeeded", "failed"]
    name: str = ""
    """File name of the target pixel file; empty if there is none."""
    bytes: int = 0
    reason: str = ""
    """Reason why there is no file; empty if there is one."""


class JobPlan(Wire):
    """The cubes of a job that have pixels; ``plan.json``."""

    order: CutoutOrder
    items: tuple[int, ...]
    """Positions of the cubes in the order, from 0."""
    missed: tuple[CubeRecord, ...] = ()
    """Records of cubes that could not be opened."""


def wanted_of(order: CutoutOrder) -> Wanted:
    """What the job of an order of cutouts is asked to make."""
    objects = {keys.job_order(order.id): order.model_dump_json().encode()}
    return Wanted(order.id, len(order.cubes), objects, keys.result(order.id), by_others=True)


def read_cube_records(store: ObjectLister, bucket: str, job_id: str) -> list[CubeRecord]:
    """Read the records that the cubes of a job have left so far, in the order of the cubes."""
    found = [info.key for info in store.list_objects(bucket, keys.job_records(job_id))]
    with ThreadPoolExecutor(_READS) as pool:
        texts = list(pool.map(lambda key: store.read(bucket, key)[0], found))
    return [CubeRecord.model_validate_json(text) for text in texts]


def read_plan(store: ObjectReader, bucket: str, job_id: str) -> JobPlan:
    """Read the plan that `plan_job` wrote; raises the errors of `read_order`."""
    return read_ordered(JobPlan, store.read(bucket, keys.job_plan(job_id))[0], job_id)


def read_order(store: ObjectReader, bucket: str, job_id: str) -> CutoutOrder:
    """Read the order of a job.

    Raises
    ------
    NewerOrderError
        If a later release wrote it, and it asks for something that this release cannot do.
    """
    return read_ordered(CutoutOrder, store.read(bucket, keys.job_order(job_id))[0], job_id)


def read_ordered(kind: type[_Ordered], data: bytes, job_id: str) -> _Ordered:
    """Read an order, or a document that has one, of the job with an id; see `read_order`."""
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        unknown = [".".join(map(str, each["loc"])) for each in error.errors() if each["type"] == "extra_forbidden"]
        if not unknown:
            raise
        wishes = ", ".join(unknown)
        message = f"job {job_id} asks for {wishes}, which only a later release knows; ask for it again without that"
        raise NewerOrderError(message) from error
