"""Shared records, messages to ourselves, and executions of state machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

LONGEST_DELAY = 900
"""Longest delay of a message in a queue, in seconds."""


@dataclass(frozen=True, slots=True)
class StateItem:
    """A small record that several tasks update.

    Parameters
    ----------
    kind : str
        Kind of record, such as ``ccd`` or ``job``.
    name : str
        Name of the record, unique within its kind.
    version : int
        Number of writes so far; the first write makes version 1.
    value : mapping
        Content, of JSON types.
    """

    kind: str
    name: str
    version: int
    value: Mapping[str, Any]


class StateStore(Protocol):
    """Small records that are replaced only if nobody else has replaced them. The errors are those of objects."""

    def get(self, kind: str, name: str) -> StateItem | None:
        """Read a record; None if there is none."""

    def put(self, kind: str, name: str, value: Mapping[str, Any], *, over: int, expires: float | None = None) -> int:
        """Write a record over its version `over`, 0 if there is no record yet, and return the new version.

        The record may disappear after the time `expires`, in seconds since 1970.

        Raises
        ------
        ObjectChangedError
            If the record has another version.
        """

    def remove(self, item: StateItem) -> None:
        """Remove a record as it was read. A record that has changed since, or is gone, stays as it is."""

    def query(self, kind: str, prefix: str = "") -> Iterator[StateItem]:
        """Records of a kind whose names begin with a prefix, by name."""

    def add(self, kind: str, name: str, amount: int, *, most: int | None = None, expires: float | None = None) -> int:
        """Add to a counter, which is 0 before its first use, and return the sum. Adding 0 reads the counter.

        Simultaneous calls add up. A counter and a record cannot have the same kind and name, and `query` does not
        find counters.

        Parameters
        ----------
        amount : int
            What to add; negative to subtract.
        most : int, optional
            Largest sum. If the sum would be larger, the counter stays as it is.
        expires : float, optional
            Time in seconds since 1970 after which the counter may begin at 0 again. The first call sets it.

        Raises
        ------
        CounterFullError
            If the sum would be larger than `most`.
        """


class ResultLinks(Protocol):
    """Links to results, which work for whoever has one until they expire. The errors are those of objects."""

    def close(self) -> None:
        """Refuse all links, also those that were given out before. It is no error if they are closed."""

    def open(self) -> None:
        """Let links work again. It is no error if they do."""


class Alarms(Protocol):
    """Alarms of the metrics. The errors are those of objects."""

    def rings_since(self, name: str) -> float | None:
        """Time since when an alarm is in the state ALARM, in seconds since 1970.

        None if it is in another state, or if there is no such alarm.
        """


class Queue(Protocol):
    """Messages to ourselves. The errors are those of objects."""

    def send(self, message: str, *, delay_seconds: int = 0) -> None:
        """Send a message. It arrives at least once, after a delay of at most `LONGEST_DELAY` seconds or later."""


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution of a state machine. Times are in seconds since 1970.

    Parameters
    ----------
    name : str
        Name, unique for its state machine.
    status : str
        ``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``.
    started, stopped : float
        Begin and end; `stopped` is None while the execution runs.
    request, result : mapping
        Input and output. Both are None in a list, and `result` is None while the execution runs.
    error, cause : str
        Error name and message of a failed execution; empty otherwise.
    """

    name: str
    status: str
    started: float
    stopped: float | None = None
    request: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    error: str = ""
    cause: str = ""


class Executions(Protocol):
    """Executions of state machines, which are named by their ARNs. The errors are those of objects."""

    def start(self, machine: str, name: str, request: Mapping[str, Any]) -> bool:
        """Start an execution; False if one of that name was started before, even if it has ended."""

    def describe(self, machine: str, name: str) -> Execution | None:
        """Read an execution; None if there is none of that name."""

    def list_executions(self, machine: str, *, status: str | None = None, count: int = 100) -> list[Execution]:
        """The newest executions, with one status or with any."""

    def stop(self, machine: str, name: str, cause: str) -> None:
        """Stop an execution. It is no error if it has ended."""
