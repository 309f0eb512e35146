"""Motion of a target on the detector, from the WCS of every frame.

POS_CORR1 and POS_CORR2 of a mission's target pixel file say how far a target is from where the reference WCS puts it,
in columns and rows. TESSCut leaves them zero. A cube keeps the WCS of every frame, which was fitted to that frame's
stars, so pointing and differential velocity aberration can be had from it.
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
        Whose WCS is the reference.
    info : InfoTable
        Cards of all its frames.
    ra, dec : float
        Target, ICRS degrees.

    Returns
    -------
    dict
        Pixels, float64 of shape (n_cadences,); NaN where a frame has no WCS.
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
