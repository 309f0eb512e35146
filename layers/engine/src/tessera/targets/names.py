"""Positions of names, from MAST's resolver. It asks SIMBAD, NED and the catalogues of TESS and Kepler.

Source: https://mastresolver.stsci.edu/Santa-war/
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.client import HTTPException
from time import monotonic
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from tessera.errors import InvalidInputError, TesseraError
from tessera.io.answers import read_within
from tessera.sky.position_text import POSITIONS
from tessera.targets.places import NamedPlace

MAST_RESOLVER = "https://mastresolver.stsci.edu/Santa-war/query"
"""Address of MAST's resolver."""
_CATALOGUES = {"TIC": "TIC", "KIC": "KEPLER", "EPIC": "K2"}
"""Prefixes of names, each with the resolver's word for the catalogue whose entry is preferred for it."""
_NUMBERED = re.compile(r"(TIC|KIC|EPIC)\s*(\d+)", re.IGNORECASE | re.ASCII)
_FAR = 1 / 60
"""Distance in degrees above which two entries of one name are different objects."""
_SHOWN = 5


class NameResolverError(TesseraError):
    """A resolver of names does not answer, so nothing is known about a name."""


class AmbiguousNameError(InvalidInputError):
    """Several objects have a name."""


class MastNames:
    """MAST's resolver.

    Parameters
    ----------
    server : str, optional
        Address for queries; begins with ``http://`` or ``https://``.
    timeout : float, optional
        Longest time that an answer may take, in seconds.
    attempts : int, optional
        Largest number of requests for one name.
    clock : callable, optional
        Returns seconds that never decrease.

    Raises
    ------
    InvalidInputError
        If `server` begins with anything else.
    """

    allowed = f"a name that MAST's resolver knows, or {POSITIONS}"
    """See `Names`."""

    def __init__(
        self,
        server: str = MAST_RESOLVER,
        timeout: float = 20.0,
        attempts: int = 2,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        if not isinstance(server, str) or not server.startswith(("https://", "http://")):
            raise InvalidInputError("resolver", server, "an address with http or https")
        self._server, self._timeout, self._attempts, self._clock = server, timeout, attempts, clock

    def find(self, name: str) -> NamedPlace | None:
        """Find the position of a name.

        Parameters
        ----------
        name : str
            Name. For a number of the TIC, KIC or EPIC, the entry of that catalogue is preferred.

        Returns
        -------
        NamedPlace or None
            The place; None if the resolver does not know the name.

        Raises
        ------
        NameResolverError
            When the resolver does not answer, or answers with something else than places.
        AmbiguousNameError
            When several objects have the name.
        """
        match = _NUMBERED.fullmatch(name.strip())
        catalogue = _CATALOGUES[match[1].upper()] if match else ""
        text = f"{match[1].upper()} {match[2]}" if match else name.strip()
        rows = self._ask(text, everyone=bool(catalogue))
        preferred = _places((row for row in rows if row.get("resolver") == catalogue), text)
        places = preferred or _places(rows, text)
        if _differ(places):
            raise AmbiguousNameError("name", text, f"the position of one of these: {_listed(places)}")
        return places[0] if places else None

    def _ask(self, name: str, *, everyone: bool) -> list[dict[str, Any]]:
        """Rows of the resolver's answer: of all its sources with `everyone`, else of the first that has the name."""
        query = urlencode({"name": name, "outputFormat": "json", "resolveAll": str(everyone).lower()})
        for attempt in range(self._attempts):
            try:
                return _rows(self._read(f"{self._server}?{query}"))
            except (OSError, ValueError, RecursionError, HTTPException) as error:
                if attempt + 1 == self._attempts or isinstance(error, TimeoutError):
                    away = "MAST's name resolver does not answer; try again later"
                    raise NameResolverError(f"{away}, or give {POSITIONS}") from error
        raise AssertionError

    def _read(self, address: str) -> bytes:
        """Text of an answer. An answer of 404 counts, because its text says whether only the name is unknown."""
        try:
            answer = urlopen(address, timeout=self._timeout)  # noqa: S310 - see __init__
        except HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                error.close()
                raise
            answer = error
        with answer:
            return read_within(iter(lambda: answer.read1(1 << 16), b""), self._timeout, self._clock)


def _rows(text: bytes) -> list[dict[str, Any]]:
    """Rows of the resolver's answer.

    Raises
    ------
    ValueError
        If the text is not an answer of the resolver, but a page of a proxy, the beginning of an answer, or an error.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or not document.keys() & {"resolvedCoordinate", "status"}:
        raise ValueError("the answer has neither coordinates nor a status")
    if document.get("status") not in ("", "OK", None):
        raise ValueError(f"the status is {document['status']!r}")
    rows = document.get("resolvedCoordinate")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _places(rows: Iterable[dict[str, Any]], asked: str) -> list[NamedPlace]:
    return [place for row in rows if (place := _place(row, asked)) is not None]


def _place(row: dict[str, Any], asked: str) -> NamedPlace | None:
    """Place of a row of MAST's answer; None if the row has no position."""
    try:
        ra, dec = float(row["ra"]), float(row["decl"])
    except (KeyError, TypeError, ValueError):
        return None
    if not (math.isfinite(ra) and -90 <= dec <= 90):
        return None
    source = f"MAST ({row['resolver']})" if row.get("resolver") else "MAST"
    return NamedPlace(str(row.get("canonicalName") or asked), ra % 360.0, dec, source)


def _differ(places: list[NamedPlace]) -> bool:
    """Whether places are those of several objects."""
    return any(_distance(places[0], place) > _FAR for place in places[1:])


def _distance(one: NamedPlace, two: NamedPlace) -> float:
    """Distance of two places that are close to each other, in degrees; of others, a number that is not small."""
    east = ((one.ra - two.ra + 180) % 360 - 180) * math.cos(math.radians((one.dec + two.dec) / 2))
    return math.hypot(east, one.dec - two.dec)


def _listed(places: list[NamedPlace]) -> str:
    texts = [f"{place.name} at {place.ra:.6f} {place.dec:.6f}" for place in places[:_SHOWN]]
    return ", ".join(texts) + (", ..." if len(places) > _SHOWN else "")
