"""The queue of a kind of jobs: one record that names the jobs that run and those that wait, and their clients.

One record is enough, because each change of it is written under the condition that nobody else has changed it. So the
limits on jobs hold when many requests come at the same moment, and the record says whose place is free when a task
dies. `docs/adr/0036-jobs-wait-in-one-record.md` gives the reasons.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tessera_cloud.application.jobs.records import execution_name
from tessera_cloud.application.jobs.work import QueueName, Work
from tessera_cloud.application.records import update_record
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import TooManyRequestsError
from tessera_cloud.ports import StateStore

KIND = "jobs"
"""Kind of the records of queues."""
MOST_WAITING = 300
"""Largest number of jobs that wait, of all clients together. The record then has about 50 kB."""
MOST_CLIENTS = 5
"""Largest number of clients of a place. A record of DynamoDB has room for 400 kB, so also for 1,300 such places."""
RETRY_SECONDS = 20
"""Time after which a refused client may try again, in seconds."""
_ATTEMPTS = 60


class Place(Wire):
    """Place of a job in the queue.

    Parameters
    ----------
    job, attempt, created : str, int, float
        The job, as in its record.
    clients : tuple of str
        Hashes of the addresses of the first `MOST_CLIENTS` clients that asked for it.
    started : float or None
        Time at which its execution was started, in seconds since 1970; None while it waits.
    """

    job: str
    attempt: int
    created: float
    clients: tuple[str, ...]
    started: float | None = None

    @property
    def execution(self) -> str:
        """Name of the execution."""
        return execution_name(self.job, self.attempt, self.created)


class JobQueue(Wire):
    """Jobs that have not ended, in the order of asking."""

    places: tuple[Place, ...] = ()

    def find(self, job: str) -> Place | None:
        """Place of a job; None if it has none."""
        return next((place for place in self.places if place.job == job), None)

    def share(self, client: str) -> int:
        """Number of jobs of a client that run or wait."""
        return sum(client in place.clients for place in self.places)

    @property
    def started(self) -> list[Place]:
        """Jobs that run."""
        return [place for place in self.places if place.started is not None]

    def in_turn(self) -> Iterator[Place]:
        """Jobs that wait, in the order in which they start.

        The next job is the oldest one of the client that has the fewest running jobs. So a client with many jobs
        delays another client's job by one job at most.
        """
        running = Counter(client for place in self.started for client in place.clients)
        waiting = [(0, number) for number, place in enumerate(self.places) if place.started is None]
        while waiting:
            least, number = waiting[0]
            place = self.places[number]
            fewest = min((running[client] for client in place.clients), default=0)
            if fewest > least:  # numbers of running jobs only grow, so what stands here is the least that they can be
                heapq.heapreplace(waiting, (fewest, number))
                continue
            heapq.heappop(waiting)
            running.update(place.clients)
            yield place

    def turn(self, job: str) -> int:
        """Number of a waiting job in the order of starting, from 1; 0 if it does not wait."""
        return next((number for number, place in enumerate(self.in_turn(), 1) if place.job == job), 0)

    def check_room(self, client: str, work: Work) -> None:
        """Check that a client may have another job.

        Raises
        ------
        TooManyRequestsError
            If the client has `Work.client_jobs` jobs, or if `MOST_WAITING` jobs wait.
        """
        most, jobs = work.client_jobs, f"{work.noun}s"
        if self.share(client) >= most:
            have = f"you have {most} {jobs} that have not ended"
            message = f"{have}; allowed: at most {most}; try again when one has ended"
            raise TooManyRequestsError(message, retry_seconds=RETRY_SECONDS)
        if len(self.places) - len(self.started) >= MOST_WAITING:
            message = f"{MOST_WAITING} {jobs} wait already; allowed: at most {MOST_WAITING}; try again in some minutes"
            raise TooManyRequestsError(message, retry_seconds=RETRY_SECONDS)

    def without(self, gone: Callable[[Place], bool]) -> JobQueue:
        """The queue without some jobs."""
        return self._with(place for place in self.places if not gone(place))

    def with_last(self, place: Place) -> JobQueue:
        """The queue with another job at its end."""
        return self._with((*self.places, place))

    def _with(self, places: Iterable[Place]) -> JobQueue:
        """The queue with other places. What a later release has added stays."""
        return self.model_copy(update={"places": tuple(places)})

    def replaced(self, change: Callable[[Place], Place]) -> JobQueue:
        """The queue with each place changed."""
        return self._with(map(change, self.places))


def read_queue(state: StateStore, name: QueueName) -> JobQueue:
    """Read a queue by its name."""
    item = state.get(KIND, name)
    return JobQueue() if item is None else JobQueue.model_validate(item.value)


def change_queue(state: StateStore, name: QueueName, change: Callable[[JobQueue], JobQueue]) -> JobQueue:
    """Change a queue, and write it unless it has changed meanwhile; otherwise do it again.

    Parameters
    ----------
    state : StateStore
        Store of the record.
    name : str
        Name of the queue.
    change : callable
        Gets the queue and returns the new one. It may be called several times.

    Returns
    -------
    JobQueue
        The queue after the change.

    Raises
    ------
    TransientError
        If others were faster each time.
    """

    def update(known: Mapping[str, Any] | None) -> tuple[Mapping[str, Any] | None, JobQueue]:
        queue = JobQueue() if known is None else JobQueue.model_validate(known)
        changed = change(queue)
        return (None, queue) if changed == queue else (changed.model_dump(mode="json"), changed)

    return update_record(state, KIND, name, update, attempts=_ATTEMPTS)


def enter(state: StateStore, wanted: Place, work: Work) -> Place:
    """Give a job a place, or let its client join the place that the job has.

    Parameters
    ----------
    state : StateStore
        Store of the queue.
    wanted : Place
        The job, with the client that asks for it.
    work : Work
        Kind of the job: its queue, and the largest number of jobs of a client.

    Returns
    -------
    Place
        The place of the job. A place that it had before keeps its attempt, unless that is an older one.

    Raises
    ------
    TooManyRequestsError
        If the job has no place, and the client may not have another job.
    """

    def change(queue: JobQueue) -> JobQueue:
        found = queue.find(wanted.job)
        if found is not None and found.attempt >= wanted.attempt:
            clients = tuple(dict.fromkeys((*found.clients, *wanted.clients)))[:MOST_CLIENTS]
            return queue.replaced(
                lambda place: place.model_copy(update={"clients": clients}) if place is found else place
            )
        rest = queue.without(lambda place: place.job == wanted.job)
        rest.check_room(wanted.clients[0], work)
        return rest.with_last(wanted)

    place = change_queue(state, work.queue, change).find(wanted.job)
    assert place is not None
    return place
