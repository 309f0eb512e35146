"""What all batches of cutouts have in common: cubes side by side, and one bad cube does not end the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tessera.errors import UNREADABLE
from tessera.io.sources import Location, ReplacedError

CUBES_AT_ONCE = 32
"""Cubes that are worked on at the same time."""
PIXEL_BYTES = 256_000_000
"""Memory for the pixels that are read or made into files at the same time; one cutout may be larger."""

Result = TypeVar("Result")


def cut_cubes(
    cubes: Sequence[Location],
    cut: Callable[[Location], Result],
    failed: Callable[[Location, Exception], Result],
) -> list[Result]:
    """Cut several cubes at the same time, each once more when it was replaced while it was read.

    Parameters
    ----------
    cubes : sequence of str or Path
        Local paths, ``s3://`` or ``https://``.
    cut : callable
        ``cut(cube)`` returns what became of a cube.
    failed : callable
        ``failed(cube, error)`` returns what became of a cube that cannot be cut.

    Returns
    -------
    list
        In the order of the cubes.
    """

    def cut_one(cube: Location) -> Result:
        try:
            try:
                return cut(cube)
            except ReplacedError:  # another cube took its place: once more, from the beginning
                return cut(cube)
        except UNREADABLE as error:
            return failed(cube, error)

    with ThreadPoolExecutor(CUBES_AT_ONCE) as pool:
        return list(pool.map(cut_one, cubes))
