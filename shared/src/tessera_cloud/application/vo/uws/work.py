"""What UWS jobs do: they begin our jobs, follow them, withdraw from them, and end.

Each function may be called twice, and may die anywhere: whoever looks at the job next, or the sweep, goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tessera_cloud import keys
from tessera_cloud.application.backend import HasJobs
from tessera_cloud.application.jobs.queue import JobQueue, read_queue
from tessera_cloud.application.jobs.records import Asker, JobRecord, read_job
from tessera_cloud.application.jobs.submit import Wanted, cancel, submit
from tessera_cloud.application.jobs.work import Work
from tessera_cloud.application.switch import read_switch
from tessera_cloud.application.vo.uws.records import (
    GENERAL,
    PENDING,
    UNAVAILABLE,
    UwsJob,
    UwsPart,
    change_uws,
    read_uws,
)
from tessera_cloud.application.vo.uws.watch import read_watched, unwatch, watch
from tessera_cloud.errors import (
    ConflictError,
    NotAllowedError,
    NotFoundError,
    TooManyRequestsError,
    TransientError,
)

QUEUED: Final = "QUEUED"
EXECUTING: Final = "EXECUTING"
COMPLETED: Final = "COMPLETED"
ERROR: Final = "ERROR"
ABORTED: Final = "ABORTED"
RUNNING = (QUEUED, EXECUTING)
"""Phases of jobs that were started and have not ended."""
_MOST_CHARACTERS = 5000
_SETTLED_SECONDS = 60.0
"""Time after the end of a job for which it is looked after: longer than any function that may still begin its work."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is that runs: its number of cubes, of files so far, and its turn in the queue, 0 if it has none."""

    n_cubes: int
    n_files: int
    turn: int


def progress_of(job: UwsJob, backend: HasJobs, work: Work) -> Progress | None:
    """How far a job is; None if it does not run."""
    if job.phase not in RUNNING:
        return None
    parts = [part for part in job.parts if part.job]
    store, bucket = backend.store, backend.settings.result_bucket
    n_files = sum(1 for part in parts for _ in store.list_objects(bucket, keys.job_records(part.job)))
    queue = read_queue(backend.state, work.queue)
    turns = [queue.turn(part.job) for part in parts]
    waits = job.phase == QUEUED and all(turns)
    return Progress(sum(len(part.cubes) for part in parts), n_files, min(turns) if waits and turns else 0)


def begin(job: UwsJob, parts: Sequence[UwsPart], backend: HasJobs, work: Work) -> UwsJob:
    """Start a job, unless somebody else was faster.

    Parameters
    ----------
    job : UwsJob
        The job.
    parts : sequence of UwsPart
        Its work. What our jobs read is already in the bucket of results.
    backend : HasJobs
        Ports and settings.
    work : Work
        Kind of our jobs.

    Raises
    ------
    TooManyRequestsError
        If too many jobs of the client, or of all clients, are queued or run.
    """
    now = backend.now().timestamp()
    if any(part.job for part in parts):
        watch(job.name, now, backend.state)

    def start(known: UwsJob) -> UwsJob | None:
        if known.phase != PENDING or known.deleted:
            return None
        return known.changed(phase=QUEUED, requested=now, parts=tuple(parts))

    return look(change_uws(job.name, backend.state, start), backend, work)


def fail(job: UwsJob, reason: str, fault: str, backend: HasJobs) -> UwsJob:
    """End a job that cannot be started, because its parameters are wrong; `fault` is a word of SODA for that."""
    now = backend.now().timestamp()

    def end(known: UwsJob) -> UwsJob | None:
        if known.phase != PENDING:
            return None
        return known.changed(phase=ERROR, requested=now, started=now, ended=now, reason=reason, fault=fault)

    return change_uws(job.name, backend.state, end)


def look(job: UwsJob, backend: HasJobs, work: Work) -> UwsJob:
    """Find out what has become of a job. If it has ended, record its results; if it runs too long, stop it."""
    job, records = _follow(job, backend, work)
    return job if records is None else _settle(job, records, backend)


def _follow(job: UwsJob, backend: HasJobs, work: Work) -> tuple[UwsJob, list[JobRecord | None] | None]:
    """The job as it is now, and the records of its parts if all of them have ended, which the job does not say yet."""
    if job.phase not in RUNNING:
        return job, None
    job = _submit_missing(job, backend, work)
    if job.phase not in RUNNING:
        return job, None
    queue = read_queue(backend.state, work.queue)
    records = [read_job(backend.state, part.job)[0] if part.job else None for part in job.parts]
    ended = [_has_ended(part, record) for part, record in zip(job.parts, records, strict=True)]
    if all(ended):
        return job, records
    started = _started(job, queue, records, ended)
    now = backend.now().timestamp()
    if started is not None and job.duration and now - started > job.duration:
        reason = f"it ran for more than {job.duration} seconds, its execution duration"
        return abort(job, reason, backend, work), None
    phase = QUEUED if started is None else EXECUTING
    return _written(job, backend, phase=phase, started=started), None


def _written(job: UwsJob, backend: HasJobs, **fields: object) -> UwsJob:
    """Write fields of a job that runs, unless it has ended meanwhile."""
    if all(getattr(job, name) == value for name, value in fields.items()):
        return job
    return change_uws(
        job.name, backend.state, lambda known: known.changed(**fields) if known.phase in RUNNING else None
    )


def _has_ended(part: UwsPart, record: JobRecord | None) -> bool:
    if not part.job:
        return True
    return part.submitted and (record is None or record.ended is not None)


def _started(job: UwsJob, queue: JobQueue, records: Sequence[JobRecord | None], ended: Sequence[bool]) -> float | None:
    """When the first part began; None if none has."""
    if job.started is not None:
        return job.started
    requested = job.requested or job.created
    places = [queue.find(part.job) for part in job.parts if part.submitted]
    times = [place.started for place in places if place is not None and place.started is not None]
    times += [record.created for record, over in zip(records, ended, strict=True) if over and record is not None]
    times += [requested for part in job.parts if not part.job]
    return max(requested, min(times)) if times else None


def _submit_missing(job: UwsJob, backend: HasJobs, work: Work) -> UwsJob:
    """Give the parts that have none a place among our jobs, as far as the queue has room."""
    missing = [part for part in job.parts if part.job and not part.submitted]
    if not missing or read_switch(backend.state).paused:
        return job
    done = set[str]()
    for part in missing:
        wanted = Wanted(part.job, len(part.cubes), {}, keys.result(part.job))
        asker = Asker(client=job.owner, token=part.token, errand=job.id)
        try:
            submit(wanted, asker, backend, work)
        except (TooManyRequestsError, TransientError):
            break
        done.add(part.job)

    def mark(known: UwsJob) -> UwsJob | None:
        parts = (part.model_copy(update={"submitted": True}) if part.job in done else part for part in known.parts)
        return known.changed(parts=tuple(parts))

    job = change_uws(job.name, backend.state, mark)
    if job.phase not in RUNNING or job.deleted:  # stopped while its parts were handed in
        release(job, backend, work)
    return job


def _settle(job: UwsJob, records: Sequence[JobRecord | None], backend: HasJobs) -> UwsJob:
    """Record the end of a job whose parts have ended."""
    from tessera_cloud.application.vo.uws.results import collect  # noqa: PLC0415 - brings numpy; the sweep needs none

    found = collect(job.parts, records, backend)
    requested = job.requested or job.created
    times = [record.outcome.finished for record in records if record is not None and record.outcome is not None]
    ended = max([requested, *times])
    kept = [record.kept_until for record in records if record is not None]
    good = not found.interrupted and (bool(found.files) or not found.failures)
    started = job.started or _started(job, JobQueue(), records, [True] * len(records)) or requested
    job = _written(
        job,
        backend,
        phase=COMPLETED if good else ERROR,
        started=min(started, ended),
        ended=ended,
        destruction=min([job.destruction, *kept]),
        results=(*found.files, *found.texts),
        reason="; ".join(found.failures)[:_MOST_CHARACTERS],
        fault=UNAVAILABLE if found.interrupted else GENERAL,
    )
    if any(part.job for part in job.parts):
        unwatch({job.name}, backend.state)
    return job


def abort(job: UwsJob, reason: str, backend: HasJobs, work: Work) -> UwsJob:
    """Abort a job that has not ended, and withdraw from our jobs."""
    now = backend.now().timestamp()

    def end(known: UwsJob) -> UwsJob | None:
        if known.phase != PENDING and known.phase not in RUNNING:
            return None
        return known.changed(phase=ABORTED, ended=now, reason=reason)

    job = change_uws(job.name, backend.state, end)
    if job.phase == ABORTED:
        release(job, backend, work)
    return job


def delete(job: UwsJob, backend: HasJobs, work: Work) -> None:
    """Forget a job, and withdraw from our jobs."""
    now = backend.now().timestamp()

    def mark(known: UwsJob) -> UwsJob:
        return known.changed(deleted=True, destruction=min(known.destruction, now))

    job = change_uws(job.name, backend.state, mark)
    release(job, backend, work)


def release(job: UwsJob, backend: HasJobs, work: Work) -> None:
    """Withdraw from those of our jobs that have not ended. They stop if nobody else wants them."""
    for part in job.parts:
        if not part.job:
            continue
        try:
            cancel(part.job, part.token, backend, work)
        except (NotFoundError, ConflictError, NotAllowedError):  # not begun, ended, or withdrawn before
            continue


def _has_no_room(job: UwsJob, queue: JobQueue, work: Work) -> bool:
    """Whether a job waits as a whole, because its client has as many of our jobs as it may have."""
    waits = job.phase == QUEUED and not any(part.submitted for part in job.parts)
    return waits and queue.share(job.owner) >= work.client_jobs


def sweep_uws(backend: HasJobs, work: Work) -> int:
    """Look after all jobs that run: begin what waits, and stop what ran too long or is not wanted any more.

    Results are recorded when somebody asks for them, because the function that sweeps is small.

    Returns
    -------
    int
        Number of jobs that need nobody any more.

    Raises
    ------
    Exception
        The first error that is not about one moment, after all other jobs were looked after.
    """
    now, done, errors = backend.now().timestamp(), set[str](), list[Exception]()
    queue = read_queue(backend.state, work.queue)
    for watched in read_watched(backend.state).jobs:
        try:
            job = read_uws(watched.name, backend.state)
            if job is not None and _has_no_room(job, queue, work) and not job.is_gone(now):
                continue
            if job is None or _needs_nobody(job, watched.since, now, backend, work):
                done.add(watched.name)
        except (TransientError, NotFoundError):  # the sweep of the next minute looks again
            continue
        except Exception as error:  # noqa: BLE001 - one job must not keep the others waiting; raised below
            errors.append(error)
    if done:
        unwatch(done, backend.state)
    if errors:
        raise errors[0]
    return len(done)


def _needs_nobody(job: UwsJob, since: float, now: float, backend: HasJobs, work: Work) -> bool:
    """Whether nobody has to look after a job any more. What it still needs is done."""
    if not job.is_gone(now):
        job, records = _follow(job, backend, work)
        if records is not None:
            return True
        if job.phase in RUNNING:
            return False
    release(job, backend, work)
    return now - max(since, job.ended or 0.0) > _SETTLED_SECONDS
