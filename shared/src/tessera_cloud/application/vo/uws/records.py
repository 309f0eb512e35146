"""Records of UWS jobs in the table: what a client asked for, and what has become of it.

A record is named after its owner, its creation and its id, so that one query finds all jobs of a client. A second
record, which never changes, is named after the id and tells that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from tessera_cloud.application.backend import HasClock, HasState
from tessera_cloud.application.jobs.work import DAY_SECONDS
from tessera_cloud.application.records import update_record
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import NotFoundError, TooManyRequestsError, UsageError
from tessera_cloud.ports import StateItem, StateStore

KIND = "uws"
MOST_SECONDS = 21_600
"""Largest execution duration in seconds: the state machine of our jobs stops after it."""
MOST_DAYS = 7
"""Largest time between creation and destruction, in days."""
MOST_PENDING = 100
"""Largest number of jobs of one client that wait to be started."""
MOST_JOBS = 500
"""Largest number of jobs of one client."""
MOST_CHARACTERS = 20_000
"""Largest number of characters of all parameters of a job together."""
MOST_TEXT = 500_000
"""Largest number of characters of the parameters of all jobs of one client, each of which lists read."""
RETRY_SECONDS = 60
PENDING: Final = "PENDING"
GENERAL, USAGE, UNAVAILABLE, SEVERAL = "Error", "UsageError", "ServiceUnavailable", "MultiValuedParamNotSupported"
"""Words of SODA 1.0 for errors (section 5.2)."""
ALLOWED = "the id of a job that was made here and is neither deleted nor past its destruction"
_EXTRA_SECONDS = 3600
_ERASED_SECONDS = 600.0
"""Time for which the record of a job that is gone stays for those that still stop its work."""
_MOST_ERASED = 20
_ATTEMPTS = 20


class UwsResult(Wire):
    """A result of a UWS job: an object in the bucket of results, or a short text.

    Parameters
    ----------
    name : str
        Name of the file, unique within the job.
    mime : str
        Media type.
    bytes : int
        Size in bytes; 0 if it is not known.
    key : str
        Key of the object; empty for a text.
    text : str
        The text.
    """

    name: str
    mime: str
    bytes: int = 0
    key: str = ""
    text: str = ""


class UwsPart(Wire):
    """A part of the work of a UWS job: one of our jobs, or results that were made at once.

    Parameters
    ----------
    job : str
        Id of our job; empty if the results were made at once.
    token : str
        Token by which this UWS job withdraws from it.
    cubes : tuple of str
        Names of the cubes that it cuts.
    media : str
        Media type of its files.
    submitted : bool
        Whether it is among our jobs. If the queue has no room for the client, this takes a while.
    results : tuple of UwsResult
        Results that were made at once.
    failures : tuple of str
        Reasons why results could not be made at once.
    """

    job: str = ""
    token: str = ""
    cubes: tuple[str, ...] = ()
    media: str = "application/fits"
    submitted: bool = False
    results: tuple[UwsResult, ...] = ()
    failures: tuple[str, ...] = ()


class UwsJob(Wire):
    """A UWS job. All times are in seconds since 1970.

    Parameters
    ----------
    id : str
        Secret of 32 hexadecimal digits. Whoever knows it may do everything with the job.
    owner : str
        Hash of the address of the client that made it.
    created, destruction : float
        When it was made, and when it is forgotten.
    duration : int
        Largest time that it may run, in seconds.
    run_id : str
        RUNID of the client.
    parameters : tuple of (str, str)
        Names and values as the client gave them.
    phase : str
        Phase, when somebody last looked.
    requested, started, ended : float or None
        When the client wanted it to run, when it began to run, and when it ended.
    parts : tuple of UwsPart
        Its work, once it runs.
    results : tuple of UwsResult
        Its results, once it has ended.
    reason : str
        Why it failed or was aborted.
    fault : str
        Word of SODA 1.0 for the error: ``UsageError``, ``ServiceUnavailable``, ``MultiValuedParamNotSupported``
        or ``Error``.
    deleted : bool
        Whether the client has deleted it.
    """

    id: str
    owner: str
    created: float
    destruction: float
    duration: int = MOST_SECONDS
    run_id: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    phase: str = PENDING
    requested: float | None = None
    started: float | None = None
    ended: float | None = None
    parts: tuple[UwsPart, ...] = ()
    results: tuple[UwsResult, ...] = ()
    reason: str = ""
    fault: str = GENERAL
    deleted: bool = False

    @property
    def name(self) -> str:
        """Name of the record."""
        return f"{self.owner}/{self.created:017.6f}/{self.id}"

    def is_gone(self, now: float) -> bool:
        """Whether it is deleted, or past its destruction."""
        return self.deleted or now >= self.destruction

    def may_be_erased(self, now: float) -> bool:
        """Whether it is gone, and nobody needs its record to stop its work."""
        works = any(part.job for part in self.parts)
        return self.is_gone(now) and (not works or now - self.destruction > _ERASED_SECONDS)

    def changed(self, **fields: object) -> UwsJob:
        """The same job with other fields."""
        return self.model_copy(update=fields)


class _Pointer(Wire):
    """Name of the record of a job."""

    name: str


class HasRecords(HasState, HasClock, Protocol):
    """Records and the clock."""


def create_uws(job: UwsJob, backend: HasRecords) -> None:
    """Write a new job.

    Raises
    ------
    TooManyRequestsError
        If the client has as many jobs as it may have, as many that wait to be started, or as many characters.
    """
    state, now = backend.state, backend.now().timestamp()
    items = list(state.query(KIND, f"{job.owner}/"))
    known = _living(items, now)
    counts = (
        (sum(each.phase == PENDING for each in known), MOST_PENDING, "jobs in phase PENDING"),
        (len(known), MOST_JOBS, "jobs"),
        (sum(count_characters(each.parameters) for each in known), MOST_TEXT, "characters of parameters"),
    )
    for number, most, what in counts:
        if number >= most:
            message = f"you have {number} {what}; allowed: at most {most}; run or delete a job"
            raise TooManyRequestsError(message, retry_seconds=RETRY_SECONDS)
    _erase_gone(items, now, state)
    # A pointer without a record is an unknown job. A record without a pointer would be a job that only lists show.
    kept = now + (MOST_DAYS + 1) * DAY_SECONDS
    state.put(KIND, job.id, _Pointer(name=job.name).model_dump(), over=0, expires=kept)
    state.put(KIND, job.name, job.model_dump(mode="json"), over=0, expires=job.destruction + _EXTRA_SECONDS)


def list_uws(owner: str, backend: HasRecords) -> list[UwsJob]:
    """Jobs that a client has made, in the order of their creation."""
    return _living(backend.state.query(KIND, f"{owner}/"), backend.now().timestamp())


def _living(items: Iterable[StateItem], now: float) -> list[UwsJob]:
    jobs = (UwsJob.model_validate(item.value) for item in items)
    return [job for job in jobs if not job.is_gone(now)]


def _erase_gone(items: Iterable[StateItem], now: float, state: StateStore) -> None:
    """Remove records of some jobs that are gone. Without that, clients who delete what they make get slower and slower.

    The table removes expired records too, but takes up to some days.
    """
    gone = [item for item in items if UwsJob.model_validate(item.value).may_be_erased(now)]
    for item in gone[:_MOST_ERASED]:
        pointer = state.get(KIND, item.name.rpartition("/")[2])
        state.remove(item)
        if pointer is not None:
            state.remove(pointer)


def count_characters(parameters: Sequence[tuple[str, str]]) -> int:
    """Characters of names and values of parameters."""
    return sum(len(name) + len(value) for name, value in parameters)


def check_length(parameters: Sequence[tuple[str, str]]) -> None:
    """Check that the parameters of a job are not too long.

    Raises
    ------
    UsageError
        If they have more than `MOST_CHARACTERS` characters together.
    """
    length = count_characters(parameters)
    if length > MOST_CHARACTERS:
        allowed = f"at most {MOST_CHARACTERS:,} characters"
        message = f"all parameters together have {length:,} characters; allowed: {allowed}"
        raise UsageError(message, parameter="parameters", value=f"{length:,} characters", allowed=allowed)


def find_uws(job_id: str, backend: HasRecords) -> UwsJob:
    """Read a job by its id.

    Raises
    ------
    NotFoundError
        If there is no such job, or none any more.
    """
    state = backend.state
    pointer = state.get(KIND, job_id) if len(job_id) == 32 and "/" not in job_id else None
    item = state.get(KIND, _Pointer.model_validate(pointer.value).name) if pointer else None
    job = UwsJob.model_validate(item.value) if item else None
    if job is None or job.is_gone(backend.now().timestamp()):
        raise NotFoundError.named("job", job_id, ALLOWED)
    return job


def read_uws(name: str, state: StateStore) -> UwsJob | None:
    """Read a job by the name of its record, also one that is deleted."""
    item = state.get(KIND, name)
    return UwsJob.model_validate(item.value) if item else None


def change_uws(name: str, state: StateStore, change: Callable[[UwsJob], UwsJob | None]) -> UwsJob:
    """Change the record of a job, and write it unless it has changed meanwhile; otherwise do it again.

    Parameters
    ----------
    name : str
        Name of the record.
    state : StateStore
        Store of the record.
    change : callable
        Gets the current record. Returns the new one, or None to leave it unchanged.

    Raises
    ------
    NotFoundError
        If the record is gone.
    """

    def update(known: Mapping[str, Any] | None) -> tuple[Mapping[str, Any] | None, UwsJob]:
        if known is None:
            raise NotFoundError.named("job", name.rpartition("/")[2], ALLOWED)
        job = UwsJob.model_validate(known)
        new = change(job)
        return (None, job) if new is None or new == job else (new.model_dump(mode="json"), new)

    def expires(written: Mapping[str, Any]) -> float:
        return float(written["destruction"]) + _EXTRA_SECONDS

    return update_record(state, KIND, name, update, attempts=_ATTEMPTS, expires=expires)
