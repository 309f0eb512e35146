"""Motion of a target on the detector, from the WCS of every frame.

In the mission's target pixel files, POS_CORR1 and POS_CORR2 are the distance of a target from its position in the
reference WCS, in columns and in rows. TESSCut writes zeros. A cube keeps the WCS of every frame. Each WCS was fitted to
the stars of its frame, so it contains the pointing and the differential velocity aberration.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.info_table import InfoTable
from tessera.cubes.reader import Cube
from tessera.errors import NoWcsError
from tessera.sky.positions import sky_to_pixel
from tessera.sky.wcs import frame_wcs


def position_corrections(cube: Cube, info: InfoTable, ra: float, dec: float) -> dict[str, NDArray[Any]]:
    """Columns POS_CORR1 and POS_CORR2 for a target.

    Parameters
    ----------
    cube : Cube
        Cube with the reference WCS.
    info : InfoTable
        Cards of all frames of the cube.
    ra, dec : float
        Position of the target, ICRS degrees.

    Returns
    -------
    dict
        Distances in pixels, float64 of shape (n_cadences,); NaN where a frame has no WCS.
    """
    reference = sky_to_pixel(cube.wcs, ra, dec)
    moved = np.full((len(info.files), 2), np.nan)
    if reference is not None:
        for cadence in range(len(info.files)):
            cards = {keyword: column.values[cadence] for keyword, column in info.columns.items()}
            try:
                pixel = sky_to_pixel(frame_wcs(cards), ra, dec)
            except NoWcsError:
                continue
            if pixel is not None:
                moved[cadence] = pixel[0] - reference[0], pixel[1] - reference[1]
    return {"POS_CORR1": moved[:, 1], "POS_CORR2": moved[:, 0]}
