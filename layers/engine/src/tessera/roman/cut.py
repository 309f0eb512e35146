"""Cut many targets out of one ASDF file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.nddata import Cutout2D
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.errors import ImageFormatError, InvalidInputError, NoOverlapError
from tessera.images.cut_targets import DAMAGED, PartStatus, cut_targets, reason_text
from tessera.images.sizes import MAX_PIXELS, side_pixels
from tessera.inputs import sky_text
from tessera.io.file_objects import ImageInput
from tessera.io.locations import shown
from tessera.provenance.record import Origin
from tessera.roman.file import AsdfArray, AsdfImage, open_asdf
from tessera.roman.tree import AsdfTarget, aligned_arrays, detached_tree, full_tree, integer_fill, lite_tree
from tessera.roman.wcs import GeneralWcs, ImageWcs, find_pixels, fit_fits_wcs, moved_wcs, pixel_scales, shape_window
from tessera.sky.shapes.shape import Shape
from tessera.windows import Overlap, Side, Window

if TYPE_CHECKING:
    from tessera.io.sources import Location


class AsdfCutout2D(Cutout2D):  # type: ignore[misc] # astropy is untyped
    """A `Cutout2D` with a generalized WCS. Its FITS WCS is fitted to the generalized WCS at the first access.

    Attributes
    ----------
    gwcs : gwcs.WCS
        Generalized WCS of the cutout. It gives every pixel exactly the sky position that the pixel has in the image.
    wcs : WCS
        FITS WCS that approximates `gwcs` best.
    """

    gwcs: GeneralWcs
    image_wcs: ImageWcs | None = None
    _fitted: WCS | None = None

    def fits_wcs(self) -> WCS:
        """FITS WCS that approximates `gwcs`: the fit to the whole image if that is good, or a fit to the cutout."""
        whole = None if self.image_wcs is None else self.image_wcs.fitted
        if whole is None:
            return fit_fits_wcs(self.gwcs, self.shape)[0]
        return moved_wcs(whole, *self.first_pixel, self.shape)

    @property
    def first_pixel(self) -> tuple[int, int]:
        """Column and row of the image that is the first pixel of the cutout; negative if it begins before the image."""
        first = [place.start - cut.start for place, cut in zip(self.slices_original, self.slices_cutout, strict=True)]
        return first[1], first[0]

    @property
    def wcs(self) -> WCS | None:
        """See the class."""
        if self._fitted is None and hasattr(self, "gwcs"):
            self._fitted = self.fits_wcs()
        return self._fitted

    @wcs.setter
    def wcs(self, value: WCS | None) -> None:
        self._fitted = value


def build_cutout2d(image_shape: tuple[int, int], position: tuple[float, float], data: NDArray[Any]) -> AsdfCutout2D:
    """Make a `Cutout2D` of pixels that were already read.

    Parameters
    ----------
    image_shape : (int, int)
        Rows and columns of the image.
    position : (float, float)
        Column and row of the target; the centre of the first pixel is 0.
    data : ndarray, shape (n_rows, n_columns)
        Pixels of the cutout.
    """
    hollow = np.broadcast_to(data.dtype.type(0), image_shape)
    cutout = AsdfCutout2D(hollow, position, data.shape, mode="partial", fill_value=data.dtype.type(0))
    cutout.data = data
    return cutout


@dataclass(frozen=True)
class AsdfOptions:
    """Options of cutouts of ASDF files.

    Parameters
    ----------
    fill_value : float
        Value of pixels beyond the image; see `tessera.roman.tree.integer_fill`. Arrays other than the image get 0 where
        their type cannot represent it.
    lite : bool
        Whether a cutout has only the image and its WCS.
    open_options : mapping
        Arguments of ``asdf.open``.
    fsspec_options : mapping, optional
        See `tessera.io.file_objects.open_image_source`.
    """

    fill_value: float
    lite: bool
    open_options: Mapping[str, Any]
    fsspec_options: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class AsdfSource:
    """Input from which the tree of a cutout is made.

    Parameters
    ----------
    target : AsdfTarget
        Target and window of the cutout.
    pixels : mapping
        Identity of a node of the image's tree, to the cut array that replaces it.
    template : mapping or None
        Tree of the image without these arrays; None if the cutout has only the image and its WCS.
    wcs : gwcs.WCS
        WCS of the image.
    """

    target: AsdfTarget
    pixels: Mapping[int, NDArray[Any]]
    template: Mapping[str, Any] | None
    wcs: GeneralWcs


@dataclass(frozen=True)
class AsdfPart:
    """The result for one target in one file.

    Parameters
    ----------
    file : str or Path
        The file, as it was given.
    sky : SkyCoord
        Position of the target, ICRS.
    status : {'ok', 'empty', 'no overlap', 'error'}
        Outcome; see `tessera.images.batch.ImageCutoutResult`.
    reason : str
        Why there is no cutout.
    cutout : AsdfCutout2D or None
        The cutout.
    units : str
        Units of the arrays that were cut. The cut arrays are numbers without units.
    source : AsdfSource or None
        Input of the tree.
    error : Exception or None
        Error that is the reason.
    origin : Origin or None
        What records say of the file; None without a cutout.
    """

    file: Location
    sky: SkyCoord
    status: PartStatus
    reason: str = ""
    cutout: AsdfCutout2D | None = None
    units: str = ""
    source: AsdfSource | None = None
    error: Exception | None = None
    origin: Origin | None = None

    def tree(self) -> dict[str, Any]:
        """Make the tree of the cutout's ASDF file."""
        assert self.cutout is not None
        assert self.source is not None
        if self.source.template is None:
            (data,) = self.source.pixels.values()
            return lite_tree(self.source.target, data, self.cutout.gwcs)
        return full_tree(self.source.template, self.source.target, self.source.pixels, self.cutout.gwcs)


def cut_asdf(
    item: ImageInput,
    label: Location,
    targets: Sequence[SkyCoord | Shape],
    size: tuple[Side, Side],
    options: AsdfOptions,
) -> list[AsdfPart]:
    """Cut all targets out of a file. An error of the file is stored in the results and not raised.

    Parameters
    ----------
    item : str, Path or file object
        The file.
    label : str or Path
        Name of the file in results.
    targets : sequence of SkyCoord or Shape
        Positions of the targets, ICRS, or shapes whose boxes are cut.
    size : tuple of int, float or Quantity
        Columns and rows, in the order of `tessera.inputs.parse_size_input`.
    options : AsdfOptions
        Options of the cutouts.

    Returns
    -------
    list of AsdfPart
        One result per target. If the whole file cannot be used, only the first one has the reason.
    """
    if not targets:
        return []
    try:
        with open_asdf(item, shown(label), options.open_options, options.fsspec_options) as image:
            boxes = {
                n: shape_window(each, image.wcs, *image.shape)
                for n, each in enumerate(targets)
                if isinstance(each, Shape)
            }
            return _cut_image(image, label, _positions(targets), size, options, boxes=boxes)
    except DAMAGED as error:
        skipped = f"File {shown(label)} is skipped: {reason_text(error)}"
        reason = str(error) if isinstance(error, ImageFormatError) else skipped
        skies = _positions(targets)
        part = AsdfPart(label, skies[0], "error", reason, error=error)
        return [part, *(AsdfPart(label, sky, "error", "", error=error) for sky in skies[1:])]


def _positions(targets: Sequence[SkyCoord | Shape]) -> list[SkyCoord]:
    return [SkyCoord(*each.middle, unit="deg") if isinstance(each, Shape) else each for each in targets]


def cut_asdf_window(item: ImageInput, label: Location, sky: SkyCoord, window: Window, options: AsdfOptions) -> AsdfPart:
    """Cut a window of pixels out of a file, with the position of its target.

    Raises
    ------
    OSError, TesseraError
        When the file cannot be read, or has no image.
    """
    with open_asdf(item, shown(label), options.open_options, options.fsspec_options) as image:
        (part,) = _cut_image(image, label, [sky], (window.n_columns, window.n_rows), options, boxes={0: window})
        return part


def _cut_image(
    image: AsdfImage,
    label: Location,
    skies: Sequence[SkyCoord],
    size: tuple[Side, Side],
    options: AsdfOptions,
    *,
    boxes: Mapping[int, Window | None],
) -> list[AsdfPart]:
    degrees = [[float(angle.deg) for angle in (sky.ra, sky.dec)] for sky in skies]
    pixels = find_pixels(image.wcs, SkyCoord(degrees, unit="deg"))
    for number, box in boxes.items():
        pixels[number] = (np.nan, np.nan) if box is None else _middle(box)
    scales = pixel_scales(image.wcs, *pixels.T)
    arrays = aligned_arrays(image, lite=options.lite)
    image_wcs = ImageWcs(image.wcs, image.shape)
    cutter = _Cutter(image, label, skies, pixels, scales, size, arrays, options, image_wcs, boxes)
    return cut_targets(cutter, len(skies))


def _middle(box: Window) -> tuple[float, float]:
    """Column and row of the middle of a box; `Cutout2D` places a window of its shape there."""
    return box.first_column + (box.n_columns - 1) / 2, box.first_row + (box.n_rows - 1) / 2


@dataclass(frozen=True)
class _Cutter:
    image: AsdfImage
    label: Location
    targets: Sequence[SkyCoord]
    pixels: NDArray[np.float64]
    scales: NDArray[np.float64]
    size: tuple[Side, Side]
    arrays: Mapping[int, AsdfArray]
    options: AsdfOptions
    image_wcs: ImageWcs
    boxes: Mapping[int, Window | None]

    @property
    def pixel_bytes(self) -> int:
        return 8 * sum(int(np.prod(array.shape[:-2], dtype=int)) for array in self.arrays.values())

    @cached_property
    def template(self) -> Mapping[str, Any] | None:
        """Tree of the file, for cutouts with the whole tree."""
        return None if self.options.lite else detached_tree(self.image, self.arrays)

    def prefetch(self, overlaps: Sequence[Overlap]) -> None:
        self.image.prefetch(self.arrays.values(), [(overlap.rows, overlap.columns) for overlap in overlaps])

    def forget(self) -> None:
        self.image.forget()

    def failed(self, number: int, error: Exception) -> AsdfPart:
        sky = self.targets[number]
        if isinstance(error, NoOverlapError):
            return AsdfPart(self.label, sky, "no overlap", str(error))
        message = f"Cutout of {shown(self.label)} at {sky_text(sky)}: {reason_text(error)}"
        return AsdfPart(self.label, sky, "error", message, error=error)

    def place(self, number: int) -> Overlap:
        """Place the window of a target by the rule of `astropy.nddata.Cutout2D`."""
        sky, position = sky_text(self.targets[number]), self.pixels[number]
        if not np.isfinite(position).all():
            message = f"Coordinate {sky} is outside the footprint of file {shown(self.label)}."
            raise NoOverlapError(f"{message} Skipping this coordinate for this file.")
        if box := self.boxes.get(number):
            return box.overlap(*self.image.shape)
        pairs = zip(self.size, self.scales[number], strict=True)
        sides = [max(1, round(side_pixels(side, scale or 1))) for side, scale in pairs]
        if sides[0] * sides[1] > MAX_PIXELS:
            raise InvalidInputError("cutout_size", self.size, f"at most {MAX_PIXELS:,} pixels; these are {sides}")
        first = [math.ceil(middle - side / 2) for middle, side in zip(position, sides, strict=True)]
        try:
            return Window(first[1], first[0], sides[1], sides[0]).overlap(*self.image.shape)
        except NoOverlapError as error:
            message = f"Cutout of {shown(self.label)} at {sky} does not overlap the image."
            raise NoOverlapError(f"{message} Skipping this coordinate for this file.") from error

    def cut(self, number: int, overlap: Overlap) -> AsdfPart:
        """Cut all arrays around a target."""
        sky = self.targets[number]
        pixels = {key: self._read(array, overlap) for key, array in self.arrays.items()}
        data = pixels[id(self.image.branch["data"])]
        inside = data[overlap.inside]
        if not np.any(np.nan_to_num(inside, nan=0.0) if inside.dtype.kind == "f" else inside):
            reason = f"Cutout of {shown(self.label)} at {sky_text(sky)} contains no data, skipping..."
            return AsdfPart(self.label, sky, "empty", reason)
        position = (float(self.pixels[number][0]), float(self.pixels[number][1]))
        cutout = build_cutout2d(self.image.shape, position, data)
        target = AsdfTarget(overlap, sky_text(sky), shown(self.label))
        cutout.gwcs = target.slice_wcs(self.image.wcs)
        cutout.image_wcs = self.image_wcs
        units = sorted({array.unit for array in self.arrays.values() if array.unit})
        source = AsdfSource(target, pixels, self.template, self.image.wcs)
        return AsdfPart(self.label, sky, "ok", "", cutout, ", ".join(units), source, origin=self.image.origin)

    def _read(self, array: AsdfArray, overlap: Overlap) -> NDArray[Any]:
        pixels = array.read((overlap.rows, overlap.columns))
        image = array.node is self.image.branch["data"]
        fill = 0 if overlap.whole else integer_fill(self.options.fill_value, pixels.dtype, needed=image)
        return overlap.fill(pixels, fill)
