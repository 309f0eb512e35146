"""Memory that threads share."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tessera.cubes.read_ahead import MemoryBudget


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
