"""Work on several things at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def side_by_side(work: Callable[[_Item], _Result], items: Sequence[_Item], most: int) -> list[_Result]:
    """Results of a function for each of some items, in order; a single item needs no thread.

    Parameters
    ----------
    work : callable
        The function, which waits for other machines.
    items : sequence
        Its arguments.
    most : int
        Largest number of threads.
    """
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(most) as pool:
        return list(pool.map(work, items))
