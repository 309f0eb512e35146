"""Windows: rectangles of whole pixels, the rules that place them, and their part on a frame or image.

Cutouts of cubes, moving targets and images use this module. Position 0 is the centre of the first pixel, so pixel k
reaches from k - 0.5 to k + 0.5.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.checks import check_choice
from tessera.errors import InvalidValueError, NoOverlapError

if TYPE_CHECKING:
    from astropy import units as u

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Side: TypeAlias = "int | float | u.Quantity"
"""One side of a window: a number of pixels, or an angle."""

MAX_WINDOW = 10_000
"""Largest side of a window on a cube, in pixels."""


class Placement(enum.StrEnum):
    """Rules that place a window of a given size around a position, separately on each axis."""

    CENTRE = "centre"
    """The position is in the centre pixel. The size is rounded to whole pixels.

    A window of even size has no centre pixel. Its position is between the centres of the two middle pixels, or on the
    centre of the lower one. Ties: a position on the border of two pixels belongs to the upper pixel.
    """

    TESSCUT = "tesscut"
    """Each limit, position - size / 2 and position + size / 2, is rounded as the TESSCut service does: half up.

    A whole number of pixels stays as it is. An angle may get one pixel more on one cube than on another. In about half
    of the windows of odd size, the position is one pixel off the centre.
    """

    ROUND = "round"
    """Each limit, position - size / 2 and position + size / 2, is rounded to the nearest integer.

    astrocut 1.x uses this rule for fixed targets. Ties: half to even, for each limit separately, so a window of odd
    size may get one pixel too many or too few. A window that would have no pixels gets the pixel floor(position).
    """

    CEIL = "ceil"
    """Each limit is rounded up; otherwise as `ROUND`. There are no ties. Windows of odd size are centred."""

    FLOOR = "floor"
    """Each limit is rounded down; otherwise as `ROUND`. There are no ties."""

    ROUND_LOWER = "round_lower"
    """The lower limit, position - size / 2, is rounded to the nearest integer. The size is rounded to whole pixels.

    astrocut 1.x uses this rule for moving targets. Ties: half to even, which is the only difference from `TESSCUT`.
    """


CubePlacement: TypeAlias = Literal["centre", "tesscut"]
"""Rules for targets on cubes."""
MovingPlacement: TypeAlias = Literal["centre", "tesscut", "round_lower"]
"""Rules for the boxes around moving targets."""
ImagePlacement: TypeAlias = Literal["centre", "round", "ceil", "floor"]
"""Rules for targets on images."""

_EACH_LIMIT = {Placement.ROUND: np.rint, Placement.CEIL: np.ceil, Placement.FLOOR: np.floor}


def check_placement(placement: str, allowed: Sequence[str]) -> None:
    """Check that a rule is allowed.

    Parameters
    ----------
    placement : str
        Name of the rule that the user gave.
    allowed : sequence of str
        Names of the allowed rules, such as the values of `CubePlacement`.

    Raises
    ------
    InvalidInputError
        When the rule is not allowed.
    """
    check_choice("placement", placement, allowed)


def _place(positions: Floats, size: float, rule: Placement) -> tuple[Floats, Floats]:
    """First pixel and number of pixels of each window, as floats without fraction."""
    round_limit = _EACH_LIMIT.get(rule)
    if round_limit is not None:
        first = round_limit(positions - size / 2)
        n_pixels = round_limit(positions + size / 2) - first
        return np.where(n_pixels < 1, np.floor(positions), first), np.maximum(n_pixels, 1.0)
    n = float(max(1, round(size)))
    if rule is Placement.TESSCUT:
        if size > 1 and size != n:
            first = np.floor(positions - size / 2 + 0.5)
            return first, np.floor(positions + size / 2 + 0.5) - first
        first = np.floor(positions - n / 2 + 0.5)
    elif rule is Placement.ROUND_LOWER:
        first = np.rint(positions - n / 2)
    elif n % 2:
        first = np.floor(positions + 0.5) - n // 2
    else:
        first = np.floor(positions) + 1.0 - n // 2
    return first, np.full_like(first, n)


def place_axis(position: float, size: float, rule: Placement) -> tuple[int, int]:
    """Place one axis of a window around a position.

    Parameters
    ----------
    position : float
        Position in pixels; the centre of the first pixel is 0.
    size : float
        Size in pixels, greater than 0.
    rule : Placement
        Rule that places the window.

    Returns
    -------
    (int, int)
        First pixel (negative beyond the lower edge) and number of pixels (at least 1).
    """
    first, n_pixels = _place(np.asarray(position, np.float64), size, rule)
    return int(first), int(n_pixels)


def place_axes(positions: Floats, size: float, rule: Placement) -> tuple[Ints, Ints]:
    """Place windows around many finite positions; see `place_axis`.

    Returns
    -------
    tuple of ndarray of int
        First pixel and number of pixels of each window, in the shape of `positions`.
    """
    first, n_pixels = _place(positions, size, rule)
    return first.astype(np.int64), n_pixels.astype(np.int64)


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of pixels. It may reach beyond the frame or image.

    Parameters
    ----------
    first_row, first_column : int
        First row and first column, counted from 0; negative beyond the lower edges.
    n_rows, n_columns : int
        Number of rows and of columns.
    """

    first_row: int
    first_column: int
    n_rows: int
    n_columns: int

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return self.n_rows, self.n_columns

    @property
    def stop_row(self) -> int:
        """First row after the window."""
        return self.first_row + self.n_rows

    @property
    def stop_column(self) -> int:
        """First column after the window."""
        return self.first_column + self.n_columns

    def overlap(self, n_rows: int, n_columns: int) -> Overlap:
        """Find the part of the window on a frame or image of this shape.

        Raises
        ------
        NoOverlapError
            When no pixel of the window is on the frame or image.
        """
        rows = slice(max(self.first_row, 0), min(self.stop_row, n_rows))
        columns = slice(max(self.first_column, 0), min(self.stop_column, n_columns))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            raise NoOverlapError(
                f"rows {self.first_row}..{self.stop_row - 1}, columns {self.first_column}..{self.stop_column - 1} "
                f"are not on an image of {n_rows} rows and {n_columns} columns"
            )
        return Overlap(self, rows, columns)


@dataclass(frozen=True, slots=True)
class Overlap:
    """The part of a window that is on a frame or image.

    Parameters
    ----------
    window : Window
        The whole window.
    rows, columns : slice
        Rows and columns of the part, counted on the frame or image. Start and stop are integers.
    """

    window: Window
    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    @property
    def inside(self) -> tuple[slice, slice]:
        """Rows and columns of the part, counted from the first pixel of the window."""
        first_row, first_column = self.window.first_row, self.window.first_column
        return (
            slice(self.rows.start - first_row, self.rows.stop - first_row),
            slice(self.columns.start - first_column, self.columns.stop - first_column),
        )

    @property
    def whole(self) -> bool:
        """Whether the whole window is on the frame or image."""
        return self.shape == self.window.shape

    def fill(self, pixels: NDArray[Any], fill: Any) -> NDArray[Any]:
        """Extend the pixels of the part to the whole window.

        Parameters
        ----------
        pixels : ndarray, shape (..., rows, columns)
            Pixels of the part.
        fill : scalar
            Value of the other pixels.

        Returns
        -------
        ndarray
            Pixels of the window; `pixels` itself if the window is whole.
        """
        if self.whole:
            return pixels
        filled = np.full((*pixels.shape[:-2], *self.window.shape), fill, pixels.dtype)
        filled[..., self.inside[0], self.inside[1]] = pixels
        return filled


def place_window(row: float, column: float, n_rows: float, n_columns: float, rule: Placement) -> Window:
    """Place a window around a position.

    Parameters
    ----------
    row, column : float
        Position in pixels; the centre of the first pixel is 0.
    n_rows, n_columns : float
        Requested size in pixels. The rule decides how it is rounded.
    rule : Placement
        Rule that places the window.
    """
    (first_row, rows), (first_column, columns) = place_axis(row, n_rows, rule), place_axis(column, n_columns, rule)
    return Window(first_row, first_column, rows, columns)


def check_window_shape(n_rows: int, n_columns: int) -> None:
    """Check that a window is not too large for a cube.

    Raises
    ------
    InvalidValueError
        When a side is not between 1 and `MAX_WINDOW` pixels.
    """
    for argument, value in (("rows", n_rows), ("columns", n_columns)):
        if not 1 <= value <= MAX_WINDOW:
            raise InvalidValueError(f"number of {argument}", value, f"1 to {MAX_WINDOW}")
