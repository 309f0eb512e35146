"""Read ephemerides from tables of users: CSV, ECSV or JSON. The content decides which of these a table is.

Each row has a time and a position:

* The time is in a column ``time``, ``jd``, ``mjd``, ``tjd``, ``btjd``, ``datetime_jd`` (astroquery's name) or
  ``time_jd``.
* The position is in ``ra`` and ``dec``: ICRS, in degrees or in the unit of the column. In ECSV it may be in
  ``position``.

The names may have capital letters. Other columns are ignored. JSON is an object of such columns, or a list of such
rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from typing import Any, get_args

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from numpy.typing import NDArray

from tessera.checks import check_choice
from tessera.errors import InvalidInputError
from tessera.io.sources import Location, open_source
from tessera.moving.ephemeris import Clock, Ephemeris
from tessera.tpf.cards import BJDREFI

_TIME_COLUMNS = {
    "time": "",
    "jd": "jd",
    "mjd": "mjd",
    "tjd": "tjd",
    "btjd": "btjd",
    "datetime_jd": "jd",
    "time_jd": "jd",
}
"""Name of a column to the format that it implies; empty if it implies none."""
_FORMATS = ("jd", "mjd", "tjd", "btjd", "iso")
_LARGEST = {"tjd": 30_000.0, "mjd": 200_000.0}
"""If no format is given, numbers below these limits have these formats. Larger numbers are Julian dates."""
_ALLOWED = f"CSV, ECSV or JSON with one of the columns {', '.join(_TIME_COLUMNS)}, and with ra and dec or position"


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
        Table in CSV, ECSV or JSON.
    time_format : {'jd', 'mjd', 'tjd', 'btjd', 'iso'}, optional
        Format of the times; 'tjd' and 'btjd' are Julian dates minus 2,457,000. The default is the format that the name
        of the column implies. Without it, the size of numbers decides between 'tjd', 'mjd' and 'jd', and texts are ISO
        dates.
    time_scale : str, optional
        Scale of the times: 'utc', 'tdb', 'tt' or another scale of astropy. By default TDB for 'tjd' and 'btjd', and UTC
        for the other formats.
    clock : {'observer', 'barycentre'}, optional
        Clock of the times; see `Ephemeris`. By default the barycentre's if 'btjd' is given by `time_format` or the name
        of the column, and otherwise the observer's.
    name : str, optional
        Name of the target.

    Raises
    ------
    InvalidInputError
        When the data are not such a table.
    """
    if time_format is not None:
        check_choice("time_format", time_format, _FORMATS)
    if time_scale is not None:
        check_choice("time_scale", time_scale, Time.SCALES)
    if clock is not None:
        check_choice("clock", clock, get_args(Clock))
    table = _parse_table(data)
    column = next((column for column in _TIME_COLUMNS if column in table), None)
    if column is None:
        raise InvalidInputError("ephemeris", sorted(table), _ALLOWED)
    time_format = time_format or _TIME_COLUMNS[column] or None
    try:
        time = _parse_time(table[column], time_format, time_scale)
        ra, dec = _parse_places(table)
    except (KeyError, ValueError, TypeError, u.UnitsError) as error:
        raise InvalidInputError("ephemeris", sorted(table), _ALLOWED, f"{error}.") from error
    return Ephemeris(time, ra, dec, clock or ("barycentre" if time_format == "btjd" else "observer"), name)


def read_ephemeris(location: Location, **options: Any) -> Ephemeris:
    """Read an ephemeris from a file.

    Parameters
    ----------
    location : str or Path
        Local path, ``s3://`` or ``https://`` URL of the table.
    **options
        Options of `parse_ephemeris`.

    Raises
    ------
    OSError
        When the file cannot be read.
    InvalidInputError
        When the file is not such a table.
    """
    with closing(open_source(location)) as source:
        data = source.read(0, source.size)
    return parse_ephemeris(data, **options)


def _parse_table(data: bytes) -> dict[str, Any]:
    """Columns of a table by their names in lower case."""
    try:
        text = data.decode("utf-8-sig").strip()
        if text.startswith(("{", "[")):
            table = _parse_json(json.loads(text))
        else:
            ecsv = text.startswith("# %ECSV")
            kind = {"format": "ascii.ecsv"} if ecsv else {"format": "ascii.csv", "comment": "#"}
            table = Table.read(text.splitlines(), **kind)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise InvalidInputError("ephemeris", data[:60], _ALLOWED, f"{error}.") from error
    return {name.strip().lower(): table[name] for name in table.colnames}


def _parse_json(content: Any) -> Table:
    if isinstance(content, dict):
        return Table({name: values for name, values in content.items() if isinstance(values, list)})
    return Table(rows=content)


def _parse_time(column: Any, time_format: str | None, scale: str | None) -> Time:
    if isinstance(column, Time):
        return column
    values = np.ma.filled(np.ma.masked_array(column), "" if column.dtype.kind in "SUO" else np.nan)
    if values.dtype.kind in "SUO":
        return Time([str(value).removesuffix("Z") for value in values], scale=scale or "utc")
    days = values.astype(np.float64)
    if time_format is None:
        largest = float(np.nanmax(np.abs(days)))
        time_format = next((known for known, limit in _LARGEST.items() if largest < limit), "jd")
    if time_format in ("tjd", "btjd"):
        return Time(BJDREFI, days, format="jd", scale=scale or "tdb")
    return Time(days, format=time_format, scale=scale or "utc")


def _parse_places(table: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    position = table.get("position")
    if isinstance(position, SkyCoord):
        return position.icrs.ra.deg, position.icrs.dec.deg
    return _degrees(table["ra"]), _degrees(table["dec"])


def _degrees(column: Any) -> NDArray[np.float64]:
    values = np.ma.filled(np.ma.masked_array(column, dtype=np.float64), np.nan)
    unit = getattr(column, "unit", None) or u.deg
    return np.asarray((values * unit).to_value(u.deg), np.float64)


def table_formats() -> Sequence[str]:
    """Allowed values of ``time_format`` of `parse_ephemeris`."""
    return _FORMATS
