"""Select the cadences of a cube that a cutout keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tessera.cubes.reader import Cube


def select_cadences(
    cube: Cube, time: tuple[float, float] | None, cadences: tuple[int, int] | None, quality_mask: int
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

    Returns
    -------
    ndarray of int or None
        Positions of the cadences in the cube, increasing; None when all arguments keep all cadences.
    """
    if time is None and cadences is None and not quality_mask:
        return None
    keep = np.ones(cube.layout.n_cadences, bool)
    if time is not None:
        middle = (cube.series["start"] + cube.series["stop"]) / 2
        keep &= (middle >= time[0]) & (middle <= time[1])
    if cadences is not None:
        numbers = cube.series["cadence_number"]
        numbers = numbers if numbers.any() else np.arange(len(keep))
        keep &= (numbers >= cadences[0]) & (numbers <= cadences[1])
    keep &= (cube.series["quality"] & quality_mask) == 0
    return np.flatnonzero(keep)
