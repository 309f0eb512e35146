"""Memory that threads share, and what is read ahead."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from tessera.cubes.read_ahead import MemoryBudget, read_rows
from tessera.cubes.read_plan import RowRead
from tessera.io.ranges import ByteRange


def test_no_more_is_held_than_there_is_room_for() -> None:
    memory, lock, held, most = MemoryBudget(10), threading.Lock(), 0, 0

    def work(n_bytes: int) -> None:
        nonlocal held, most
        with memory.taken(n_bytes):
            with lock:
                held += n_bytes
                most = max(most, held)
            threading.Event().wait(0.002)
            with lock:
                held -= n_bytes

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [3, 4, 5, 2, 10, 1, 6] * 5))
    assert 5 < most <= 10


def test_who_needs_more_than_there_is_has_it_alone_and_gives_it_back_after_an_error() -> None:
    memory = MemoryBudget(10)
    with pytest.raises(ValueError, match="lost"), memory.taken(1000):
        raise ValueError("lost")
    with memory.taken(10):
        pass


class Reader:
    """A file whose ranges stay held until the test lets them go; it counts the bytes that were asked for."""

    def __init__(self) -> None:
        self.asked, self.lock = 0, threading.Lock()

    def __call__(self, start: int, length: int) -> int:
        with self.lock:
            self.asked += length
        return start


def test_no_more_bytes_are_read_ahead_than_allowed_whatever_the_sizes_of_the_requests() -> None:
    sizes = [1, 50, 3, 3, 90, 200, 2, 2, 2, 40, 60, 1]
    starts = np.cumsum([0, *sizes]).tolist()
    reads = [RowRead(0, 1, ByteRange(start, size)) for start, size in zip(starts, sizes, strict=False)]
    read, used = Reader(), 0
    with ThreadPoolExecutor(4) as pool:
        for item, start in read_rows(pool, read, reads, ahead=100):
            assert start == item.data.start
            pool.submit(int).result()
            with read.lock:
                waiting = read.asked - used
            assert waiting <= 100 or waiting <= max(a + b for a, b in pairwise(sizes))
            used += item.data.length
    assert used == read.asked == sum(sizes)


def test_requests_that_nobody_waits_for_are_not_sent() -> None:
    reads = [RowRead(0, 1, ByteRange(10 * number, 10)) for number in range(50)]
    asked, gate = [], threading.Event()

    def read(start: int, length: int) -> int:
        asked.append(start)
        assert start == 0 or gate.wait(60)
        return length

    with ThreadPoolExecutor(1) as pool:
        found = read_rows(pool, read, reads, ahead=10_000)
        next(found)
        found.close()
        gate.set()
    assert asked in ([0], [0, 10])
