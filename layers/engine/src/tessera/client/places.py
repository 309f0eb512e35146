"""What a service can cut, as users say it: positions and names, regions, moving targets and paths."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from astropy.coordinates import BaseCoordinateFrame, SkyCoord

from tessera.checks import check_choice, check_number
from tessera.errors import InvalidInputError, InvalidValueError
from tessera.moving.ephemeris import Ephemeris
from tessera.sky.footprint import Footprint
from tessera.sky.position_text import POSITIONS
from tessera.targets.places import NamedPlace
from tessera.targets.read import TARGETS, read_given
from tessera.targets.table import as_table
from tessera.targets.target import Target as GivenTarget

Kind: TypeAlias = Literal["majorbody", "smallbody"]
LONGEST_NAME = 100
"""Largest number of characters of a name."""
CUBE_NAME = r"(?:tess|tica)-s\d{4,5}-[1-4]-[1-4]"
"""Regular expression of the names of cubes."""
_POSITION = f"(ra, dec) in degrees, a SkyCoord of one position, a name, or {POSITIONS}"
_TARGET = f"{_POSITION}; or a Region, a MovingTarget or an Ephemeris"
_RADIUS = "a number of degrees from 0 to 30"
_CORNERS = "at least three corners (ra, dec) in degrees, a SkyCoord of them, or 'POLYGON ra dec ra dec ra dec'"


@dataclass(frozen=True)
class Position:
    """A position that does not move, ICRS degrees, or a name whose position the service knows."""

    ra: float = math.nan
    dec: float = math.nan
    name: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the position is known."""
        return math.isfinite(self.ra)


@dataclass(frozen=True)
class MovingTarget:
    """A body of the solar system, which a cutout follows.

    Parameters
    ----------
    name : str
        Name, number or designation that JPL Horizons knows, such as ``Eleonora``, ``354`` or ``67P``.
    kind : {'majorbody', 'smallbody'}, optional
        Kind of body; needed only where the name is ambiguous.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.

    Examples
    --------
    >>> import tessera
    >>> tessera.MovingTarget("Eleonora")
    MovingTarget(name='Eleonora', kind=None)
    """

    name: str
    kind: Kind | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", check_name("name", self.name))
        if self.kind is not None:
            check_choice("kind", self.kind, get_args(Kind))


class Region:
    """A polygon on the sky; a cutout of it is the box of pixels that contains its corners.

    Parameters
    ----------
    corners : list of (ra, dec), array of shape (n, 2), SkyCoord, str or dict
        Corners in degrees, ICRS: at least three, with or without the first one at the end again. A text is
        ``POLYGON ra dec ra dec ra dec``, and a dictionary is a Polygon of GeoJSON.

    Raises
    ------
    InvalidInputError
        When `corners` is something else.

    Examples
    --------
    >>> import tessera
    >>> tessera.Region([(88.9, -75.4), (89.0, -75.4), (89.0, -75.3)])
    Region([(88.9, -75.4), (89.0, -75.4), (89.0, -75.3)])
    """

    def __init__(self, corners: Any) -> None:
        array = _corners(corners)
        if len(array) > 1 and (array[0] == array[-1]).all():
            array = array[:-1]
        if len({tuple(corner) for corner in array.tolist()}) < 3:
            raise InvalidInputError("corners", corners, _CORNERS)
        self.corners: tuple[tuple[float, float], ...] = tuple((ra, dec) for ra, dec in array.tolist())
        """Corners, each right ascension and declination in degrees."""

    def __repr__(self) -> str:
        return f"Region({list(self.corners)})"

    @property
    def text(self) -> str:
        """The region as ``POLYGON ra dec ...``."""
        return "POLYGON " + " ".join(f"{value!r}" for corner in self.corners for value in corner)

    @property
    def geometry(self) -> dict[str, Any]:
        """The region as a Polygon of GeoJSON."""
        return {"type": "Polygon", "coordinates": [[list(corner) for corner in (*self.corners, self.corners[0])]]}


Target: TypeAlias = "Position | Region | MovingTarget | Ephemeris"
TargetInput: TypeAlias = (
    "tuple[float, float] | SkyCoord | BaseCoordinateFrame | str | Region | MovingTarget | Ephemeris | Any"
)
"""A target as users give it: a position, a name, or one of our classes."""


def _corners(corners: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    given = corners
    try:
        if isinstance(corners, str):
            given = Footprint.parse_s_region(corners).vertices
        elif isinstance(corners, Mapping):
            (given,) = corners["coordinates"]
        elif isinstance(corners, (SkyCoord, BaseCoordinateFrame)):
            sky = SkyCoord(corners).icrs.ravel()
            given = np.column_stack([sky.ra.deg, sky.dec.deg])
        array = np.array(given, np.float64)
    except (TypeError, ValueError, KeyError, InvalidValueError) as error:
        raise InvalidInputError("corners", corners, _CORNERS) from error
    if array.ndim != 2 or array.shape[1] != 2 or not _are_on_sky(array):
        raise InvalidInputError("corners", corners, _CORNERS)
    return array


def _are_on_sky(array: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    return bool((np.abs(array[:, 0]) <= 360).all() and (np.abs(array[:, 1]) <= 90).all())  # NaN is not


def check_name(argument: str, name: object) -> str:
    """Return a name without blanks around it.

    Raises
    ------
    InvalidInputError
        When it is no text, or has no characters, too many, or some that cannot be printed.
    """
    text = " ".join(name.split()) if isinstance(name, str) else ""
    if not (0 < len(text) <= LONGEST_NAME and text.isprintable()):
        raise InvalidInputError(argument, name, f"a name of 1 to {LONGEST_NAME} characters that can be printed")
    return text


def check_cube(cube: object) -> str:
    """Return the name of a cube, or raise `InvalidInputError`."""
    if not isinstance(cube, str) or not re.fullmatch(CUBE_NAME, cube, re.ASCII):
        raise InvalidInputError("cube", cube, "the name of a cube, such as 'tess-s0001-4-2'")
    return cube


def check_radius(radius: object) -> float:
    """Return a radius in degrees, or raise `InvalidInputError`."""
    degrees = check_number("radius", radius, _RADIUS)
    if not 0 <= degrees <= 30:
        raise InvalidInputError("radius", radius, _RADIUS)
    return degrees


class _Later:
    """Stands for the resolver of the service, which is asked when the position is needed."""

    allowed = ""

    def find(self, name: str) -> NamedPlace:
        """A place that is not known yet."""
        return NamedPlace(name, math.nan, math.nan, "")


def read_position(place: Any, argument: str = "target") -> Position:
    """Read one position or name that a user gave.

    Raises
    ------
    InvalidInputError
        When it is neither, or is a position with a proper motion, which the service cannot follow.
    """
    if isinstance(place, GivenTarget):
        return _of_target(place, argument)
    try:
        found = read_given(place, _Later(), argument)
    except InvalidInputError as error:
        raise InvalidInputError(argument, place, _POSITION if error.allowed == TARGETS else error.allowed) from error
    if not found.single:
        raise InvalidInputError(argument, place, _POSITION)
    if any(found.positions.known_motion(0)):
        allowed = "a position without a proper motion: the service cuts all sectors at one position"
        raise InvalidInputError(argument, place, allowed)
    return _of_target(found.targets[0], argument)


def _of_target(target: GivenTarget, argument: str) -> Position:
    if target.reason:
        raise InvalidInputError(argument, target.name, f"a position that is known; {target.reason}")
    if math.isfinite(target.ra):
        return Position(target.ra, target.dec)
    return Position(name=check_name(argument, target.name if target.tic is None else f"TIC {target.tic}"))


def read_several(targets: Any) -> list[Any]:
    """List the targets that a user gave: the rows of a table, the positions of a SkyCoord, or the items of a list.

    Raises
    ------
    InvalidInputError
        When it is one target, or nothing that has items.
    """
    if (table := as_table(targets)) is not None:
        return list(read_given(table, _Later(), "targets").targets)
    if isinstance(targets, SkyCoord) and not targets.isscalar:
        return list(targets.ravel())
    if isinstance(targets, Iterable) and not isinstance(targets, (str, bytes, SkyCoord, dict)):
        items = list(targets)
        if not items or not all(isinstance(item, (int, float, np.number)) for item in items):  # (88.95, -75.39) is one
            return items
    raise InvalidInputError("targets", targets, "a list or table of targets, such as ['pi Men', (88.95, -75.39)]")


def read_target(target: TargetInput) -> Target:
    """Read one target that a user gave.

    Raises
    ------
    InvalidInputError
        When it is no target.
    """
    if isinstance(target, (Region, MovingTarget, Ephemeris)):
        return target
    try:
        return read_position(target)
    except InvalidInputError as error:
        if error.allowed == _POSITION:
            raise InvalidInputError("target", target, _TARGET) from error
        raise
