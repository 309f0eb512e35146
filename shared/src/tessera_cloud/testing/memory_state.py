"""Records, queue and executions in memory, with the rules of the real services."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tessera.errors import InvalidValueError
from tessera_cloud.errors import CounterFullError, FatalError, ObjectChangedError, ObjectMissingError
from tessera_cloud.ports import LONGEST_DELAY, Execution, StateItem

MAX_ITEM_BYTES = 400 * 1024
"""Largest size of a record in DynamoDB."""


@dataclass
class MemoryState:
    """Records in a dictionary.

    Parameters
    ----------
    clock : callable
        Returns seconds since 1970. A record that has expired is not found any more.
    records : dict
        (kind, name) to version, JSON text and time of expiry.
    counters : dict
        (kind, name) to sum and time of expiry.
    requests : list
        One (operation, kind, name) per call, in order.
    """

    clock: Callable[[], float] = lambda: 0.0
    records: dict[tuple[str, str], tuple[int, str, float | None]] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    counters: dict[tuple[str, str], tuple[int, float | None]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def _version(self, kind: str, name: str) -> int:
        version, _, expires = self.records.get((kind, name), (0, "", None))
        if expires is not None and expires <= self.clock():
            del self.records[kind, name]
            return 0
        return version

    def get(self, kind: str, name: str) -> StateItem | None:
        """See `StateStore.get`."""
        with self._lock:
            self.requests.append(("get", kind, name))
            version = self._version(kind, name)
            return StateItem(kind, name, version, json.loads(self.records[kind, name][1])) if version else None

    def put(self, kind: str, name: str, value: Mapping[str, Any], *, over: int, expires: float | None = None) -> int:
        """See `StateStore.put`."""
        text = json.dumps(value)
        if len(text.encode()) > MAX_ITEM_BYTES:
            raise FatalError(f"write record {kind}/{name}: {len(text)} characters are more than a record can hold")
        with self._lock:
            self.requests.append(("put", kind, name))
            version = self._version(kind, name)
            if version != over:
                raise ObjectChangedError(f"record {kind}/{name} has version {version}, not {over}")
            self.records[kind, name] = (version + 1, text, expires)
        return version + 1

    def add(self, kind: str, name: str, amount: int, *, most: int | None = None, expires: float | None = None) -> int:
        """See `StateStore.add`."""
        with self._lock:
            self.requests.append(("add", kind, name))
            total, until = self.counters.get((kind, name), (0, expires))
            if until is not None and until <= self.clock():
                total, until = 0, expires
            if most is not None and total + amount > most:
                raise CounterFullError(f"add to counter {kind}/{name}: more than {most}")
            self.counters[kind, name] = (total + amount, until)
            return total + amount

    def remove(self, item: StateItem) -> None:
        """See `StateStore.remove`."""
        with self._lock:
            self.requests.append(("remove", item.kind, item.name))
            if self._version(item.kind, item.name) == item.version:
                del self.records[item.kind, item.name]

    def query(self, kind: str, prefix: str = "") -> Iterator[StateItem]:
        """See `StateStore.query`."""
        with self._lock:
            self.requests.append(("query", kind, prefix))
            names = sorted(name for other, name in self.records if other == kind and name.startswith(prefix))
            items = [self.get(kind, name) for name in names]
        yield from (item for item in items if item is not None)


@dataclass
class MemoryQueue:
    """Messages in a list.

    Parameters
    ----------
    clock : callable
        Returns seconds since 1970.
    messages : list
        (first time at which it may be received, text) of each message, in the order of sending.
    """

    clock: Callable[[], float] = lambda: 0.0
    messages: list[tuple[float, str]] = field(default_factory=list)

    def send(self, message: str, *, delay_seconds: int = 0) -> None:
        """See `Queue.send`."""
        if not 0 <= delay_seconds <= LONGEST_DELAY:
            raise InvalidValueError("delay_seconds", delay_seconds, f"0..{LONGEST_DELAY}")
        self.messages.append((self.clock() + delay_seconds, message))

    def take(self) -> list[str]:
        """Remove the messages that may be received now from the queue, and return them."""
        now = self.clock()
        due = [text for time, text in self.messages if time <= now]
        self.messages = [(time, text) for time, text in self.messages if time > now]
        return due


@dataclass
class MemoryLinks:
    """Links to results.

    Parameters
    ----------
    closed : bool
        Whether they are refused.
    """

    closed: bool = False

    def close(self) -> None:
        """See `ResultLinks.close`."""
        self.closed = True

    def open(self) -> None:
        """See `ResultLinks.open`."""
        self.closed = False


@dataclass
class MemoryAlarms:
    """Alarms of the metrics.

    Parameters
    ----------
    ringing : dict of str to float
        Names of those in the state ALARM, and since when.
    """

    ringing: dict[str, float] = field(default_factory=dict)

    def rings_since(self, name: str) -> float | None:
        """See `Alarms.rings_since`."""
        return self.ringing.get(name)


@dataclass
class MemoryExecutions:
    """Executions in a dictionary. `end` ends one, as the state machine would.

    Parameters
    ----------
    clock : callable
        Returns seconds since 1970.
    executions : dict
        (machine, name) to execution.
    """

    clock: Callable[[], float] = lambda: 0.0
    executions: dict[tuple[str, str], Execution] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def start(self, machine: str, name: str, request: Mapping[str, Any]) -> bool:
        """See `Executions.start`."""
        with self._lock:
            if (machine, name) in self.executions:
                return False
            document = json.loads(json.dumps(request))
            self.executions[machine, name] = Execution(name, "RUNNING", self.clock(), request=document)
        return True

    def describe(self, machine: str, name: str) -> Execution | None:
        """See `Executions.describe`."""
        return self.executions.get((machine, name))

    def list_executions(self, machine: str, *, status: str | None = None, count: int = 100) -> list[Execution]:
        """See `Executions.list_executions`."""
        found = [
            replace(execution, request=None, result=None, error="", cause="")
            for (other, _), execution in self.executions.items()
            if other == machine and status in (None, execution.status)
        ]
        found.reverse()
        return sorted(found, key=lambda execution: execution.started, reverse=True)[:count]

    def stop(self, machine: str, name: str, cause: str) -> None:
        """See `Executions.stop`."""
        known = self.describe(machine, name)
        if known is None:
            raise ObjectMissingError(f"stop {name} of {machine}: there is no such execution")
        if known.status == "RUNNING":
            self.end(machine, name, "ABORTED", error="Stopped", cause=cause)

    def end(
        self,
        machine: str,
        name: str,
        status: str = "SUCCEEDED",
        *,
        result: Mapping[str, Any] | None = None,
        error: str = "",
        cause: str = "",
    ) -> None:
        """End an execution."""
        known = self.executions[machine, name]
        self.executions[machine, name] = replace(
            known, status=status, stopped=self.clock(), result=result, error=error, cause=cause
        )
