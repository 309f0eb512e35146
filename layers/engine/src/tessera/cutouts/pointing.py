"""Motion of a target on the detector, from the WCS of every frame.

In the mission's target pixel files, POS_CORR1 and POS_CORR2 are the distance of a target from its position in the
reference WCS, in columns and in rows. TESSCut writes zeros. A cube keeps the WCS of every frame. Each WCS was fitted to
the stars of its frame, so it contains the pointing and the differential velocity aberration.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.frame_pixels import FrameWcs
from tessera.cubes.info_rows import InfoRows
from tessera.cubes.reader import Cube
from tessera.sky.positions import sky_to_pixel


def position_corrections(cube: Cube, info: InfoRows, ra: float, dec: float) -> dict[str, NDArray[Any]]:
    """Columns POS_CORR1 and POS_CORR2 for a target.

    Parameters
    ----------
    cube : Cube
        Cube with the reference WCS.
    info : InfoRows
        Info table of the cube.
    ra, dec : float
        Position of the target, ICRS degrees.

    Returns
    -------
    dict
        Distances in pixels, float64 of shape (n_cadences,); NaN where a frame has no WCS.
    """
    n, reference = cube.layout.n_cadences, sky_to_pixel(cube.wcs, ra, dec)
    if reference is None:
        return {"POS_CORR1": np.full(n, np.nan), "POS_CORR2": np.full(n, np.nan)}
    found = FrameWcs(cube, info).find(np.arange(n), np.full(n, ra, np.float64), np.full(n, dec, np.float64))
    row, column = (np.where(found.borrowed, np.nan, values) for values in (found.row, found.column))
    return {"POS_CORR1": column - reference[1], "POS_CORR2": row - reference[0]}
