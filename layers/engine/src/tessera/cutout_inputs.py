"""What users say to the cutout classes of astrocut's names: positions, sizes, rounding, file names.

Size order is that of the peer's code, not of its documentation: size[0] are columns, size[1] rows.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord

from tessera.cube_reader import Cube
from tessera.errors import InvalidInputError, NoOverlapError
from tessera.path_pixels import sky_to_pixel
from tessera.user_warnings import InputWarning
from tessera.windows import Window

Coordinates: TypeAlias = "SkyCoord | str | Sequence[SkyCoord | str]"
"""One or several positions; text is "ra dec" in degrees."""
CutoutSize: TypeAlias = "int | float | u.Quantity | Sequence[Any] | np.ndarray[Any, Any]"
"""Pixels or angles: one for both axes, or (columns, rows)."""
Side: TypeAlias = "int | float | u.Quantity"

ROUNDING: dict[str, Callable[[float], Any]] = {"round": np.round, "ceil": np.ceil, "floor": np.floor}
"""How the limits of a window are made integers."""

_NUMBERS = (int, float, np.integer, np.floating)
_SIZE = "pixels or angles greater than 0: one, or (columns, rows)"


def parse_coordinates(coordinates: Coordinates) -> list[SkyCoord]:
    """Make a list of ICRS positions, each a scalar, of whatever a user gave.

    Raises
    ------
    InvalidInputError
        For an empty list, or something that is no position.
    """
    given = list(coordinates) if isinstance(coordinates, (list, tuple)) else [coordinates]
    parsed: list[SkyCoord] = []
    for item in given:
        try:
            sky = (item if isinstance(item, SkyCoord) else SkyCoord(item, unit="deg")).icrs
        except (ValueError, TypeError, u.UnitsError) as error:
            message = f"Invalid coordinates input: {error}"
            raise InvalidInputError("coordinates", item, "a SkyCoord or 'ra dec' in degrees", message) from error
        parsed += [sky] if sky.isscalar else list(sky.ravel())
    if not parsed:
        raise InvalidInputError("coordinates", coordinates, "a position", "At least one coordinate must be provided.")
    return parsed


def sky_text(sky: SkyCoord) -> str:
    """Name of a position: "ra dec" in degrees with eight decimals."""
    return f"{sky.ra.deg:.8f} {sky.dec.deg:.8f}"


def _parse_side(item: Any, cutout_size: Any, *, allow_zero: bool) -> Side:
    if isinstance(item, u.Quantity):
        if item.unit.physical_type != "angle" and item.unit not in (u.pixel, u.dimensionless_unscaled):
            unit = (getattr(item.unit, "long_names", None) or [item.unit])[0]
            message = f"Cutout size unit {unit} is not supported."
            raise InvalidInputError("cutout_size", cutout_size, _SIZE, message)
        value = item.value
    else:
        value = item
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise InvalidInputError("cutout_size", cutout_size, _SIZE)
    if not math.isfinite(value) or value < 0 or (value == 0 and not allow_zero):
        message = f"Cutout size dimensions must be greater than zero. Provided size: {cutout_size}"
        raise InvalidInputError("cutout_size", cutout_size, _SIZE, message)
    return item


def parse_size_input(cutout_size: CutoutSize, *, allow_zero: bool = False) -> tuple[Side, Side]:
    """Make a size (columns, rows) of whatever a user gave.

    Parameters
    ----------
    cutout_size : int, array, list, tuple or Quantity
        One number or angle stands for both axes; more than two are cut to two, with an `InputWarning`.
    allow_zero : bool, optional
        Whether 0 is a size.

    Raises
    ------
    InvalidInputError
        For something that is no size.
    """
    if isinstance(cutout_size, (list, tuple)) or (isinstance(cutout_size, np.ndarray) and cutout_size.ndim > 0):
        sides = list(cutout_size)
    else:
        sides = [cutout_size]
    if len(sides) == 1:
        sides *= 2
    if not sides:
        raise InvalidInputError("cutout_size", cutout_size, _SIZE)
    if len(sides) > 2:
        message = "Too many dimensions in cutout size, only the first two will be used."
        warnings.warn(message, InputWarning, stacklevel=4)
    first, second = (_parse_side(item, cutout_size, allow_zero=allow_zero) for item in sides[:2])
    return first, second


def check_rounding(method: str) -> str:
    """Give a rounding method back, or raise `InvalidInputError`."""
    if method not in ROUNDING:
        message = f"Limit rounding method {method} is not recognized."
        raise InvalidInputError("limit_rounding_method", method, "'round', 'ceil', 'floor'", message)
    return method


def check_fill_value(value: object) -> float:
    """Give a fill value back, or raise `InvalidInputError`."""
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        message = "Fill value must be an integer or a float."
        raise InvalidInputError("fill_value", value, "a number", message)
    return float(value)


def check_threads(threads: object) -> int | None:
    """Range requests at the same time; None for as many as are good.

    Raises
    ------
    InvalidInputError
        For something that is neither a number nor 'auto'.
    """
    if threads == "auto":
        return None
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)):
        raise InvalidInputError("threads", threads, "an integer or 'auto'")
    return int(threads) if threads > 1 else None


def _pixels(side: Side, scale: float) -> float:
    if not isinstance(side, u.Quantity):
        return float(side)
    return float(side.to_value(u.deg) / scale if side.unit.physical_type == "angle" else side.value)


def _limits(position: float, pixels: float, rounding: str) -> tuple[int, int]:
    """First pixel and number of pixels of one axis."""
    round_limit = ROUNDING[rounding]
    first, stop = int(round_limit(position - pixels / 2)), int(round_limit(position + pixels / 2))
    return (first, stop - first) if stop > first else (math.floor(position), 1)


def rounded_window(cube: Cube, sky: SkyCoord, size: tuple[Side, Side], rounding: str) -> Window:
    """Window of a target the way astrocut 1.x rounds: each limit by itself.

    With 'round' (half to even) a target exactly on a tie gets one pixel more or less than was asked for, and the target
    is one pixel off the centre of most windows of odd size; `tessera.cutouts.find_window` does neither.

    Raises
    ------
    NoOverlapError
        When the window is beside the frame; no pixel has been read then.
    """
    pixel = sky_to_pixel(cube.wcs, float(sky.ra.deg), float(sky.dec.deg))
    if pixel is None:
        raise NoOverlapError(f"{sky_text(sky)} is far from {cube.name}")
    per_row, per_column = cube.pixel_scales
    first_column, n_columns = _limits(pixel[1], _pixels(size[0], per_column), rounding)
    first_row, n_rows = _limits(pixel[0], _pixels(size[1], per_row), rounding)
    window = Window(first_row, first_column, n_rows, n_columns)
    window.overlap(cube.layout.n_rows, cube.layout.n_columns)
    return window


def _size_text(size: tuple[Side, Side]) -> str:
    return "-x-".join(str(side).replace(" ", "") for side in size)


def cutout_name(stem: str, sky: SkyCoord, size: tuple[Side, Side]) -> str:
    """File name of a cutout as astrocut 1.2 and later give it: the size as it was asked for."""
    return f"{stem}_{sky.ra.deg:.7f}_{sky.dec.deg:.7f}_{_size_text(size)}_astrocut.fits"


def legacy_cutout_name(stem: str, sky: SkyCoord, window: Window) -> str:
    """File name of a cutout as the TESSCut service gives it: columns x rows of the window."""
    return f"{stem}_{sky.ra.deg:.6f}_{sky.dec.deg:.6f}_{window.n_columns}x{window.n_rows}_astrocut.fits"


def zip_name(coordinates: Sequence[SkyCoord], size: tuple[Side, Side]) -> str:
    """File name of an archive of cutouts."""
    if len(coordinates) > 1:
        return "astrocut_tess_cutouts.zip"
    sky = coordinates[0]
    return f"astrocut_{sky.ra.deg:.7f}_{sky.dec.deg:.7f}_{_size_text(size)}.zip"
