"""Windows on images: how large they may be, and what fills them where the image has no pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from tessera.errors import InvalidInputError
from tessera.windows import Placement, Side, Window, place_window

MAX_PIXELS = 1 << 30
"""Largest cutout, so that an angle in the wrong unit is an error and does not fill the memory."""


def side_pixels(side: Side, scale: float) -> float:
    """Pixels of one side of a window.

    Parameters
    ----------
    side : int, float or Quantity
        From `tessera.inputs.parse_size_input`.
    scale : float
        Degrees per pixel.
    """
    if not isinstance(side, u.Quantity):
        return float(side)
    return float(side.to_value(u.deg) / scale if side.unit.physical_type == "angle" else side.value)


def place_image_window(
    position: tuple[float, float],
    size: tuple[Side, Side],
    scales: tuple[float, float],
    rule: Placement = Placement.CENTRE,
) -> Window:
    """Place a window around a position.

    Parameters
    ----------
    position : (float, float)
        Row and column; the centre of the first pixel is 0.
    size : tuple of int, float or Quantity
        Columns and rows, in the order of `tessera.inputs.parse_size_input`.
    scales : (float, float)
        Degrees per pixel along rows and columns.
    rule : Placement, optional
        Which pixels these are.

    Raises
    ------
    InvalidInputError
        When the window would have more than `MAX_PIXELS` pixels.
    """
    n_columns, n_rows = (side_pixels(side, scale) for side, scale in zip(size, reversed(scales), strict=True))
    window = place_window(*position, n_rows, n_columns, rule)
    if window.n_rows * window.n_columns > MAX_PIXELS:
        shape = f"{window.n_columns:,} columns and {window.n_rows:,} rows"
        raise InvalidInputError("cutout_size", size, f"at most {MAX_PIXELS:,} pixels; these are {shape}")
    return window


def fill_for(value: float, dtype: np.dtype[Any], blank: int | None = None) -> Any:
    """A fill value that an image's type holds.

    Parameters
    ----------
    value : float
        What the user gave.
    dtype : dtype
        Of the image.
    blank : int, optional
        What an image of integers has for pixels without a value (its BLANK card); it stands in for NaN.

    Raises
    ------
    InvalidInputError
        When the type does not hold the value.
    """
    if dtype.kind == "f":
        if np.isfinite(value) and abs(value) > np.finfo(dtype).max:
            raise InvalidInputError("fill_value", value, f"what an image of {dtype.name} holds, or nan")
        return dtype.type(value)
    if np.isnan(value) and blank is not None:
        return dtype.type(blank)
    limits = np.iinfo(dtype)
    if not (float(value).is_integer() and limits.min <= value <= limits.max):
        allowed = f"an integer from {limits.min} to {limits.max}, as the image is of {dtype.name}"
        raise InvalidInputError("fill_value", value, allowed)
    return dtype.type(int(value))
