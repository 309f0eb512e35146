"""Start the jobs that wait, when others end.

Each function may be called twice, and may die anywhere. A job's place says that it was started before its execution is
started, and the outcome is written before the place is given up. So `sweep`, which a schedule calls, finds what is
missing.
"""

from __future__ import annotations

from itertools import islice
from typing import Annotated

from pydantic import Field

from tessera_cloud.application.backend import HasJobs
from tessera_cloud.application.jobs.queue import JobQueue, Place, change_queue, read_queue
from tessera_cloud.application.jobs.records import JobId, JobOutcome, JobRecord, JobRef, change_job, read_job
from tessera_cloud.application.jobs.work import QueueName, Work, work_of
from tessera_cloud.application.switch import CAUSE, read_switch
from tessera_cloud.contracts import TaskFailure, Wire
from tessera_cloud.errors import ObjectMissingError, message_of


class TendTask(Wire):
    """Input of tend_jobs: a job that failed, or only the machine, which a schedule sends.

    Parameters
    ----------
    machine : str
        ARN of the state machine.
    queue : str
        Queue of its jobs.
    job, attempt : str, int
        The job that failed.
    error : TaskFailure or None
        Why it failed.
    """

    machine: str
    queue: QueueName = "queue"
    job: JobId | None = None
    attempt: Annotated[int, Field(ge=1)] = 1
    error: TaskFailure | None = None


UNWRITTEN_SECONDS = 60.0
"""Time after which a place without a record is given up, in seconds: the request for the job died."""


def start_waiting(backend: HasJobs, work: Work) -> list[str]:
    """Start jobs that wait, as long as fewer than `Work.max_jobs` run, and none while the service is paused.

    Parameters
    ----------
    backend : HasJobs
        Ports and settings.
    work : Work
        Kind of the jobs.

    Returns
    -------
    list of str
        Ids of the jobs.
    """
    if read_switch(backend.state).paused:
        return []
    now = backend.now().timestamp()
    alive: list[Place] = []

    def mark(queue: JobQueue) -> JobQueue:
        free = work.max_jobs - len(queue.started)
        chosen = list(islice(queue.in_turn(), max(0, free)))
        alive[:] = (place for place in chosen if not is_over(place, backend, now))
        return _with_starts(queue, chosen, alive, now)

    change_queue(backend.state, work.queue, mark)
    for place in alive:
        _start(place, backend, work)
    return [place.job for place in alive]


def _with_starts(queue: JobQueue, chosen: list[Place], alive: list[Place], now: float) -> JobQueue:
    left = queue.without(lambda place: place in chosen and place not in alive)
    return left.replaced(lambda place: place.model_copy(update={"started": now}) if place in alive else place)


def _start(place: Place, backend: HasJobs, work: Work) -> bool:
    return backend.executions.start(work.machine, place.execution, {"job": place.job, "attempt": place.attempt})


def _record_of(place: Place, backend: HasJobs) -> JobRecord | None:
    """Record of the attempt that has a place; None if there is none."""
    record, _ = read_job(backend.state, place.job)
    return record if record is not None and record.attempt == place.attempt else None


def is_over(place: Place, backend: HasJobs, now: float) -> bool:
    """Whether a job has ended, or the request for it died before it wrote a record."""
    record = _record_of(place, backend)
    return now - place.created > UNWRITTEN_SECONDS if record is None else record.ended is not None


def give_up_place(job: str, attempt: int, backend: HasJobs, work: Work) -> None:
    """Remove a job from its queue. It is no error if it has no place."""

    def without(queue: JobQueue) -> JobQueue:
        return queue.without(lambda place: (place.job, place.attempt) == (job, attempt))

    change_queue(backend.state, work.queue, without)


def _reason(error: str, cause: str) -> str:
    """Reason for the user why a job failed. The execution itself has the name of the error, for operators."""
    if "Timeout" in error or error == "TIMED_OUT":
        return "the job took too long"
    if error in ("ABORTED", "Stopped"):
        return "the service was paused; ask again" if cause.startswith(CAUSE) else "an operator stopped the job"
    return message_of(cause)[:500] or "a defect of the service"


def end_job(ref: JobRef, outcome: JobOutcome, backend: HasJobs, work: Work) -> None:
    """Record how a job ended unless it was cancelled, give up its place, and start the jobs whose turn it is.

    Parameters
    ----------
    ref : JobRef
        The job.
    outcome : JobOutcome
        How it ended.
    backend : HasJobs
        Ports and settings.
    work : Work
        Kind of the job.
    """

    def end(record: JobRecord) -> JobRecord | None:
        if record.attempt != ref.attempt or record.cancelled:
            return None
        return record.model_copy(update={"outcome": outcome})

    change_job(backend.state, ref.job, outcome.finished, end)
    give_up_place(ref.job, ref.attempt, backend, work)
    if work.machine:  # an execution of the release before does not send it; the sweep starts the next jobs
        start_waiting(backend, work)


def fail(ref: JobRef, reason: str, backend: HasJobs, work: Work) -> None:
    """Record that a job failed, unless it has ended, and give up its place.

    Parameters
    ----------
    ref : JobRef
        The job.
    reason : str
        Reason for the user.
    backend : HasJobs
        Ports and settings.
    work : Work
        Kind of the job.
    """
    now = backend.now().timestamp()
    outcome = JobOutcome(status="failed", finished=now, reason=reason)

    def end(record: JobRecord) -> JobRecord | None:
        if record.attempt != ref.attempt or record.ended:
            return None
        return record.model_copy(update={"outcome": outcome})

    change_job(backend.state, ref.job, now, end)
    give_up_place(ref.job, ref.attempt, backend, work)


def tend(task: TendTask, backend: HasJobs) -> int:
    """Record the job that failed, if there is one, and sweep.

    Returns
    -------
    int
        Number of other jobs that had ended without giving up their places.
    """
    work = work_of(task.queue, backend.settings, task.machine)
    if task.job is not None:
        error, cause = (task.error.error, task.error.cause) if task.error else ("", "")
        fail(JobRef(job=task.job, attempt=task.attempt), _reason(error, cause), backend, work)
    return sweep(backend, work)


def sweep(backend: HasJobs, work: Work) -> int:
    """Compare the jobs that were started with their executions, and put right what a task that died has left.

    An execution that is missing is started. A job whose execution ended without an outcome, because it took too long or
    was stopped, fails. Then the jobs that wait are started.

    Returns
    -------
    int
        Number of places that were given up.
    """
    queue = read_queue(backend.state, work.queue)
    ended = [place for place in queue.started if _has_ended(place, backend, work)]
    for place in ended:
        give_up_place(place.job, place.attempt, backend, work)
    start_waiting(backend, work)
    return len(ended)


def _has_ended(place: Place, backend: HasJobs, work: Work) -> bool:
    """Whether a job that was started needs its place no longer. Its outcome is written if it is missing."""
    record = _record_of(place, backend)
    if is_over(place, backend, backend.now().timestamp()):
        if record is None or record.cancelled:
            stop_execution(place, backend, work)
        return True
    execution = backend.executions.describe(work.machine, place.execution)
    if execution is None:
        if not read_switch(backend.state).paused:
            _start(place, backend, work)
    elif execution.status != "RUNNING":
        error = execution.status if execution.status == "ABORTED" else execution.error or execution.status
        reason = _reason(error, execution.cause)
        fail(JobRef(job=place.job, attempt=place.attempt), reason, backend, work)
        return True
    return False


def stop_execution(place: Place, backend: HasJobs, work: Work) -> None:
    """Stop the execution of a job. It is no error if there is none."""
    try:
        backend.executions.stop(work.machine, place.execution, "cancelled by all who asked for it")
    except ObjectMissingError:
        return
