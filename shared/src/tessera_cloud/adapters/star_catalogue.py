"""What is known about stars: in the TESS Input Catalog (TIC) at MAST.

Source: the requests of astroquery's `Catalogs.query_criteria(catalog="Tic")`, and the answers that its tests recorded.
"""

from __future__ import annotations

import json
import math
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from tessera.io.answers import read_within
from tessera.tess.star import Star

_COLUMNS = {
    "Tmag": "tmag",
    "pmRA": "pm_ra",
    "pmDEC": "pm_dec",
    "Teff": "teff",
    "logg": "logg",
    "MH": "mh",
    "rad": "radius",
}
"""Columns of the TIC, each with the field of `Star` that has the same unit."""


class NoStars:
    """A catalogue that knows no star, as `StarCatalogue`: for machines without a network."""

    def find(self, tic: int) -> Star | None:  # noqa: ARG002 - as the others
        """See `StarCatalogue`."""
        return None


class MastStars:
    """The TIC at MAST as `StarCatalogue`.

    Parameters
    ----------
    server : str
        Address for queries; begins with ``http://`` or ``https://``.
    timeout : float, optional
        Longest time that the answer may take, in seconds. The time is short, because a cutout waits for the answer.
    clock : callable, optional
        Returns seconds that never decrease. Without it, `timeout` limits each piece of an answer only.

    Raises
    ------
    ValueError
        If `server` begins with anything else.
    """

    def __init__(self, server: str, timeout: float = 3.0, clock: Callable[[], float] = lambda: 0.0) -> None:
        if not server.startswith(("https://", "http://")):
            raise ValueError(f"server is {server!r}; allowed: an address with http or https")
        self._server, self._timeout, self._clock = server, timeout, clock

    def find(self, tic: int) -> Star | None:
        """See `StarCatalogue`."""
        try:
            document = json.loads(self._ask(tic))
        except (OSError, ValueError, RecursionError, HTTPException):
            return None
        rows = document.get("data") if isinstance(document, dict) else None
        found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        row = next((row for row in found if str(row.get("ID")) == str(tic)), None)
        return None if row is None else _star(tic, row)

    def _ask(self, tic: int) -> bytes:
        """Text of MAST's answer."""
        params = {"columns": ",".join(("ID", *_COLUMNS)), "filters": [{"paramName": "ID", "values": [str(tic)]}]}
        asked = {"service": "Mast.Catalogs.Filtered.Tic", "params": params, "format": "json", "pagesize": 10, "page": 1}
        data = urlencode({"request": json.dumps(asked)}).encode()
        request = urllib.request.Request(self._server, data, {"Accept": "text/plain"})  # noqa: S310 - see __init__
        with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310 - see __init__
            return read_within(iter(lambda: answer.read1(1 << 16), b""), self._timeout, self._clock)


def _star(tic: int, row: dict[str, Any]) -> Star:
    """Star of a row; values that are not finite numbers are not known."""
    known = {
        field: float(row[column])
        for column, field in _COLUMNS.items()
        if type(row.get(column)) in (int, float) and math.isfinite(row[column])
    }
    return Star(tic=tic, **known)  # type: ignore[arg-type] # the name and the integers are no columns
