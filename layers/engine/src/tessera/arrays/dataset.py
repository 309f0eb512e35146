"""Open a cube as a dataset of xarray."""

from __future__ import annotations

import numpy as np
import xarray

from tessera.arrays.accessor import DIMS, CubeAccessor
from tessera.arrays.contents import attributes, coordinates, pixel_attributes
from tessera.arrays.pixels import CubePixels
from tessera.arrays.variables import PlaneArray, lazy, world_coordinates
from tessera.io.locations import shown

xarray.register_dataset_accessor("tessera")(CubeAccessor)  # type: ignore[no-untyped-call] # dataset.tessera


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
        name: xarray.Variable(DIMS, lazy(PlaneArray(pixels, plane)), attrs)
        for plane, (name, attrs) in enumerate(pixel_attributes(cube).items())
    }
    attrs = attributes(cube, shown(pixels.location))
    found = xarray.Dataset(planes, {**coords, **world_coordinates(cube, rows, columns)}, attrs)
    found.set_close(pixels.close)
    found.encoding["source"] = str(pixels.location)
    return found
