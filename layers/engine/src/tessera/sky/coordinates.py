"""Positions of targets as users give them: coordinates of any frame, texts, and lists of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from astropy.coordinates import BaseCoordinateFrame, ConvertError, SkyCoord
from numpy.typing import NDArray

from tessera.errors import InvalidInputError
from tessera.sky.position_text import POSITIONS, parse_position

Coordinates: TypeAlias = "SkyCoord | BaseCoordinateFrame | str | Iterable[SkyCoord | BaseCoordinateFrame | str]"
"""One or several positions. docs/guide/cutouts.md lists the texts."""

_ALLOWED = f"a SkyCoord, {POSITIONS}, or a list of them"
_FRAMES = "ICRS, FK5, FK4, galactic or another frame that does not depend on an observer; convert others with .icrs"
_OBSERVED = {"location", "obsgeoloc"}
"""Attributes of frames whose directions depend on the place of an observer."""
_INVALID = "Invalid coordinates input."


def iter_positions(coordinates: Coordinates, argument: str = "coordinates") -> Iterator[SkyCoord]:
    """Convert positions to ICRS, item by item, with the shapes that they were given in.

    Yields
    ------
    SkyCoord
        One position, or an array of them. Proper motions and obstime are kept. Values may be masked or not finite.

    Raises
    ------
    InvalidInputError
        When there is no position, or an item is not a position.
    """
    items = _items(coordinates, argument)
    several = not isinstance(coordinates, (str, SkyCoord, BaseCoordinateFrame))
    n_positions = 0
    for number, item in enumerate(items):
        sky = _to_icrs(item, f"{argument}[{number}]" if several else argument)
        n_positions += sky.size
        yield sky
    if n_positions == 0:
        raise InvalidInputError(argument, coordinates, _ALLOWED, "At least one coordinate must be provided.")


def _items(coordinates: Any, argument: str) -> list[Any]:
    if isinstance(coordinates, (SkyCoord, BaseCoordinateFrame, str)):
        return [coordinates]
    if isinstance(coordinates, np.ndarray) and coordinates.dtype.kind in "OU":
        return coordinates.ravel().tolist()
    if isinstance(coordinates, Iterable) and not isinstance(coordinates, (bytes, np.ndarray, dict)):
        with suppress(TypeError):  # a scalar of a class of which arrays can be iterated, such as a representation
            return list(coordinates)
    raise InvalidInputError(argument, coordinates, _ALLOWED, _INVALID)


def _to_icrs(item: Any, argument: str) -> SkyCoord:
    if isinstance(item, str):
        try:
            place = parse_position(item, argument)
        except InvalidInputError as error:
            raise InvalidInputError(argument, item, error.allowed, _INVALID) from error
        if place is None:
            raise InvalidInputError(argument, item, _ALLOWED, _INVALID)
        return SkyCoord(*place, unit="deg")
    if not isinstance(item, (SkyCoord, BaseCoordinateFrame)):
        raise InvalidInputError(argument, item, _ALLOWED, _INVALID)
    frame = item.frame if isinstance(item, SkyCoord) else item
    if not frame.has_data or _is_observed(frame):
        raise InvalidInputError(argument, item, _FRAMES, _INVALID)
    try:
        sky = SkyCoord(item) if frame.name == "icrs" else SkyCoord(item).icrs
    except (ConvertError, ValueError, TypeError, u.UnitsError) as error:
        raise InvalidInputError(argument, item, _FRAMES, _INVALID) from error
    if not hasattr(sky, "ra"):
        sky = sky.copy()
        sky.representation_type = "spherical"
    return sky


def _is_observed(frame: BaseCoordinateFrame) -> bool:
    """Whether directions in a frame depend on an observer: on its place, or on a time that was not given."""
    attributes = set(frame.frame_attributes)
    if attributes & _OBSERVED or frame.name.startswith("geocentric") or frame.name == "teme":
        return True
    return "obstime" in attributes and not frame.name.startswith("fk4") and frame.is_frame_attr_default("obstime")


def plain_values(quantity: Any, unit: u.UnitBase) -> NDArray[np.float64]:
    """Values of a quantity in a unit, as one row. NaN where they are masked."""
    values = quantity.to_value(unit)
    mask = getattr(values, "mask", False)
    bare = np.asarray(getattr(values, "unmasked", values), np.float64)
    return np.where(mask, np.nan, bare).ravel()


def why_unusable(sky: SkyCoord) -> dict[int, str]:
    """Find positions that are masked or not finite: number of the position in the array to the reason."""
    ra, dec = plain_values(sky.ra, u.deg), plain_values(sky.dec, u.deg)
    masked = np.broadcast_to(np.asarray(getattr(sky, "mask", False)), sky.shape).ravel()
    bad = np.flatnonzero(~(np.isfinite(ra) & np.isfinite(dec)))
    return {int(number): "masked" if masked[number] else f"{ra[number]} {dec[number]}" for number in bad}
