"""Work on several cubes at the same time. An error in one cube does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tessera.errors import UNREADABLE
from tessera.io.sources import ReplacedError
from tessera.progress import Counter

CUBES_AT_ONCE = 32
"""Number of cubes that are cut at the same time."""
PIXEL_BYTES = 256_000_000
"""Memory in bytes for all pixels that are read or written at the same time. A single cutout may be larger."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def cut_cubes(
    cubes: Sequence[Item],
    cut: Callable[[Item], Result],
    failed: Callable[[Item, Exception], Result],
    counter: Counter,
) -> list[Result]:
    """Cut several cubes at the same time. A cube that is replaced while it is read is cut a second time.

    Parameters
    ----------
    cubes : sequence
        Cubes, such as paths and URLs, in the form that `cut` takes.
    cut : callable
        Function that cuts a cube: ``cut(cube)`` returns the result for this cube.
    failed : callable
        Function for a cube that cannot be cut: ``failed(cube, error)`` returns the result for this cube.
    counter : Counter
        What `cut` and `failed` count their cutouts with.

    Returns
    -------
    list
        Results, in the order of the cubes.
    """

    def cut_one(cube: Item) -> Result:
        try:
            try:
                return cut(cube)
            except ReplacedError:  # another file took the cube's place: start again
                return cut(cube)
        except UNREADABLE as error:
            return failed(cube, error)

    return counter.map(cut_one, cubes, CUBES_AT_ONCE)
