"""Read what users write for targets: names, positions, objects of astropy, tables, and lists of these."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from astropy.coordinates import BaseCoordinateFrame, SkyCoord
from astropy.table import Table

from tessera.errors import InvalidInputError
from tessera.sky.motion import Targets, read_targets
from tessera.sky.position_text import POSITIONS, parse_position
from tessera.targets.lookup import Lookup
from tessera.targets.places import NamedPlace, Names
from tessera.targets.table import TableRow, as_table, read_rows
from tessera.targets.target import Target, TargetList
from tessera.tess.star import tic_number

GivenTargets: TypeAlias = "str | SkyCoord | tuple[float, float] | Iterable[Any] | Any"
"""One target or several: names, written positions, SkyCoords, pairs of RA and Dec in degrees, or a table."""

TARGETS = (
    "a name such as 'pi Men' or 'TIC 261136679', a position such as '88.95 -75.39' or '05:55:48.4 -75:23:28', "
    "a SkyCoord, a pair of RA and Dec in degrees, or a list or table of these"
)
"""What is allowed, for errors."""
LONGEST_NAME = 100
"""Largest number of characters of a name."""
_BARE_NUMBER = re.compile(r"[+-]?[\d.]+", re.ASCII)
_NUMBER = (int, float, np.integer, np.floating)


@dataclass(frozen=True)
class _Part:
    """Some targets: their names, their numbers in the TIC, and where they are, or the name to ask a resolver for."""

    names: list[str]
    tics: list[int | None]
    positions: Targets | None
    asked: str = ""
    named: bool = False


def read_given(given: GivenTargets, names: Names, argument: str = "target", *, show: bool = False) -> TargetList:
    """Read targets.

    Parameters
    ----------
    given : str, SkyCoord, (float, float), or a list or table of them
        The targets as the user gave them.
    names : Names
        Resolver that is asked for names, several names at the same time.
    argument : str, optional
        Name of the caller's argument, for errors.
    show : bool, optional
        Whether a bar, or lines on stderr, show how many names were looked up.

    Returns
    -------
    TargetList
        All targets, in their order. In a list, an item that is no target, or has no position, has its reason.

    Raises
    ------
    InvalidInputError
        When there is no target, a table has no usable column, or the only target is none or has no position.
    AmbiguousNameError
        When the only target is a name of several objects.
    NameResolverError
        When all targets are names, and the resolver answers for none of them.
    """
    single = _is_single(given)
    parts = [_read(given, argument)] if single else list(_read_several(given, argument))
    asked = list(dict.fromkeys(part.asked for part in parts if part.positions is None))
    lookup = Lookup(names, argument, single=single)
    places = {name: _place_of(found) for name, found in lookup.find_all(asked, show=show).items()}
    if lookup.failure is not None and lookup.n_answers == 0 and all(part.positions is None for part in parts):
        raise lookup.failure
    targets = _joined(parts, places, single=single)
    if not targets.targets:
        raise InvalidInputError(argument, given, TARGETS)
    if single and targets.targets[0].reason:
        raise InvalidInputError(argument, targets.targets[0].name, "a position that is known")
    return targets


def _is_single(given: Any) -> bool:
    if isinstance(given, (SkyCoord, BaseCoordinateFrame)):
        return bool(getattr(given, "has_data", True) and given.isscalar)
    return isinstance(given, str) or _is_pair(given)


def _is_pair(given: Any) -> bool:
    """Whether something is right ascension and declination: two numbers, or two angles."""
    if isinstance(given, np.ndarray):
        return given.shape == (2,) and given.dtype.kind in "iuf"
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        return False
    return all(isinstance(item, _NUMBER) and not isinstance(item, bool) for item in given) or all(
        isinstance(item, u.Quantity) and item.isscalar for item in given
    )


def are_columns(given: Any) -> bool:
    """Whether something may be a column of RA and one of Dec. Two arrays of two numbers could also be two pairs."""
    return (
        isinstance(given, (tuple, list))
        and len(given) == 2
        and all(isinstance(item, np.ndarray) and item.ndim == 1 and item.dtype.kind in "iuf" for item in given)
    )


def _read_several(given: Any, argument: str) -> Iterator[_Part]:
    if isinstance(given, (SkyCoord, BaseCoordinateFrame)):
        yield _of_sky(given, argument)
        return
    table = as_table(given)
    if table is not None:
        yield from _of_table(table, argument)
        return
    if are_columns(given):
        raise InvalidInputError(argument, given, "SkyCoord(ra, dec, unit='deg') for columns of RA and Dec")
    try:
        items = iter(() if isinstance(given, (bytes, dict)) else given)
    except TypeError as error:  # also of a scalar of a class of which arrays can be iterated, such as a Quantity
        raise InvalidInputError(argument, given, TARGETS) from error
    for number, item in enumerate(items):
        table, place = as_table(item), f"{argument}[{number}]"
        if table is None:
            yield _or_reason(_read, item, place)
        else:
            yield from _of_table(table, place)


def _or_reason(read: Callable[[Any, str], _Part], item: Any, argument: str) -> _Part:
    """Read an item of a list. One that is no target does not stop the others."""
    try:
        return read(item, argument)
    except InvalidInputError as error:
        name = (item.name or str(item.position or "")) if isinstance(item, TableRow) else str(item)
        return _Part([" ".join(name.split())[:LONGEST_NAME]], [None], _nowhere(str(error)))


def _read(item: Any, argument: str) -> _Part:
    if isinstance(item, (str, np.str_)):
        return _of_text(str(item), argument)
    if isinstance(item, (SkyCoord, BaseCoordinateFrame)):
        return _of_sky(item, argument)
    if not _is_pair(item):
        raise InvalidInputError(argument, item, TARGETS)
    try:
        ra, dec = (float(value.to_value(u.deg)) if isinstance(value, u.Quantity) else float(value) for value in item)
    except u.UnitConversionError as error:
        raise InvalidInputError(argument, item, TARGETS) from error
    return _of_degrees(ra, dec, argument)


def _of_table(table: Table, argument: str) -> Iterator[_Part]:
    rows = enumerate(read_rows(table, argument))
    return (_or_reason(_of_row, row, f"{argument}[{number}]") for number, row in rows)


def _of_row(row: TableRow, argument: str) -> _Part:
    if isinstance(row.tic, str):
        raise InvalidInputError(f"{argument}: tic", row.tic, "a number of the TESS Input Catalog, such as 261136679")
    tic = row.tic if row.tic is not None else tic_number(row.name)
    name = row.name or ("" if tic is None else f"TIC {tic}")
    if isinstance(row.position, tuple):
        part = _of_degrees(*row.position, argument)
    elif row.position is not None:
        part = _of_text(row.position, argument)
        if part.asked:
            raise InvalidInputError(argument, row.position, POSITIONS)
    elif name:
        part = _of_text(f"TIC {tic}" if row.tic is not None else name, argument)
    else:
        part = _Part([""], [None], _nowhere(f"{argument} has neither a name nor a position"))
    named = part.named or (row.position is not None and bool(name))
    return _Part([name or part.names[0]], [tic], part.positions, part.asked, named=named)


def _still(ra: float, dec: float, unusable: dict[int, str] | None = None) -> Targets:
    return Targets.still(np.array([ra]), np.array([dec]), unusable)


def _place_of(found: NamedPlace | str) -> Targets:
    """Target at a place that was found, or without one for a reason."""
    return _nowhere(found) if isinstance(found, str) else _still(found.ra, found.dec)


def _nowhere(reason: str) -> Targets:
    return _still(np.nan, np.nan, {0: reason})


def _of_degrees(ra: float, dec: float, argument: str) -> _Part:
    if abs(ra) > 360 or abs(dec) > 90:
        raise InvalidInputError(argument, (ra, dec), "RA from 0 to 360 and Dec from -90 to 90, both in degrees")
    if not (math.isfinite(ra) and math.isfinite(dec)):
        return _Part([f"{ra} {dec}"], [None], _nowhere(f"its position is {ra} {dec}"))
    ra %= 360.0
    return _Part([_degrees_text(ra, dec)], [None], _still(ra, dec))


def _degrees_text(ra: float, dec: float) -> str:
    return f"{ra:.6f} {dec:+.6f}"


def _of_sky(sky: SkyCoord | BaseCoordinateFrame, argument: str) -> _Part:
    try:
        positions = read_targets(sky)
    except InvalidInputError as error:
        raise InvalidInputError(argument, sky, error.allowed) from error
    pairs = zip(positions.ra.tolist(), positions.dec.tolist(), strict=True)
    return _Part([_degrees_text(ra, dec) for ra, dec in pairs], [None] * len(positions), positions)


def _of_text(text: str, argument: str) -> _Part:
    name, place = parse_target(text, argument)
    if place is not None:
        return _Part([name], [None], _still(*place))
    return _Part([name], [tic_number(name)], None, name, named=True)


def parse_target(text: str, argument: str) -> tuple[str, tuple[float, float] | None]:
    """Read a text that is a position or a name.

    Parameters
    ----------
    text : str
        What the user wrote.
    argument : str
        Name of the caller's argument, for errors.

    Returns
    -------
    name : str
        The text in one line.
    place : (float, float) or None
        ICRS degrees; None if the text is a name.

    Raises
    ------
    InvalidInputError
        When it is neither, or a position that is not on the sky.
    """
    name = " ".join(text.split())
    place = parse_position(name, argument) if name else None
    if place is not None:
        return name, place
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():  # such as bytes that are no text
        raise InvalidInputError(argument, text, TARGETS)
    if _BARE_NUMBER.fullmatch(name):
        number = f"'TIC {name}' for a number of the TESS Input Catalog, or " if name.isdecimal() else ""
        raise InvalidInputError(argument, text, f"{number}both angles in one text, such as '88.95 -75.39'")
    return name, None


def _joined(parts: list[_Part], places: dict[str, Targets], *, single: bool) -> TargetList:
    """All targets, with the positions of the names among them."""
    known = [places[part.asked] if part.positions is None else part.positions for part in parts]
    if not known:
        return TargetList((), Targets.still(np.zeros(0), np.zeros(0)))
    positions = Targets.join(known)
    texts = [name for part in parts for name in part.names]
    tics = [tic for part in parts for tic in part.tics]
    named = [part.named for part in parts for _ in part.names]
    reasons = [positions.unusable.get(number, "") for number in range(len(texts))]
    columns = (texts, positions.ra.tolist(), positions.dec.tolist(), tics, range(len(texts)), reasons, named)
    return TargetList(tuple(map(Target, *columns)), positions, single)
