"""Open a cube as a dataset of xarray."""

from __future__ import annotations

import numpy as np
import xarray
from xarray.core.indexing import LazilyIndexedArray

from tessera.arrays import accessor  # noqa: F401 - gives datasets the attribute `tessera`
from tessera.arrays.contents import attributes, coordinates, pixel_attributes
from tessera.arrays.pixels import CubePixels
from tessera.arrays.variables import PlaneArray, world_coordinates
from tessera.io.locations import shown

DIMS = ("time", "row", "column")
"""Order of the axes in target pixel files, in lightkurve, and in most datasets of others: time first."""


def build_dataset(pixels: CubePixels) -> xarray.Dataset:
    """Build the dataset of an open cube. No pixel is read.

    Parameters
    ----------
    pixels : CubePixels
        The open cube, which the dataset closes.
    """
    cube = pixels.cube
    coords = {name: (item.dim, item.values, item.attrs) for name, item in coordinates(cube).items()}
    rows, columns = np.arange(cube.layout.n_rows), np.arange(cube.layout.n_columns)
    planes = {
        name: xarray.Variable(DIMS, LazilyIndexedArray(PlaneArray(pixels, plane)), attrs)
        for plane, (name, attrs) in enumerate(pixel_attributes(cube).items())
    }
    attrs = attributes(cube, shown(pixels.location))
    found = xarray.Dataset(planes, {**coords, **world_coordinates(cube, rows, columns)}, attrs)
    found.set_close(pixels.close)
    found.encoding["source"] = str(pixels.location)
    return found
