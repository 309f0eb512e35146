"""Asking again and not too often, with a clock that only sleeping moves."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.builds.estimate import polite_concurrency
from tessera_cloud.errors import FatalError, TransientError
from tessera_cloud.patience import Pace, Patience, SlowDownError, task_pace


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def paced(ceiling: float) -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(ceiling, clock=clock, sleep=clock.sleep), clock


def patient(clock: Clock, attempts: int = 5) -> Patience:
    return Patience(attempts, 0.25, 2.0, clock.sleep, lambda low, high: high)


@given(st.floats(0.5, 5000), st.integers(1, 500))
def test_requests_never_exceed_the_rate_by_more_than_the_burst(ceiling: float, n: int) -> None:
    pace, clock = paced(ceiling)
    for _ in range(n):
        pace.take()
    burst = max(1.0, ceiling * 0.1)
    assert clock.now * ceiling >= n - burst - 1e-6
    assert clock.now * ceiling <= n


def test_idle_time_is_not_saved_up() -> None:
    pace, clock = paced(100.0)
    clock.now += 3600
    for _ in range(100):
        pace.take()
    assert clock.now - 3600 == pytest.approx(0.9)


def test_a_refusal_halves_the_rate_and_good_answers_bring_it_back() -> None:
    pace, clock = paced(100.0)
    clock.now += 10
    pace.slow_down()
    assert pace.rate == 50
    started = clock.now
    while pace.rate < 100:
        pace.take()
        pace.went_well()
    assert 5 < clock.now - started < 20


def test_the_refusals_of_one_moment_count_once() -> None:
    pace, clock = paced(100.0)
    for _ in range(32):
        pace.slow_down()
    assert pace.rate == 50
    clock.now += 1.0
    pace.slow_down()
    assert pace.rate == 25


def test_the_rate_has_a_floor() -> None:
    pace, clock = paced(64.0)
    for _ in range(50):
        clock.now += 1.0
        pace.slow_down()
    assert pace.rate == 1.0


def test_a_build_shares_its_requests_among_its_tasks() -> None:
    clock = Clock()
    assert task_pace(2000, 40, clock=clock, sleep=clock.sleep).rate == 50


@given(st.integers(1, 1000), st.integers(1, 50_000), st.floats(1, 10_000))
def test_every_task_can_send_its_requests_in_time(wanted: int, requests: int, per_build: float) -> None:
    tasks = polite_concurrency(wanted, requests, per_build, 600)
    assert 1 <= tasks <= wanted
    assert tasks == 1 or requests / (per_build / tasks) <= 600 * (1 + 1e-12)  # floats round


def failing(*errors: Exception) -> Iterator[Exception]:
    yield from errors


def test_pauses_double_up_to_the_longest() -> None:
    clock = Clock()

    def request() -> None:
        raise TransientError("dropped")

    with pytest.raises(TransientError, match=r"dropped \(attempt 6 of 6\)"):
        patient(clock, 6).insist(request)
    assert clock.pauses == [0.25, 0.5, 1.0, 2.0, 2.0]


def test_pauses_are_random_below_their_bound() -> None:
    clock = Clock()
    patience = Patience(50, 1.0, 1.0, clock.sleep, random.Random(1).uniform)

    def request() -> None:
        raise TransientError("dropped")

    with pytest.raises(TransientError):
        patience.insist(request)
    assert min(clock.pauses) < 0.1
    assert max(clock.pauses) > 0.9
    assert max(clock.pauses) <= 1.0


def test_other_errors_are_not_tried_again() -> None:
    clock, calls = Clock(), []

    def request() -> None:
        calls.append(1)
        raise FatalError("gone")

    with pytest.raises(FatalError):
        patient(clock).insist(request)
    assert len(calls) == 1


def test_only_a_refusal_slows_the_task_down() -> None:
    pace, clock = paced(100.0)
    errors = failing(TransientError("dropped"), SlowDownError("503"))

    def request() -> str:
        for error in errors:
            raise error
        return "data"

    assert patient(clock).insist(request, pace) == "data"
    assert 50 < pace.rate < 52


def test_what_leaves_is_the_error_that_state_machines_know() -> None:
    clock = Clock()

    def request() -> None:
        raise SlowDownError("503")

    with pytest.raises(TransientError) as caught:
        patient(clock).insist(request)
    assert type(caught.value) is TransientError


def test_a_storm_lowers_the_requests_that_are_sent() -> None:
    """A server that takes 20 requests a second gets about that many from a task that may send 200."""
    pace, clock = paced(200.0)
    patience = Patience(1000, 0.25, 2.0, clock.sleep, random.Random(2).uniform)
    sent: list[float] = []
    accepted: list[float] = []

    def request() -> None:
        sent.append(clock.now)
        if sum(moment > clock.now - 1 for moment in accepted[-20:]) >= 20:
            raise SlowDownError("503")
        accepted.append(clock.now)

    while clock.now < 120:
        patience.insist(request, pace)
    assert len(sent) < 1.25 * len(accepted)
    assert len(accepted) > 0.4 * 20 * 120


def test_requests_repeats_and_refusals_are_counted() -> None:
    pace, clock = paced(100.0)
    errors = failing(SlowDownError("busy"), TransientError("cut off"))

    def request() -> str:
        if error := next(errors, None):
            raise error
        return "answer"

    assert patient(clock).insist(request, pace) == "answer"
    assert (pace.requests, pace.repeats, pace.refusals) == (3, 2, 1)
