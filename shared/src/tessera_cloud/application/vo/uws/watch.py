"""The UWS jobs that somebody has to look after: one record, which the sweep of every minute reads.

A job is entered before it runs, and stays until its end is recorded; if it was aborted or deleted, for a minute more.
So the sweep finds what a function that died has left, stops what ran too long, and asks again for room in the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tessera_cloud.application.records import update_record
from tessera_cloud.application.vo.uws.records import KIND, RETRY_SECONDS
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import TooManyRequestsError
from tessera_cloud.ports import StateStore

NAME = "watched"
MOST_RUNNING = 50
"""Largest number of jobs of one client that are queued or run."""
MOST_WATCHED = 500
"""Largest number of such jobs of all clients. The record then has about 60 kB."""
_ATTEMPTS = 60


class Watched(Wire):
    """A job that somebody has to look after: the name of its record, and since when, in seconds since 1970."""

    name: str
    since: float


class WatchList(Wire):
    """All of them, in the order in which they were started."""

    jobs: tuple[Watched, ...] = ()

    def _with(self, jobs: tuple[Watched, ...]) -> WatchList:
        return self.model_copy(update={"jobs": jobs})

    def with_last(self, job: Watched) -> WatchList:
        """The list with another job.

        Raises
        ------
        TooManyRequestsError
            If its client, or all clients together, have too many.
        """
        if any(each.name == job.name for each in self.jobs):
            return self
        owner = job.name.partition("/")[0]
        own = sum(each.name.startswith(f"{owner}/") for each in self.jobs)
        if own >= MOST_RUNNING:
            message = f"you have {own} jobs that are queued or run; allowed: at most {MOST_RUNNING}; try again later"
            raise TooManyRequestsError(message, retry_seconds=RETRY_SECONDS)
        if len(self.jobs) >= MOST_WATCHED:
            message = f"{MOST_WATCHED} jobs are queued or run; allowed: at most {MOST_WATCHED}; try again later"
            raise TooManyRequestsError(message, retry_seconds=RETRY_SECONDS)
        return self._with((*self.jobs, job))

    def without(self, names: set[str]) -> WatchList:
        """The list without some jobs."""
        return self._with(tuple(job for job in self.jobs if job.name not in names))


def read_watched(state: StateStore) -> WatchList:
    """Read the list."""
    item = state.get(KIND, NAME)
    return WatchList() if item is None else WatchList.model_validate(item.value)


def watch(name: str, now: float, state: StateStore) -> None:
    """Enter a job; raises `TooManyRequestsError` if there are too many."""
    _change(state, lambda known: known.with_last(Watched(name=name, since=now)))


def unwatch(names: set[str], state: StateStore) -> None:
    """Remove jobs. It is no error if they are not in the list."""
    _change(state, lambda known: known.without(names))


def _change(state: StateStore, change: Callable[[WatchList], WatchList]) -> None:
    def update(known: Mapping[str, Any] | None) -> tuple[Mapping[str, Any] | None, None]:
        before = WatchList() if known is None else WatchList.model_validate(known)
        after = change(before)
        return (None if after == before else after.model_dump(mode="json")), None

    update_record(state, KIND, NAME, update, attempts=_ATTEMPTS)
