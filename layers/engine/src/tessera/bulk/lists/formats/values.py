"""Read lists that are JSON documents or values of Python: targets one by one, and objects of columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import BaseCoordinateFrame, SkyCoord
from astropy.table import Row, Table

from tessera.bulk.lists.batch import Batch, Column, Role, check_rows
from tessera.bulk.lists.columns import Chosen, choose_columns
from tessera.bulk.lists.formats.tables import cells, sky_columns, table_batch
from tessera.bulk.lists.forms import find_encoding
from tessera.errors import InvalidInputError, UnreadableFileError
from tessera.targets.read import TARGETS, are_columns
from tessera.targets.table import COLUMNS, as_table

WRAPPERS = ("targets", "rows")
"""Names below which a document may have its list."""
_PLACES: set[Role] = {"name", "tic", "position", "ra", "dec"}
_ITEM = "a name, a position, a pair of RA and Dec in degrees, or an object with the columns of a list"


def read_json(data: bytes, name: str) -> Any:
    """Parse a JSON document.

    Raises
    ------
    UnreadableFileError
        When it is no JSON, is nested too deeply, or has a name twice.
    """
    try:
        return json.loads(data.decode(find_encoding(data[:4])), object_pairs_hook=_once)
    except RecursionError as error:
        raise UnreadableFileError(name, "it is not a table: its lists are nested too deeply") from error
    except ValueError as error:
        raise UnreadableFileError(name, f"it is not JSON: {error}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        raise ValueError(f"an object has the name {twice[:80]!r} twice")
    return found


def read_value(given: Any, most_rows: int, argument: str) -> Batch:
    """Rows of a value.

    Parameters
    ----------
    given : Table, DataFrame, structured array, SkyCoord, dict or iterable
        A table, an object of columns, one with its list below ``targets`` or ``rows``, or targets one by one.
    most_rows : int
        Largest number of rows.
    argument : str
        Name of the caller's argument, for errors.

    Raises
    ------
    InvalidInputError
        When it is no list, or has too many rows.
    """
    if isinstance(given, (SkyCoord, BaseCoordinateFrame)):
        columns = sky_columns(given, argument)
        return Batch(len(columns["ra"].values), columns)
    table = _table(given, argument)
    if table is not None:
        return table_batch(table, argument)
    if isinstance(given, Mapping):
        below = next((word for word in WRAPPERS if word in given), None)
        if below is not None:
            return read_value(given[below], most_rows, argument)
        return _of_columns(given, argument)
    if are_columns(given):
        raise InvalidInputError(argument, given, "an object with the columns ra and dec")
    if isinstance(given, np.ndarray) and given.ndim == 2 and given.shape[1] == 2 and given.dtype.kind in "iuf":
        unit = str(given.unit) if isinstance(given, u.Quantity) else ""
        pairs = np.asarray(given)
        return Batch(len(pairs), {"ra": Column("ra", pairs[:, 0], unit), "dec": Column("dec", pairs[:, 1], unit)})
    try:
        items = list(islice(iter(() if isinstance(given, (bytes, str)) else given), most_rows + 1))
    except TypeError as error:
        raise InvalidInputError(argument, given, f"{TARGETS}, or an object of columns") from error
    check_rows(len(items), most_rows, argument)
    return _of_items(items, argument)


def _table(given: Any, argument: str) -> Table | None:
    if hasattr(given, "loc") and hasattr(getattr(given, "columns", None), "duplicated"):  # a DataFrame
        choose_columns(list(map(str, given.columns)), argument)
        given = given.loc[:, ~given.columns.duplicated()]
    try:
        return as_table(given)
    except Exception as error:  # pandas and astropy raise errors of any kind
        raise InvalidInputError(argument, given, COLUMNS, f"The table cannot be used: {error}.") from error


def _of_columns(given: Mapping[str, Any], argument: str) -> Batch:
    """Rows of an object of columns."""
    if is_one_target(given, argument):
        return _of_items([given], argument)
    if _has_sky(given):
        try:
            table = Table({str(name): values for name, values in given.items()})
        except (TypeError, ValueError) as error:
            raise InvalidInputError(argument, given, "columns of the same length") from error
        return table_batch(table, argument)
    chosen = choose_columns(list(map(str, given)), argument)
    keys = list(given)
    columns = {role: _column(given[keys[one.place]], one) for role, one in chosen.items()}
    alone = {role for role, one in chosen.items() if not has_cells(given[keys[one.place]])}
    n_rows = max((len(column.values) for role, column in columns.items() if role not in alone), default=1)
    columns |= {role: replace(columns[role], values=[*columns[role].values] * n_rows) for role in alone}
    lengths = {one.label: len(one.values) for one in columns.values()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{label}: {length}" for label, length in lengths.items())
        raise InvalidInputError(argument, f"columns of different lengths ({said})", "columns of the same length")
    return Batch(next(iter(lengths.values())), columns)


def is_one_target(given: Mapping[str, Any], argument: str) -> bool:
    """Whether an object has the cells of a single target, whose size may be [5, 7], and no columns.

    Raises
    ------
    InvalidInputError
        When it has neither.
    """
    if _has_sky(given):
        return False
    chosen, keys = choose_columns(list(map(str, given)), argument), list(given)
    return not any(role in _PLACES and has_cells(given[keys[one.place]]) for role, one in chosen.items())


def _has_sky(given: Mapping[str, Any]) -> bool:
    return any(isinstance(values, (SkyCoord, BaseCoordinateFrame)) for values in given.values())


def has_cells(values: Any) -> bool:
    """Whether a column has a cell for each row, and not one for all."""
    return isinstance(values, Iterable) and not isinstance(values, (str, bytes)) and getattr(values, "ndim", 1) > 0


def _column(values: Any, one: Chosen) -> Column:
    """A column of an object of columns."""
    if isinstance(values, Mapping):  # as pandas writes columns: from the names of rows to cells
        values = list(values.values())
    if isinstance(values, u.Quantity):
        return Column(one.label, cells(np.atleast_1d(values.value)), str(values.unit))
    if not has_cells(values):
        values = [values]
    return Column(one.label, cells(values) if hasattr(values, "dtype") else list(values), one.unit)


def _of_items(items: list[Any], argument: str) -> Batch:
    """Rows of targets one by one."""
    broken: dict[int, str] = {}
    rows: list[Mapping[str, Any]] = []
    for place, item in enumerate(items):
        try:
            rows.append(_row(item))
        except InvalidInputError as error:
            rows.append({})
            broken[place] = str(error)
    names = list(dict.fromkeys(key for row in rows for key in row))
    if not names:
        return Batch(len(rows), {}, broken)
    chosen = choose_columns(list(map(str, names)), argument)
    columns = {
        role: Column(one.label, [row.get(names[one.place]) for row in rows], one.unit) for role, one in chosen.items()
    }
    return Batch(len(rows), columns, broken)


def _row(item: Any) -> Mapping[str, Any]:
    """Cells of one target."""
    if isinstance(item, Mapping):
        return {name: plain_cell(value) for name, value in item.items()}
    if isinstance(item, Row):
        return {name: plain_cell(item[name]) for name in item.colnames}
    if isinstance(item, (str, np.str_)):
        return {"name": str(item)}
    if isinstance(item, (SkyCoord, BaseCoordinateFrame)):
        columns = sky_columns(item, "target")
        if any(len(column.values) != 1 for column in columns.values()):
            raise InvalidInputError("target", item, _ITEM)
        words = {"pm_ra": "pmra", "pm_dec": "pmdec"}
        return {words.get(role, role): column.values[0] for role, column in columns.items()}
    if isinstance(item, np.ndarray):
        item = list(item) if isinstance(item, u.Quantity) and item.ndim == 1 else np.asarray(item).tolist()
    if isinstance(item, (list, tuple)) and len(item) == 2 and not any(isinstance(one, (list, dict)) for one in item):
        return dict(zip(("ra", "dec"), map(_degrees, item), strict=True))
    raise InvalidInputError("target", item, _ITEM)


def plain_cell(value: Any) -> Any:
    """Number of a scalar with a unit: angles in degrees, and proper motions in mas a year. Others as they are."""
    if isinstance(value, u.Quantity) and value.isscalar and value.unit != u.dimensionless_unscaled:
        wanted = next((unit for unit in (u.deg, u.mas / u.yr) if value.unit.is_equivalent(unit)), None)
        return value if wanted is None else float(value.to_value(wanted))
    return value


def _degrees(angle: Any) -> Any:
    if isinstance(angle, u.Quantity):
        try:
            return float(angle.to_value(u.deg))
        except (u.UnitsError, TypeError) as error:
            raise InvalidInputError("target", angle, _ITEM) from error
    return angle
