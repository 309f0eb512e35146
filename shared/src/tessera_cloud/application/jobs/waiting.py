"""Wait for the end of a job, from its record alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from tessera.errors import shown
from tessera_cloud.application.backend import HasClock, HasState
from tessera_cloud.application.jobs.records import ID_PATTERN, JobRecord, read_job
from tessera_cloud.application.jobs.work import Work
from tessera_cloud.errors import CounterFullError, NotFoundError, TransientError
from tessera_cloud.settings import Settings

KIND = "jobs"
"""Kind of the counters of clients that wait."""
POLL_SECONDS = 1.0
UNRESERVED = 4
"""Largest number of clients that are held if no concurrency is reserved: a new AWS account has ten in all."""
EPOCH_SECONDS = 300
"""Time that a counter is used, in seconds. Who dies while waiting is counted no longer than this."""
_OVERLAP_SECONDS = 30


class HasRecords(HasState, HasClock, Protocol):
    """The records of jobs."""

    @property
    def settings(self) -> Settings:
        """Limits."""


def find_job(job_id: str, backend: HasRecords, work: Work) -> JobRecord:
    """Read the record of a job.

    Raises
    ------
    NotFoundError
        If nobody has requested such a job, or if its record has expired.
    """
    known = re.fullmatch(ID_PATTERN, job_id) is not None  # the table refuses longer names
    record = read_job(backend.state, job_id)[0] if known else None
    if record is None or record.queue != work.queue or backend.now().timestamp() >= record.kept_until:
        message = f"there is no {work.noun} {shown(job_id)}; allowed: {work.known_ids}"
        raise NotFoundError(message, parameter="job", value=job_id, allowed=work.known_ids)
    return record


def most_held(settings: Settings) -> int:
    """Largest number of clients that are held at the same time.

    A fifth of the reserved concurrency stays free for clients that are answered at once.
    """
    return max(1, settings.wait_concurrency * 4 // 5) if settings.wait_concurrency else UNRESERVED


@contextmanager
def held(backend: HasRecords, counter: str = "waiting", most: int | None = None) -> Iterator[bool]:
    """Count a client as waiting; False if as many wait as may.

    The counter has a new name every five minutes. In the first half minute, those that began before count too.

    Parameters
    ----------
    backend : HasRecords
        Records, clock and settings.
    counter : str
        Beginning of the names of the counter. Functions with a counter of the same name share the places.
    most : int, optional
        Largest number of clients; `most_held` by default.
    """
    now, state = backend.now().timestamp(), backend.state
    most = most_held(backend.settings) if most is None else most
    epoch = int(now // EPOCH_SECONDS)
    name = f"{counter}-{epoch}"
    try:
        if now - epoch * EPOCH_SECONDS < _OVERLAP_SECONDS:
            most -= max(0, state.add(KIND, f"{counter}-{epoch - 1}", 0))
        state.add(KIND, name, 1, most=most, expires=now + 2 * EPOCH_SECONDS)
    except CounterFullError:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(TransientError):  # the next counter begins at 0
            state.add(KIND, name, -1)


def wait(
    job_id: str,
    backend: HasRecords,
    work: Work,
    *,
    seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> tuple[JobRecord, bool]:
    """Wait until a job ends, for at most `seconds` seconds, and return its record; at once if `most_held` clients wait.

    Parameters
    ----------
    job_id : str
        Id of the job.
    backend : HasRecords
        Records, clock and settings.
    work : Work
        Kind of the job.
    seconds : float
        Longest time to wait.
    clock : callable
        Returns seconds that never decrease.
    sleep : callable
        Waits for a number of seconds.

    Returns
    -------
    JobRecord
        The record.
    bool
        Whether the client may come again. False if it was not held, because as many wait as may.
    """
    deadline = clock() + seconds
    record = find_job(job_id, backend, work)
    if record.ended:
        return record, True
    with held(backend) as may_wait:
        while may_wait and not record.ended and clock() + POLL_SECONDS <= deadline:
            sleep(POLL_SECONDS)
            record = find_job(job_id, backend, work)
    return record, may_wait
