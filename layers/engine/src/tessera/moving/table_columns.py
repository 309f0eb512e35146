"""Find the columns of an ephemeris by the names that people give them.

A name is cut into words: ``Date__(UT)__HR:MN`` has the words date, ut, hr and mn. A column is chosen only if all its
words are known, so that ``ra_rate``, ``RA_3sigma`` and ``R.A._(a-app)`` are not taken for a right ascension.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tessera.errors import InvalidInputError

COLUMNS = (
    "a time (such as time, jd, mjd, tjd, btjd, bjd, date or datetime_jd) and a position (ra and dec, or position); "
    "names may have a scale (jd_utc, jd_tdb) and units (ra_deg, RA (h))"
)
"""What is allowed, for errors."""
_SCALES = {"utc": "utc", "ut": "utc", "tdb": "tdb", "tt": "tt", "tai": "tai"}
_JOINED = re.compile(r"(bjd|btjd|mjd|tjd|jd)(utc|ut|tdb|tt|tai)")
_FORMATS = {"jd": "jd", "mjd": "mjd", "tjd": "tjd", "btjd": "btjd", "bjd": "bjd"}
_TIME = {"time", "times", "t", "date", "dates", "datetime", "epoch", "obstime", "iso", "isot", "utc"}
_TIME_MORE = {"obs", "mid", "midpoint", "str", "hr", "mn", "sc", "ss", "fff", "calendar", "d", "day", "days", "2457000"}
_RA = {"ra", "raj2000", "ra2000", "rightascension"}
_DEC = {"dec", "de", "decl", "declination", "dej2000", "decj2000", "dec2000"}
_PLACE_MORE = {"j2000", "icrs", "icrf", "2000", "0", "astrometric", "obj", "target", "tgt"}
_UNITS = {
    **dict.fromkeys(("deg", "degree", "degrees", "d"), "deg"),
    **dict.fromkeys(("h", "hr", "hour", "hours", "hourangle"), "hourangle"),
    **dict.fromkeys(("rad", "radian", "radians"), "rad"),
    **dict.fromkeys(("hms", "dms"), ""),
}
_POSITION = {"position", "positions", "coord", "coords", "coordinates", "skycoord", "radec", "sky"}
_FIRST = ("time", "jd", "mjd", "tjd", "btjd", "datetimejd", "timejd")
"""Names without underscores that are chosen first, in this order."""


@dataclass(frozen=True)
class Columns:
    """The columns of an ephemeris.

    Parameters
    ----------
    time : str
        Name of the column of times.
    time_format, time_scale : str
        Format ('jd', 'mjd', 'tjd', 'btjd' or 'bjd') and scale that this name implies; empty if it implies none.
    places : tuple of str
        Names of the columns of right ascension and declination, or of the one column of positions.
    units : tuple of str
        Units that the names of right ascension and declination imply, as astropy's names; empty if they imply none.
    """

    time: str
    time_format: str
    time_scale: str
    places: tuple[str, ...]
    units: tuple[str, str] = ("", "")


def _words(name: str) -> list[str]:
    plain = name.lower().replace("r.a.", "ra").replace("right ascension", "rightascension")
    plain = (
        plain.replace("right_ascension", "rightascension").replace("ra_dec", "radec").replace("sky_coord", "skycoord")
    )
    words = [word for word in re.split(r"[^a-z0-9]+", plain) if word]
    return [part for word in words for part in (_JOINED.fullmatch(word) or re.match("(.*)", word)).groups()]  # type: ignore[union-attr] # the second pattern matches every word


def _time_of(name: str) -> tuple[str, str] | None:
    """Format and scale of a column of times; None if it is something else."""
    words = set(_words(name))
    formats, scales = words & set(_FORMATS), words & set(_SCALES)
    if (not words & _TIME and not formats) or words - _TIME - _TIME_MORE - set(_FORMATS) - set(_SCALES):
        return None
    order = ("btjd", "bjd", "tjd", "mjd", "jd")
    chosen = next((one for one in order if one in formats), "")
    if chosen in ("bjd", "jd") and "2457000" in words:
        chosen = {"bjd": "btjd", "jd": "tjd"}[chosen]
    return chosen, next((_SCALES[word] for word in sorted(scales)), "")


def _place_of(name: str, core: set[str]) -> str | None:
    """Unit of a column of right ascensions or declinations, or an empty text; None if it is something else."""
    words = set(_words(name))
    units = words & set(_UNITS)
    if len(words & core) != 1 or words - core - _PLACE_MORE - units or len(units) > 1:
        return None
    return next((_UNITS[word] for word in units), "")


def find_columns(names: Iterable[str]) -> Columns:
    """Find the columns of times and of positions.

    Parameters
    ----------
    names : iterable of str
        Names of all columns of a table.

    Raises
    ------
    InvalidInputError
        When there is no time or no position.
    """
    known = list(names)
    times = [(name, found) for name in known if (found := _time_of(name)) is not None]
    if not times:
        raise InvalidInputError("ephemeris", known, f"a table with {COLUMNS}", "No column is a time.")
    name, (time_format, scale) = min(times, key=_rank)
    ra, dec = (_first_place(known, core) for core in (_RA, _DEC))
    if ra is not None and dec is not None:
        return Columns(name, time_format, scale, (ra[0], dec[0]), (ra[1], dec[1]))
    position = next((one for one in known if set(_words(one)) & _POSITION and not set(_words(one)) - _POSITION), None)
    if position is None:
        missing = "right ascension" if ra is None else "declination"
        raise InvalidInputError("ephemeris", known, f"a table with {COLUMNS}", f"No column is a {missing}.")
    return Columns(name, time_format, scale, (position,))


def _rank(item: tuple[str, tuple[str, str]]) -> tuple[int, int]:
    name, (time_format, _) = item
    plain = "".join(_words(name))
    return (_FIRST.index(plain), 0) if plain in _FIRST else (len(_FIRST), 0 if time_format else 1)


def _first_place(names: list[str], core: set[str]) -> tuple[str, str] | None:
    found = [(name, unit) for name in names if (unit := _place_of(name, core)) is not None]
    return min(found, key=lambda item: item[0].strip().lower() not in core) if found else None
