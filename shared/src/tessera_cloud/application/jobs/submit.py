"""Jobs: orders of cutouts that take longer than a client can wait.

A job's id is the hash of its order, so the same request twice is computed once. The record in the table says that the
job was requested, and how it ended. The progress of a running job follows from its execution and the records of its
cubes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, TypeAlias

from tessera_cloud import keys
from tessera_cloud.application.backend import HasJobs
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.jobs.records import (
    CubeRecord,
    JobOutcome,
    JobRecord,
    change_job,
    read_cube_records,
    read_job,
    write_job,
)
from tessera_cloud.application.results import exists
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import BusyError, ConflictError, NotFoundError, ObjectChangedError, TransientError, message_of
from tessera_cloud.ports import Execution

Phase: TypeAlias = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
"""Phases of a job. ``partial`` means that the job ended and some of its cubes failed."""
ENDED = frozenset({"succeeded", "partial", "failed", "cancelled"})
POLL_SECONDS = 1.0
MOST_JOBS = 20
"""Largest number of jobs that run at the same time, of all users together."""
_ATTEMPTS = 5
_JOB_ID = re.compile(r"[0-9a-f]{32}")


class JobStatus(Wire):
    """Current state of a job.

    Parameters
    ----------
    record : JobRecord
        Record in the table.
    phase : str
        Phase of the job.
    reason : str
        Reason why the job failed; empty otherwise.
    """

    record: JobRecord
    phase: Phase
    reason: str = ""

    @property
    def key(self) -> str:
        """Key of the archive; empty if there is none, or none yet."""
        return self.record.outcome.key if self.record.outcome else ""


def _phase(record: JobRecord, backend: HasJobs) -> JobStatus:
    if record.cancelled:
        return JobStatus(record=record, phase="cancelled")
    if record.outcome:
        return JobStatus(record=record, phase=record.outcome.status, reason=record.outcome.reason)
    execution = backend.executions.describe(backend.settings.cutout_job_machine, record.execution)
    if execution is None:
        return JobStatus(record=record, phase="queued")
    if execution.status in ("RUNNING", "SUCCEEDED"):  # an execution writes the outcome before it succeeds
        return JobStatus(record=record, phase="running")
    if execution.status == "ABORTED":
        return JobStatus(record=record, phase="cancelled")
    return JobStatus(record=record, phase="failed", reason=_failure(execution))


def _failure(execution: Execution) -> str:
    """Reason for the user why an execution failed.

    The execution itself has the name of the error, for operators.
    """
    if "TIMED_OUT" in execution.status or "Timeout" in execution.error:
        return "the job took too long"
    return message_of(execution.cause)[:500] or "a defect of the service"


def _start(record: JobRecord, backend: HasJobs) -> None:
    machine = backend.settings.cutout_job_machine
    backend.executions.start(machine, record.execution, {"job": record.id, "attempt": record.attempt})


def _is_done(record: JobRecord, backend: HasJobs) -> bool:
    """Whether the complete archive of a job still exists."""
    whole = record.outcome is not None and record.outcome.status == "succeeded" and not record.cancelled
    return whole and exists(backend.store, backend.settings.result_bucket, keys.result(record.id))


def submit(order: CutoutOrder, backend: HasJobs) -> JobStatus:
    """Start the job of an order, unless it is running or its complete archive exists.

    A job starts again if it failed, was cancelled, lacks cubes, or has lost its archive.

    Raises
    ------
    BusyError
        If `MOST_JOBS` jobs are running.
    TransientError
        If the record of the job changed too often.
    """
    bucket, now = backend.settings.result_bucket, backend.now().timestamp()
    for _ in range(_ATTEMPTS):
        record, version = read_job(backend.state, order.id)
        if record is not None:
            status = _phase(record, backend)
            if status.phase == "queued":
                _start(record, backend)
            if status.phase in ("queued", "running") or _is_done(record, backend):
                return status
        found = record is None and exists(backend.store, bucket, keys.result(order.id))
        attempt = record.attempt + 1 if record else 1
        record = JobRecord(id=order.id, created=now, attempt=attempt, n_cubes=len(order.cubes))
        if found:
            record = _ended(record, now)
        else:
            _check_capacity(backend)
            backend.store.write(bucket, keys.job_order(order.id), order.model_dump_json().encode())
        try:
            write_job(backend.state, record, version, now)
        except ObjectChangedError:
            continue
        if not found:
            _start(record, backend)
        return JobStatus(record=record, phase="succeeded" if found else "queued")
    raise TransientError(f"job {order.id} changed {_ATTEMPTS} times while it was written")


def _check_capacity(backend: HasJobs) -> None:
    """Check that fewer than `MOST_JOBS` jobs are running. There is no other limit on what jobs may cost."""
    running = backend.executions.list_executions(backend.settings.cutout_job_machine, status="RUNNING", count=MOST_JOBS)
    if len(running) >= MOST_JOBS:
        raise BusyError(f"{MOST_JOBS} jobs are running, and no more can start now; try again in some minutes")


def _ended(record: JobRecord, now: float) -> JobRecord:
    """Record of a job whose archive was made while another client waited."""
    outcome = JobOutcome(status="succeeded", finished=now, key=keys.result(record.id), n_succeeded=record.n_cubes)
    return record.model_copy(update={"outcome": outcome})


def job_status(job_id: str, backend: HasJobs) -> JobStatus:
    """Find the current state of a job.

    Raises
    ------
    NotFoundError
        If nobody has requested the job, or if its record has expired.
    """
    known = _JOB_ID.fullmatch(job_id) is not None  # the table refuses longer names
    record = read_job(backend.state, job_id)[0] if known else None
    if record is None or backend.now().timestamp() >= record.kept_until:
        allowed = "the id of a job of the last 24 hours"
        raise NotFoundError.named("job", job_id, allowed)
    return _phase(record, backend)


def cube_records(job_id: str, backend: HasJobs) -> list[CubeRecord]:
    """Records that the cubes of a job have left so far."""
    return read_cube_records(backend.store, backend.settings.result_bucket, job_id)


def cancel(job_id: str, backend: HasJobs) -> JobStatus:
    """Stop a job.

    Raises
    ------
    NotFoundError
        If there is no such job.
    ConflictError
        If the job has ended.
    """
    status = job_status(job_id, backend)
    if status.phase in ENDED:
        message = f"job {job_id} is {status.phase}; allowed: a job that is queued or running"
        raise ConflictError(message, parameter="job", value=job_id, allowed="a job that is queued or running")

    def stop(record: JobRecord) -> JobRecord | None:
        return None if record.outcome else record.model_copy(update={"cancelled": True})

    record = change_job(backend.state, job_id, backend.now().timestamp(), stop)
    if record is None or record.outcome:
        return job_status(job_id, backend)
    machine = backend.settings.cutout_job_machine
    if backend.executions.describe(machine, record.execution):
        backend.executions.stop(machine, record.execution, "cancelled by a user")
    return JobStatus(record=record, phase="cancelled")


def wait(
    job_id: str, backend: HasJobs, *, seconds: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> JobStatus:
    """Wait until a job ends, for at most `seconds` seconds, and return its state.

    While waiting, only the record is read, because AWS allows few descriptions of executions per second and account.

    Parameters
    ----------
    job_id : str
        Id of the job.
    backend : HasJobs
        Ports and settings.
    seconds : float
        Longest time to wait.
    clock : callable
        Returns seconds that never decrease.
    sleep : callable
        Waits for a number of seconds.
    """
    deadline = clock() + seconds
    status = job_status(job_id, backend)
    if status.phase in ENDED:
        return status
    while clock() + POLL_SECONDS <= deadline:
        sleep(POLL_SECONDS)
        record, _ = read_job(backend.state, job_id)
        if record is None or record.outcome or record.cancelled:
            break
    return job_status(job_id, backend)
