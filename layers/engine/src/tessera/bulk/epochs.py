"""Epochs of positions, as Julian years."""

from __future__ import annotations

import re
import warnings
from contextlib import suppress
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FIRST_YEAR, LAST_YEAR = 1800, 2200
EPOCHS = f"a Julian year from {FIRST_YEAR} to {LAST_YEAR} such as 2016.0 or J2016.0, or a date such as 2016-01-01"
"""What is allowed, for errors."""
_J2000, _DAYS = 2451545.0, 365.25
"""Julian date of the year 2000.0, and days of a Julian year."""
_NUMBER = re.compile(r"\d{4}(\.\d*)?", re.ASCII)
_JULIAN = re.compile(r"J\s*(\d{4}(?:\.\d*)?)", re.IGNORECASE | re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d*)?)?)?Z?", re.ASCII)


def read_year(text: str) -> float:
    """Julian year of a text such as ``2016.0``, ``J2016.0`` or ``2016-01-01``; NaN if it is none."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if match := _JULIAN.fullmatch(text):
        return float(match[1])
    if _DATE.fullmatch(text):
        from tessera.tess.clock import Time  # noqa: PLC0415 - takes time to load, and few epochs are dates

        with suppress(ValueError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of years for which leap seconds are not known
            return float(Time(text.rstrip("Z"), scale="utc").tdb.jyear)
    return float("nan")


_Numbers = TypeVar("_Numbers", float, NDArray[np.float64])


def julian_year(julian_date: _Numbers) -> _Numbers:
    """Julian year of a Julian date."""
    return 2000.0 + (julian_date - _J2000) / _DAYS


def julian_date(julian_year: _Numbers) -> _Numbers:
    """Julian date of a Julian year."""
    return _J2000 + (julian_year - 2000.0) * _DAYS
