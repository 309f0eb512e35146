"""Parses the parameters of SIA 2.0 (section 2.1)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tessera.sky.shapes.parse import parse_shape
from tessera_cloud.application.vo.obscore.rows import Value, plain_id
from tessera_cloud.application.vo.obscore.search import Constraints, Interval
from tessera_cloud.errors import UsageError
from tessera_cloud.http.framework.meant import nearest
from tessera_cloud.http.vo.dali import content_type, media_type, most_rows, once

Parameters: TypeAlias = Mapping[str, Sequence[str]]
"""Values of each parameter. Names are in lower case."""

DEFAULT_ROWS, MOST_ROWS = 10_000, 100_000
"""Numbers of rows of an answer if MAXREC is missing, and if it is larger."""
SPANS: Final = {"BAND": ("em_min", "em_max"), "TIME": ("t_min", "t_max")}
"""Parameters whose interval must touch that of the observation, between two columns."""
NUMBERS: Final = {
    "FOV": "s_fov",
    "SPATRES": "s_resolution",
    "SPECRP": "em_res_power",
    "EXPTIME": "t_exptime",
    "TIMERES": "t_resolution",
}
"""Parameters whose interval must contain the value of a column."""
WORDS: Final = {
    "COLLECTION": "obs_collection",
    "FACILITY": "facility_name",
    "INSTRUMENT": "instrument_name",
    "DPTYPE": "dataproduct_type",
    "CALIB": "calib_level",
    "TARGET": "target_name",
    "FORMAT": "access_format",
}
"""Parameters that must equal the value of a column."""
PRODUCT_TYPES = ("image", "cube", "spectrum", "sed", "timeseries", "visibility", "event", "measurements")
STATES = ("I", "Q", "U", "V", "RR", "LL", "RL", "LR", "XX", "YY", "XY", "YX", "POLI", "POLA")
LEVELS = ("0", "1", "2", "3", "4")
FORMATS: Final = {
    "votable": "application/x-votable+xml",
    "application/x-votable+xml": "application/x-votable+xml",
    "text/xml": "text/xml",
    "csv": "text/csv",
    "text/csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "text/tab-separated-values": "text/tab-separated-values",
}
"""RESPONSEFORMAT to the content type of the answer (DALI 1.1, section 3.4.3)."""
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?)", re.IGNORECASE | re.ASCII)
_INTERVAL = (
    "a number, or the first and the last number of an interval, separated by a blank, such as 1 2, -Inf 2 or 1 +Inf"
)


@dataclass(frozen=True)
class SiaRequest:
    """A request to ``/sia2/query``.

    Parameters
    ----------
    constraints : Constraints
        Constraints on the observations.
    most : int
        Largest number of rows.
    content_type : str
        Content type of the answer.
    """

    constraints: Constraints
    most: int
    content_type: str


def parse_request(parameters: Parameters) -> SiaRequest:
    """Parse the parameters of a request. A blank value is none.

    Raises
    ------
    UsageError, InvalidInputError
        Naming the parameter, its value and what is allowed.
    """
    given = {name.upper(): [text for text in texts if text.strip()] for name, texts in parameters.items()}
    if given.get("UPLOAD"):
        raise UsageError.about("UPLOAD", given["UPLOAD"][0], "no uploads; repeat POS or ID for several places or files")
    most = most_rows(once(given.get("MAXREC", ()), "MAXREC"), MOST_ROWS)
    return SiaRequest(
        constraints=_constraints(given),
        most=DEFAULT_ROWS if most is None else most,
        content_type=content_type(once(given.get("RESPONSEFORMAT", ()), "RESPONSEFORMAT"), FORMATS),
    )


def _constraints(given: Parameters) -> Constraints:
    words: dict[str, frozenset[Value]] = {
        column: frozenset(_word(name, text) for text in given[name])
        for name, column in WORDS.items()
        if given.get(name)
    }
    return Constraints(
        shapes=tuple(parse_shape(text, "POS") for text in given.get("POS", ())),
        spans={columns: _intervals(name, given[name]) for name, columns in SPANS.items() if given.get(name)},
        numbers={column: _intervals(name, given[name]) for name, column in NUMBERS.items() if given.get(name)},
        words=words,
        states=frozenset(_choice("POL", text, STATES) for text in given.get("POL", ())),
        ids=frozenset(map(plain_id, given.get("ID", ()))),
    )


def _intervals(name: str, texts: Iterable[str]) -> list[Interval]:
    return [_interval(name, text) for text in texts]


def _interval(name: str, text: str) -> Interval:
    words = text.split()
    if not 1 <= len(words) <= 2 or not all(map(_NUMBER.fullmatch, words)):
        raise UsageError.about(name, text, _INTERVAL)
    first, last = float(words[0]), float(words[-1])
    if not first <= last or (first, last) in ((math.inf, math.inf), (-math.inf, -math.inf)):
        raise UsageError.about(name, text, f"{_INTERVAL}; the first is not above the last")
    return first, last


def _choice(name: str, text: str, allowed: Sequence[str]) -> str:
    if text not in allowed:
        near = nearest(text, allowed)
        raise UsageError.about(name, text, ", ".join(allowed) + (f"; did you mean {near}?" if near else ""))
    return text


def _word(name: str, text: str) -> Value:
    parse: dict[str, Callable[[], Value]] = {
        "DPTYPE": lambda: _choice(name, text, PRODUCT_TYPES),
        "CALIB": lambda: int(_choice(name, text.strip(), LEVELS)),
        "FORMAT": lambda: media_type(text),
    }
    return parse[name]() if name in parse else text
