"""Jobs: orders that take longer than a client can wait.

A job's id is the hash of its order, so the same request twice is computed once. The record in the table says that the
job was requested, by whom, and how it ended. The queue says whether it runs or waits. The progress of a running job
follows from the records of its cubes, or of the bands of a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Literal, TypeAlias

from tessera_cloud.application.backend import HasJobs
from tessera_cloud.application.jobs.queue import JobQueue, Place, change_queue, enter, read_queue
from tessera_cloud.application.jobs.records import Asker, JobOutcome, JobRecord, change_job, read_job, write_job
from tessera_cloud.application.jobs.turns import give_up_place, is_over, start_waiting, stop_execution
from tessera_cloud.application.jobs.waiting import find_job
from tessera_cloud.application.jobs.work import Work
from tessera_cloud.application.results import exists
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import (
    ConflictError,
    NotAllowedError,
    ObjectChangedError,
    TooManyRequestsError,
    TransientError,
)

Phase: TypeAlias = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
"""Phases of a job. ``partial`` means that the job ended and some of its cubes failed."""
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a job is asked to make.

    Parameters
    ----------
    id : str
        Id of the job.
    n_cubes : int
        Number of cubes that it works on.
    objects : mapping
        What the functions of the job read, by keys in the bucket of results: the order, for example.
    result_key : str
        Key of the result in the bucket of results.
    by_others : bool
        Whether the result may have been made without a job, so that it is complete without a record.
    """

    id: str
    n_cubes: int
    objects: Mapping[str, bytes]
    result_key: str
    by_others: bool = False


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
    turn : int
        Number of a waiting job in the order of starting, from 1; 0 for other jobs.
    started : float or None
        Time at which a running job was started, in seconds since 1970; None for other jobs.
    token : str
        Token with which the client that asks may cancel; empty in all states that are not an answer to an order.
    """

    record: JobRecord
    phase: Phase
    reason: str = ""
    turn: int = 0
    started: float | None = None
    token: str = ""

    @property
    def key(self) -> str:
        """Key of the result; empty if there is none, or none yet."""
        return self.record.outcome.key if self.record.outcome else ""


def _status(record: JobRecord, queue: JobQueue, token: str = "") -> JobStatus:
    if record.ended:
        reason = record.outcome.reason if record.outcome else ""
        return JobStatus(record=record, phase=record.ended, reason=reason)
    place = queue.find(record.id)
    if place is not None and place.started is not None:
        return JobStatus(record=record, phase="running", started=place.started, token=token)
    return JobStatus(record=record, phase="queued", turn=queue.turn(record.id), token=token)


def _has_result(wanted: Wanted, backend: HasJobs) -> bool:
    return exists(backend.store, backend.settings.result_bucket, wanted.result_key)


def submit(wanted: Wanted, asker: Asker, backend: HasJobs, work: Work) -> JobStatus:
    """Let a job wait for its turn, unless it has a place already or its complete result exists.

    A job begins again if it failed, was cancelled, is not complete, or has lost its result.

    Raises
    ------
    TooManyRequestsError
        If the client has `Work.client_jobs` jobs that have not ended, or if too many jobs wait.
    TransientError
        If the record of the job changed too often.
    """
    for _ in range(_ATTEMPTS):
        record, version = read_job(backend.state, wanted.id)
        if record is not None and record.ended == "succeeded" and _has_result(wanted, backend):
            return _status(record, JobQueue())
        try:
            if record is None and wanted.by_others and _has_result(wanted, backend):
                return _status(_write_found(wanted, backend, work), JobQueue())
            record = _begin(wanted, asker, (record, version), backend, work)
        except ObjectChangedError:
            continue
        _start_some(backend, work)
        return _status(record, read_queue(backend.state, work.queue), record.token_of(asker.client, asker.errand))
    raise TransientError(f"job {wanted.id} changed {_ATTEMPTS} times while it was written")


def _record(wanted: Wanted, created: float, work: Work) -> JobRecord:
    kept = work.kept_seconds
    return JobRecord(id=wanted.id, created=created, n_cubes=wanted.n_cubes, queue=work.queue, kept_seconds=kept)


def _write_found(wanted: Wanted, backend: HasJobs, work: Work) -> JobRecord:
    """Write the record of a job whose archive was made while another client waited."""
    now = backend.now().timestamp()
    outcome = JobOutcome(status="succeeded", finished=now, key=wanted.result_key, n_succeeded=wanted.n_cubes)
    record = _record(wanted, now, work).model_copy(update={"outcome": outcome})
    write_job(backend.state, record, 0, now)
    return record


def _begin(
    wanted: Wanted, asker: Asker, known: tuple[JobRecord | None, int], backend: HasJobs, work: Work
) -> JobRecord:
    """Give a job a place in the queue, and then a record; or let a client join it.

    The place comes first, because a place without a record is given up after a minute, and a record without a place
    would never start.
    """
    record, version = known
    state, now = backend.state, backend.now().timestamp()
    runs = record is not None and record.ended is None
    attempt = (record.attempt + (not runs)) if record else 1
    created = record.created if record is not None and runs else now
    place = Place(job=wanted.id, attempt=attempt, created=created, clients=(asker.client,))
    place = _enter(wanted, place, backend, work)
    if record is None or record.ended is not None or place.attempt != record.attempt:
        update = {"attempt": place.attempt, "askers": (asker,)}
        record = _record(wanted, place.created, work).model_copy(update=update)
        write_job(state, record, version, now)
        return record
    joined = change_job(state, wanted.id, now, lambda job: None if job.ended else job.with_asker(asker))
    if joined is None or joined.ended:
        raise ObjectChangedError(f"job {wanted.id} ended while a client joined it")
    return joined


def _enter(wanted: Wanted, place: Place, backend: HasJobs, work: Work) -> Place:
    """Write what the job reads, and enter the queue. What has ended and is still in the queue does not count."""
    state, client = backend.state, place.clients[0]
    queue = read_queue(state, work.queue)
    if queue.find(wanted.id) is None:
        try:
            queue.check_room(client, work)
        except TooManyRequestsError:
            _drop_ended(client, queue, backend, work)
            read_queue(state, work.queue).check_room(client, work)
        for key, data in wanted.objects.items():
            backend.store.write(backend.settings.result_bucket, key, data)
    return enter(state, place, work)


def _drop_ended(client: str, queue: JobQueue, backend: HasJobs, work: Work) -> None:
    now = backend.now().timestamp()
    for place in queue.places:
        if client in place.clients and is_over(place, backend, now):
            give_up_place(place.job, place.attempt, backend, work)


def _start_some(backend: HasJobs, work: Work) -> None:
    """Start what waits. If that fails for now, the sweep of the next minute does it."""
    try:
        start_waiting(backend, work)
    except TransientError:
        return


def job_status(job_id: str, backend: HasJobs, work: Work) -> JobStatus:
    """Find the current state of a job.

    Raises
    ------
    NotFoundError
        If nobody has requested the job, or if its record has expired.
    """
    record = find_job(job_id, backend, work)
    return _status(record, JobQueue() if record.ended else read_queue(backend.state, work.queue))


def cancel(job_id: str, token: str, backend: HasJobs, work: Work) -> JobStatus:
    """Withdraw a client from a job. The job stops when all clients that asked for it have withdrawn.

    Raises
    ------
    NotFoundError
        If there is no such job.
    ConflictError
        If the job has ended.
    NotAllowedError
        If the token is not one of those that the answers to requests for the job gave.
    """
    found = find_job(job_id, backend, work)
    if found.ended:
        allowed = f"a {work.noun} that is queued or running"
        message = f"{work.noun} {job_id} is {found.ended}; allowed: {allowed}"
        raise ConflictError(message, parameter="job", value=job_id, allowed=allowed)
    askers = [asker for asker in found.askers if asker.client and compare_digest(asker.token.encode(), token.encode())]
    if not askers:
        allowed = f"the cancel_token of the answer to your request for the {work.noun}"
        message = f"cancel_token is not one of this {work.noun}; allowed: {allowed}"
        raise NotAllowedError(message, parameter="cancel_token", allowed=allowed)
    record = change_job(
        backend.state, job_id, backend.now().timestamp(), lambda known: _withdrawn(known, found.attempt, askers[0])
    )
    if record is None or record.attempt != found.attempt:
        return job_status(job_id, backend, work)
    _leave(record, askers[0].client, backend, work)
    return job_status(job_id, backend, work)


def _withdrawn(record: JobRecord, attempt: int, gone: Asker) -> JobRecord | None:
    """The record without a client or one of its errands; cancelled if nobody is left."""
    if record.ended or record.attempt != attempt:
        return None
    left = tuple(asker for asker in record.askers if asker != gone)
    return record.model_copy(update={"askers": left, "cancelled": not left})


def _leave(record: JobRecord, client: str, backend: HasJobs, work: Work) -> None:
    """Take a client out of the queue, and its job too if the job is cancelled."""
    place = read_queue(backend.state, work.queue).find(record.id)
    if record.cancelled and place is not None and place.attempt == record.attempt:
        if place.started is not None:
            stop_execution(place, backend, work)
        give_up_place(record.id, record.attempt, backend, work)
        _start_some(backend, work)
        return

    if any(asker.client == client for asker in record.askers):
        return

    def without_client(place: Place) -> Place:
        left = tuple(each for each in place.clients if each != client)
        return place.model_copy(update={"clients": left}) if place.job == record.id and left else place

    change_queue(backend.state, work.queue, lambda queue: queue.replaced(without_client))
