"""Convert the values of an ephemeris: times of every usual form, and positions in degrees or sexagesimal.

A number that is obviously of another format than the one that is given is refused, because the difference between two
formats would put the target elsewhere without a word.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from tessera.errors import InvalidInputError
from tessera.sky.position_text import POSITIONS, parse_position
from tessera.tess.clock import Time
from tessera.tpf.cards import BJDREFI

_KINDS = (("tjd", 0.0, 30_000.0), ("mjd", 30_000.0, 200_000.0), ("jd", 2_400_000.0, 2_600_000.0))
"""Formats of numbers, each with its smallest and largest value; the years 2014 to 2096, 1941 to 2406, 1858 to 2406."""
_SAME_KIND = {"btjd": "tjd", "bjd": "jd"}
_TIMES = "a number of days (JD, MJD, or TJD = JD - 2457000), or a date such as 2018-07-25T19:30:00 or 2018-Jul-25 19:30"
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DATE = re.compile(
    r"(?:a\.?d\.?\s+)?(\d{4})[-/ ](\d{1,2}|[a-z]{3})[-/ ](\d{1,2})"
    r"(?:(?:[t ]+|:)(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d*)?))?)?\s*(z|utc|ut|tdb|tt|tai|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_SUFFIXES = {"z": "utc", "utc": "utc", "ut": "utc", "tdb": "tdb", "tt": "tt", "tai": "tai"}


def factor_of(column: str, unit: Any, wanted: u.UnitBase) -> float:
    """Factor that converts values of a column to a unit.

    Raises
    ------
    InvalidInputError
        When the unit of the column is of another kind.
    """
    try:
        return float(u.Unit(unit).to(wanted))
    except (ValueError, TypeError) as error:
        raise InvalidInputError(f"unit of {column}", str(unit), f"a unit such as {wanted}") from error


def row_error(column: str, row: int, value: Any, allowed: str) -> InvalidInputError:
    """Error about a value in a row, counted from 1 without the header."""
    return InvalidInputError(f"{column} of row {row + 1}", value, allowed)


def plain_list(column: Any) -> list[Any]:
    """Values of a column as objects of Python; None where a value is masked."""
    return list(column) if isinstance(column, (list, tuple)) else list(np.ma.asarray(column).tolist())


def _number(value: Any) -> float | None:
    """A value as a number; None if it is text that is not a number."""
    if isinstance(value, str):
        text = value.strip()
        text = text.replace(",", ".") if re.fullmatch(r"[+-]?\d+,\d+", text) else text
        try:
            return float(text) if "_" not in text else None
        except ValueError:
            return None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def parse_times(name: str, values: Sequence[Any], time_format: str, scale: str, given_scale: str) -> Time:
    """Convert a column of times.

    Parameters
    ----------
    name : str
        Name of the column, for errors.
    values : sequence
        Numbers, or texts with numbers or dates; one for each row.
    time_format : str
        'jd', 'mjd', 'tjd', 'btjd', 'bjd' or 'iso'; empty if it is not known.
    scale : str
        Scale that the name of the column implies; empty if it implies none.
    given_scale : str
        Scale that the user gave; empty if none was given.

    Raises
    ------
    InvalidInputError
        When a value is not a time, or is of another kind than the others or than `time_format`.
    """
    numbers = [_number(value) for value in values]
    for row, (value, number) in enumerate(zip(values, numbers, strict=True)):
        if number is None and not (isinstance(value, str) and value.strip()):
            raise row_error(name, row, value, _TIMES)
        if (number is None) != (numbers[0] is None):
            raise row_error(name, row, value, f"a time of the same kind as in row 1, {values[0]!r}")
    if numbers and numbers[0] is None:
        return _parse_dates(name, [str(value) for value in values], time_format, scale, given_scale)
    if time_format == "iso":
        raise row_error(name, 0, values[0], "a date, because time_format is 'iso'")
    days = np.array(numbers, np.float64)
    time_format = _kind_of(name, days, time_format)
    if time_format in ("tjd", "btjd"):
        return Time(BJDREFI, days, format="jd", scale=given_scale or scale or "tdb")
    scale = given_scale or scale or ("tdb" if time_format == "bjd" else "utc")
    return Time(days, format=time_format.removeprefix("b"), scale=scale)


def _kind_of(name: str, days: NDArray[np.float64], time_format: str) -> str:
    """Format of numbers: the given one, or the only one that fits all of them."""
    kinds = [next((kind for kind, low, high in _KINDS if low <= day < high), "") for day in days.tolist()]
    wanted = _SAME_KIND.get(time_format, time_format)
    for row, kind in enumerate(kinds):
        day = float(days[row])
        if not kind:
            raise row_error(name, row, day, _TIMES)
        if wanted and kind != wanted:
            hint = f"a number of the format {time_format}; this looks like {kind.upper()} (time_format={kind!r})"
            raise row_error(name, row, day, hint)
        if kind != kinds[0]:
            hint = f"one format in all rows; row 1, {float(days[0])!r}, looks like {kinds[0].upper()}"
            raise row_error(name, row, day, f"{hint}, and this like {kind.upper()}")
    return time_format or (kinds[0] if kinds else "jd")


def _parse_dates(name: str, texts: Sequence[str], time_format: str, scale: str, given_scale: str) -> Time:
    if time_format not in ("", "iso"):
        raise row_error(name, 0, texts[0], f"a number of the format {time_format}")
    dates, scales = [], []
    for row, text in enumerate(texts):
        found = _parse_date(text)
        if found is None:
            raise row_error(name, row, text, _TIMES)
        dates.append(found[0])
        scales.append(found[1])
        if found[1] and (given_scale or found[1]) != found[1]:
            raise row_error(name, row, text, f"a time in {given_scale.upper()}, because time_scale is {given_scale!r}")
        if found[1] != scales[0]:
            raise row_error(name, row, text, f"a time in the same scale as row 1, {texts[0]!r}")
    return Time(dates, format="isot", scale=given_scale or (scales[0] if scales else "") or scale or "utc")


def _parse_date(text: str) -> tuple[str, str] | None:
    """A date in ISO form, and its scale or an empty text; None if it is not a date."""
    match = _DATE.fullmatch(text.strip().lower())
    if match is None:
        return None
    year, month, day, hour, minute, second, suffix = match.groups()
    month = str(_MONTHS.index(month) + 1) if month in _MONTHS else month
    seconds = float(second or 0)
    try:
        moment = dt.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0))  # noqa: DTZ001 - its scale is `suffix`
    except ValueError:
        return None
    if seconds >= 60:
        return None
    if suffix and suffix[0] in "+-":
        ahead = dt.timedelta(hours=int(suffix[1:3]), minutes=int(suffix[-2:]))
        moment, suffix = moment - ahead if suffix[0] == "+" else moment + ahead, "utc"
    return f"{moment.isoformat(timespec='minutes')}:{seconds:012.9f}", _SUFFIXES.get(suffix or "", "")


def parse_places(
    names: tuple[str, ...], columns: Sequence[Any], units: tuple[str, str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Convert columns of positions to degrees.

    Parameters
    ----------
    names : tuple of str
        Names of the columns, for errors: right ascension and declination, or positions.
    columns : sequence
        The columns, in this order.
    units : tuple of str
        Units of right ascension and declination, as astropy's names; empty if they are not known.

    Raises
    ------
    InvalidInputError
        When a value is not a position.
    """
    if len(columns) == 1:
        places = [_parse_text(names[0], row, value) for row, value in enumerate(plain_list(columns[0]))]
    else:
        places = _parse_pairs(names, [plain_list(column) for column in columns], units)
    ra, dec = np.array(places, np.float64).reshape(-1, 2).T
    return ra, dec


def _parse_pairs(
    names: tuple[str, ...], columns: Sequence[list[Any]], units: tuple[str, str]
) -> list[tuple[float, float]]:
    factors = [factor_of(name, unit or "deg", u.deg) for name, unit in zip(names, units, strict=True)]
    places = []
    for row, pair in enumerate(zip(*columns, strict=True)):
        numbers = [_number(value) for value in pair]
        for name, value, number in zip(names, pair, numbers, strict=True):
            if (number is None and not (isinstance(value, str) and value.strip())) or not math.isfinite(number or 0):
                raise row_error(name, row, value, "a number of degrees, or a sexagesimal angle such as 05:55:48.4")
        ra, dec = numbers
        if ra is not None and dec is not None:
            places.append((ra * factors[0], dec * factors[1]))
            continue
        texts = [_with_unit(str(value).strip(), unit) for value, unit in zip(pair, units, strict=True)]
        places.append(_parse_text(", ".join(names), row, ", ".join(texts)))
    return places


def _with_unit(text: str, unit: str) -> str:
    """Text of an angle with the unit that the name of its column has, unless the text has a unit."""
    if re.search("[a-z°'\"]", text.lower()):
        return text
    return text + {"hourangle": "h", "deg": "d"}.get(unit, unit)


def _parse_text(name: str, row: int, value: Any) -> tuple[float, float]:
    place = parse_position(value, f"{name} of row {row + 1}") if isinstance(value, str) else None
    if place is None:
        raise row_error(name, row, value, POSITIONS)
    return place
