"""Find the places of a target on the frames that target pixel files were cut from.

The pointing changes within a sector, so each frame has a WCS of its own. Two things tell how it changes: the info
tables of the cubes that the user names, or the columns POS_CORR1 and POS_CORR2 of a file. Files of the TESSCut service
and of astrocut have zeros in these columns; then one WCS is used for all cadences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.compat.moving.path_files import PathFile
from tessera.compat.moving.path_to_footprints import pixels_of
from tessera.cubes.frame_pixels import FramePixels, FrameWcs
from tessera.cutouts.open_cube import open_cube
from tessera.errors import InvalidInputError
from tessera.io.sources import Location, check_locations


@dataclass(frozen=True)
class CubeFrames:
    """The frames of some cubes.

    Parameters
    ----------
    cubes : tuple of FrameWcs
        WCS of the frames of each cube.
    places : dict
        Name of a frame to its cube, as a number from 0, and its cadence.
    """

    cubes: tuple[FrameWcs, ...]
    places: dict[bytes, tuple[int, int]]

    def find(self, file: PathFile, rows: NDArray[np.intp], sky: SkyCoord) -> FramePixels:
        """Find rows and columns of positions in some rows of a file; see `find_places`.

        Raises
        ------
        InvalidInputError
            When a frame of the file is in no cube.
        """
        names = file.table["FFI_FILE"][rows].tolist() if "FFI_FILE" in (file.table.dtype.names or ()) else [b""]
        encoded = [(name.encode() if isinstance(name, str) else name).rstrip() for name in names]
        unknown = next((name.decode() for name in encoded if name not in self.places), None)
        if unknown is not None:
            allowed = f"the cubes of all frames; no cube has {unknown!r}, which is a frame of {file.name}"
            raise InvalidInputError("cubes", [item.cube.name for item in self.cubes], allowed)
        number, cadence = np.array([self.places[name] for name in encoded]).T
        row, column, borrowed = np.empty(len(rows)), np.empty(len(rows)), np.empty(len(rows), bool)
        for some in (np.flatnonzero(number == one) for one in np.unique(number)):
            found = self.cubes[number[some[0]]].find(cadence[some], sky.ra.deg[some], sky.dec.deg[some])
            row[some], column[some], borrowed[some] = found.row, found.column, found.borrowed
        return FramePixels(row, column, borrowed)


def read_frames(cubes: Sequence[Location] | None) -> CubeFrames | None:
    """Read the info tables of cubes; None if there are none."""
    if cubes is None:
        return None
    known, places = [], {}
    for number, location in enumerate(check_locations("cubes", cubes)):
        with open_cube(location) as file:
            known.append(FrameWcs(file.cube, file.info))
            places.update({name.rstrip(): (number, n) for n, name in enumerate(file.cube.series["file"].tolist())})
    return CubeFrames(tuple(known), places)


def find_places(
    file: PathFile, rows: NDArray[np.intp], sky: SkyCoord, img_wcs: WCS | None, corner: tuple[int, int]
) -> FramePixels:
    """Find rows and columns on the frame with one WCS, moved by the POS_CORR1 and POS_CORR2 of each row.

    Parameters
    ----------
    file : PathFile
        A target pixel file.
    rows : ndarray of int, shape (n,)
        Rows of its table, one for each position.
    sky : SkyCoord, shape (n,)
        Positions of the target.
    img_wcs : WCS or None
        WCS of the frames. Without it, the linear WCS of the cutout is used.
    corner : (int, int)
        Row and column of the first pixel of the cutout on the frame.
    """
    row, column = pixels_of(sky, file.wcs if img_wcs is None else img_wcs)
    first_row, first_column = corner if img_wcs is None else (0, 0)
    moved, borrowed = _moved(file)
    return FramePixels(row + first_row + moved[1, rows], column + first_column + moved[0, rows], borrowed[rows])


def _moved(file: PathFile) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Distance of the pointing from the WCS, as columns and rows for each row of a table, and where it is borrowed."""
    n, names = len(file.table), file.table.dtype.names or ()
    if not {"POS_CORR1", "POS_CORR2"} <= set(names):
        return np.zeros((2, n)), np.zeros(n, bool)
    moved = np.stack([file.table[name].astype(np.float64) for name in ("POS_CORR1", "POS_CORR2")])
    known = np.flatnonzero(np.isfinite(moved).all(axis=0))
    if len(known) == 0:
        return np.zeros((2, n)), np.ones(n, bool)
    days = file.table["TIME"].astype(np.float64)
    borrowed = np.ones(n, bool)
    borrowed[known] = False
    for number in np.flatnonzero(borrowed):
        moved[:, number] = moved[:, known[np.abs(days[known] - days[number]).argmin()]]
    return moved, borrowed
