"""Read ephemerides from tables of users: CSV and its relatives, ECSV, JSON, and answers of JPL Horizons.

The content decides what a table is. Each row has a time and a position:

* The time is in a column such as ``time``, ``jd``, ``mjd``, ``tjd``, ``btjd``, ``bjd_tdb``, ``date`` or
  ``datetime_jd``. Times are numbers of days, or dates.
* The position is in ``ra`` and ``dec``, in degrees, sexagesimal or in the unit of the column, or in ``position``. It is
  astrometric, ICRS.

`tessera.moving.table_columns` knows the names. Other columns are ignored. Fields are separated by commas, semicolons,
tabs, vertical bars or blanks. JSON is an object of such columns, or a list of such rows.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from contextlib import closing
from typing import Any, get_args

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from numpy.typing import NDArray

from tessera.checks import check_choice
from tessera.errors import InvalidInputError
from tessera.io.filesystems import in_filesystem
from tessera.io.locations import shown
from tessera.io.sources import Location, open_source
from tessera.moving.ephemeris import Clock, Ephemeris, sky_degrees
from tessera.moving.horizons_text import is_horizons, read_horizons
from tessera.moving.table_columns import COLUMNS, Columns, find_columns
from tessera.moving.table_values import factor_of, parse_places, parse_times, plain_list, row_error
from tessera.tess.clock import Time

_FORMATS = ("jd", "mjd", "tjd", "btjd", "iso")
_SCALES = ("utc", "tdb", "tt", "tai")
_SEPARATORS = (",", ";", "\t", "|", " ")
_ALLOWED = f"a table (CSV, ECSV, JSON, or an answer of JPL Horizons) with {COLUMNS}"
_MAX_BYTES = 100_000_000


def parse_ephemeris(
    data: bytes,
    *,
    time_format: str | None = None,
    time_scale: str | None = None,
    clock: Clock | None = None,
    name: str = "",
) -> Ephemeris:
    """Make an ephemeris of a table.

    Parameters
    ----------
    data : bytes
        Table in CSV, ECSV or JSON, or an answer of JPL Horizons.
    time_format : {'jd', 'mjd', 'tjd', 'btjd', 'iso'}, optional
        Format of the times; 'tjd' and 'btjd' are Julian dates minus 2,457,000. The default is the format that the name
        of the column implies. Without it, the size of numbers decides between 'tjd', 'mjd' and 'jd', and texts are
        dates.
    time_scale : {'utc', 'tdb', 'tt', 'tai'}, optional
        Scale of the times. The default is the scale that the dates or the name of the column have, such as
        ``jd_tdb``. Without it, it is TDB for 'tjd', 'btjd' and ``bjd``, and UTC for the other formats.
    clock : {'observer', 'barycentre'}, optional
        Clock of the times; see `Ephemeris`. By default the barycentre's if 'btjd' is given by `time_format` or the name
        of the column is ``btjd`` or ``bjd``, and otherwise the observer's.
    name : str, optional
        Name of the target.

    Raises
    ------
    InvalidInputError
        When an option is not allowed, the data are not such a table, a value is missing, or a time is obviously of
        another format than the one that is given.
    """
    formats = None if time_format is None else check_choice("time_format", time_format, _FORMATS, any_case=True)
    scale = None if time_scale is None else check_choice("time_scale", time_scale, _SCALES, any_case=True)
    if clock is not None:
        check_choice("clock", clock, get_args(Clock))
    table, columns = _parse_table(data)
    lengths = {column: len(table[column]) for column in (columns.time, *columns.places)}
    if len(set(lengths.values())) != 1:
        raise InvalidInputError("ephemeris", lengths, "columns of equal length")
    if lengths[columns.time] < 2:
        raise InvalidInputError(
            "ephemeris", f"{lengths[columns.time]} rows", "at least two times, each with a position"
        )
    time_format = formats or columns.time_format
    time = _time(table[columns.time], columns, time_format, scale)
    ra, dec = _places(table, columns)
    return Ephemeris(time, ra, dec, clock or ("barycentre" if time_format in ("btjd", "bjd") else "observer"), name)


def read_ephemeris(location: Location, *, filesystem: Any = None, **options: Any) -> Ephemeris:
    """Read an ephemeris from a file.

    Parameters
    ----------
    location : str or Path
        Local path, ``file://``, ``s3://`` or ``https://`` URL of the table.
    filesystem : fsspec file system, optional
        File system of the table, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.
    **options
        Options of `parse_ephemeris`.

    Raises
    ------
    OSError
        When the file cannot be read.
    InvalidInputError
        When the file is not such a table.
    """
    with closing(open_source(in_filesystem(filesystem, location))) as source:
        if source.size > _MAX_BYTES:
            raise InvalidInputError("ephemeris", shown(location), f"at most {_MAX_BYTES:,} bytes, not {source.size:,}")
        data = source.read(0, source.size)
    try:
        return parse_ephemeris(data, **options)
    except InvalidInputError as error:
        error.args = (f"{shown(location)}: {error}",)
        raise


def table_formats() -> Sequence[str]:
    """Allowed values of ``time_format`` of `parse_ephemeris`."""
    return _FORMATS


def table_scales() -> Sequence[str]:
    """Allowed values of ``time_scale`` of `parse_ephemeris`."""
    return _SCALES


def _refused(data: bytes, why: str) -> InvalidInputError:
    return InvalidInputError("ephemeris", data[:60], _ALLOWED, why)


def _parse_table(data: bytes) -> tuple[dict[str, Any], Columns]:
    """Columns of a table by their names, and which of them are needed."""
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig").strip()
        if text.startswith(("{", "[")):
            table = _parse_json(json.loads(text))
        elif is_horizons(text):
            table = read_horizons(text)
        elif text.startswith("# %ECSV"):
            read = Table.read(text.splitlines(), format="ascii.ecsv")
            table = {name: read[name] for name in read.colnames}
        else:
            return _parse_lines(text)
    except InvalidInputError:
        raise
    except (ValueError, TypeError, LookupError, OSError, RecursionError, csv.Error) as error:
        reason = "it is not text" if isinstance(error, UnicodeError) else " ".join(str(error).split())[:120]
        raise _refused(data, f"The table cannot be read: {reason}.") from error
    return table, find_columns(table)


def _parse_json(content: Any) -> dict[str, Any]:
    if isinstance(content, dict) and isinstance(content.get("result"), str):  # the JSON of the API of Horizons
        if not is_horizons(content["result"]):
            raise ValueError(content["result"])
        return read_horizons(content["result"])
    if isinstance(content, dict):
        columns = {name: values for name, values in content.items() if isinstance(values, list)}
    elif isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        names = dict.fromkeys(name for row in content for name in row)
        columns = {name: [row.get(name) for row in content] for name in names}
    else:
        raise ValueError("it is neither an object of columns nor a list of rows with names")
    return columns


def _parse_lines(text: str) -> tuple[dict[str, Any], Columns]:
    """Read a table of lines with a line of names, which may be a comment before the first row."""
    lines = [line for line in text.splitlines() if line.strip()]
    comments = [line.lstrip("# ") for line in lines if line.startswith("#")]
    rows = [line for line in lines if not line.startswith("#")]
    heads = [(rows[0], rows[1:])] if rows else []
    heads += [(comments[-1], rows)] if comments and rows else []
    errors = []
    for head, body in heads:
        for separator in sorted(_SEPARATORS, key=lambda one: -head.count(one) if one != " " else 1):
            names = _fields(head, separator)
            try:
                columns = find_columns(names)
            except InvalidInputError as error:
                errors.append(error)
                continue
            return _columns_of(names, [_fields(row, separator) for row in body]), columns
    if errors:
        raise errors[0]
    raise _refused(text.encode()[:60], "The table is empty.")


def _fields(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    line = line.strip().strip("|") if separator == "|" else line
    return [field.strip() for field in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]


def _columns_of(names: list[str], rows: list[list[str]]) -> dict[str, Any]:
    for number, fields in enumerate(rows):
        if len(fields) < len(names) or any(fields[len(names) :]):
            raise row_error("ephemeris", number, ", ".join(fields), f"{len(names)} fields, as in the line of names")
    return {name: [row[number] for row in rows] for number, name in enumerate(names)}


def _time(column: Any, columns: Columns, time_format: str, scale: str | None) -> Time:
    if not isinstance(column, Time):
        unit = getattr(column, "unit", None)
        if unit is not None:
            column = [None if day is None else day * factor_of(columns.time, unit, u.day) for day in plain_list(column)]
        return parse_times(columns.time, plain_list(column), time_format, columns.time_scale, scale or "")
    if scale not in (None, column.scale):
        raise InvalidInputError("time_scale", scale, f"{column.scale!r}, the scale of the column {columns.time}")
    return column


def _places(table: dict[str, Any], columns: Columns) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found = [table[name] for name in columns.places]
    if len(found) == 1 and isinstance(found[0], SkyCoord):
        return sky_degrees(found[0])
    units = tuple(
        str(getattr(column, "unit", None) or unit) for column, unit in zip(found, columns.units, strict=False)
    )
    return parse_places(columns.places, found, (units[0], units[-1]))
