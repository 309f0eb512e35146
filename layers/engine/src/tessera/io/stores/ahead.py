"""Requests that are sent before it is certain that their bytes are needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from tessera.io.ranges import ByteRange


class RequestsAhead:
    """Answers to such requests, whose bytes are still to come. Each is used once, for exactly its range."""

    def __init__(self) -> None:
        self._answers: dict[tuple[int, int], Future[Any]] = {}
        self._lock = threading.Lock()

    def send(self, ranges: Iterable[ByteRange], submit: Callable[[int, int], Future[Any]]) -> None:
        """Let threads send requests for ranges."""
        with self._lock:
            self._answers |= {(item.start, item.length): submit(item.start, item.length) for item in ranges}

    def take(self, start: int, length: int) -> Any:
        """The answer for a range; None if there is none, or it is an error: the range is then asked for as usual."""
        with self._lock:
            answer = self._answers.pop((start, length), None)
        if answer is None or answer.cancel() or answer.exception() is not None:
            return None
        return answer.result()

    def drop(self) -> None:
        """Let go of all answers that were not used."""
        with self._lock:
            answers, self._answers = self._answers, {}
        for answer in answers.values():
            answer.cancel()
