"""Check and convert the arguments of the cutout classes with astrocut's names: positions, sizes, rounding.

A size is (columns, rows), as in astrocut's code. astrocut's documentation has the other order.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord

from tessera.checks import check_choice, check_number
from tessera.errors import InputWarning, InvalidInputError
from tessera.sky.coordinates import Coordinates, iter_positions, why_unusable
from tessera.windows import Placement, Side

CutoutSize: TypeAlias = "int | float | u.Quantity | Sequence[Any] | np.ndarray[Any, Any]"
"""Size in pixels or as angle: one value for both axes, or (columns, rows)."""

_LARGEST_SIDE = 1e18
_NUMBERS = (int, float, np.integer, np.floating)
_SIZE = "pixels or angles greater than 0: one, or (columns, rows)"


def parse_coordinates(coordinates: Coordinates) -> list[SkyCoord]:
    """Convert a user's positions to a list of scalar ICRS positions.

    Raises
    ------
    InvalidInputError
        When the list is empty, an item is not a position, or a position is masked or not finite.
    """
    parsed: list[SkyCoord] = []
    for sky in iter_positions(coordinates):
        for number, value in why_unusable(sky).items():
            raise InvalidInputError(f"coordinates[{len(parsed) + number}]", value, "a position that is known")
        parsed += [sky] if sky.isscalar else list(sky.ravel())
    return parsed


def sky_text(sky: SkyCoord) -> str:
    """Text of a position: "ra dec" in degrees with eight decimals."""
    return f"{sky.ra.deg:.8f} {sky.dec.deg:.8f}"


def _parse_side(item: Any, argument: str, given: Any, allowed: str, *, allow_zero: bool) -> Side:
    if isinstance(item, u.Quantity):
        if item.unit.physical_type != "angle" and item.unit not in (u.pixel, u.dimensionless_unscaled):
            unit = (getattr(item.unit, "long_names", None) or [item.unit])[0]
            raise InvalidInputError(argument, given, allowed, f"Cutout size unit {unit} is not supported.")
        value = item.value
    else:
        value = item
    if isinstance(value, np.ndarray) and value.ndim == 0 and not np.ma.isMaskedArray(value):
        value = value[()]
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise InvalidInputError(argument, given, allowed)
    if not 0 <= value < _LARGEST_SIDE or (value == 0 and not allow_zero):
        raise InvalidInputError(argument, given, allowed, "Cutout size dimensions must be greater than zero.")
    return item


def _list_sides(size: Any) -> list[Any]:
    several = isinstance(size, (list, tuple)) or (isinstance(size, np.ndarray) and size.ndim > 0)
    sides = list(size) if several else [size]
    return sides * 2 if len(sides) == 1 else sides


def parse_size(size: CutoutSize) -> tuple[Side, Side]:
    """Convert a user's size to (rows, columns).

    Parameters
    ----------
    size : int, float, Quantity, or list, tuple or array of two of them
        Pixels or angles: one value for both axes, or (rows, columns).

    Raises
    ------
    InvalidInputError
        When `size` is not a size.
    """
    allowed = "pixels or angles greater than 0: one, or (rows, columns)"
    sides = _list_sides(size)
    if len(sides) != 2:
        raise InvalidInputError("size", size, allowed)
    rows, columns = (_parse_side(item, "size", size, allowed, allow_zero=False) for item in sides)
    return rows, columns


def parse_size_input(cutout_size: CutoutSize, *, allow_zero: bool = False) -> tuple[Side, Side]:
    """Convert a user's size to (columns, rows).

    Parameters
    ----------
    cutout_size : int, array, list, tuple or Quantity
        Pixels or angles. A single value is used for both axes. Of more than two values, only the first two are used,
        with an `InputWarning`.
    allow_zero : bool, optional
        Whether a side may be 0.

    Returns
    -------
    tuple of int, float or Quantity
        Columns and rows: numbers of pixels, or angles.

    Raises
    ------
    InvalidInputError
        When `cutout_size` is not a size.
    """
    sides = _list_sides(cutout_size)
    if not sides:
        raise InvalidInputError("cutout_size", cutout_size, _SIZE)
    if len(sides) > 2:
        message = "Too many dimensions in cutout size, only the first two will be used."
        warnings.warn(message, InputWarning, stacklevel=4)
    first, second = (_parse_side(item, "cutout_size", cutout_size, _SIZE, allow_zero=allow_zero) for item in sides[:2])
    return first, second


def check_rounding(method: str) -> Placement:
    """Return the placement rule of a rounding method: 'round', 'ceil' or 'floor'.

    Raises
    ------
    InvalidInputError
        When the method is unknown.
    """
    rules = (Placement.ROUND, Placement.CEIL, Placement.FLOOR)
    message = f"Limit rounding method {method} is not recognized."
    return Placement(check_choice("limit_rounding_method", method, rules, message))


def check_fill_value(value: object) -> float:
    """Return a fill value as a float, or raise `InvalidInputError` if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        message = "Fill value must be an integer or a float."
        raise InvalidInputError("fill_value", value, "a number", message)
    return check_number("fill_value", value)


def check_cube_fill(value: object) -> float:
    """Return a fill value of cubes as a float, or raise `InvalidInputError` if their float32 cannot represent it."""
    number = check_fill_value(value)
    if np.isfinite(number) and abs(number) > float(np.finfo(np.float32).max):
        raise InvalidInputError("fill_value", value, "a number that 32-bit floats can represent, or nan")
    return number


def check_threads(threads: object) -> int | None:
    """Return the largest number of simultaneous range requests, or None for the default ('auto', or below 2).

    Raises
    ------
    InvalidInputError
        When `threads` is neither an integer nor 'auto'.
    """
    if threads == "auto":
        return None
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)):
        raise InvalidInputError("threads", threads, "an integer or 'auto'")
    return int(threads) if threads > 1 else None
