"""Which cubes see which targets of a list, and at which pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SightCube:
    """What a plan knows of a cube.

    Parameters
    ----------
    name : str
        Id of the cube, such as ``tess-s0001-1-1``.
    sector, camera, ccd : int
        Where it is from.
    layout : CubeLayout
        Shape of its array.
    data_offset : int
        First byte of the array in the file.
    wcs_cards : mapping
        Cards of the WCS of the middle frame; see `tessera.cubes.reader.Cube`.
    corners : ndarray of float64, shape (n_corners, 3), or None
        Corners of its footprint as unit vectors, of which the pass over all targets makes use; None if not known.
    year : float
        Julian year of the middle of its times, to which positions are moved.
    """

    name: str
    sector: int
    camera: int
    ccd: int
    layout: CubeLayout
    data_offset: int
    wcs_cards: Mapping[str, Any]
    corners: Floats | None
    year: float


@dataclass(frozen=True)
class Sightings:
    """Targets on cubes. Arrays have the shape (n_sightings,), sorted by cube, then first row and first column.

    Parameters
    ----------
    target : ndarray of int64
        Place of the target in `TargetRows`.
    cube : ndarray of int32
        Place of the cube in the list of cubes.
    row, column : ndarray of float64
        Pixel of the target, with its proper motion. The centre of the first pixel is 0.
    first_row, first_column : ndarray of int32
        First pixel of the window, which is centred as in `tessera.windows.Placement`; negative beyond the frame.
    n_rows, n_columns : ndarray of int32
        Size of the window.
    edge : ndarray of float64
        Pixels to the nearest edge of the pixels that see the sky; negative outside of them.
    best : ndarray of bool
        False for a target that another CCD of the same sector sees better: farther from its edge, and at equal
        distances with the lower camera, then the lower CCD.
    """

    target: Ints
    cube: NDArray[np.int32]
    row: Floats
    column: Floats
    first_row: NDArray[np.int32]
    first_column: NDArray[np.int32]
    n_rows: NDArray[np.int32]
    n_columns: NDArray[np.int32]
    edge: Floats
    best: NDArray[np.bool_]

    def __len__(self) -> int:
        """Number of sightings."""
        return len(self.target)
