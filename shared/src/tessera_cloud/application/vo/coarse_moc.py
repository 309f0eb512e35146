"""Coarse maps of the sky for records, which are short texts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby

from tessera_cloud.application.backend import HasStore
from tessera_cloud.application.coverage.parts import ALL
from tessera_cloud.application.coverage.served import current_coverage, find_file, read_file
from tessera_cloud.errors import NotFoundError

_ORDER = 5
"""Order of the smallest cells: sides of 1.8 degrees."""


def coverage_text(backend: HasStore) -> str | None:
    """Coverage of all cubes as text; None if no coverage was written yet. The cells cover a bit more than the cubes."""
    try:
        file = find_file(ALL, f"{ALL}.json", current_coverage(backend))
    except NotFoundError:
        return None
    return coarse_moc(json.loads(read_file(file, backend)))


def coarse_moc(moc: dict[str, list[int]], order: int = _ORDER) -> str:
    """Write a MOC in JSON as text (MOC 2.0, section 4.3.2), with cells that are not smaller than those of an order.

    Parameters
    ----------
    moc : dict
        Numbers of cells by their order.
    order : int, optional
        Order of the smallest cells of the text.

    Examples
    --------
    >>> coarse_moc({"1": [0, 1, 2], "2": [12, 13, 14], "4": [240, 300]}, 2)
    '0/0 2/18'
    """
    cells: set[int] = set()
    for name, numbers in moc.items():
        depth = int(name)
        for number in numbers:
            if depth >= order:
                cells.add(number >> 2 * (depth - order))
            else:
                shift = 2 * (order - depth)
                cells.update(range(number << shift, number + 1 << shift))
    found = {order: cells}
    for depth in range(order, 0, -1):
        parents = {number >> 2 for number in found[depth]}
        found[depth - 1] = {parent for parent in parents if {4 * parent + child for child in range(4)} <= found[depth]}
        found[depth] = {number for number in found[depth] if number >> 2 not in found[depth - 1]}
    return " ".join(f"{depth}/{_ranges(sorted(found[depth]))}" for depth in sorted(found) if found[depth])


def _ranges(numbers: Iterable[int]) -> str:
    runs = (list(run) for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]))
    ends = ((run[0][1], run[-1][1]) for run in runs)
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)
