"""Place the window of a target on a cube."""

from __future__ import annotations

from typing import get_args

import numpy as np
from astropy import units as u

from tessera.cubes.reader import Cube
from tessera.cutouts.results import Size
from tessera.errors import NoOverlapError
from tessera.inputs import parse_size
from tessera.sky.positions import Floats, path_pixels, sky_to_pixel
from tessera.windows import CubePlacement, Placement, Side, Window, check_placement, check_window_shape, place_window


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
    sides = zip(parse_size(size), cube.pixel_scales, strict=True)
    rows, columns = (_pixels(side, scale) for side, scale in sides)
    return rows, columns


def window_shape(cube: Cube, size: Size) -> tuple[int, int]:
    """Rows and columns of a size in whole pixels, at least 1; see `window_sides`."""
    rows, columns = (max(1, round(side)) for side in window_sides(cube, size))
    return rows, columns


def _pixels(side: Side, degrees: float) -> float:
    if isinstance(side, u.Quantity) and side.unit.physical_type == "angle":
        return float(side.to_value(u.deg)) / degrees
    return float(side.value if isinstance(side, u.Quantity) else side)


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


def find_pixels(cube: Cube, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
    """Find the pixels of many positions on the frames of a cube, by their WCS.

    Parameters
    ----------
    cube : Cube
        Cube whose WCS and shape are used.
    ra, dec : ndarray, shape (n,)
        Positions, ICRS degrees; NaN for an unknown position.

    Returns
    -------
    tuple of ndarray, shape (n,)
        Rows and columns. The centre of the first pixel is 0, and a pixel reaches half a pixel to each side of its
        centre. NaN where the frames have no pixel.
    """
    rows, columns = path_pixels(cube.wcs, ra, dec)
    with np.errstate(invalid="ignore"):
        inside = (rows >= -0.5) & (rows < cube.layout.n_rows - 0.5)
        inside &= (columns >= -0.5) & (columns < cube.layout.n_columns - 0.5)
    return np.where(inside, rows, np.nan), np.where(inside, columns, np.nan)
