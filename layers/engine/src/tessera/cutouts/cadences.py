"""Which cadences of a cube a cutout keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tessera.cubes.reader import Cube


def select_cadences(
    cube: Cube, time: tuple[float, float] | None, cadences: tuple[int, int] | None, quality_mask: int
) -> NDArray[np.intp] | None:
    """Cadences to keep; None for all.

    Parameters
    ----------
    cube : Cube
        Whose cadences they are.
    time : (float, float) or None
        Range of mid-exposures in BTJD, ends included.
    cadences : (int, int) or None
        Range of the spacecraft's cadence numbers where the cube has them, and else of cadences, ends included.
    quality_mask : int
        Cadences with one of these bits are left out.
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
