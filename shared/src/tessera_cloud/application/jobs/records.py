"""Records of a job: one in the table, and small objects below the job's prefix in the bucket of results."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from tessera_cloud import keys
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import ObjectChangedError, TransientError
from tessera_cloud.ports import ObjectLister, ObjectReader, StateStore

KIND = "job"
KEPT_SECONDS = 24 * 3600
"""Time for which results and records of jobs are kept, in seconds."""
_ATTEMPTS = 10
_READS = 16

Ended: TypeAlias = Literal["succeeded", "partial", "failed"]


class JobRef(Wire):
    """Input of the CutoutJob state machine, and of plan_job and finish_job."""

    job: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    attempt: Annotated[int, Field(ge=1)]


class CubeRecord(Wire):
    """Result of one cube of a job."""

    obs_id: str
    status: Literal["succeeded", "failed"]
    name: str = ""
    """File name of the target pixel file; empty if there is none."""
    bytes: int = 0
    reason: str = ""
    """Reason why there is no file; empty if there is one."""


class JobOutcome(Wire):
    """End of a job: its time, its status and its archive."""

    status: Ended
    finished: float
    """Seconds since 1970."""
    key: str = ""
    """Key of the archive in the bucket of results; empty if there is none."""
    bytes: int = 0
    n_succeeded: int = 0
    n_failed: int = 0
    reason: str = ""


class JobRecord(Wire):
    """Record of a job in the table."""

    id: str
    created: float
    """Time at which this attempt began, in seconds since 1970."""
    attempt: int = 1
    n_cubes: int
    cancelled: bool = False
    outcome: JobOutcome | None = None

    @property
    def execution(self) -> str:
        """Name of the execution that makes the job.

        The name has the time of the attempt, because Step Functions remembers a name for 90 days, and the table a
        record for one day. After that, attempts are counted from 1 again.
        """
        return f"{self.id}-{self.attempt}-{self.created:.0f}"

    @property
    def kept_until(self) -> float:
        """Time until which record and results are kept, in seconds since 1970. The table may keep the record longer."""
        return max(self.created, self.outcome.finished if self.outcome else 0.0) + KEPT_SECONDS


class JobPlan(Wire):
    """The cubes of a job that have pixels; ``plan.json``."""

    order: CutoutOrder
    items: tuple[int, ...]
    """Positions of the cubes in the order, from 0."""
    missed: tuple[CubeRecord, ...] = ()
    """Records of cubes that could not be opened."""


def read_job(state: StateStore, job_id: str) -> tuple[JobRecord | None, int]:
    """Read a job and the version of its record; None and 0 if there is no such job."""
    item = state.get(KIND, job_id)
    return (None, 0) if item is None else (JobRecord.model_validate(item.value), item.version)


def write_job(state: StateStore, record: JobRecord, over: int, now: float) -> int:
    """Write a job over a version of its record; raises `ObjectChangedError` if the record has another version."""
    document = record.model_dump(mode="json")
    return state.put(KIND, record.id, document, over=over, expires=now + KEPT_SECONDS)


def change_job(
    state: StateStore, job_id: str, now: float, change: Callable[[JobRecord], JobRecord | None]
) -> JobRecord | None:
    """Change the record of a job, and write it unless it has changed meanwhile; otherwise do it again.

    Parameters
    ----------
    state : StateStore
        Store of the record.
    job_id : str
        Id of the job.
    now : float
        Current time, in seconds since 1970.
    change : callable
        Gets the current record. Returns the new one, or None to leave it unchanged.

    Returns
    -------
    JobRecord or None
        Record of the job after the change; None if there is no such job.
    """
    for _ in range(_ATTEMPTS):
        record, version = read_job(state, job_id)
        changed = record and change(record)
        if changed is None:
            return record
        try:
            write_job(state, changed, version, now)
        except ObjectChangedError:
            continue
        return changed
    raise TransientError(f"job {job_id} changed {_ATTEMPTS} times while it was written")


def read_cube_records(store: ObjectLister, bucket: str, job_id: str) -> list[CubeRecord]:
    """Read the records that the cubes of a job have left so far, in the order of the cubes."""
    found = [info.key for info in store.list_objects(bucket, keys.job_records(job_id))]
    with ThreadPoolExecutor(_READS) as pool:
        texts = list(pool.map(lambda key: store.read(bucket, key)[0], found))
    return [CubeRecord.model_validate_json(text) for text in texts]


def read_plan(store: ObjectReader, bucket: str, job_id: str) -> JobPlan:
    """Read the plan that `plan_job` wrote."""
    return JobPlan.model_validate_json(store.read(bucket, keys.job_plan(job_id))[0])
