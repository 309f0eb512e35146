"""Reading in parallel without holding more than memory should."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from tessera.cubes.read_plan import RowRead

READ_AHEAD_BYTES = 256_000_000
"""Bytes of one cutout that are in flight, or have come and not been put into place."""


def read_rows(
    pool: Executor, read: Callable[[int, int], Any], reads: Sequence[RowRead], ahead: int = READ_AHEAD_BYTES
) -> Iterator[tuple[RowRead, Any]]:
    """Answers to the range requests of a cutout, in their order.

    Parameters
    ----------
    pool : Executor
        Threads that read.
    read : callable
        ``read(start, length)`` returns a buffer.
    reads : sequence of RowRead
        From `plan_reads`.
    ahead : int, optional
        Bytes that may be under way or waiting; two requests always may.
    """
    room = max(2, ahead // max(item.data.length for item in reads))
    pending: deque[tuple[RowRead, Future[Any]]] = deque()
    for item in reads:
        if len(pending) >= room:
            done, future = pending.popleft()
            yield done, future.result()
        pending.append((item, pool.submit(read, item.data.start, item.data.length)))
    while pending:
        done, future = pending.popleft()
        yield done, future.result()


class Room:
    """Memory that threads share: who wants more than is left waits.

    Parameters
    ----------
    n_bytes : int
        How much there is.
    """

    def __init__(self, n_bytes: int) -> None:
        self._all = self._left = n_bytes
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, n_bytes: int) -> Iterator[None]:
        """Hold so many bytes; who needs more than there is waits to be alone."""
        n_bytes = min(n_bytes, self._all)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= n_bytes)
            self._left -= n_bytes
        try:
            yield
        finally:
            with self._changed:
                self._left += n_bytes
                self._changed.notify_all()
