"""A simulation of state machines that share the Lambda environments of one account, second by second.

It reads the real definitions: the rules of each Retry, the tolerated failures and the time limits. A task that finds no
free environment gets `Lambda.TooManyRequestsException`, as on AWS. Durations are given, and so is the generator of
random numbers, so a simulation has the same result each time.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.template.documents import Json

THROTTLED = "Lambda.TooManyRequestsException"
CHILD_SECONDS = 0.2
"""Time that a Map needs to start a child, in seconds."""

Seconds: TypeAlias = tuple[float, float]
"""Shortest and longest duration of a task."""


class Gate:
    """Something that one process waits for until another opens it."""

    def __init__(self) -> None:
        self.waiting: list[Process] = []
        self.is_open = False


Process: TypeAlias = Generator["float | Gate", None, None]
"""A process yields the seconds that it sleeps, or the gate that it waits for."""
Step: TypeAlias = Generator["float | Gate", None, bool]
"""A part of a process: it returns whether it succeeded."""


@dataclass
class Account:
    """Environments of Lambda that may exist at the same time, and a clock.

    Parameters
    ----------
    limit : int
        Number of environments.
    rng : random.Random
        Generator of random numbers.
    """

    limit: int
    rng: random.Random
    now: float = 0.0
    busy: int = 0
    refused: int = 0
    """Requests of the API that found no free environment."""
    asked: int = 0
    """Requests of the API."""
    failed: dict[str, int] = field(default_factory=dict)
    """Tasks that failed for good, by the name of their state."""
    done: dict[str, int] = field(default_factory=dict)
    running: int = 0
    """Executions that have not ended."""
    _agenda: list[tuple[float, int, Process]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def take(self) -> bool:
        """Occupy an environment; False if there is none."""
        if self.busy < self.limit:
            self.busy += 1
            return True
        return False

    def start(self, process: Process, delay: float = 0.0) -> None:
        heapq.heappush(self._agenda, (self.now + delay, next(self._numbers), process))

    def open(self, gate: Gate) -> None:
        gate.is_open = True
        for process in gate.waiting:
            self.start(process)
        gate.waiting.clear()

    def run(self) -> None:
        """Let time pass until no execution runs."""
        while self._agenda and self.running:
            self.now, _, process = heapq.heappop(self._agenda)
            for wanted in process:
                if isinstance(wanted, Gate):
                    if wanted.is_open:
                        continue
                    wanted.waiting.append(process)
                else:
                    self.start(process, wanted)
                break


def longest_wait(rule: Json, attempt: int) -> float:
    """Longest pause before an attempt of a rule, counted from 0, in seconds."""
    pause: float = rule.get("IntervalSeconds", 1) * rule.get("BackoffRate", 2.0) ** attempt
    most: float = rule.get("MaxDelaySeconds", float("inf"))
    return min(pause, most)


def run_task(account: Account, name: str, state: Json, seconds: Seconds) -> Step:
    """A task that is throttled while all environments are busy, and retried as its state says."""
    attempts = 0
    rule = next((rule for rule in state.get("Retry", []) if THROTTLED in rule["ErrorEquals"]), {"MaxAttempts": 0})
    while not account.take():
        if attempts >= rule.get("MaxAttempts", 3):
            account.failed[name] = account.failed.get(name, 0) + 1
            return False
        pause = longest_wait(rule, attempts)
        yield account.rng.uniform(0, pause) if rule.get("JitterStrategy") == "FULL" else pause
        attempts += 1
    yield account.rng.uniform(*seconds)
    account.busy -= 1
    account.done[name] = account.done.get(name, 0) + 1
    return True


@dataclass
class Work:
    """What one execution has to do.

    Parameters
    ----------
    definition : dict
        Definition of the state machine.
    items, width : int
        Number of items of its Map, and how many of them run at the same time.
    seconds : mapping
        Durations of the tasks by the names of their states; 1 s if there is none.
    """

    definition: Json
    items: int
    width: int
    seconds: Mapping[str, Seconds]
    status: str = "RUNNING"
    took: float = 0.0

    def of(self, name: str) -> Seconds:
        return self.seconds.get(name, (1.0, 1.0))


def run_map(account: Account, state: Json, work: Work) -> Step:
    """A distributed Map: `width` children at a time, until all are done or too many have failed."""
    name = state["ItemProcessor"]["StartAt"]
    child = state["ItemProcessor"]["States"][name]
    tolerated: float = work.items * state.get("ToleratedFailurePercentage", 0.0) / 100
    left, failures, lanes, gate = iter(range(work.items)), 0, min(work.width, work.items), Gate()

    def lane() -> Process:
        nonlocal failures, lanes
        for _ in left:
            if failures > tolerated:
                break
            yield CHILD_SECONDS
            failures += not (yield from run_task(account, name, child, work.of(name)))
        lanes -= 1
        if not lanes or failures > tolerated:
            account.open(gate)

    for _ in range(lanes):
        account.start(lane())
    if lanes:
        yield gate
    return failures <= tolerated


def run_execution(account: Account, work: Work) -> Process:
    """An execution, from its first state to its end. Each machine goes one way, and another one after a failure."""
    began, states, name = account.now, work.definition["States"], work.definition["StartAt"]
    work.status = ""
    while not work.status:
        state = states[name]
        succeeded = True
        if state["Type"] == "Task":
            succeeded = yield from run_task(account, name, state, work.of(name))
        elif state["Type"] == "Map":
            succeeded = yield from run_map(account, state, work)
        if state["Type"] == "Fail" or not (succeeded or "Catch" in state):
            work.status = "FAILED"
        elif not succeeded:
            name = state["Catch"][0]["Next"]
        elif state["Type"] == "Succeed" or state.get("End"):
            work.status = "SUCCEEDED"
        else:
            name = state.get("Next") or state["Default"]
    work.took = account.now - began
    if work.took > work.definition["TimeoutSeconds"]:
        work.status = "TIMED_OUT"
    account.running -= 1


def start(account: Account, work: Work) -> Work:
    """Start an execution."""
    account.running += 1
    account.start(run_execution(account, work))
    return work


def serve(account: Account, environments: Seconds) -> Process:
    """The API, and everything else in the account: it wants a number of environments that changes each second."""
    mine = 0
    while True:
        wanted = round(account.rng.uniform(*environments))
        account.busy -= max(0, mine - wanted)
        taken = min(max(0, wanted - mine), account.limit - account.busy)
        account.busy += taken
        account.asked += wanted
        mine = min(mine, wanted) + taken
        account.refused += wanted - mine
        yield 1.0
