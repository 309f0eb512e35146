"""Positions of many stars at once, from the TESS Input Catalog (TIC) at MAST.

Source: https://mast.stsci.edu/api/v0/ (service Mast.Catalogs.Filtered.Tic), and the requests of astroquery's
`Catalogs.query_criteria(catalog="Tic")`. The columns ra and dec of the TIC are for the epoch 2000.0.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tessera.errors import InvalidInputError
from tessera.io.answers import read_within
from tessera.targets.names import NameResolverError
from tessera.targets.places import StarPlace

MAST_CATALOGUES = "https://mast.stsci.edu/api/v0/invoke"
"""Address for queries of MAST's catalogues."""
_COLUMNS = "ID,ra,dec,pmRA,pmDEC"
_AWAY = "MAST's catalogue of stars does not answer; try again later, or give ra and dec"
_PAUSE = 1.0
"""Seconds between two questions for an answer that is not ready yet."""


class MastTic:
    """The TESS Input Catalog at MAST, as `tessera.targets.places.Stars`.

    Parameters
    ----------
    server : str, optional
        Address for queries; begins with ``http://`` or ``https://``.
    timeout : float, optional
        Longest time in seconds until the answer of one question is complete.
    clock : callable, optional
        Returns seconds that never decrease.
    pause : callable, optional
        Waits for some seconds.

    Raises
    ------
    InvalidInputError
        If `server` begins with anything else.
    """

    def __init__(
        self,
        server: str = MAST_CATALOGUES,
        timeout: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        if not server.startswith(("https://", "http://")):
            raise InvalidInputError("catalogue", server, "an address with http or https")
        self._server, self._timeout, self._clock, self._pause = server, timeout, clock, pause

    def find_places(self, tics: Sequence[int]) -> Mapping[int, StarPlace]:
        """See `tessera.targets.places.Stars.find_places`."""
        wanted = {"paramName": "ID", "values": [str(tic) for tic in tics]}
        asked = {
            "service": "Mast.Catalogs.Filtered.Tic",
            "params": {"columns": _COLUMNS, "filters": [wanted]},
            "format": "json",
            "pagesize": len(tics),
            "page": 1,
        }
        data = urlencode({"request": json.dumps(asked)}).encode()
        try:
            places = {int(row["ID"]): place for row in self._rows(data) if (place := _place(row)) is not None}
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, HTTPException) as error:
            if isinstance(error, HTTPError):
                error.close()
            raise NameResolverError(_AWAY) from error
        return {tic: places[tic] for tic in tics if tic in places}

    def _rows(self, data: bytes) -> list[dict[str, Any]]:
        """Rows of the answer, as soon as it is ready."""
        stop = self._clock() + self._timeout
        while True:
            request = Request(self._server, data, {"Accept": "text/plain"})  # noqa: S310 - see __init__
            with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310 - see __init__
                text = read_within(iter(lambda: answer.read1(1 << 16), b""), self._timeout, self._clock)
            document = json.loads(text)
            if document.get("status") != "EXECUTING":
                break
            if self._clock() > stop:
                raise TimeoutError("the answer is not ready")
            self._pause(_PAUSE)
        rows: list[dict[str, Any]] = document["data"]
        return rows


def _place(row: dict[str, Any]) -> StarPlace | None:
    """Place of a row; None if the row has no position."""
    numbers = [math.nan if row[name] is None else float(row[name]) for name in ("ra", "dec", "pmRA", "pmDEC")]
    return StarPlace(*numbers) if math.isfinite(numbers[0]) and -90 <= numbers[1] <= 90 else None
