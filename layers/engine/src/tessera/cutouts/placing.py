"""Place the window of a target on a cube."""

from __future__ import annotations

from typing import get_args

import numpy as np
from astropy import units as u

from tessera.cubes.reader import Cube
from tessera.cutouts.results import Size
from tessera.errors import InvalidInputError, NoOverlapError
from tessera.sky.positions import sky_to_pixel
from tessera.windows import CubePlacement, Placement, Window, check_placement, check_window_shape, place_window


def window_sides(cube: Cube, size: Size) -> tuple[float, float]:
    """Convert a size to pixels of a cube, before a placement rounds them.

    Parameters
    ----------
    cube : Cube
        Cube whose pixel scales at the reference point convert angles.
    size : int, (int, int), or Quantity
        Pixels or angles: one value for both axes, or (rows, columns).

    Returns
    -------
    (float, float)
        Rows and columns.

    Raises
    ------
    InvalidInputError
        When `size` is not a size.
    """
    allowed = "a number of pixels or an angle greater than 0, or (rows, columns) of them"
    quantity = u.Quantity(size)
    if quantity.size not in (1, 2) or not (np.isfinite(quantity.value) & (quantity.value > 0)).all():
        raise InvalidInputError("size", size, allowed)
    pair = u.Quantity(quantity.ravel() * np.ones(2))
    if pair.unit.physical_type == "angle":
        counts = pair.to_value(u.deg) / np.array(cube.pixel_scales)
    elif pair.unit in (u.dimensionless_unscaled, u.pixel):
        counts = pair.value
    else:
        raise InvalidInputError("size", size, allowed)
    rows, columns = (float(count) for count in counts)
    return rows, columns


def window_shape(cube: Cube, size: Size) -> tuple[int, int]:
    """Rows and columns of a size in whole pixels, at least 1; see `window_sides`."""
    rows, columns = (max(1, round(side)) for side in window_sides(cube, size))
    return rows, columns


def find_window(cube: Cube, ra: float, dec: float, size: Size, placement: CubePlacement = "centre") -> Window:
    """Find the window of a target on a cube.

    Parameters
    ----------
    cube : Cube
        Cube whose WCS and shape are used.
    ra, dec : float
        Position of the target, ICRS degrees.
    size : int, (int, int), or Quantity
        See `window_sides`.
    placement : {'centre', 'tesscut'}, optional
        See `tessera.windows.Placement`.

    Raises
    ------
    InvalidValueError
        When the window is too large or the placement is unknown.
    NoOverlapError
        When the window does not touch the frame.
    """
    check_placement(placement, get_args(CubePlacement))
    pixel = sky_to_pixel(cube.wcs, ra, dec)
    if pixel is None:
        raise NoOverlapError(f"{ra:.6f} {dec:.6f} is far from {cube.name}")
    window = place_window(*pixel, *window_sides(cube, size), Placement(placement))
    check_window_shape(*window.shape)
    window.overlap(cube.layout.n_rows, cube.layout.n_columns)
    return window
