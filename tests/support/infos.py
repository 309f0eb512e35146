"""Info tables whose frames all have one WCS, for cubes that exist only in memory."""

from __future__ import annotations

import numpy as np

from tessera.cubes.info_rows import InfoRows
from tessera.cubes.reader import Cube


def one_wcs(cube: Cube) -> InfoRows:
    """Info table with the cards of the cube's WCS in every row."""
    row = tuple(cube.wcs_cards.values())
    dtypes = [
        (name, f"S{len(value)}" if isinstance(value, str) else type(value)) for name, value in cube.wcs_cards.items()
    ]
    return InfoRows(np.array([row] * cube.layout.n_cadences, dtypes), {})
