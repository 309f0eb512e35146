"""Integer pixel rectangles on images, and the part of them that has pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from tessera.cutout_inputs import ROUNDING, Side
from tessera.errors import InvalidInputError, NoOverlapError

MAX_PIXELS = 1 << 30
"""Largest cutout, so that an angle in the wrong unit is an error and does not fill the memory."""

ImagePlacement: TypeAlias = Literal["centre", "round", "ceil", "floor"]
"""Where a target falls in its window: in the centre pixel, or as one of astrocut's rounding methods has it."""


@dataclass(frozen=True, slots=True)
class ImageWindow:
    """A rectangle of pixels, counted from 0; it may reach beyond the image.

    Parameters
    ----------
    first_row, first_column : int
        Lowest row and column; negative beyond the lower edges.
    n_rows, n_columns : int
        Shape.
    """

    first_row: int
    first_column: int
    n_rows: int
    n_columns: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.n_rows, self.n_columns

    def overlap(self, n_rows: int, n_columns: int) -> ImageOverlap:
        """The part of the window that lies on an image of that shape.

        Raises
        ------
        NoOverlapError
            When there is none.
        """
        rows = slice(max(self.first_row, 0), min(self.first_row + self.n_rows, n_rows))
        columns = slice(max(self.first_column, 0), min(self.first_column + self.n_columns, n_columns))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            raise NoOverlapError(
                f"rows {self.first_row}..{self.first_row + self.n_rows - 1}, "
                f"columns {self.first_column}..{self.first_column + self.n_columns - 1} "
                f"are not on an image of {n_rows} rows and {n_columns} columns"
            )
        return ImageOverlap(self, rows, columns)


@dataclass(frozen=True, slots=True)
class ImageOverlap:
    """The part of a window that has pixels.

    Parameters
    ----------
    window : ImageWindow
        The whole of it.
    rows, columns : slice
        On the image.
    """

    window: ImageWindow
    rows: slice
    columns: slice

    @property
    def inside(self) -> tuple[slice, slice]:
        """Rows and columns on the window."""
        first_row, first_column = self.window.first_row, self.window.first_column
        return (
            slice(self.rows.start - first_row, self.rows.stop - first_row),
            slice(self.columns.start - first_column, self.columns.stop - first_column),
        )

    @property
    def whole(self) -> bool:
        """Whether all of the window has pixels."""
        shape = (self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)
        return shape == self.window.shape

    def fill(self, pixels: NDArray[Any], fill: Any) -> NDArray[Any]:
        """Put pixels of the overlap, (..., rows, columns), into a window full of a value."""
        if self.whole:
            return pixels
        filled = np.full((*pixels.shape[:-2], *self.window.shape), fill, pixels.dtype)
        filled[..., self.inside[0], self.inside[1]] = pixels
        return filled


def side_pixels(side: Side, scale: float) -> float:
    """Pixels of one side of a cutout.

    Parameters
    ----------
    side : int, float or Quantity
        From `tessera.cutout_inputs.parse_size_input`.
    scale : float
        Degrees per pixel.
    """
    if not isinstance(side, u.Quantity):
        return float(side)
    return float(side.to_value(u.deg) / scale if side.unit.physical_type == "angle" else side.value)


def _limits(position: float, pixels: float, placement: ImagePlacement) -> tuple[int, int]:
    """First pixel and number of pixels of one axis."""
    if placement == "centre":
        n = max(1, round(pixels))
        nearest = int(np.floor(position + 0.5)) if n % 2 else int(np.floor(position)) + 1
        return nearest - n // 2, n
    round_limit = ROUNDING[placement]
    first, stop = int(round_limit(position - pixels / 2)), int(round_limit(position + pixels / 2))
    return (first, stop - first) if stop > first else (int(np.floor(position)), 1)


def place_image_window(
    position: tuple[float, float],
    size: tuple[Side, Side],
    scales: tuple[float, float],
    placement: ImagePlacement = "centre",
) -> ImageWindow:
    """Place a window around a position.

    Parameters
    ----------
    position : (float, float)
        Row and column; the centre of the first pixel is 0.
    size : tuple of int, float or Quantity
        Columns and rows, in the order of `tessera.cutout_inputs.parse_size_input`.
    scales : (float, float)
        Degrees per pixel along rows and columns.
    placement : {'centre', 'round', 'ceil', 'floor'}, optional
        The position in the centre pixel, or as astrocut rounds: each limit by itself, so that with 'round' a window has
        one pixel more or less where a limit is exactly between two pixels, and the position is one pixel off the centre
        of most windows of odd size.

    Raises
    ------
    InvalidInputError
        When the window would have too many pixels.
    """
    per_row, per_column = scales
    first_column, n_columns = _limits(position[1], side_pixels(size[0], per_column), placement)
    first_row, n_rows = _limits(position[0], side_pixels(size[1], per_row), placement)
    if n_rows * n_columns > MAX_PIXELS:
        allowed = f"at most {MAX_PIXELS:,} pixels; these are {n_columns:,} columns and {n_rows:,} rows"
        raise InvalidInputError("cutout_size", size, allowed)
    return ImageWindow(first_row, first_column, n_rows, n_columns)


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
