"""The memory of the process has a limit, and threads and forked processes may use it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tessera.cutouts.known.memory import Memory


def test_what_was_not_used_for_the_longest_time_is_forgotten_first() -> None:
    memory = Memory[int](3, 100)
    for number in range(3):
        memory.put(number, number, 1)
    assert memory.get(0) == 0
    memory.put(3, 3, 1)
    assert [memory.get(number) for number in range(4)] == [0, None, 2, 3]


def test_all_values_together_stay_below_the_limit_in_bytes() -> None:
    memory = Memory[str](10, 100)
    memory.put("a", "a", 60)
    memory.put("b", "b", 40)
    assert memory.n_bytes == 100
    memory.put("c", "c", 10)
    assert (memory.get("a"), memory.get("b"), memory.n_bytes) == (None, "b", 50)
    memory.put("b", "larger", 101)
    assert (memory.get("b"), memory.get("c"), memory.n_bytes) == (None, "c", 10)
    memory.put("c", "again", 20)
    assert (memory.get("c"), memory.n_bytes, len(memory)) == ("again", 20, 1)
    memory.clear()
    assert (memory.get("c"), memory.n_bytes, len(memory)) == (None, 0, 0)


def test_threads_do_not_disturb_its_count() -> None:
    memory = Memory[int](5, 50)

    def use(number: int) -> None:
        memory.put(number % 9, number, number % 20)
        memory.get(number % 7)
        memory.forget(number % 5)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(1000)))
    for number in range(9):
        memory.forget(number)
    assert (len(memory), memory.n_bytes) == (0, 0)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_that_is_forked_while_a_thread_uses_it_goes_on_with_it() -> None:
    memory = Memory[int](5, 50)
    memory.put("known", 1, 1)

    def use() -> None:
        for number in range(100_000):
            memory.put(number % 3, number, 1)

    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(use)
        for _ in range(5):
            child = os.fork()
            if not child:
                os._exit(memory.get("known") or 9)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        work.result()
