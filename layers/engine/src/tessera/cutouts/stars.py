"""Rows of the TESS Input Catalog (TIC) that users give for the headers of target pixel files.

Names and units of the columns are those of the TIC at MAST, as `Catalogs.query_criteria(catalog="Tic")` of astroquery
returns them. Source: the answers of MAST that astroquery's tests have recorded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from astropy import units as u
from astropy.table import Row, Table

from tessera.checks import check_number
from tessera.errors import InvalidInputError
from tessera.tess.star import Star

Stars: TypeAlias = "Table | Mapping[str, Any] | Iterable[Mapping[str, Any] | Row | None]"
"""One row per target: a table, or a mapping or None for each."""

_INTEGERS = {"ID": "tic", "TICVER": "ticver"}
_NUMBERS: dict[str, tuple[str, u.UnitBase | None]] = {
    "Tmag": ("tmag", None),
    "pmRA": ("pm_ra", u.mas / u.yr),
    "pmDEC": ("pm_dec", u.mas / u.yr),
    "Teff": ("teff", u.K),
    "logg": ("logg", None),
    "MH": ("mh", None),
    "rad": ("radius", u.R_sun),
}
"""Columns of the TIC, each with the field of `Star`, and the unit to which a Quantity is converted."""
_COLUMNS = ("name", *_INTEGERS, *_NUMBERS)
_ALLOWED = f"a table, or one mapping or None per target, with some of {', '.join(_COLUMNS)}"


def read_stars(stars: Stars | None, n_targets: int) -> list[Star | None]:
    """Convert rows of the TIC that a user gave.

    Parameters
    ----------
    stars : Table, mapping, or sequence of mappings and None, optional
        One row per target, in the order of the targets. Other columns than `Star` has are ignored. Values that are
        masked, None, NaN or missing are not known.
    n_targets : int
        Number of targets.

    Returns
    -------
    list of Star or None
        One item per target; None for a row in which nothing is known.

    Raises
    ------
    InvalidInputError
        When there is another number of rows, no known column, or a value that is not allowed.
    """
    if stars is None:
        return [None] * n_targets
    rows = _rows(stars)
    if len(rows) != n_targets:
        raise InvalidInputError("stars", _rows_of(len(rows)), f"{_rows_of(n_targets)}, one for each target")
    return [None if row is None else _star(row, f"stars[{number}]") for number, row in enumerate(rows)]


def _rows_of(number: int) -> str:
    return f"{number:,} {'row' if number == 1 else 'rows'}"


def _rows(stars: Any) -> list[Mapping[str, Any] | None]:
    if isinstance(stars, (Mapping, Row)):
        stars = [stars]
    if isinstance(stars, (str, bytes)) or not isinstance(stars, (Iterable, Table)):
        raise InvalidInputError("stars", stars, _ALLOWED)
    return [_row(item, f"stars[{number}]") for number, item in enumerate(stars)]


def _row(item: Any, argument: str) -> Mapping[str, Any] | None:
    """Values of a row by column; columns of a table with a unit are Quantities."""
    if item is None:
        return None
    if isinstance(item, Row):
        units = {name: item.table[name].unit for name in item.colnames}
        item = {name: _with_unit(item[name], units[name]) for name in item.colnames}
    if not isinstance(item, Mapping) or not set(item) & set(_COLUMNS):
        raise InvalidInputError(argument, item, _ALLOWED)
    return item


def _with_unit(value: Any, unit: u.UnitBase | None) -> Any:
    plain = unit is None or isinstance(value, u.Quantity) or np.ma.is_masked(value)
    return value if plain else u.Quantity(value, unit)


def _star(row: Mapping[str, Any], argument: str) -> Star | None:
    found: dict[str, Any] = {}
    for column, field in _INTEGERS.items():
        found[field] = _integer(row.get(column), f"{argument}[{column!r}]")
    for column, (field, unit) in _NUMBERS.items():
        found[field] = _number(row.get(column), unit, f"{argument}[{column!r}]")
    name = row.get("name")
    if not _is_unknown(name) and not isinstance(name, str):
        raise InvalidInputError(f"{argument}['name']", name, "a text")
    star = Star("" if _is_unknown(name) else str(name).strip(), **found)
    return None if star == Star() else star


def _is_unknown(value: Any) -> bool:
    if value is None or np.ma.is_masked(value) or bool(np.any(getattr(value, "mask", False))):
        return True
    return isinstance(value, (float, np.floating)) and math.isnan(value)


def _integer(value: Any, argument: str) -> int | None:
    if _is_unknown(value):
        return None
    if isinstance(value, (float, np.floating)) and float(value).is_integer():  # of a column that had missing values
        value = int(value)
    text = str(value)
    if isinstance(value, (str, int, np.integer)) and text.isascii() and text.isdigit() and 0 < int(text) < 2**63:
        return int(text)
    raise InvalidInputError(argument, value, "a whole number from 1")


def _number(value: Any, unit: u.UnitBase | None, argument: str) -> float | None:
    if _is_unknown(value):
        return None
    if isinstance(value, u.Quantity):
        try:
            value = value.value if unit is None else value.to_value(unit)
        except u.UnitsError as error:
            raise InvalidInputError(argument, value, f"a number in {unit}") from error
    number = check_number(argument, value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value)
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise InvalidInputError(argument, value, "a finite number")
    return number
