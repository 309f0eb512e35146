"""Read the cells of columns of numbers: whole columns at once, and one by one those that are no plain numbers."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from tessera.bulk.lists.batch import Column
from tessera.errors import InvalidInputError
from tessera.targets.table import TIC_LIMIT, read_tic

Floats = NDArray[np.float64]
Reasons = dict[int, str]
"""Place of a row in its batch, from 0, to the first thing that is wrong with it."""

NOTHING = frozenset({"", "nan", "null", "none", "na", "n/a", "<na>", "nat", "-", "--", "---", "masked"})
"""Texts of empty cells, in small letters."""
_LONGEST_NOTHING = max(map(len, NOTHING))
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE | re.ASCII)
_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_SEXAGESIMAL = {
    "h:m:s": "hourangle", "hms": "hourangle", "hh:mm:ss": "hourangle", "hourangle": "hourangle", "h": "hourangle",
    "hr": "hourangle", "hour": "hourangle", "hours": "hourangle", "d:m:s": "deg", "dms": "deg", "dd:mm:ss": "deg",
    "degrees": "deg", "degree": "deg", "°": "deg",
}  # fmt: skip
"""Units as VizieR and people write them, and astropy's names of them."""


def plain_text(cell: Any) -> str:
    """Text of a cell in one line; empty if it is an empty cell."""
    if cell is None or cell is np.ma.masked:
        return ""
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", "surrogateescape")
    text = " ".join(str(cell).split())
    if not text.isascii() and any("\udc80" <= sign <= "\udcff" for sign in text):  # bytes that are not UTF-8
        text = text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return "" if text.lower() in NOTHING else text


def plain_texts(column: Column) -> list[str]:
    """Texts of the cells of a column; see `plain_text`."""
    with suppress(TypeError):
        if "".join(column.values).isascii():
            texts = [" ".join(cell.split()) for cell in column.values]
            return [text if len(text) > _LONGEST_NOTHING or text.lower() not in NOTHING else "" for text in texts]
    return list(map(plain_text, column.values))


def read_numbers(column: Column) -> tuple[Floats, list[int]]:
    """Read a column of numbers.

    Parameters
    ----------
    column : Column
        The cells.

    Returns
    -------
    values : ndarray of float64, shape (n_rows,)
        The numbers; NaN for empty cells, and for those in `odd`.
    odd : list of int
        Places of the cells that are no numbers.
    """
    if isinstance(column.values, np.ndarray):
        return np.asarray(column.values, np.float64), []
    with suppress(ValueError, TypeError):
        joined = "".join(column.values)
        if joined.isascii() and "_" not in joined:
            return np.array([float(cell or "nan") for cell in column.values], np.float64), []
    found = [_number(cell, comma=column.comma) for cell in column.values]
    odd = [place for place, number in enumerate(found) if number is None]
    return np.array([math.nan if number is None else number for number in found], np.float64), odd


def _number(cell: Any, *, comma: bool) -> float | None:
    """Number of a cell; NaN if it is empty, None if it is something else."""
    if isinstance(cell, (bool, np.bool_)):
        return None
    if isinstance(cell, (int, float, np.integer, np.floating)):
        with suppress(OverflowError):
            return float(cell)
        return None
    if isinstance(cell, (list, dict, tuple)):
        return None
    text = plain_text(cell)
    if not text:
        return math.nan
    if comma and _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    return float(text) if _NUMBER.fullmatch(text) else None


def unit_of(column: Column, standard: u.UnitBase, argument: str, about: str) -> u.UnitBase:
    """Unit of a column.

    Parameters
    ----------
    column : Column
        The column.
    standard : Unit
        Unit of a column that says none, to which the column's own one must be convertible.
    argument : str
        Name of the caller's argument, for errors.
    about : str
        Which units are allowed, for errors.

    Raises
    ------
    InvalidInputError
        When the unit is another one.
    """
    text = column.unit.strip().strip("\"'").strip()
    if not text:
        return standard
    hours = standard == u.deg
    with suppress(ValueError, TypeError, u.UnitsError):
        unit = u.Unit(_SEXAGESIMAL.get(text.lower(), text) if hours else text)
        if unit.is_equivalent(standard):
            return unit
    raise InvalidInputError(f"{argument}: unit of the column {column.label}", column.unit, about)


def read_tics(column: Column, reasons: Reasons) -> NDArray[np.int64]:
    """Read numbers in the TESS Input Catalog, shape (n_rows,); 0 for empty cells, and where there is a reason."""
    values = column.values
    if isinstance(values, np.ndarray):
        return _tics_of_array(column.label, values, reasons)
    with suppress(TypeError, ValueError, OverflowError):
        joined = "".join(values)
        if joined.isascii() and joined.isdecimal():
            return np.array([int(cell or 0) for cell in values], np.int64)
    found = np.zeros(len(values), np.int64)
    for place, cell in enumerate(values):
        number = None if isinstance(cell, str) and cell.strip().lower() in NOTHING else read_tic(cell)
        if isinstance(cell, (bool, np.bool_, list, dict, tuple)) or isinstance(number, str):
            reasons.setdefault(place, _no_tic(column.label, cell))
        else:
            found[place] = number or 0
    return found


def _tics_of_array(label: str, values: NDArray[Any], reasons: Reasons) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore"):
        whole = (values >= 0) & (values < TIC_LIMIT) & (np.floor(values) == values)
    for place in np.flatnonzero(~whole & ~np.isnan(values)).tolist():
        reasons.setdefault(place, _no_tic(label, values[place].item()))
    return np.where(whole, values, 0).astype(np.int64)


def _no_tic(label: str, value: Any) -> str:
    return str(InvalidInputError(label, value, "a number of the TESS Input Catalog, such as 261136679"))
