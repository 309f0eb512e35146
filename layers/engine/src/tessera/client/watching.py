"""Work that goes on after a service has answered, jobs and lists: how it is found, watched and cancelled."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

from tessera.client.wire.documents import Fields, ask
from tessera.client.wire.failures import FailedJobError
from tessera.client.wire.steps import Send, Service, Steps, wait
from tessera.client.wire.transport import check_seconds
from tessera.errors import InvalidInputError

JobStatus: TypeAlias = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
Show: TypeAlias = Callable[[int, int], object]
"""Shows a progress: ``show(done, total)``."""

FIRST_LOOK = 0.5
"""Time in seconds until the state of work is asked for the first time. The pauses become longer."""
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,127}", re.ASCII)
_TIMEOUT = "None, or a number of seconds from 0 to 86400"


@dataclass(frozen=True)
class WorkState:
    """What a service says about all kinds of work.

    Parameters
    ----------
    id : str
        Id of the work.
    status : {'queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled'}
        State.
    """

    id: str
    status: JobStatus

    @property
    def has_ended(self) -> bool:
        """Whether the work will not change any more."""
        return self.status not in ("queued", "running")

    @property
    @abstractmethod
    def progress(self) -> tuple[int, int]:
        """How many parts have ended, and how many there are."""


State = TypeVar("State", bound=WorkState)


@dataclass(frozen=True)
class Kind:
    """A kind of work.

    Parameters
    ----------
    path : str
        Path of the work, such as ``/v1/jobs``.
    noun : str
        Word for the work in messages.
    part : str
        Word for one of its parts.
    longest_look : float
        Longest time in seconds between two questions for the state.
    """

    path: str
    noun: str
    part: str
    longest_look: float


JOB = Kind("/v1/jobs", "job", "cube", 5.0)
LIST = Kind("/v1/bulk", "list", "row", 10.0)


def read_id(job: object, service: Service, kind: Kind) -> str:
    """Return the id of work, given it or its address at the service.

    Raises
    ------
    InvalidInputError
        When it is neither, or the address is that of another service.
    """
    text = job.strip() if isinstance(job, str) else ""
    if "://" in text and _host(text) != _host(str(service.address)):
        raise InvalidInputError("job", job, f"the id or the address of a {kind.noun} of {service.address}")
    if "/" in text:
        text = urlsplit(text).path.rstrip("/").removesuffix("/wait").rpartition(f"{kind.path}/")[2]
    if not _ID.fullmatch(text):
        allowed = f"the id of a {kind.noun}, or its address, such as 'https://host{kind.path}/6f0c...'"
        raise InvalidInputError("job", job, allowed)
    return text


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2].lower()


def cancel(state: State, token: str, service: Service, kind: Kind, read: Callable[[Fields], State]) -> Steps[State]:
    """Withdraw from work, with the token of the answer to the order."""
    url = service.address.link(f"{kind.path}/{state.id}", cancel_token=token or None)
    return ask(Send("DELETE", url), service, read)


def watch(
    state: State,
    look: Callable[[], Steps[State]],
    service: Service,
    kind: Kind,
    *,
    timeout: float | None = None,
    show: Show | None = None,
) -> Steps[State]:
    """Wait until work has ended, and return its state then.

    Parameters
    ----------
    state : WorkState
        The work as it was when the service was last asked.
    look : callable
        Asks the service for the state.
    service : Service
        The service.
    kind : Kind
        The kind of work.
    timeout : float, optional
        Longest time to wait, in seconds; for ever by default.
    show : callable, optional
        Shows the progress.

    Raises
    ------
    InvalidInputError
        When `timeout` is not allowed.
    FailedJobError
        When the work has not ended in this time.
    """
    seconds = None if timeout is None else check_seconds("timeout", timeout, _TIMEOUT, smallest=0.0)
    began, pause = service.clock(), FIRST_LOOK
    while True:
        done, total = state.progress
        if show is not None:
            show(done, total)
        if state.has_ended:
            return state
        left = kind.longest_look if seconds is None else began + seconds - service.clock()
        if left <= 0:
            said = f"{service.address} has not ended the {kind.noun} {state.id} after {timeout:g} s"
            raise FailedJobError(f"{said}; {done:,} of {total:,} {kind.part}s are done")
        yield from wait(min(pause, left))
        pause = min(pause * 1.5, kind.longest_look)
        state = yield from look()
        service.narrator.say("%s %s is %s: %d of %d %ss", kind.noun, state.id, state.status, *state.progress, kind.part)


class WorkOperations(Generic[State]):
    """Operations of some work, as steps for a transport.

    Parameters
    ----------
    service : Service
        The service.
    state : WorkState
        The work.
    cancel_token : str
        Secret with which the work may be cancelled; empty if it is not known.
    """

    kind: Kind

    def __init__(self, service: Service, state: State, cancel_token: str) -> None:
        self.service, self.state, self.cancel_token = service, state, cancel_token


class View(Generic[State]):
    """What is known of some work without asking."""

    _operations: WorkOperations[State]

    @property
    def state(self) -> State:
        """State when the service was last asked."""
        return self._operations.state

    @property
    def id(self) -> str:
        """Id with which the service finds the work again."""
        return self.state.id

    @property
    def status(self) -> str:
        """``queued``, ``running``, ``succeeded``, ``partial``, ``failed`` or ``cancelled``, when it was last asked."""
        return self.state.status

    @property
    def cancel_token(self) -> str:
        """Secret with which `cancel` works, also after opening it by its id; empty if it was not begun here."""
        return self._operations.cancel_token

    @property
    def progress(self) -> tuple[int, int]:
        """Number of cubes of a job, or rows of a list, that have ended, and of all, when it was last asked."""
        return self.state.progress

    def __repr__(self) -> str:
        done, total = self.progress
        return f"<{type(self).__name__} {self.id}: {self.status}, {done:,} of {total:,} {self._operations.kind.part}s>"
