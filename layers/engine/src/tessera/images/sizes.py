"""Size and placement of windows on images, and the fill value of pixels beyond the image."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from tessera.errors import InvalidInputError
from tessera.windows import Placement, Side, Window, place_window

FARTHEST = 1e9
"""Largest pixel coordinate. A position beyond it is not on any image."""
MAX_PIXELS = 1 << 30
"""Largest number of pixels of a cutout. With this limit, an angle in the wrong unit cannot fill the memory."""


def side_pixels(side: Side, scale: float) -> float:
    """Convert one side of a window to pixels.

    Parameters
    ----------
    side : int, float or Quantity
        Pixels or angle, from `tessera.inputs.parse_size_input`.
    scale : float
        Size of a pixel, in degrees.
    """
    if not isinstance(side, u.Quantity):
        return float(side)
    return float(side.to_value(u.deg) / scale if side.unit.physical_type == "angle" else side.value)


def place_image_window(
    position: tuple[float, float],
    size: tuple[Side, Side],
    scales: tuple[float, float],
    rule: Placement = Placement.CENTRE,
    n_planes: int = 1,
) -> Window:
    """Place a window around a position.

    Parameters
    ----------
    position : (float, float)
        Row and column; the centre of the first pixel is 0.
    size : tuple of int, float or Quantity
        Columns and rows, in the order of `tessera.inputs.parse_size_input`.
    scales : (float, float)
        Size of a pixel in degrees: (per row, per column).
    rule : Placement, optional
        Rule that places the window.
    n_planes : int, optional
        Number of planes of the image.

    Raises
    ------
    InvalidInputError
        When the cutout would have more than `MAX_PIXELS` pixels in all planes.
    """
    n_columns, n_rows = (side_pixels(side, scale) for side, scale in zip(size, reversed(scales), strict=True))
    window = place_window(*position, n_rows, n_columns, rule)
    if window.n_rows * window.n_columns * n_planes > MAX_PIXELS:
        planes = f"{n_planes:,} planes of " if n_planes > 1 else ""
        shape = f"{planes}{window.n_columns:,} columns and {window.n_rows:,} rows"
        raise InvalidInputError("cutout_size", size, f"at most {MAX_PIXELS:,} pixels; these are {shape}")
    return window


def fill_for(value: float, dtype: np.dtype[Any], blank: int | None = None) -> Any:
    """Convert a fill value to the data type of an image.

    Parameters
    ----------
    value : float
        Fill value that the user gave.
    dtype : dtype
        Data type of the image.
    blank : int, optional
        Value of undefined pixels in an image of integers (its BLANK card). It replaces NaN.

    Raises
    ------
    InvalidInputError
        When the data type cannot represent the value.
    """
    if dtype.kind in "fc":
        if np.isfinite(value) and abs(value) > np.finfo(dtype).max:
            raise InvalidInputError("fill_value", value, f"a value of the image's type, {dtype.name}, or nan")
        return dtype.type(value)
    if np.isnan(value) and blank is not None:
        return dtype.type(blank)
    limits = np.iinfo(dtype)
    if not (float(value).is_integer() and limits.min <= value <= limits.max):
        allowed = f"an integer from {limits.min} to {limits.max}, because the image is of {dtype.name}"
        raise InvalidInputError("fill_value", value, allowed)
    return dtype.type(int(value))
