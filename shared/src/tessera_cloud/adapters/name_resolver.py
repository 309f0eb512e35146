"""Finds positions of names: in MAST's resolver, or in a short list for machines without a network."""

from __future__ import annotations

import json
import math
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tessera_cloud.adapters.remote_text import read_within
from tessera_cloud.errors import BusyError
from tessera_cloud.ports import NamedPlace

_CATALOGUES = {"TIC": "TIC", "KIC": "KEPLER", "EPIC": "K2"}
"""Prefixes of names, each with the resolver's word for the catalogue whose entry is preferred for it."""
_NOISE = re.compile(r"[\s\-_*]+")


def _key(name: str) -> str:
    """Form of a name for comparison: without case, blanks, hyphens, underscores and asterisks."""
    return _NOISE.sub("", name).casefold()


@cache
def _bundled() -> dict[str, NamedPlace]:
    rows = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))
    return {
        _key(spelling): NamedPlace(row["name"], row["ra"], row["dec"], "bundled list")
        for row in rows
        for spelling in (row["name"], *row.get("also", ()))
    }


class BundledNames:
    """A short list of names as `NameResolver`: stars of the demonstration, and bright or well-known targets of TESS."""

    def find(self, name: str) -> NamedPlace | None:
        """See `NameResolver`."""
        return _bundled().get(_key(name))


class MastNames:
    """MAST's resolver as `NameResolver`. It asks SIMBAD, NED and the catalogues of TESS and Kepler.

    Source: https://mastresolver.stsci.edu/Santa-war/

    Parameters
    ----------
    server : str
        Address for queries; begins with ``http://`` or ``https://``.
    timeout : float
        Longest time that an answer may take, in seconds.
    attempts : int
        Largest number of requests for one name.
    clock : callable, optional
        Returns seconds that never decrease. Without it, `timeout` limits each piece of an answer only.

    Raises
    ------
    ValueError
        If `server` begins with anything else.
    """

    def __init__(
        self, server: str, timeout: float = 8.0, attempts: int = 2, clock: Callable[[], float] = lambda: 0.0
    ) -> None:
        if not server.startswith(("https://", "http://")):
            raise ValueError(f"server is {server!r}; allowed: an address with http or https")
        self._server, self._timeout, self._attempts, self._clock = server, timeout, attempts, clock

    def find(self, name: str) -> NamedPlace | None:
        """See `NameResolver`."""
        match = re.match(r"(TIC|KIC|EPIC)\s*(\d+)$", name.strip(), re.IGNORECASE)
        catalogue = _CATALOGUES[match[1].upper()] if match else ""
        text = f"{match[1].upper()} {match[2]}" if match else name.strip()
        rows = sorted(self._ask(text, everyone=bool(catalogue)), key=lambda row: row.get("resolver") != catalogue)
        return next((place for row in rows if (place := _place(row, text)) is not None), None)

    def _ask(self, name: str, *, everyone: bool) -> list[dict[str, Any]]:
        """Rows of the resolver's answer: of all its sources with `everyone`, else of the first that has the name."""
        query = urlencode({"name": name, "outputFormat": "json", "resolveAll": str(everyone).lower()})
        for attempt in range(self._attempts):
            try:
                return _rows(self._read(f"{self._server}?{query}"))
            except (OSError, ValueError, RecursionError, HTTPException) as error:
                if attempt + 1 == self._attempts or isinstance(error, TimeoutError):
                    raise BusyError("MAST's name resolver does not answer; try again later") from error
        raise AssertionError

    def _read(self, address: str) -> bytes:
        """Text of an answer. An answer of 404 counts, because its text says whether only the name is unknown."""
        try:
            answer = urllib.request.urlopen(address, timeout=self._timeout)  # noqa: S310 - see __init__
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
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
