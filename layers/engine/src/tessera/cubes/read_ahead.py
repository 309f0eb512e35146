"""Reading in parallel with a limit on the memory that is used."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from tessera.io.ranges import ByteRange


class Request(Protocol):
    """A range request, with what its reader wants to know of it."""

    @property
    def data(self) -> ByteRange:
        """Bytes of the file."""


AnyRequest = TypeVar("AnyRequest", bound=Request)
Result = TypeVar("Result")
READ_AHEAD_BYTES = 256_000_000
"""Largest number of bytes of one cutout that are being read, or are read and not yet used."""


def read_rows(
    pool: Executor, read: Callable[[int, int], Any], reads: Iterable[AnyRequest], ahead: int = READ_AHEAD_BYTES
) -> Generator[tuple[AnyRequest, Any]]:
    """Read the ranges of a cutout in parallel, and yield the answers in the order of the requests.

    Parameters
    ----------
    pool : Executor
        Threads that read.
    read : callable
        Function that reads the file: ``read(start, length)`` returns a buffer.
    reads : iterable of requests
        Requests, such as those of `tessera.cubes.read_plan.plan_reads`.
    ahead : int, optional
        Largest number of bytes that are being read, or are read and not yet used. Two requests are always allowed.
    """
    return work_ahead(pool, lambda item: read(item.data.start, item.data.length), reads, ahead)


def work_ahead(
    pool: Executor, work: Callable[[AnyRequest], Result], reads: Iterable[AnyRequest], ahead: int = READ_AHEAD_BYTES
) -> Generator[tuple[AnyRequest, Result]]:
    """Call ``work(request)`` in the threads of a pool, and yield the results in order; see `read_rows`."""
    pending: deque[tuple[AnyRequest, Future[Result]]] = deque()
    n_bytes = 0
    try:
        for item in reads:
            while len(pending) > 1 and n_bytes + item.data.length > ahead:
                done, future = pending.popleft()
                yield done, future.result()
                n_bytes -= done.data.length
            pending.append((item, pool.submit(work, item)))
            n_bytes += item.data.length
        while pending:
            done, future = pending.popleft()
            yield done, future.result()
    finally:
        for _, future in pending:  # after an error, or if the caller needs no more
            future.cancel()


class MemoryBudget:
    """Memory that threads share. A thread that needs more than is free waits.

    Parameters
    ----------
    n_bytes : int
        Size of the memory in bytes.
    """

    def __init__(self, n_bytes: int) -> None:
        self._all = self._left = n_bytes
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, n_bytes: int) -> Iterator[None]:
        """Reserve a number of bytes for the block. More than the whole memory counts as the whole memory."""
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
