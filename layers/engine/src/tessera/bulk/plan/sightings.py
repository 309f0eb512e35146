"""Which cubes see which targets of a list, and at which pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import Cube
from tessera.cutouts.cadences import middle_time

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
        Where it is from, as its header says; 0 if it does not.
    layout : CubeLayout
        Shape of its array.
    data_offset : int
        First byte of the array in the file.
    wcs_cards : mapping
        Cards of the WCS of the middle frame; see `tessera.cubes.reader.Cube`.
    middle : float
        Middle of its times, BTJD, to which positions are moved; see `tessera.cutouts.cadences.middle_time`.
    """

    name: str
    sector: int
    camera: int
    ccd: int
    layout: CubeLayout
    data_offset: int
    wcs_cards: Mapping[str, Any]
    middle: float

    @classmethod
    def of(cls, cube: Cube, name: str = "") -> SightCube:
        """What a plan knows of a cube that was opened.

        Parameters
        ----------
        cube : Cube
            The cube.
        name : str, optional
            Its id; by default its `obs_id`.

        Raises
        ------
        NoWcsError
            When its WCS cannot be used.
        """
        _ = cube.wcs
        sector, camera, ccd = (number or 0 for number in cube.detector)
        about = cube.layout, cube.data_offset, cube.wcs_cards, middle_time(cube)
        return cls(name or cube.obs_id, sector, camera, ccd, *about)


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

    def take(self, places: Ints) -> Sightings:
        """Some of the sightings, by their places."""
        return Sightings(**{one.name: getattr(self, one.name)[places] for one in fields(self)})

    def unseen(self, n_targets: int) -> Ints:
        """Places in `TargetRows` of the targets that are on no cube, of `n_targets`."""
        return np.flatnonzero(np.bincount(self.target, minlength=n_targets) == 0)

    def __len__(self) -> int:
        """Number of sightings."""
        return len(self.target)
