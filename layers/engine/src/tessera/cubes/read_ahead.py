"""Reading in parallel with a limit on the memory that is used."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from tessera.cubes.read_plan import RowRead

READ_AHEAD_BYTES = 256_000_000
"""Bytes of one cutout that may be under way, or read and not yet used."""


def read_rows(
    pool: Executor, read: Callable[[int, int], Any], reads: Sequence[RowRead], ahead: int = READ_AHEAD_BYTES
) -> Iterator[tuple[RowRead, Any]]:
    """Read the ranges of a cutout in parallel, and yield the answers in the order of the requests.

    Parameters
    ----------
    pool : Executor
        Threads that read.
    read : callable
        ``read(start, length)`` returns a buffer.
    reads : sequence of RowRead
        From `plan_reads`.
    ahead : int, optional
        Bytes that may be under way, or read and not yet used. Two requests may be, whatever their size.
    """
    most = max(2, ahead // max(item.data.length for item in reads))
    pending: deque[tuple[RowRead, Future[Any]]] = deque()
    for item in reads:
        if len(pending) >= most:
            done, future = pending.popleft()
            yield done, future.result()
        pending.append((item, pool.submit(read, item.data.start, item.data.length)))
    while pending:
        done, future = pending.popleft()
        yield done, future.result()


class MemoryBudget:
    """Memory that threads share. A thread that asks for more than is left waits.

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
        """Hold a number of bytes. A thread that asks for more than there are waits until no other thread holds any."""
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
