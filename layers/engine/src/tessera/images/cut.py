"""Cut many targets out of one file of images. Each target in each extension has its own result and reason."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from numpy.typing import NDArray

from tessera.errors import InvalidQueryError, NoOverlapError
from tessera.images.cut_targets import DAMAGED, PartStatus, cut_targets
from tessera.images.extensions import Extension, check_extension
from tessera.images.file import ImageFile, open_images
from tessera.images.headers.clean import is_sky_card
from tessera.images.headers.flux import linear_flux
from tessera.images.headers.moving import move_origin, move_tables
from tessera.images.headers.whole import update_whole
from tessera.images.inputs import ImagePixel, Target
from tessera.images.sizes import fill_for, place_image_window
from tessera.images.wcs import (
    check_moved,
    find_pixel,
    read_image_wcs,
    scales_at,
    shape_window,
    sky_of_target,
    window_region,
)
from tessera.inputs import sky_text
from tessera.io.file_objects import ImageInput
from tessera.provenance.record import Origin
from tessera.sky.shapes.shape import Shape
from tessera.windows import ImagePlacement, Overlap, Placement, Side, Window, check_placement

if TYPE_CHECKING:
    from tessera.io.sources import Location

_STRUCTURE = ("SIMPLE", "BITPIX", "NAXIS", "EXTEND", "NEXTEND", "GROUPS", "PCOUNT", "GCOUNT", "EXTNAME", "EXTVER")
_NOT_INHERITED = frozenset([*_STRUCTURE, "CHECKSUM", "DATASUM", "COMMENT", "HISTORY"])
_GONE = ("CHECKSUM", "DATASUM", "ZHECKSUM", "ZDATASUM", "NEXTEND")


@dataclass(frozen=True)
class ImageCutoutOptions:
    """Options of cutouts of FITS images.

    Parameters
    ----------
    extension : None, 'all', int, str, (str, int), or list of them, optional
        Numbers (negative from the end), names, or (name, EXTVER) of extensions; by default the first image. Text may
        also be "NAME,EXTVER", or several numbers or names with commas.
    placement : {'centre', 'round', 'ceil', 'floor'}, optional
        Rule that places the window; see `tessera.windows.Placement`.
    fill_value : float, optional
        Value of pixels beyond the image. The data type of the image must be able to represent it.
    fsspec_options : mapping, optional
        Arguments for fsspec. With them, fsspec opens all URLs.
    provenance : bool, optional
        Whether files of `make_image_cutouts` say what they were made of; see docs/explanation/provenance.md.

    Raises
    ------
    InvalidInputError
        When the placement is unknown.
    """

    extension: Any = None
    placement: Placement | ImagePlacement = "centre"
    fill_value: float = math.nan
    fsspec_options: Mapping[str, Any] | None = None
    provenance: bool = True

    def __post_init__(self) -> None:
        check_placement(self.placement, get_args(ImagePlacement))


@dataclass(frozen=True)
class ImageCut:
    """Pixels and header of a cutout.

    Parameters
    ----------
    data : ndarray, shape (..., n_rows, n_columns)
        Pixels, in the data type that astropy returns, with the further axes of the image.
    overlap : Overlap
        The window, and its part on the image.
    shape_input : (int, int)
        Rows and columns of the image.
    header : Header
        Header of the cutout: the header of the image with the reference pixels moved.
    tables : list of ImageHDU
        Lookup tables of distortion that the header refers to, moved likewise.
    axis_tables : list of BinTableHDU
        Tables with the coordinates of further axes (-TAB) that the header refers to.
    extension : int
        Number of the image in its file.
    is_empty : bool
        Whether all pixels on the image are 0, or all are NaN.
    """

    data: NDArray[Any]
    overlap: Overlap
    shape_input: tuple[int, int]
    header: fits.Header
    tables: list[fits.ImageHDU]
    axis_tables: list[fits.BinTableHDU]
    extension: int
    is_empty: bool

    @property
    def wcs(self) -> WCS:
        """WCS of the cutout, from its header and its lookup tables."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FITSFixedWarning)
            return read_image_wcs(self.header, fits.HDUList([fits.PrimaryHDU(), *self.tables]))


@dataclass(frozen=True)
class ImagePart:
    """The result for one target in one extension.

    Parameters
    ----------
    file : str or Path
        The file, as it was given.
    sky : SkyCoord
        Position of the target, ICRS; NaN for a pixel of an image whose WCS is not known.
    extension : int
        Number of the extension; -1 for the whole file.
    status : {'ok', 'empty', 'no overlap', 'error'}
        Outcome; see `tessera.images.batch.ImageCutoutResult`.
    reason : Exception or None
        Why there is no cutout.
    cut : ImageCut or None
        The cutout, also if it is empty.
    number : int
        Number of the target in its list.
    """

    file: Location
    sky: SkyCoord
    extension: int
    status: PartStatus
    reason: Exception | None = None
    cut: ImageCut | None = None
    number: int = 0


@dataclass
class FileCuts:
    """The results for one file.

    Parameters
    ----------
    file : str or Path
        The file, as it was given.
    parts : list of ImagePart
        Results, ordered by target and then by extension.
    missing : list
        Requested extensions that are not images.
    error : Exception or None
        Why the whole file could not be used.
    origin : Origin or None
        What the record of a cutout says of the file; None if it could not be opened.
    """

    file: Location
    parts: list[ImagePart] = field(default_factory=list)
    missing: list[Extension] = field(default_factory=list)
    error: Exception | None = None
    origin: Origin | None = None


def cut_file(
    item: ImageInput, label: Location, targets: Sequence[Target], size: tuple[Side, Side], options: ImageCutoutOptions
) -> FileCuts:
    """Cut all targets out of a file. An error of the file is stored in the result and not raised.

    Parameters
    ----------
    item : str, Path, file object, Source or HDUList
        The file.
    label : str or Path
        Name of the file in results.
    targets : sequence of SkyCoord, ImagePixel or Shape
        Positions of the targets, ICRS, pixels, or shapes whose boxes are cut.
    size : tuple of int, float or Quantity
        Columns and rows, in the order of `tessera.inputs.parse_size_input`.
    options : ImageCutoutOptions
        Options of the cutouts.
    """
    found = FileCuts(label)
    try:
        with open_images(item, options.fsspec_options) as file:
            numbers, found.missing = file.choose(check_extension(options.extension))
            found.error, found.origin = file.broken, file.origin(label)
            for number in numbers:
                found.parts += _cut_extension(file, number, _Request(label, targets, size, options))
            file.check_unchanged()
    except DAMAGED as error:
        found.parts.clear()
        found.error = error
    found.parts.sort(key=lambda part: (part.number, part.extension))
    return found


@dataclass(frozen=True)
class _Request:
    label: Location
    targets: Sequence[Target]
    size: tuple[Side, Side]
    options: ImageCutoutOptions


def _cut_extension(file: ImageFile, number: int, request: _Request) -> list[ImagePart]:
    try:
        shape = file.shape(number)
        headers = _read_headers(file, number)
        _check_moving(file, *headers[:2], shape)
    except DAMAGED as error:
        return failed_parts(request.label, request.targets, number, error)
    return cut_targets(_Image(file, number, shape, *headers, request), len(request.targets))


def failed_parts(label: Location, targets: Sequence[Target], extension: int, error: Exception) -> list[ImagePart]:
    """Results for all targets in an extension, or in a file (-1), that cannot be used."""
    unknown = SkyCoord(math.nan, math.nan, unit="deg")
    return [
        ImagePart(label, sky if isinstance(sky, SkyCoord) else unknown, extension, "error", error, number=number)
        for number, sky in enumerate(targets)
    ]


def _read_headers(file: ImageFile, number: int) -> tuple[fits.Header, WCS, int | None]:
    header, primary = file.header(number), file.hdus[0].header
    wcs = file.wcs(header)
    if isinstance(blank := header.get("BLANK"), int):
        blank = int(blank * header.get("BSCALE", 1) + header.get("BZERO", 0))
    if number and header.get("INHERIT") is True:
        for card in primary.cards:
            known = card.keyword in _NOT_INHERITED or card.keyword in header or is_sky_card(card.keyword)
            if card.keyword and not known and not card.keyword.startswith("NAXIS"):
                header.append(card, end=True)
    if not header.get("FILENAME") and primary.get("FILENAME"):
        header["FILENAME"] = primary["FILENAME"]
    return header, wcs, blank


def _check_moving(file: ImageFile, header: fits.Header, wcs: WCS, shape: tuple[int, ...]) -> None:
    """Move a copy of the header to the middle of the image, and check that the sky stays in its place."""
    first_row, first_column = (min(n // 3, 10_000) for n in shape[-2:])
    window = Window(first_row, first_column, max(1, first_row), max(1, first_column))
    tables = fits.HDUList([fits.PrimaryHDU(), *move_tables(file.tables(header), window)])
    check_moved(wcs, read_image_wcs(move_origin(header.copy(), window), tables), window)


@dataclass(frozen=True)
class _Image:
    """An extension to cut; see `tessera.images.cut_targets.Cutter`."""

    file: ImageFile
    number: int
    shape: tuple[int, ...]
    header: fits.Header
    wcs: WCS
    blank: int | None
    request: _Request

    def sky(self, number: int) -> SkyCoord:
        """Position of a target."""
        return sky_of_target(self.wcs, self.request.targets[number])

    @property
    def n_planes(self) -> int:
        return math.prod(self.shape[:-2])

    @property
    def pixel_bytes(self) -> int:
        return 8 * self.n_planes

    def place(self, number: int) -> Overlap:
        target = self.request.targets[number]
        if isinstance(target, Shape):
            return shape_window(target, self.wcs, *self.shape[-2:]).overlap(*self.shape[-2:])
        pixel = isinstance(target, ImagePixel)
        position = (target.row, target.column) if pixel else find_pixel(self.wcs, target)
        if position is None:
            raise NoOverlapError(f"{sky_text(target)} is far from the image")
        rule = Placement(self.request.options.placement)
        scales = scales_at(self.wcs, *position)
        return place_image_window(position, self.request.size, scales, rule, self.n_planes).overlap(*self.shape[-2:])

    def prefetch(self, overlaps: Sequence[Overlap]) -> None:
        self.file.prefetch(self.number, [(overlap.rows, overlap.columns) for overlap in overlaps])

    def forget(self) -> None:
        self.file.forget()

    def failed(self, number: int, error: Exception) -> ImagePart:
        status: PartStatus = "no overlap" if isinstance(error, NoOverlapError) else "error"
        return ImagePart(self.request.label, self.sky(number), self.number, status, error, number=number)

    def cut(self, number: int, overlap: Overlap) -> ImagePart:
        cut, sky = self._cut(overlap), self.sky(number)
        if not cut.is_empty:
            return ImagePart(self.request.label, sky, self.number, "ok", None, cut, number)
        nothing = "0" if (cut.data[..., *overlap.inside] == 0).all() else "NaN"
        reason = InvalidQueryError(f"all pixels of the cutout that are on the image are {nothing}")
        return ImagePart(self.request.label, sky, self.number, "empty", reason, cut, number)

    def _cut(self, overlap: Overlap) -> ImageCut:
        pixels = self.file.read(self.number, overlap.rows, overlap.columns)
        if not pixels.dtype.isnative:
            pixels = pixels.astype(pixels.dtype.newbyteorder("="))
        is_empty = bool((pixels == 0).all() or (pixels.dtype.kind == "f" and np.isnan(pixels).all()))
        header = self._header(pixels.dtype, is_empty)
        if not is_empty:
            pixels = linear_flux(pixels, header)
        fill = 0 if overlap.whole else fill_for(self.request.options.fill_value, pixels.dtype, self.blank)
        window = overlap.window
        update_whole(header, window, window_region(self.wcs, window) if "S_REGION" in header else None)
        tables = move_tables(self.file.tables(self.header), window)
        move_origin(header, window)
        shape, data = (self.shape[-2], self.shape[-1]), overlap.fill(pixels, fill)
        axis_tables = [table.copy() for table in self.file.axis_tables(self.header)]
        return ImageCut(data, overlap, shape, header, tables, axis_tables, self.number, is_empty)

    def _header(self, dtype: np.dtype[Any], is_empty: bool) -> fits.Header:
        header = self.header.copy()
        scaled = header.get("BSCALE", 1) != 1 or header.get("BZERO", 0) != 0
        gone = [*_GONE, "EXTVER", "BSCALE", "BZERO", *(["BLANK"] if dtype.kind == "f" else [])]
        for keyword in gone:
            header.remove(keyword, ignore_missing=True)
        if scaled and dtype.kind == "f":
            header.add_history("Pixel values scaled with the BSCALE and BZERO of the original image.")
        header["O_EXT_NM"] = (header.get("EXTNAME"), "Original extension name.")
        header["EXTNAME"] = "CUTOUT"
        header["ORIG_FLE"] = (header.get("FILENAME"), "Original image filename.")
        header.remove("FILENAME", ignore_missing=True)
        header["ORIG_EXT"] = (self.number, "Extension in original file.")
        if is_empty:
            header["EMPTY"] = (True, "Indicates no data in cutout image.")
        return header
