"""What is kept of a job: the record in the table, and small objects below its prefix in the bucket of results."""

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
"""How long results and records of jobs stay."""
_ATTEMPTS = 10
_READS = 16

Ended: TypeAlias = Literal["succeeded", "partial", "failed"]


class JobRef(Wire):
    """Input of the CutoutJob state machine, and of plan_job and finish_job."""

    job: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    attempt: Annotated[int, Field(ge=1)]


class CubeRecord(Wire):
    """What became of one cube of a job."""

    obs_id: str
    status: Literal["succeeded", "failed"]
    name: str = ""
    """File name of the target pixel file."""
    bytes: int = 0
    reason: str = ""
    """Why there is no file."""


class JobOutcome(Wire):
    """How a job ended."""

    status: Ended
    finished: float
    """Seconds since 1970."""
    key: str = ""
    """Of the archive in the bucket of results; empty where there is none."""
    bytes: int = 0
    n_succeeded: int = 0
    n_failed: int = 0
    reason: str = ""


class JobRecord(Wire):
    """A job as the table has it."""

    id: str
    created: float
    """Seconds since 1970, of this attempt."""
    attempt: int = 1
    n_cubes: int
    cancelled: bool = False
    outcome: JobOutcome | None = None

    @property
    def execution(self) -> str:
        """Name of the execution that makes it.

        Step Functions knows a name for 90 days, the table a record for one: attempts that are counted from 1 again have
        another time.
        """
        return f"{self.id}-{self.attempt}-{self.created:.0f}"

    @property
    def kept_until(self) -> float:
        """When it is forgotten, and its results with it; the table may take some days more. Seconds since 1970."""
        return max(self.created, self.outcome.finished if self.outcome else 0.0) + KEPT_SECONDS


class JobPlan(Wire):
    """The cubes of a job that have pixels; ``plan.json``."""

    order: CutoutOrder
    items: tuple[int, ...]
    """Numbers of the cubes in the order."""
    missed: tuple[CubeRecord, ...] = ()
    """Cubes that could not be opened."""


def read_job(state: StateStore, job_id: str) -> tuple[JobRecord | None, int]:
    """A job and the version of its record; None and 0 where there is none."""
    item = state.get(KIND, job_id)
    return (None, 0) if item is None else (JobRecord.model_validate(item.value), item.version)


def write_job(state: StateStore, record: JobRecord, over: int, now: float) -> int:
    """Write a job over a version of its record; `ObjectChangedError` when it has another."""
    document = record.model_dump(mode="json")
    return state.put(KIND, record.id, document, over=over, expires=now + KEPT_SECONDS)


def change_job(
    state: StateStore, job_id: str, now: float, change: Callable[[JobRecord], JobRecord | None]
) -> JobRecord | None:
    """Change a job as it is by then; None where there is none. `change` gives None to leave it as it is."""
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
    """Records that the cubes of a job have left by now, in the order of the cubes."""
    found = [info.key for info in store.list_objects(bucket, keys.job_records(job_id))]
    with ThreadPoolExecutor(_READS) as pool:
        texts = list(pool.map(lambda key: store.read(bucket, key)[0], found))
    return [CubeRecord.model_validate_json(text) for text in texts]


def read_plan(store: ObjectReader, bucket: str, job_id: str) -> JobPlan:
    """The plan that `plan_job` wrote."""
    return JobPlan.model_validate_json(store.read(bucket, keys.job_plan(job_id))[0])
