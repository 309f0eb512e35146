"""Select the cadences of a cube that a cutout keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.checks import check_integer, check_integer_range, check_number_range
from tessera.errors import NoCadenceError

if TYPE_CHECKING:
    from tessera.cubes.reader import Cube


Selection: TypeAlias = "tuple[tuple[float, float] | None, tuple[int, int] | None, int]"


def check_selection(time: object, cadences: object, quality_mask: object) -> Selection:
    """Check the arguments of `select_cadences` that a user gave, and return them in its types.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    """
    return (
        None if time is None else check_number_range("time", time, "BTJD to keep"),
        None if cadences is None else check_integer_range("cadences", cadences, "cadence number to keep"),
        check_integer("quality_mask", quality_mask, 0, 2**31 - 1, ", the sum of quality bits, such as 175"),
    )


def select_cadences(
    cube: Cube,
    time: tuple[float, float] | None,
    cadences: tuple[int, int] | None,
    quality_mask: int,
    *,
    touched: bool = False,
) -> NDArray[np.intp] | None:
    """Select cadences by time, number and quality.

    Parameters
    ----------
    cube : Cube
        Cube with the times, cadence numbers and quality flags.
    time : (float, float) or None
        First and last mid-exposure to keep, BTJD, ends included.
    cadences : (int, int) or None
        First and last cadence number to keep, ends included. If the cube has no cadence numbers of the spacecraft, the
        cadences are counted from 0.
    quality_mask : int
        Bits of quality flags. Cadences with one of these bits are left out.
    touched : bool, optional
        Whether a `time` in which no exposure has its middle keeps the exposures that share a moment with it.

    Returns
    -------
    ndarray of int or None
        Positions of the cadences in the cube, increasing; None when all arguments keep all cadences.

    Raises
    ------
    NoCadenceError
        When no cadence is kept. The message says which times and cadence numbers the cube has.
    """
    if time is None and cadences is None and not quality_mask:
        return None
    keep = np.ones(cube.layout.n_cadences, bool)
    if time is not None:
        keep &= _in_time(cube, time, touched=touched)
    if cadences is not None:
        numbers = cadence_numbers(cube)
        keep &= (numbers >= cadences[0]) & (numbers <= cadences[1])
    keep &= (cube.series["quality"] & quality_mask) == 0
    if not keep.any():
        raise NoCadenceError(_why_none(cube, time, cadences, quality_mask))
    return np.flatnonzero(keep)


def _in_time(cube: Cube, time: tuple[float, float], *, touched: bool) -> NDArray[np.bool_]:
    middle = mid_times(cube)
    keep = (middle >= time[0]) & (middle <= time[1])
    if touched and not keep.any():
        keep = (cube.series["start"] <= time[1]) & (cube.series["stop"] >= time[0])
    return np.asarray(keep)


def middle_time(cube: Cube) -> float:
    """Time in the middle between the first and the last exposure of a cube, BTJD."""
    middle = mid_times(cube)
    return float((middle.min() + middle.max()) / 2)


def cadence_seconds(cube: Cube) -> int | None:
    """Seconds from one exposure of a cube to the next, as the median; None if it has fewer than two."""
    steps = np.diff(cube.series["start"])
    steps = steps[np.isfinite(steps) & (steps > 0)]
    return round(float(np.median(steps)) * 86400) if steps.size else None


def mid_times(cube: Cube) -> NDArray[np.float64]:
    """Middle of each exposure, BTJD or TJD."""
    return np.asarray((cube.series["start"] + cube.series["stop"]) / 2, np.float64)


def cadence_numbers(cube: Cube) -> NDArray[np.int64]:
    """The spacecraft's numbers of the cadences, or numbers from 0 if the cube has none."""
    numbers = cube.series["cadence_number"]
    return np.asarray(numbers if numbers.any() else np.arange(len(numbers)), np.int64)


def _why_none(cube: Cube, time: tuple[float, float] | None, cadences: tuple[int, int] | None, quality_mask: int) -> str:
    middle, numbers = mid_times(cube), cadence_numbers(cube)
    wanted = [
        *([f"time {time[0]:.6f} to {time[1]:.6f}"] if time else []),
        *([f"cadences {cadences[0]} to {cadences[1]}"] if cadences else []),
        *([f"quality_mask {quality_mask}"] if quality_mask else []),
    ]
    there = f"BTJD {middle.min():.6f} to {middle.max():.6f}, cadences {numbers.min()} to {numbers.max()}"
    return f"no cadence of {cube.name} is kept by {', '.join(wanted)}; the cube has {there}"
