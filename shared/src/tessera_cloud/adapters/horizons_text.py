"""The text that JPL Horizons answers: a table of positions, or the reason why there is none.

Source: https://ssd-api.jpl.nasa.gov/doc/horizons.html, and recorded answers in ``tests/data/horizons``.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass

_SIGNS = ("API SOURCE", "$$SOF")
"""Texts of which every answer of Horizons has one."""
_BEGIN, _END = "$$SOE", "$$EOE"
_SEVERAL = ("Multiple major-bodies match string", "Matching small-bodies:")
_NO_MATCHES = "No matches found"
_LIST_ENDS = ("To SELECT, enter record", "make unique selection")
_REASONS = ("No ephemeris for", "Cannot interpret date", "target disallowed")
"""Refusals that tell the user something, as ``INPUT ERROR`` does. Another text without a table is no answer."""
_MOST_LISTED = 20
"""Largest number of bodies that an error lists. Some texts match each of Horizons' thousands."""
_MOST_LETTERS = 200
"""Largest length of the name of a body."""
_DAY, _RA, _DEC = "Date_________JDUT", "R.A.", "DEC"


class IncompleteAnswerError(Exception):
    """The text is no answer of Horizons, or part of one: the page of a proxy, the beginning of a table.

    The message is a text that has no table and no reason that `read_table` knows; otherwise it is empty.
    """


class UnknownBodyError(Exception):
    """Horizons knows no body of this name."""


class SeveralBodiesError(Exception):
    """Several bodies have the name. The message lists them."""


class RefusedError(Exception):
    """Horizons gives no positions. The message says why, in its words."""


@dataclass(frozen=True)
class Table:
    """Positions that Horizons computed.

    Attributes
    ----------
    target
        Full name of the body.
    rows
        Julian date in UTC, and RA and Dec in degrees (ICRF), in ascending order of time.
    """

    target: str
    rows: list[tuple[float, float, float]]


def read_table(text: str) -> Table:
    """Read the table of an observer, in comma-separated form with both forms of the date.

    Parameters
    ----------
    text
        The whole answer.

    Returns
    -------
    Table
        At least two positions.

    Raises
    ------
    IncompleteAnswerError, UnknownBodyError, SeveralBodiesError, RefusedError
        If the answer has no table.
    """
    if text.count(_BEGIN) != text.count(_END) or not any(sign in text for sign in _SIGNS):
        raise IncompleteAnswerError
    _check_found(text)
    before, _, rest = text.partition(_BEGIN)
    heading = next((line for line in before.splitlines() if "Date__(UT)__HR:MN" in line), None)
    target = re.search(r"Target body name: *(.*?) *(?:\{source|$)", before, re.MULTILINE)
    if heading is None or target is None:
        raise IncompleteAnswerError(" ".join(text.split()))
    try:
        rows = _rows([label.strip() for label in heading.split(",")], rest.partition(_END)[0].splitlines())
    except (ValueError, LookupError) as error:
        raise IncompleteAnswerError from error
    if len(rows) < 2 or not _are_positions(rows) or len(target[1]) > _MOST_LETTERS:
        raise IncompleteAnswerError
    return Table(target[1], rows)


def _are_positions(rows: list[tuple[float, float, float]]) -> bool:
    """Whether the times increase, and each position is on the sky. What is not a number is neither."""
    days = [day for day, _, _ in rows]
    on_sky = all(math.isfinite(day) and 0 <= ra <= 360 and -90 <= dec <= 90 for day, ra, dec in rows)
    return on_sky and all(before < after for before, after in itertools.pairwise(days))


def _check_found(text: str) -> None:
    """Check that one body was found, and that nothing else stands in the way of a table."""
    if any(sign in text for sign in _SEVERAL):
        if _NO_MATCHES in text:
            raise UnknownBodyError
        lines = text.splitlines()
        first = next(number for number, line in enumerate(lines) if any(sign in line for sign in _SEVERAL))
        last = next((n for n, line in enumerate(lines) if n > first and any(end in line for end in _LIST_ENDS)), None)
        if last is None:
            raise IncompleteAnswerError
        found = [" ".join(line.split()) for line in lines[first + 1 : last] if re.search(r"\d", line)]
        more = [f"and {len(found) - _MOST_LISTED} more"] if len(found) > _MOST_LISTED else []
        raise SeveralBodiesError("; ".join([line[:_MOST_LETTERS] for line in found[:_MOST_LISTED]] + more))
    if reason := next((line for line in text.splitlines() if any(sign in line for sign in _REASONS)), None):
        raise RefusedError(" ".join(reason.split()))
    if "INPUT ERROR" in text:
        raise RefusedError(" ".join(text[text.index("INPUT ERROR") :].split()))


def _rows(labels: list[str], lines: list[str]) -> list[tuple[float, float, float]]:
    places = [next(n for n, label in enumerate(labels) if label.startswith(begin)) for begin in (_DAY, _RA, _DEC)]
    rows = []
    for line in lines:
        fields = line.split(",")
        if not line.strip() or "Cut-off" in line:
            continue
        if len(fields) != len(labels):
            raise ValueError("a row does not have the columns of the heading")
        day, ra, dec = (float(fields[place]) for place in places)
        rows.append((day, ra, dec))
    return sorted(rows)
