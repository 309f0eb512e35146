"""Rules for repeating requests and for their pace. They are pure: clock, sleep and randomness are arguments."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import urllib3

from tessera_cloud.errors import TransientError
from tessera_cloud.ports import RequestPace

_T = TypeVar("_T")

Seconds = Callable[[], float]
Sleep = Callable[[float], None]
Uniform = Callable[[float, float], float]

REDIRECTIONS = urllib3.Retry(total=None, connect=0, read=0, other=0, redirect=3)
"""Follow three redirections, and repeat nothing. A `total` of 0 would also refuse the redirections."""
_BURST_SECONDS = 0.1
_RECOVERY_SECONDS = 20.0
_HOLD_SECONDS = 1.0
_LEAST_SHARE = 1 / 64


class SlowDownError(TransientError):
    """The server asks for fewer requests. The retries of this package handle this error and raise its base class."""


class Pace:
    """Token bucket that adapts to the server.

    Its rate is halved when the server asks for fewer requests. Good answers restore it within 20 seconds.

    Parameters
    ----------
    ceiling : float
        Largest number of requests per second.
    clock : callable
        Returns seconds that never decrease.
    sleep : callable
        Waits for a number of seconds.

    Attributes
    ----------
    requests, repeats, refusals : int
        Number of requests so far; of repeated requests; and of requests that the server refused as too many.
    """

    def __init__(self, ceiling: float, *, clock: Seconds, sleep: Sleep) -> None:
        self.requests = self.repeats = self.refusals = 0
        self._ceiling = ceiling
        self._rate = ceiling
        self._clock = clock
        self._sleep = sleep
        self._tokens = self._capacity()
        self._filled = self._lowered = clock()
        self._lock = threading.Lock()

    @property
    def rate(self) -> float:
        """Requests per second that are allowed now."""
        return self._rate

    def _capacity(self) -> float:
        return max(1.0, self._rate * _BURST_SECONDS)

    def take(self, *, again: bool = False) -> None:
        """Wait until one more request may be sent. Requests are sent in the order of these calls."""
        with self._lock:
            self.requests += 1
            self.repeats += again
            now = self._clock()
            self._tokens = min(self._capacity(), self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            self._tokens -= 1
            wait = max(0.0, -self._tokens / self._rate)
        if wait:
            self._sleep(wait)

    def slow_down(self) -> None:
        """Halve the rate. Several refusals within a second count once."""
        with self._lock:
            self.refusals += 1
            now = self._clock()
            if self._rate == self._ceiling or now - self._lowered >= _HOLD_SECONDS:
                self._rate = max(self._rate / 2, self._ceiling * _LEAST_SHARE)
                self._lowered = now

    def went_well(self) -> None:
        """Raise the rate by a twentieth of the ceiling per second of good answers."""
        with self._lock:
            step = self._ceiling / _RECOVERY_SECONDS / self._rate
            self._rate = min(self._ceiling, self._rate + step)


@dataclass(frozen=True, slots=True)
class Patience:
    """Rules for repeated requests: their number, and the pauses between them.

    Parameters
    ----------
    attempts : int
        Largest number of requests, with the first one.
    first_pause, longest_pause : float
        Upper bounds of the first and the longest pause, in seconds. The bound doubles from pause to pause. Each pause
        is a random part of its bound, so that tasks that were refused together do not return together.
    sleep, uniform : callable
        `sleep` waits for a number of seconds. `uniform` returns a random number between two numbers.
    """

    attempts: int
    first_pause: float
    longest_pause: float
    sleep: Sleep
    uniform: Uniform

    def insist(self, request: Callable[[], _T], pace: RequestPace | None = None) -> _T:
        """Send a request until it succeeds.

        Parameters
        ----------
        request : callable
            Sends the request once, and returns its result.
        pace : RequestPace, optional
            Pace of the requests.

        Raises
        ------
        TransientError
            If the last attempt fails so. Other errors are raised at once.
        """
        for attempt in range(self.attempts):
            if pace:
                pace.take(again=attempt > 0)
            try:
                answer = request()
            except TransientError as error:
                if pace and isinstance(error, SlowDownError):
                    pace.slow_down()
                if attempt + 1 == self.attempts:
                    raise TransientError(f"{error} (attempt {attempt + 1} of {self.attempts})") from error
                self.sleep(self.uniform(0.0, min(self.longest_pause, self.first_pause * 2**attempt)))
            else:
                if pace:
                    pace.went_well()
                return answer
        raise ValueError("attempts must be at least 1")


def task_pace(per_build: float, tasks: int, *, clock: Seconds, sleep: Sleep) -> Pace:
    """Pace of one of several tasks that share the request rate of a build."""
    return Pace(per_build / tasks, clock=clock, sleep=sleep)
