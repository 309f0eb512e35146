"""The attribute ``tessera`` of datasets: cutouts, light curves and plots of cubes."""

from __future__ import annotations

from functools import cached_property
from typing import get_args

import numpy as np
import xarray
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.arrays.contents import frame_of
from tessera.arrays.variables import world_coordinates
from tessera.cubes.reader import Cube
from tessera.cutouts.placing import find_window
from tessera.cutouts.results import Size
from tessera.errors import InvalidInputError, InvalidQueryError
from tessera.sky.coordinates import Coordinates
from tessera.sky.motion import read_targets
from tessera.windows import CubePlacement, check_placement


@xarray.register_dataset_accessor("tessera")  # type: ignore[no-untyped-call]
class CubeAccessor:
    """What datasets of `tessera.open_cube` can do, and all datasets made of them: ``dataset.tessera``.

    Parameters
    ----------
    dataset : xarray.Dataset
        The dataset, with the attributes that `tessera.open_cube` gave it.
    """

    def __init__(self, dataset: xarray.Dataset) -> None:
        self._dataset = dataset

    @cached_property
    def _frame(self) -> Cube:
        return frame_of(self._dataset.attrs)

    @property
    def wcs(self) -> WCS:
        """WCS of the dataset's pixels, with distortion; axis 1 counts columns, and the first pixel is (0, 0).

        Raises
        ------
        InvalidQueryError
            When the rows or the columns do not follow each other.
        """
        first_row, first_column = (self._first(axis) for axis in ("row", "column"))
        found: WCS = self._frame.wcs.deepcopy()
        found.wcs.crpix = found.wcs.crpix - [first_column, first_row]
        if found.sip is not None:
            sip = found.sip
            found.sip = type(sip)(sip.a, sip.b, sip.ap, sip.bp, sip.crpix - [first_column, first_row])
        return found

    def _first(self, axis: str) -> int:
        numbers = np.atleast_1d(self._numbers(axis))
        if not len(numbers) or (np.diff(numbers) != 1).any():
            raise InvalidQueryError(f"the {axis}s of the dataset do not follow each other, so it has no WCS")
        return int(numbers[0])

    def _numbers(self, axis: str) -> NDArray[np.int64]:
        if axis not in self._dataset.coords:
            found = sorted(map(str, self._dataset.coords))
            raise InvalidInputError("dataset", found, f"a dataset with the coordinate {axis}")
        return np.asarray(self._dataset[axis].values, np.int64)

    def cutout(self, target: Coordinates, size: Size = 11, *, placement: CubePlacement = "centre") -> xarray.Dataset:
        """Cut the window of a target. It has the pixels that `tessera.make_cutouts` gives it.

        Nothing is read before the values are used, unless the window reaches beyond the frame. Then its pixels are
        read, and pixels beyond the frame are NaN.

        Parameters
        ----------
        target : SkyCoord or str
            Position of one target; docs/guide/cutouts.md lists the texts. A target with a proper motion is cut where it
            is in the middle of the cube's times.
        size : int, (int, int), or Quantity, optional
            Size in pixels or as angle: one value for both axes, or (rows, columns).
        placement : {'centre', 'tesscut'}, optional
            Rule that places the window; see `tessera.CutoutOptions`.

        Returns
        -------
        xarray.Dataset
            The window, with the coordinates ``row`` and ``column`` of the frame.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        NoOverlapError
            When the window does not touch the frame.
        InvalidQueryError
            When the window has pixels of the frame that the dataset does not have.
        """
        check_placement(placement, get_args(CubePlacement))
        targets = read_targets(target)
        if len(targets) != 1:
            raise InvalidInputError("target", target, f"one position, not {len(targets)}")
        if reason := targets.why_unusable(0):
            raise InvalidInputError("target", target, reason.allowed)
        frame = self._frame
        ra, dec = targets.at(float(self._dataset.attrs.get("middle_time", np.nan)))
        window = find_window(frame, float(ra[0]), float(dec[0]), size, placement)
        overlap = window.overlap(frame.layout.n_rows, frame.layout.n_columns)
        inside = {"row": overlap.rows, "column": overlap.columns}
        cut = self._dataset.isel({axis: self._places(axis, part) for axis, part in inside.items()})
        if not overlap.whole:
            rows = np.arange(window.first_row, window.stop_row)
            columns = np.arange(window.first_column, window.stop_column)
            cut = cut.drop_vars(["ra", "dec"], errors="ignore").reindex(row=rows, column=columns)
            cut = cut.assign_coords(world_coordinates(frame, rows, columns))
        return cut.assign_attrs(target_ra=float(ra[0]), target_dec=float(dec[0]))

    def _places(self, axis: str, part: slice) -> slice:
        """Places in the dataset of some rows or columns of the frame."""
        numbers = np.atleast_1d(self._numbers(axis))
        first = int(np.searchsorted(numbers, part.start))
        places = slice(first, first + part.stop - part.start)
        if not np.array_equal(numbers[places], np.arange(part.start, part.stop)):
            have = f"{numbers.min()} to {numbers.max()}" if len(numbers) else "none"
            raise InvalidQueryError(
                f"the window has the {axis}s {part.start} to {part.stop - 1}, and not all of them are among those of "
                f"the dataset ({have})"
            )
        return places
