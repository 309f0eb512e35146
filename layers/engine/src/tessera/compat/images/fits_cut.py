"""`fits_cut` and `img_cut`: `FITSCutout` as functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits

from tessera.checks import check_switch
from tessera.compat.images.fits_cutout import FITSCutout
from tessera.inputs import CutoutSize
from tessera.io.file_objects import ImageInput
from tessera.sky.coordinates import Coordinates

if TYPE_CHECKING:
    from tessera.io.sources import Location


def fits_cut(  # noqa: PLR0917 - astrocut's signature
    input_files: ImageInput | Sequence[ImageInput],
    coordinates: Coordinates,
    cutout_size: CutoutSize = 25,
    correct_wcs: bool = False,  # noqa: ARG001 - kept for old callers
    extension: Any = None,
    single_outfile: bool = True,
    cutout_prefix: str = "cutout",
    output_dir: Location = ".",
    memory_only: bool = False,
    fill_value: float = np.nan,
    limit_rounding_method: str = "round",
    verbose: bool = False,
    *,
    fsspec_kwargs: Mapping[str, Any] | None = None,
    allow_empty: bool = False,
    filesystem: Any = None,
) -> str | list[str] | list[fits.HDUList]:
    """Cut images and write FITS files.

    Parameters
    ----------
    input_files, coordinates, cutout_size, extension, single_outfile, fill_value, limit_rounding_method, verbose
        See `FITSCutout`.
    correct_wcs : bool, optional
        This argument is ignored.
    cutout_prefix, output_dir
        See `FITSCutout.write_as_fits`.
    memory_only : bool, optional
        Whether to return the files and write nothing.
    fsspec_kwargs, allow_empty, filesystem
        See `FITSCutout`.

    Returns
    -------
    str, list of str, or list of HDUList
        Path of a single file, or the paths of several files; with `memory_only`, the files themselves.

    Raises
    ------
    InvalidInputError, InvalidQueryError
        See `FITSCutout`.
    """
    in_memory = check_switch("memory_only", memory_only)
    made = FITSCutout(
        input_files,
        coordinates,
        cutout_size,
        fill_value,
        limit_rounding_method,
        extension,
        single_outfile,
        verbose,
        fsspec_kwargs=fsspec_kwargs,
        allow_empty=allow_empty,
        filesystem=filesystem,
    )
    if in_memory:
        return made.fits_cutouts
    paths = made.write_as_fits(output_dir, cutout_prefix)
    return paths[0] if len(paths) == 1 else paths


def img_cut(  # noqa: PLR0917 - astrocut's signature
    input_files: ImageInput | Sequence[ImageInput],
    coordinates: Coordinates,
    cutout_size: CutoutSize = 25,
    stretch: str = "asinh",
    minmax_percent: Sequence[float] | None = None,
    minmax_value: Sequence[float] | None = None,
    invert: bool = False,
    img_format: str = ".jpg",
    colorize: bool = False,
    cutout_prefix: str = "cutout",
    output_dir: Location = ".",
    extension: Any = None,
    fill_value: float = np.nan,
    limit_rounding_method: str = "round",
    verbose: bool = False,
    *,
    fsspec_kwargs: Mapping[str, Any] | None = None,
    filesystem: Any = None,
) -> Any:
    """Cut images and write pictures.

    Parameters
    ----------
    input_files, coordinates, cutout_size, extension, fill_value, limit_rounding_method, verbose
        See `FITSCutout`.
    fsspec_kwargs, filesystem
        See `FITSCutout`.
    stretch, minmax_percent, minmax_value, invert, colorize, cutout_prefix, output_dir
        See `FITSCutout.write_as_img`.
    img_format : str, optional
        File suffix; see ``output_format`` of `FITSCutout.write_as_img`.

    Returns
    -------
    list of (str or None), or str or None
        Paths of the pictures; see `FITSCutout.write_as_img`.

    Raises
    ------
    InvalidInputError, InvalidQueryError
        See `FITSCutout`.
    """
    made = FITSCutout(
        input_files,
        coordinates,
        cutout_size,
        fill_value,
        limit_rounding_method,
        extension,
        verbose=verbose,
        fsspec_kwargs=fsspec_kwargs,
        filesystem=filesystem,
    )
    return made.write_as_img(
        stretch, minmax_percent, minmax_value, invert, colorize, img_format, output_dir, cutout_prefix
    )
