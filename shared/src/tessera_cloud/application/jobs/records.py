"""Record of a job in the table: that it was requested, by whom, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from tessera_cloud.application.jobs.work import DAY_SECONDS, QueueName
from tessera_cloud.application.records import update_record
from tessera_cloud.contracts import Wire
from tessera_cloud.ports import StateStore

KIND = "job"
MOST_ASKERS = 100
"""Largest number of clients of a job that get a token. If there are more, nobody can stop the job."""
_ATTEMPTS = 20

ID_PATTERN = r"^[0-9a-f]{32}$"
JobId: TypeAlias = Annotated[str, Field(pattern=ID_PATTERN)]
"""Id of a job: the hash of its order."""
Made: TypeAlias = Literal["succeeded", "partial", "failed"]
Ended: TypeAlias = Literal["succeeded", "partial", "failed", "cancelled"]


class JobRef(Wire):
    """Input of a state machine that makes a job, and of its first and last function."""

    job: JobId
    attempt: Annotated[int, Field(ge=1)]
    machine: str = ""
    """ARN of the state machine, which the machine itself adds for functions that start other jobs."""


class Asker(Wire):
    """A client that asked for a job and has not cancelled it.

    Parameters
    ----------
    client : str
        Hash of the client's address; empty for all clients beyond `MOST_ASKERS` together, whose token nobody gets.
    token : str
        Secret with which the client may cancel. The answer to its request has it, and no other answer.
    errand : str
        Id of the job of UWS for which the client asked; empty for requests of its own. A client may ask for several.
    """

    client: str
    token: str
    errand: str = ""


class JobOutcome(Wire):
    """End of a job: its time, its status and its result."""

    status: Made
    finished: float
    """Seconds since 1970."""
    key: str = ""
    """Key of the archive, or of the manifest of a list, in the bucket of results; empty if there is none."""
    bytes: int = 0
    n_succeeded: int = 0
    n_failed: int = 0
    reason: str = ""
    nothing: bool = False
    """Whether every cube could be read, and none has a pixel or a cadence of what was asked for."""


def execution_name(job_id: str, attempt: int, created: float) -> str:
    """Name of the execution that makes an attempt of a job.

    The name has the time of the attempt, because Step Functions remembers a name for 90 days, and the table a record
    for one day. After that, attempts are counted from 1 again.
    """
    return f"{job_id}-{attempt}-{created:.0f}"


class JobRecord(Wire):
    """Record of a job in the table."""

    id: str
    created: float
    """Time at which this attempt began, in seconds since 1970."""
    attempt: int = 1
    n_cubes: int
    cancelled: bool = False
    outcome: JobOutcome | None = None
    askers: tuple[Asker, ...] = ()
    queue: QueueName = "queue"
    """Queue of the kind of work."""
    kept_seconds: int = DAY_SECONDS
    """Time for which the record and the results are kept, in seconds."""

    @property
    def ended(self) -> Ended | None:
        """How the job ended; None until then."""
        if self.cancelled:
            return "cancelled"
        return self.outcome.status if self.outcome else None

    def token_of(self, client: str, errand: str = "") -> str:
        """Token of a client, or of one of its errands; empty if it has not asked for the job."""
        found = (asker.token for asker in self.askers if (asker.client, asker.errand) == (client, errand))
        return next(found, "")

    def with_asker(self, asker: Asker) -> JobRecord | None:
        """The record with another client; None if the client has asked before, or if too many have."""
        if self.token_of(asker.client, asker.errand) or len(self.askers) > MOST_ASKERS:
            return None
        if len(self.askers) == MOST_ASKERS:
            asker = asker.model_copy(update={"client": "", "errand": ""})
        return self.model_copy(update={"askers": (*self.askers, asker)})

    @property
    def execution(self) -> str:
        """Name of the execution that makes the job."""
        return execution_name(self.id, self.attempt, self.created)

    @property
    def kept_until(self) -> float:
        """Time until which record and results are kept, in seconds since 1970. The table may keep the record longer."""
        return max(self.created, self.outcome.finished if self.outcome else 0.0) + self.kept_seconds


def read_job(state: StateStore, job_id: str) -> tuple[JobRecord | None, int]:
    """Read a job and the version of its record; None and 0 if there is no such job."""
    item = state.get(KIND, job_id)
    return (None, 0) if item is None else (JobRecord.model_validate(item.value), item.version)


def write_job(state: StateStore, record: JobRecord, over: int, now: float) -> int:
    """Write a job over a version of its record; raises `ObjectChangedError` if the record has another version."""
    document = record.model_dump(mode="json")
    return state.put(KIND, record.id, document, over=over, expires=now + record.kept_seconds)


def change_job(
    state: StateStore, job_id: str, now: float, change: Callable[[JobRecord], JobRecord | None]
) -> JobRecord | None:
    """Change the record of a job, and write it unless it has changed meanwhile; otherwise do it again.

    Parameters
    ----------
    state : StateStore
        Store of the record.
    job_id : str
        Id of the job.
    now : float
        Current time, in seconds since 1970.
    change : callable
        Gets the current record. Returns the new one, or None to leave it unchanged.

    Returns
    -------
    JobRecord or None
        Record of the job after the change; None if there is no such job.
    """

    def update(known: Mapping[str, Any] | None) -> tuple[Mapping[str, Any] | None, JobRecord | None]:
        record = None if known is None else JobRecord.model_validate(known)
        changed = record and change(record)
        return (None, record) if changed is None else (changed.model_dump(mode="json"), changed)

    def expires(written: Mapping[str, Any]) -> float:
        return now + JobRecord.model_validate(written).kept_seconds

    return update_record(state, KIND, job_id, update, attempts=_ATTEMPTS, expires=expires)
