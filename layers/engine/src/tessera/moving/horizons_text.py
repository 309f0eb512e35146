"""Read the answers of JPL Horizons that people save: tables of an observer, as text or with commas.

The rows are between the lines ``$$SOE`` and ``$$EOE``, and the line of names stands before them. The time is the first
column. The position is the astrometric one, quantity 1 of Horizons, in degrees or sexagesimal. In tables without commas
it has to be the first quantity.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

from tessera.errors import InputWarning, InvalidInputError

_START, _END = "$$SOE", "$$EOE"
_ALLOWED = (
    "the whole answer of JPL Horizons for an observer: the line of names, $$SOE, the rows, $$EOE, with quantity 1 "
    "(astrometric R.A. and DEC) as the first quantity"
)
_ASTROMETRIC = re.compile(r"R\.A\._*\((?:ICRF|J2000\.0)(?:/J2000\.0)?\)", re.IGNORECASE)
_CENTRE = re.compile(r"^\s*Center body name:\s*(.+?)\s*(?:\{.*)?$", re.MULTILINE)
_PLACE = re.compile(r"Center-site name:\s*(.+?)\s*$", re.MULTILINE)
_ANGLE = r"[+-]?\d+(?:\s+\d+\s+\d+(?:\.\d*)?|\.\d+)"
_ROW = re.compile(
    r"\s*(?:(?P<date>\d{4}-[A-Za-z]{3}-\d\d(?:\s+\d\d:\d\d(?::\d\d(?:\.\d*)?)?)?)\s+)?(?:(?P<jd>\d{7}\.\d+)\s+)?"
    rf"[*CNAmrtse/ ]{{0,5}}?\s*(?P<ra>{_ANGLE})\s+(?P<dec>{_ANGLE})(?=\s|$)"
)


def is_horizons(text: str) -> bool:
    """Whether a text is an answer of Horizons with a table."""
    return any(line.strip() == _START for line in text.splitlines())


def read_horizons(text: str) -> dict[str, list[Any]]:
    """Read the times and positions of an answer.

    Returns
    -------
    dict
        The columns by their names, texts.

    Raises
    ------
    InvalidInputError
        When the answer is cut off, or is not such a table.
    """
    lines = [line.rstrip() for line in text.splitlines()]
    start = next(number for number, line in enumerate(lines) if line.strip() == _START)
    stop = next((number for number, line in enumerate(lines) if line.strip() == _END), None)
    heads = [line for line in lines[:start] if line.strip(" *")]
    if stop is None or not heads or not _ASTROMETRIC.search(heads[-1]):
        raise InvalidInputError("ephemeris", heads[-1] if heads else "", _ALLOWED)
    rows = [line for line in lines[start + 1 : stop] if line.strip(" >.")]
    _check_centre(text)
    return _with_commas(heads[-1], rows) if "," in heads[-1] else _without_commas(heads[-1], rows)


def _check_centre(text: str) -> None:
    """Warn if positions are not as seen from TESS; the place in the frame would be off by the parallax."""
    centre, place = _CENTRE.search(text), _PLACE.search(text)
    name = centre[1] if centre else ""
    if name and "tess" not in name.lower() and "(-95)" not in name:
        where = f"{name}, {place[1]}" if place else name
        message = (
            f"the ephemeris is as seen from {where}, not from TESS (500@-95 in Horizons); at a distance of 1 au, TESS "
            "sees a target up to 25 pixels from where the Earth's centre sees it"
        )
        warnings.warn(message, InputWarning, stacklevel=5)


def _with_commas(head: str, rows: list[str]) -> dict[str, list[Any]]:
    names = [name.strip() for name in head.split(",")]
    table = [[field.strip() for field in row.split(",")] for row in rows]
    short = next((row for row, fields in zip(rows, table, strict=True) if len(fields) != len(names)), None)
    if short is not None:
        raise InvalidInputError("ephemeris", short, f"{len(names)} fields in each row, as in the line of names")
    places = [number for number, name in enumerate(names) if _ASTROMETRIC.fullmatch(name)]
    if not places or not names[places[0] + 1].upper().startswith("DEC"):
        raise InvalidInputError("ephemeris", head, _ALLOWED)
    chosen = {names[0]: 0, "ra": places[0], "dec": places[0] + 1}
    return {name: [fields[number] for fields in table] for name, number in chosen.items()}


def _without_commas(head: str, rows: list[str]) -> dict[str, list[Any]]:
    names = head.split()
    found = [_ROW.match(row) for row in rows]
    first = next((number for number, name in enumerate(names) if "R.A." in name), 0)
    if not _ASTROMETRIC.match(names[first]) or any("JD" not in name and "Date" not in name for name in names[:first]):
        raise InvalidInputError("ephemeris", head, _ALLOWED)
    bad = next((row for row, match in zip(rows, found, strict=True) if match is None), None)
    if bad is not None:
        raise InvalidInputError("ephemeris", bad, "a row with a date, a right ascension and a declination")
    matches = [match for match in found if match is not None]
    kind = "date" if all(match["date"] for match in matches) else "jd"
    time = next((name for name in names if ("JD" in name) == (kind == "jd")), names[0])
    columns = {time: kind, "ra": "ra", "dec": "dec"}
    return {name: [match[group] for match in matches] for name, group in columns.items()}
