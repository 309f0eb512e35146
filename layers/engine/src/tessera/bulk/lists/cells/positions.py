"""Read the cells of positions, proper motions and epochs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy import units as u

from tessera.bulk.epochs import EPOCHS, FIRST_YEAR, LAST_YEAR, read_year
from tessera.bulk.lists.batch import Column, Role
from tessera.bulk.lists.cells.numbers import Floats, Reasons, plain_text, read_numbers, unit_of
from tessera.errors import InvalidInputError, shown
from tessera.sky.position_text import POSITIONS, parse_position

LARGEST_MOTION = 1e5
"""Largest proper motion in mas a year; Barnard's star has 10,400."""
_MAS_PER_YEAR = u.mas / u.yr
_ANGLE = "a unit of angles, such as deg, hourangle or rad"
_YEARS = frozenset({"", "yr", "year", "years", "a", "jyear", "julian year", "julian years", "jyr", "y"})
"""Units of epochs in small letters. A unit such as d is that of another time, although it can be converted."""
_MOTION = "a unit of proper motions, such as mas/yr or arcsec/yr"
_LETTERS = re.compile(r"[a-z°'\"]", re.IGNORECASE)
_SUFFIXES = {u.hourangle: "h", u.deg: "d", u.rad: "rad"}


@dataclass(frozen=True, eq=False)
class Sky:
    """Positions and proper motions of the rows of a batch; see `tessera.bulk.target_rows.TargetRows`.

    Parameters
    ----------
    ra, dec : ndarray of float64
        ICRS degrees; NaN for rows without a position, and for those that have a reason.
    pm_ra, pm_dec : ndarray of float64
        Proper motions in mas a year; NaN where there are none.
    epoch : ndarray of float64
        Julian years; NaN where there is no proper motion.
    written : dict
        Place of a row whose position was a text to that text.
    """

    ra: Floats
    dec: Floats
    pm_ra: Floats
    pm_dec: Floats
    epoch: Floats
    written: dict[int, str]


def read_sky(
    columns: Mapping[Role, Column], n_rows: int, default_epoch: float | None, argument: str, reasons: Reasons
) -> Sky:
    """Read positions, proper motions and epochs.

    Parameters
    ----------
    columns : mapping
        The columns of a batch.
    n_rows : int
        Number of its rows.
    default_epoch : float or None
        Julian year of the positions that have a proper motion and no epoch.
    argument : str
        Name of the caller's argument, for errors.
    reasons : dict
        Gets the reasons of the rows that are wrong.

    Raises
    ------
    InvalidInputError
        When a column has a unit that is none of its kind, or there are proper motions without epochs.
    """
    ra, dec, pm_ra, pm_dec, epoch = np.full((5, n_rows), np.nan)
    written: dict[int, str] = {}
    if "ra" in columns:
        ra, dec, written = _positions(columns["ra"], columns["dec"], argument, reasons)
    if "pm_ra" not in columns:
        return Sky(ra, dec, pm_ra, pm_dec, epoch, written)
    pm_ra, pm_dec = _motions(columns["pm_ra"], columns["pm_dec"], argument, reasons)
    moving = np.hypot(pm_ra, pm_dec) > 0
    epoch = _epochs(columns, moving, default_epoch, argument, reasons)
    return Sky(ra, dec, pm_ra, pm_dec, np.where(np.isnan(pm_ra), np.nan, epoch), written)


def _positions(ra: Column, dec: Column, argument: str, reasons: Reasons) -> tuple[Floats, Floats, dict[int, str]]:
    units = unit_of(ra, u.deg, argument, _ANGLE), unit_of(dec, u.deg, argument, _ANGLE)
    (lon, odd), (lat, odd_too) = read_numbers(ra), read_numbers(dec)
    lon, lat = lon * units[0].to(u.deg), lat * units[1].to(u.deg)
    written = _parse_odd(sorted({*odd, *odd_too}), (ra, dec), units, (lon, lat), reasons)
    for column, values, other in ((ra, lon, lat), (dec, lat, lon)):
        for place in np.flatnonzero(np.isnan(values) & ~np.isnan(other)).tolist():
            reasons.setdefault(place, f"{column.label} is missing; allowed: both angles, or none of them")
    with np.errstate(invalid="ignore"):
        wrong = (np.abs(lon) > 360) | (np.abs(lat) > 90)
    for place in np.flatnonzero(wrong).tolist():
        pair = f"{ra.values[place]} {dec.values[place]}"
        allowed = "RA from 0 to 360 and Dec from -90 to 90 degrees"
        reasons.setdefault(place, f"{ra.label} and {dec.label} are {shown(pair)}; allowed: {allowed}")
    lon[wrong] = lat[wrong] = np.nan
    return np.where(lon == 360, 0.0, lon % 360.0), lat, written


def _parse_odd(
    places: list[int],
    columns: tuple[Column, Column],
    units: tuple[u.UnitBase, u.UnitBase],
    angles: tuple[Floats, Floats],
    reasons: Reasons,
) -> dict[int, str]:
    """Read positions of which a cell is no number, into `angles`. Returns the texts of those that are positions."""
    written: dict[int, str] = {}
    for place in places:
        cells = [plain_text(column.values[place]) for column in columns]
        angles[0][place] = angles[1][place] = np.nan
        pieces = [_piece(cell, column, unit) for cell, column, unit in zip(cells, columns, units, strict=True)]
        missing = next((column.label for cell, column in zip(cells, columns, strict=True) if not cell), "")
        if missing:
            reasons.setdefault(place, f"{missing} is missing; allowed: both angles, or none of them")
            continue
        text = " ".join(cells)
        found = None
        try:
            found = parse_position(", ".join(pieces))
            allowed = POSITIONS
        except InvalidInputError as error:
            allowed = error.allowed
        if found is None:
            labels = " and ".join(column.label for column in columns)
            reasons.setdefault(place, f"{labels} are {shown(text)}; allowed: {allowed}")
        else:
            angles[0][place], angles[1][place] = found
            written[place] = text
    return written


def _piece(cell: str, column: Column, unit: u.UnitBase) -> str:
    """Text of an angle with its unit, if the column says one and the cell does not."""
    text = cell.replace(",", ".") if column.comma and cell.count(",") == 1 else cell
    if not column.unit or _LETTERS.search(text):
        return text
    return text + _SUFFIXES.get(unit, "")


def _motions(pm_ra: Column, pm_dec: Column, argument: str, reasons: Reasons) -> tuple[Floats, Floats]:
    both = []
    for column in (pm_ra, pm_dec):
        factor = unit_of(column, _MAS_PER_YEAR, argument, _MOTION).to(_MAS_PER_YEAR)
        values, odd = read_numbers(column)
        values = values * factor
        wrong = [*odd, *np.flatnonzero(np.abs(values) > LARGEST_MOTION).tolist()]
        for place in wrong:
            allowed = f"a proper motion in mas per year, at most {LARGEST_MOTION:g}"
            reasons.setdefault(place, str(InvalidInputError(column.label, _bare(column.values[place]), allowed)))
        both.append(values)
    unknown = ~np.isfinite(both).all(axis=0)
    one, other = (np.where(unknown, np.nan, values) for values in both)
    return one, other


def _epochs(
    columns: Mapping[Role, Column], moving: Any, default: float | None, argument: str, reasons: Reasons
) -> Floats:
    years = np.full(len(moving), np.nan if default is None else default)
    column = columns.get("epoch")
    if default is not None and column is not None and not _has_years(column):
        return years  # it is the time of something else, such as a transit
    if column is not None and moving.any():
        _read_epochs(column, years, moving, argument, reasons)
    elif default is None and moving.any():
        allowed = f"also a column epoch, or the option epoch for all rows: {EPOCHS}; or no columns of proper motions"
        raise InvalidInputError(argument, f"a list with the column {columns['pm_ra'].label}", allowed)
    return years


def _has_years(column: Column) -> bool:
    return column.unit.strip().strip("\"'").strip().lower() in _YEARS


def _read_epochs(column: Column, years: Floats, moving: Any, argument: str, reasons: Reasons) -> None:
    """Read the cells of a column of epochs that are not empty into `years`."""
    if not _has_years(column):
        allowed = "yr, because an epoch is a Julian year; or the option epoch for all rows"
        raise InvalidInputError(f"{argument}: unit of the column {column.label}", column.unit, allowed)
    found, odd = read_numbers(column)
    given = ~np.isnan(found)
    years[given] = found[given]
    known: dict[str, float] = {}
    for place in odd:
        text = plain_text(column.values[place])
        if text not in known:
            known[text] = read_year(text)
        years[place] = known[text]
    with np.errstate(invalid="ignore"):
        wrong = ~((years >= FIRST_YEAR) & (years <= LAST_YEAR)) & moving
    for place in np.flatnonzero(wrong).tolist():
        reasons.setdefault(place, str(InvalidInputError(column.label, _bare(column.values[place]), EPOCHS)))


def _bare(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
