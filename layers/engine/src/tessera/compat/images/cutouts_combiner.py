"""`CutoutsCombiner`: combine several cutouts into one."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning

from tessera.checks import check_choice
from tessera.errors import DataWarning, ImageFormatError, InvalidInputError
from tessera.extras import import_extra
from tessera.images.combine import Combine, combine_headers, combine_mean, image_of
from tessera.images.extensions import TABLES, Extensions, check_extension
from tessera.images.hdus import file_bytes, primary_hdu
from tessera.images.headers.clean import clean_header
from tessera.images.names import replaceable
from tessera.images.wcs import grids_apart, read_image_wcs
from tessera.io.file_objects import SourceFile, open_image_source
from tessera.io.files import write_pieces
from tessera.io.outputs import check_output
from tessera.progress import ProgressInput, check_progress, counting

if TYPE_CHECKING:
    from tessera.io.sources import Location

Reprojection: TypeAlias = "bool | Literal['interp', 'adaptive', 'exact']"
"""Whether to reproject images onto the grid of the first one, and by which method; True means 'interp'."""

GRID_TOLERANCE = 0.05
"""Largest distance in pixels between two grids that count as the same."""
_FILES = "a list of paths, or of HDULists"


class CutoutsCombiner:
    """Combines cutouts that share a pixel grid, extension by extension.

    Parameters
    ----------
    fits_list : list of str, Path or HDUList, optional
        Files of cutouts; see `load`.
    exts : int, str, or list of them, optional
        Numbers or names of extensions; by default all images.
    img_combiner : callable, optional
        Function that makes one array of a list of arrays. The default is the mean, pixel by pixel, of the images that
        have data.
    reproject : bool or {'interp', 'adaptive', 'exact'}, optional
        Whether, and by which method of the package reproject, to reproject images that do not have the grid of the
        first image. By default such images raise an error.
    progress : bool or callable, optional
        True shows a bar or lines on stderr while files are read. A function is called with (done, total) after each.

    Attributes
    ----------
    input_hdulists : list of list of ImageHDU
        Images to combine: for each extension, the image of each file.
    center_coord : SkyCoord or None
        Position of the target, from the first file.
    combine_images : callable
        Function that combines the arrays of an extension.
    combine_headers : callable
        Function that combines the headers of an extension.

    Raises
    ------
    InvalidInputError
        When the files cannot be combined, for example because the images do not share a grid.
    """

    def __init__(
        self,
        fits_list: Sequence[Location | fits.HDUList] | None = None,
        exts: Any = None,
        img_combiner: Combine | None = None,
        *,
        reproject: Reprojection = False,
        progress: ProgressInput = None,
    ) -> None:
        if isinstance(reproject, str):
            check_choice("reproject", reproject, ("interp", "adaptive", "exact"))
        elif not isinstance(reproject, bool):
            raise InvalidInputError("reproject", reproject, "True, False, 'interp', 'adaptive', 'exact'")
        self._reproject = "interp" if reproject is True else reproject
        self.input_hdulists: list[list[fits.ImageHDU]] = []
        self.center_coord: SkyCoord | None = None
        self._tables: list[fits.ImageHDU] = []
        self.combine_headers: Callable[[Sequence[fits.Header]], fits.Header] = combine_headers
        self.combine_images: Combine = img_combiner or combine_mean
        self._progress = check_progress(progress)
        if fits_list is not None:
            self.load(fits_list, exts)

    def load(self, fits_list: Sequence[Location | fits.HDUList], exts: Any = None) -> None:
        """Load the cutouts to combine.

        Parameters
        ----------
        fits_list : list of str, Path or HDUList
            Files of cutouts.
        exts : int, str, or list of them, optional
            Numbers or names of extensions. By default all images, also a primary HDU with pixels.

        Raises
        ------
        InvalidInputError
            When the files cannot be combined, for example because the images do not share a grid.
        """
        if isinstance(fits_list, (str, os.PathLike, fits.HDUList)) or not isinstance(fits_list, Sequence):
            raise InvalidInputError("fits_list", fits_list, _FILES, "Unsupported input format!")
        if not fits_list:
            raise InvalidInputError("fits_list", fits_list, _FILES)
        files = []
        with counting(self._progress, "file", len(fits_list)) as counter:
            for item in fits_list:
                files.append(_open(item))
                counter.add()
        chosen = [_images(file, exts) for file in files]
        counts = [len(images) for images in chosen]
        if len(set(counts)) > 1 or not counts[0]:
            raise InvalidInputError(
                "fits_list", f"files with {counts} images", "files with the same number, at least one"
            )
        pairs = list(zip(files, chosen, strict=True))
        self.input_hdulists = [
            [self._on_grid(files[0], images[place], images_of[place], file) for file, images_of in pairs]
            for images in chosen[:1]
            for place in range(len(images))
        ]
        self._tables = [hdu for hdu in files[0] if hdu.name in TABLES]
        self.center_coord = _target(files[0][0].header)

    def _on_grid(self, first: fits.HDUList, grid: Any, hdu: Any, file: fits.HDUList) -> Any:
        """Return an image on the grid of the first file: the image itself if it has this grid, or reprojected."""
        if hdu is grid:
            return hdu
        wanted, given = _wcs(grid, first), _wcs(hdu, file)
        reason = _difference(grid.shape, wanted, hdu.shape, given)
        if not reason:
            return hdu
        if not self._reproject or wanted is None or given is None:
            allowed = "images that share the grid of the first; reproject=True reprojects the others"
            raise InvalidInputError("fits_list", file.filename() or "HDUList", allowed, f"{hdu.name}: {reason}.")
        return self._reprojected(hdu, given, wanted, grid.shape)

    def _reprojected(self, hdu: Any, given: WCS, wanted: WCS, shape: tuple[int, ...]) -> fits.ImageHDU:
        method = getattr(import_extra("reproject", "reprojected images"), f"reproject_{self._reproject}")
        data, covered = method((np.asarray(hdu.data, np.float64), given), wanted, shape_out=shape)
        header = hdu.header.copy()
        header.add_history(f"Reprojected onto another grid ({self._reproject}).")
        return fits.ImageHDU(np.where(covered > 0, data, np.nan), header)

    def build_img_combiner(self, function_builder: Callable[..., Combine], builder_args: Sequence[Any]) -> None:
        """Set `combine_images` to the function that a builder returns.

        Parameters
        ----------
        function_builder : callable
            Function that returns a function for `combine_images`, such as `tessera.build_default_combine_function`.
        builder_args : sequence
            Arguments of the builder.
        """
        self.combine_images = function_builder(*builder_args)

    def combine(self, output_file: Location = "./cutout.fits", memory_only: bool = False) -> str | fits.HDUList:
        """Combine the cutouts.

        Parameters
        ----------
        output_file : str or Path, optional
            Path of the combined file. The file appears only when it is complete.
        memory_only : bool, optional
            Whether to return the file and write nothing.

        Returns
        -------
        str or HDUList
            Path of the file; with `memory_only`, the file itself.

        Raises
        ------
        InvalidInputError
            When no cutouts are loaded, or `output_file` cannot be written; see `tessera.io.outputs.check_output`.
        """
        if not self.input_hdulists:
            raise InvalidInputError("fits_list", None, _FILES)
        path = None if memory_only else check_output("output_file", output_file)
        today = date.today()  # noqa: DTZ011 - DATE is the user's local date
        hdus = fits.HDUList([primary_hdu(self.center_coord, today)])
        for number, images in enumerate(self.input_hdulists, 1):
            header = self.combine_headers([image.header for image in images])
            data = np.asarray(self.combine_images([image_of(image) for image in images]))
            hdus.append(fits.ImageHDU(data, header))
            hdus[-1].ver = number
        hdus.extend(table.copy() for table in self._tables)
        if path is None:
            return hdus
        path.parent.mkdir(parents=True, exist_ok=True)
        content = file_bytes(hdus)
        write_pieces(replaceable(path, content), [content])
        return os.fspath(output_file)


def _open(item: Any) -> fits.HDUList:
    """Read a whole file of cutouts. An HDUList is returned as it is."""
    if isinstance(item, fits.HDUList):
        return item
    if not isinstance(item, (str, os.PathLike)):
        raise InvalidInputError("fits_list", item, _FILES, "Unsupported input format!")
    with closing(open_image_source(item)) as source, fits.open(SourceFile(source), memmap=False) as file:
        for hdu in file:
            hdu.data  # noqa: B018 - read before the file is closed
        source.check_unchanged()
        return file


def _images(file: fits.HDUList, extensions: Any) -> list[Any]:
    choice = check_extension(extensions)
    numbers, missing = Extensions(file).choose("all" if choice is None else choice)
    if missing:
        raise InvalidInputError("exts", missing[0], f"images of {file.filename() or 'the HDUList'}")
    return [file[number] for number in numbers]


def _target(header: fits.Header) -> SkyCoord | None:
    try:
        return SkyCoord(header["RA_OBJ"], header["DEC_OBJ"], unit="deg")
    except KeyError:
        reason = "Could not find RA/Dec header keywords"
    except (ValueError, TypeError):
        reason = "Invalid RA/Dec values"
    warnings.warn(f"{reason}, the combined file has no target.", DataWarning, stacklevel=4)
    return None


def _wcs(hdu: Any, file: fits.HDUList) -> WCS | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            return read_image_wcs(clean_header(hdu.header, keep_axes=True), file)
        except ImageFormatError:
            return None


def _difference(shape: tuple[int, ...], wcs: WCS | None, other_shape: tuple[int, ...], other: WCS | None) -> str:
    """Reason why two images do not share a grid; empty if they do."""
    if tuple(shape) != tuple(other_shape):
        return f"its shape is {tuple(other_shape)} and that of the first is {tuple(shape)}"
    if wcs is None or other is None:
        return "" if wcs is other else "either it or the first has no celestial WCS"
    apart = grids_apart(wcs, other, (int(shape[-2]), int(shape[-1])))
    return f"it is {apart:.2f} pixels off the grid of the first" if not apart <= GRID_TOLERANCE else ""
