"""Open a cube as a dataset of xarray: the function that users call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tessera.arrays.pixels import CubePixels
from tessera.checks import check_number, check_switch
from tessera.errors import InvalidInputError
from tessera.extras import import_extra
from tessera.io.sources import Location

if TYPE_CHECKING:
    import xarray

    from tessera.arrays.store import CubeStore

MAX_READ = 16.0
"""Gigabytes that one selection may read, unless the caller says otherwise. A full-size cube has up to 418."""


def open_cube(
    location: Location, *, filesystem: Any = None, check: bool = True, max_read: float | None = MAX_READ
) -> xarray.Dataset:
    """Open a cube as a dataset of xarray, without reading its pixels.

    The dataset has the variables ``flux`` and, for SPOC cubes, ``error`` with the dimensions (time, row, column), as in
    target pixel files. Its coordinates are ``time`` (days, BTJD or TJD), ``cadence_number`` and ``quality`` along time,
    ``row`` and ``column`` of the frame, counted from 0, and ``ra`` and ``dec`` of each pixel (ICRS degrees), which are
    computed when they are used. Its attributes name sector, camera, CCD, product and time system, and have the WCS.

    Pixels are read when their values are needed: one range request for each row of a window, pinned to the version of
    the cube that was opened. ``dataset.tessera`` cuts windows around targets, makes light curves and plots; see
    `tessera.arrays.accessor.CubeAccessor` and docs/guide/arrays.md.

    Parameters
    ----------
    location : str or Path
        Local path, ``s3://`` or ``https://`` URL of the cube. MAST's public cubes need no credentials.
    filesystem : fsspec file system, optional
        File system of the cube, such as an ``s3fs.S3FileSystem``; see docs/guide/locations.md.
    check : bool, optional
        Whether to refuse damaged cubes: a file of a wrong size, and headers and info tables with a wrong checksum.
        Pixels are not checked.
    max_read : float or None, optional
        Largest number of gigabytes that one selection may read; None for no limit. All cadences of a pixel are adjacent
        in a cube, so one whole frame costs as much as the whole cube, which is more than most people want to wait for.

    Returns
    -------
    xarray.Dataset
        The cube. ``close()``, or the end of a ``with`` block, closes the file.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    MissingPackageError
        When xarray is not installed.
    OSError
        When the file cannot be read. Later reads raise its subclass `ReplacedError` if the cube has changed.
    CubeFormatError
        When the file is not a cube, is damaged, or has no usable WCS.

    Examples
    --------
    .. code-block:: python

        with tessera.open_cube("tess-s0001-4-2-cube.fits") as cube:
            star = cube.tessera.cutout("98.2164 -75.9018", size=11)
            curve = star.tessera.to_lightcurve()
            image = star.flux.median("time")
    """
    check = check_switch("check", check)
    limit = np.inf if max_read is None else check_number("max_read", max_read, "a number above 0, or None") * 1e9
    if not limit > 0:
        raise InvalidInputError("max_read", max_read, "a number above 0, or None")
    import_extra("xarray", "Cubes as datasets")
    from tessera.arrays.dataset import build_dataset  # noqa: PLC0415 - imports xarray, which is optional

    pixels = CubePixels(location, filesystem, check=check, max_read=limit)
    try:
        return build_dataset(pixels)
    except BaseException:
        pixels.close()
        raise


def open_zarr_store(location: Location, *, filesystem: Any = None, check: bool = True) -> CubeStore:
    """Open a cube as a read-only store of Zarr (version 3), for programs that read Zarr. No pixel is read.

    There is no file beside the cube: the place of a chunk follows from its number. The array ``pixels`` has the axes of
    the file, (row, column, time, plane). A chunk has 8 columns of one row with all cadences and planes; if 8 does not
    divide the columns of a cube, the last chunk of a row is padded. The other arrays and the attributes are those of
    `open_cube`.

    Zarr asks for whole chunks, and those that are neighbours and are asked for at the same time are read with one
    request. A window of 11 columns has two or three chunks in each row. `open_cube` reads the 11 columns only.

    Parameters
    ----------
    location, filesystem, check
        See `open_cube`.

    Returns
    -------
    zarr.abc.store.Store
        The store. ``close()``, or the end of a ``with`` block, closes the file.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    MissingPackageError
        When zarr is not installed.
    OSError
        When the file cannot be read. Later reads raise its subclass `ReplacedError` if the cube has changed.
    CubeFormatError
        When the file is not a cube, or is damaged.

    Examples
    --------
    .. code-block:: python

        with tessera.open_zarr_store("tess-s0001-4-2-cube.fits") as store:
            pixels = zarr.open_group(store, mode="r")["pixels"]
            flux = pixels[100:111, 200:211, :, 0]
    """
    check = check_switch("check", check)
    import_extra("zarr", "Cubes as stores of Zarr")
    from tessera.arrays.store import CubeStore  # noqa: PLC0415 - imports zarr, which is optional

    return CubeStore(CubePixels(location, filesystem, check=check))
