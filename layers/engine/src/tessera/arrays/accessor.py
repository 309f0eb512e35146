"""The attribute ``tessera`` of datasets: cutouts, light curves and plots of cubes."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, Sip
from numpy.typing import NDArray

from tessera.arrays.contents import frame_of
from tessera.cubes.reader import Cube
from tessera.cutouts.placing import find_window
from tessera.cutouts.results import Size
from tessera.errors import InvalidInputError, InvalidQueryError
from tessera.lightcurves.light_curve import LightCurve
from tessera.lightcurves.masks import MaskChoice
from tessera.lightcurves.quality import Quality
from tessera.lightcurves.target_pixels import Background, TargetPixels
from tessera.sky.positions import sky_to_pixel
from tessera.targets.names import MAST_RESOLVER, MastNames
from tessera.targets.read import GivenTargets, read_given
from tessera.windows import CubePlacement, check_placement

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

DIMS = ("time", "row", "column")
"""Order of the axes in target pixel files, in lightkurve, and in most datasets of others: time first."""
_CARDS = {"product": "FFI_TYPE", "sector": "SECTOR", "camera": "CAMERA", "ccd": "CCD"}
_CARDS |= {"target_ra": "RA_OBJ", "target_dec": "DEC_OBJ"}
"""Attribute of a dataset to the card of a target pixel file."""


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
        InvalidInputError
            When the dataset has lost its attributes or its coordinates ``row`` and ``column``.
        InvalidQueryError
            When its rows or columns do not follow each other.
        """
        first = np.array([self._first("column"), self._first("row")], np.float64)
        found: WCS = self._frame.wcs.deepcopy()
        found.wcs.crpix = found.wcs.crpix - first
        if found.sip is not None:
            sip = found.sip
            found.sip = Sip(sip.a, sip.b, sip.ap, sip.bp, sip.crpix - first)
        return found

    def _first(self, axis: str) -> int:
        numbers = self._numbers(axis)
        if not len(numbers) or (np.diff(numbers) != 1).any():
            raise InvalidQueryError(f"the {axis}s of the dataset do not follow each other; select adjacent ones")
        return int(numbers[0])

    def _numbers(self, axis: str) -> NDArray[np.int64]:
        return np.asarray(self._coordinate(axis), np.int64)

    def _coordinate(self, name: str, kinds: str = "iuf") -> NDArray[Any]:
        """Values of a coordinate, which operations may have dropped or changed; `kinds` are those of numpy."""
        if name not in self._dataset.coords:
            found = sorted(map(str, self._dataset.coords))
            raise InvalidInputError("coordinates of the dataset", found, f"coordinates with {name}")
        values = np.atleast_1d(self._dataset[name].to_numpy())
        if values.dtype.kind not in kinds:
            allowed = "integers" if kinds == "iu" else "numbers"
            raise InvalidInputError(f"{name} of the dataset", values.dtype.name, f"{allowed}, as tessera.open_cube has")
        return values

    def cutout(
        self,
        target: GivenTargets,
        size: Size = 11,
        *,
        placement: CubePlacement = "centre",
        resolver: str = MAST_RESOLVER,
    ) -> xarray.Dataset:
        """Cut the window of a target. It has the pixels that `tessera.make_cutouts` gives it.

        Nothing is read before the values are used, unless the window reaches beyond the frame. Then its pixels are
        read, and pixels beyond the frame are NaN.

        Parameters
        ----------
        target : str, SkyCoord, or (float, float)
            One target: a name such as "pi Men" or "TIC 261136679", a position as text, a SkyCoord, or right ascension
            and declination in degrees. A SkyCoord with a proper motion is cut where it is in the middle of the cube's
            times.
        size : int, (int, int), or Quantity, optional
            Size in pixels or as angle: one value for both axes, or (rows, columns).
        placement : {'centre', 'tesscut'}, optional
            Rule that places the window; see `tessera.CutoutOptions`.
        resolver : str, optional
            Address of the resolver that is asked for names.

        Returns
        -------
        xarray.Dataset
            The window, with the coordinates ``row`` and ``column`` of the frame.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed, or the dataset has lost its attributes.
        NoOverlapError
            When the window does not touch the frame.
        InvalidQueryError
            When the window has pixels of the frame that the dataset does not have.
        """
        from tessera.arrays.variables import world_coordinates  # noqa: PLC0415 - imports xarray, which is optional

        check_placement(placement, get_args(CubePlacement))
        ra, dec = self._position(target, resolver)
        frame = self._frame
        window = find_window(frame, ra, dec, size, placement)
        overlap = window.overlap(frame.layout.n_rows, frame.layout.n_columns)
        inside = {"row": overlap.rows, "column": overlap.columns}
        cut = self._dataset.isel({axis: self._places(axis, part) for axis, part in inside.items()})
        if not overlap.whole:
            rows = np.arange(window.first_row, window.stop_row)
            columns = np.arange(window.first_column, window.stop_column)
            cut = cut.drop_vars(["ra", "dec"], errors="ignore").reindex(row=rows, column=columns)
            cut = cut.assign_coords(world_coordinates(frame, rows, columns))
        return cut.assign_attrs(target_ra=ra, target_dec=dec)

    def _position(self, target: GivenTargets, resolver: str) -> tuple[float, float]:
        """Position of a target in the middle of the cube's times."""
        found = read_given(target, MastNames(resolver))
        if len(found) != 1:
            raise InvalidInputError("target", target, f"one target, not {len(found)}")
        if reason := found.targets[0].reason:
            raise InvalidInputError("target", target, f"a target with a position ({reason})")
        ra, dec = found.positions.at(float(self._dataset.attrs.get("middle_time", np.nan)))
        return float(ra[0]), float(dec[0])

    def _places(self, axis: str, part: slice) -> slice:
        """Places in the dataset of some rows or columns of the frame."""
        numbers = self._numbers(axis)
        first = int(np.searchsorted(numbers, part.start))
        places = slice(first, first + part.stop - part.start)
        if axis not in self._dataset.dims or not np.array_equal(numbers[places], np.arange(part.start, part.stop)):
            have = f"{numbers.min()} to {numbers.max()}" if len(numbers) else "none"
            wanted = f"the window has the {axis}s {part.start} to {part.stop - 1}"
            raise InvalidQueryError(f"{wanted}, and not all of them are among those of the dataset ({have})")
        return places

    def to_target_pixels(self) -> TargetPixels:
        """Read the pixels of the dataset as `tessera.TargetPixels`.

        Returns
        -------
        TargetPixels
            Flux and errors as 32-bit floats. The target is that of `cutout`, or else in the middle of the pixels.

        Raises
        ------
        InvalidInputError
            When the dataset is not one of times, rows and columns, or has lost a coordinate.
        InvalidQueryError
            When its rows or columns do not follow each other, or there are too many to read them at once.
        OSError
            When the file cannot be read.
        """
        dataset, attrs = self._dataset, self._dataset.attrs
        names = [name for name in ("flux", "error") if name in dataset]
        if "flux" not in dataset or any(set(dataset[name].dims) != set(DIMS) for name in names):
            found = {name: dataset[name].dims for name in map(str, dataset.data_vars)}
            raise InvalidInputError("variables of the dataset", found, f"flux with the dimensions {DIMS}")
        frame, wcs = self._frame, self.wcs
        planes = [self._plane(name) for name in names]
        rows, columns = self._numbers("row"), self._numbers("column")
        on_frame = ((rows >= 0) & (rows < frame.layout.n_rows), (columns >= 0) & (columns < frame.layout.n_columns))
        cards = [(card, attrs[name]) for name, card in _CARDS.items() if name in attrs]
        return TargetPixels(
            planes[0],
            planes[1] if len(planes) > 1 else None,
            self._coordinate("time"),
            self._coordinate("quality", "iu"),
            frame.product.time_system,
            frame.product.flux_unit,
            cadence_numbers=self._coordinate("cadence_number", "iu"),
            known=np.logical_and.outer(*on_frame),
            target_pixel=self._target_pixel(wcs),
            wcs=wcs,
            first_pixel=(int(rows[0]), int(columns[0])),
            header=fits.Header(cards),
            name=frame.name,
        )

    def _plane(self, name: str) -> NDArray[np.float32]:
        """Values of a variable with axes (time, row, column). They stay in the dataset, so they are read once."""
        variable = self._dataset[name]
        axes = [variable.dims.index(axis) for axis in DIMS]
        return np.asarray(variable.to_numpy(), np.float32).transpose(axes)

    def _target_pixel(self, wcs: WCS) -> tuple[float, float] | None:
        attrs, shape = self._dataset.attrs, [self._dataset.sizes[axis] for axis in DIMS[1:]]
        if not {"target_ra", "target_dec"} <= attrs.keys():
            return None
        pixel = sky_to_pixel(wcs, attrs["target_ra"], attrs["target_dec"])
        inside = pixel is not None and all(-0.5 <= at < n - 0.5 for at, n in zip(pixel, shape, strict=True))
        return pixel if inside else None

    def to_lightcurve(
        self, mask: MaskChoice = "default", background: Background = "default", quality: Quality = "default"
    ) -> LightCurve:
        """Sum the pixels of an aperture in every cadence, as `tessera.TargetPixels.to_lightcurve` does.

        Parameters
        ----------
        mask : {'default', 'threshold', 'all'}, hexadecimal digits, or array, optional
            Pixels to sum. By default they are those that are brighter than their surroundings and connected to the
            pixel of the target. An array has True or 1 for the pixels to sum, in the shape (n_rows, n_columns).
        background : 'default' or bool, optional
            Whether to subtract, in each cadence, the median of the pixels outside the aperture. By default it is
            subtracted.
        quality : {'default', 'hard', 'hardest', 'none'} or int, optional
            Quality bits, as in lightkurve. Cadences with one of these bits are left out.

        Returns
        -------
        LightCurve
            One point per cadence that is kept.

        Raises
        ------
        InvalidInputError, InvalidQueryError, OSError
            See `to_target_pixels`, and when an option has a value that is not allowed.
        NoCadenceError
            When no cadence is kept.
        """
        return self.to_target_pixels().to_lightcurve(mask, background, quality)

    def plot(self, ax: Axes | None = None, mask: MaskChoice | None = "default") -> Axes:
        """Draw the median frame with the aperture, as `tessera.TargetPixels.plot` does.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        mask : optional
            Aperture to outline; see `to_lightcurve`. None outlines none.

        Returns
        -------
        matplotlib Axes
            Rows and columns are those of the frame, counted from 0.

        Raises
        ------
        MissingPackageError
            When matplotlib is not installed.
        InvalidInputError, InvalidQueryError, OSError
            See `to_target_pixels`.
        """
        return self.to_target_pixels().plot(ax, mask)
