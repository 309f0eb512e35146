"""Jobs: orders of cutouts that take longer than a client can wait.

A job's id is the hash of its order, so the same request twice is computed once. The record in the table says that the
job was requested, by whom, and how it ended. The queue says whether it runs or waits. The progress of a running job
follows from the records of its cubes.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Literal, TypeAlias

from tessera_cloud import keys
from tessera_cloud.application.backend import HasJobs
from tessera_cloud.application.cutouts.order import CutoutOrder
from tessera_cloud.application.jobs.plans import CubeRecord, read_cube_records
from tessera_cloud.application.jobs.queue import JobQueue, Place, change_queue, enter, read_queue
from tessera_cloud.application.jobs.records import Asker, JobOutcome, JobRecord, change_job, read_job, write_job
from tessera_cloud.application.jobs.turns import give_up_place, is_over, start_waiting, stop_execution
from tessera_cloud.application.jobs.waiting import find_job
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
ENDED = frozenset({"succeeded", "partial", "failed", "cancelled"})
_ATTEMPTS = 20


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
    token : str
        Token with which the client that asks may cancel; empty in all states that are not an answer to an order.
    """

    record: JobRecord
    phase: Phase
    reason: str = ""
    turn: int = 0
    token: str = ""

    @property
    def key(self) -> str:
        """Key of the archive; empty if there is none, or none yet."""
        return self.record.outcome.key if self.record.outcome else ""


def _status(record: JobRecord, queue: JobQueue, token: str = "") -> JobStatus:
    if record.ended:
        reason = record.outcome.reason if record.outcome else ""
        return JobStatus(record=record, phase=record.ended, reason=reason)
    place = queue.find(record.id)
    if place is not None and place.started is not None:
        return JobStatus(record=record, phase="running", token=token)
    return JobStatus(record=record, phase="queued", turn=queue.turn(record.id), token=token)


def _is_done(record: JobRecord, backend: HasJobs) -> bool:
    """Whether the complete archive of a job still exists."""
    whole = record.ended == "succeeded"
    return whole and exists(backend.store, backend.settings.result_bucket, keys.result(record.id))


def submit(order: CutoutOrder, asker: Asker, backend: HasJobs) -> JobStatus:
    """Let the job of an order wait for its turn, unless it has a place already or its complete archive exists.

    A job begins again if it failed, was cancelled, lacks cubes, or has lost its archive.

    Raises
    ------
    TooManyRequestsError
        If the client has `Settings.client_jobs` jobs that have not ended, or if too many jobs wait.
    TransientError
        If the record of the job changed too often.
    """
    for _ in range(_ATTEMPTS):
        record, version = read_job(backend.state, order.id)
        if record is not None and _is_done(record, backend):
            return _status(record, JobQueue())
        try:
            if record is None and exists(backend.store, backend.settings.result_bucket, keys.result(order.id)):
                return _status(_write_found(order, backend), JobQueue())
            record = _begin(order, asker, record, version, backend)
        except ObjectChangedError:
            continue
        _start_some(backend)
        return _status(record, read_queue(backend.state), record.token_of(asker.client))
    raise TransientError(f"job {order.id} changed {_ATTEMPTS} times while it was written")


def _write_found(order: CutoutOrder, backend: HasJobs) -> JobRecord:
    """Write the record of a job whose archive was made while another client waited."""
    now, n_cubes = backend.now().timestamp(), len(order.cubes)
    outcome = JobOutcome(status="succeeded", finished=now, key=keys.result(order.id), n_succeeded=n_cubes)
    record = JobRecord(id=order.id, created=now, n_cubes=n_cubes, outcome=outcome)
    write_job(backend.state, record, 0, now)
    return record


def _begin(order: CutoutOrder, asker: Asker, record: JobRecord | None, version: int, backend: HasJobs) -> JobRecord:
    """Give a job a place in the queue, and then a record; or let a client join it.

    The place comes first, because a place without a record is given up after a minute, and a record without a place
    would never start.
    """
    state, now = backend.state, backend.now().timestamp()
    runs = record is not None and record.ended is None
    attempt = (record.attempt + (not runs)) if record else 1
    created = record.created if record is not None and runs else now
    wanted = Place(job=order.id, attempt=attempt, created=created, clients=(asker.client,))
    place = _enter(order, wanted, backend)
    if record is None or record.ended is not None or place.attempt != record.attempt:
        record = JobRecord(
            id=order.id, created=place.created, attempt=place.attempt, n_cubes=len(order.cubes), askers=(asker,)
        )
        write_job(state, record, version, now)
        return record
    joined = change_job(state, order.id, now, lambda known: None if known.ended else known.with_asker(asker))
    if joined is None or joined.ended:
        raise ObjectChangedError(f"job {order.id} ended while a client joined it")
    return joined


def _enter(order: CutoutOrder, wanted: Place, backend: HasJobs) -> Place:
    """Write the order, and enter the queue. What has ended and is still in the queue does not count."""
    state, client, most = backend.state, wanted.clients[0], backend.settings.client_jobs
    queue = read_queue(state)
    if queue.find(order.id) is None:
        try:
            queue.check_room(client, most)
        except TooManyRequestsError:
            _drop_ended(client, queue, backend)
            read_queue(state).check_room(client, most)
        order_key = keys.job_order(order.id)
        backend.store.write(backend.settings.result_bucket, order_key, order.model_dump_json().encode())
    return enter(state, wanted, most)


def _drop_ended(client: str, queue: JobQueue, backend: HasJobs) -> None:
    now = backend.now().timestamp()
    for place in queue.places:
        if client in place.clients and is_over(place, backend, now):
            give_up_place(place.job, place.attempt, backend)


def _start_some(backend: HasJobs) -> None:
    """Start what waits. If that fails for now, the sweep of the next minute does it."""
    try:
        start_waiting(backend, backend.settings.cutout_job_machine)
    except TransientError:
        return


def job_status(job_id: str, backend: HasJobs) -> JobStatus:
    """Find the current state of a job.

    Raises
    ------
    NotFoundError
        If nobody has requested the job, or if its record has expired.
    """
    record = find_job(job_id, backend)
    return _status(record, JobQueue() if record.ended else read_queue(backend.state))


def cube_records(job_id: str, backend: HasJobs) -> list[CubeRecord]:
    """Records that the cubes of a job have left so far."""
    return read_cube_records(backend.store, backend.settings.result_bucket, job_id)


def cancel(job_id: str, token: str, backend: HasJobs) -> JobStatus:
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
    found = find_job(job_id, backend)
    if found.ended:
        allowed = "a job that is queued or running"
        message = f"job {job_id} is {found.ended}; allowed: {allowed}"
        raise ConflictError(message, parameter="job", value=job_id, allowed=allowed)
    clients = [asker.client for asker in found.askers if compare_digest(asker.token.encode(), token.encode())]
    if not clients:
        allowed = "the cancel_token of the answer to your request for the job"
        raise NotAllowedError(
            f"cancel_token is not one of this job; allowed: {allowed}", parameter="cancel_token", allowed=allowed
        )
    record = change_job(
        backend.state, job_id, backend.now().timestamp(), lambda known: _withdrawn(known, found.attempt, clients[0])
    )
    if record is None or record.attempt != found.attempt:
        return job_status(job_id, backend)
    _leave(record, clients[0], backend)
    return job_status(job_id, backend)


def _withdrawn(record: JobRecord, attempt: int, client: str) -> JobRecord | None:
    """The record without a client; cancelled if no client is left."""
    if record.ended or record.attempt != attempt:
        return None
    left = tuple(asker for asker in record.askers if asker.client != client)
    return record.model_copy(update={"askers": left, "cancelled": not left})


def _leave(record: JobRecord, client: str, backend: HasJobs) -> None:
    """Take a client out of the queue, and its job too if the job is cancelled."""
    machine = backend.settings.cutout_job_machine
    place = read_queue(backend.state).find(record.id)
    if record.cancelled and place is not None and place.attempt == record.attempt:
        if place.started is not None:
            stop_execution(place, backend, machine)
        give_up_place(record.id, record.attempt, backend)
        _start_some(backend)
        return

    def without_client(place: Place) -> Place:
        left = tuple(each for each in place.clients if each != client)
        return place.model_copy(update={"clients": left}) if place.job == record.id and left else place

    change_queue(backend.state, lambda queue: queue.replaced(without_client))
