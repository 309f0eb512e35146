"""HEALPix pixels of positions, and the folders of a catalogue in the layout of HATS."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.bulk.products.columns import PURPOSE
from tessera.extras import import_extra

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
CATALOGUE = "lightcurves"
"""Folder of the catalogue below that of the results."""
INDEX_ORDER = 29
"""Order of the column ``_healpix_29``."""
PARTITION_FILE = r"dataset/Norder=(\d+)/Dir=\d+/Npix=(\d+)/[^./][^/]*\.parquet"
"""Pattern of the names of Parquet files below the folder of the catalogue; its groups are the order and the pixel."""
_PER_FOLDER = 10_000


def healpix_index(ra: Floats, dec: Floats) -> Ints:
    """Pixels of order 29, nested scheme, of positions in ICRS degrees, shape (n,).

    Raises
    ------
    MissingPackageError
        When astropy-healpix is not installed.
    """
    healpy = import_extra("astropy_healpix.healpy", PURPOSE)
    pixels = healpy.ang2pix(1 << INDEX_ORDER, np.mod(ra, 360.0), dec, nest=True, lonlat=True)
    return np.atleast_1d(np.asarray(pixels, np.int64))


def partition_of(index: Ints, order: int) -> Ints:
    """Pixels of a lower order that contain pixels of order 29."""
    return np.asarray(index >> np.int64(2 * (INDEX_ORDER - order)), np.int64)


def partition_folder(order: int, pixel: int) -> str:
    """Folder of a partition below that of the results."""
    folder = pixel // _PER_FOLDER * _PER_FOLDER
    return f"{CATALOGUE}/dataset/Norder={order}/Dir={folder}/Npix={pixel}/"
