"""Positions of moving targets from JPL Horizons."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from http.client import HTTPException
from urllib.parse import urlencode
from urllib.request import urlopen

from tessera.errors import shown
from tessera.io.answers import read_within
from tessera_cloud.adapters.horizons_text import (
    IncompleteAnswerError,
    RefusedError,
    SeveralBodiesError,
    UnknownBodyError,
    read_table,
)
from tessera_cloud.errors import AmbiguousTargetError, NoEphemerisError, UnknownTargetError, UsageError
from tessera_cloud.ports import Positions

JPL = "https://ssd.jpl.nasa.gov/api/horizons.api"
TESS, EARTH = "500@-95", "500@399"
"""Observers, as Horizons writes them."""
_COMET = re.compile(r"(\d+[PDI](?:-[A-Z]+)?)(?:/.*)?|([PCDXAI]/[0-9]{1,4} [A-Z]+[0-9]*(?:-[A-Z]+)?)(?: \(.*\))?")
"""Designations of comets. One designation may have several orbits, one per return of the comet. A name may follow."""
_RETURN = "; CAP; NOFRAG;"
"""The return that is closest to the dates, without the fragments of the comet."""
_APOSTROPHES = str.maketrans("\u02bb\u2018\u2019", "'''")
_AWAY = "JPL Horizons does not answer; try again later"
_NO_SPACECRAFT = ("No ephemeris for", "center body", "Cannot find central body", "prior to", "after A.D.")


class Horizons:
    """JPL Horizons as `Ephemerides`.

    Parameters
    ----------
    server : str
        Address of the API, which begins with ``http://`` or ``https://``; empty for JPL's.
    timeout : int
        Longest time that an answer may take, in seconds. A request to our API may need two answers: one finds a target,
        one follows it. So twice this time must end before the 29 seconds of the API.
    attempts : int
        Largest number of requests to a server that answers with errors. A server that does not answer within `timeout`
        gets no second request.
    clock : callable, optional
        Returns seconds that never decrease. Without it, `timeout` limits each piece of an answer only.

    Raises
    ------
    ValueError
        If `server` begins with anything else.
    """

    def __init__(
        self, server: str = "", timeout: int = 12, attempts: int = 2, clock: Callable[[], float] = lambda: 0.0
    ) -> None:
        if server and not server.startswith(("https://", "http://")):
            raise ValueError(f"server is {server!r}; allowed: an address with http or https")
        self._server, self._timeout, self._attempts, self._clock = server or JPL, timeout, attempts, clock

    def find(self, name: str, kind: str | None, start: float, stop: float, hours: int) -> Positions:
        """See `Ephemerides.find`. The Earth is the observer if Horizons does not know where the spacecraft was."""
        try:
            return self._find(name, kind, (start, stop), hours, TESS)
        except _NotThereError:
            return self._find(name, kind, (start, stop), hours, EARTH)

    def _find(self, name: str, kind: str | None, span: tuple[float, float], hours: int, centre: str) -> Positions:
        query = {
            "format": "text",
            "EPHEM_TYPE": "OBSERVER",
            "QUANTITIES": "'1'",  # right ascension and declination
            "COMMAND": f'"{_command(name, kind)}"',
            "CENTER": f"'{centre}'",
            "START_TIME": f'"JD{span[0]:.6f}"',
            "STOP_TIME": f'"JD{span[1]:.6f}"',
            "STEP_SIZE": f'"{hours}h"',
            "CSV_FORMAT": "YES",
            "CAL_FORMAT": "BOTH",
            "ANG_FORMAT": "DEG",
            "APPARENT": "AIRLESS",
            "REF_SYSTEM": "ICRF",
            "EXTRA_PREC": "YES",
        }
        try:
            table = read_table(self._ask(query))
        except (IncompleteAnswerError, UnknownBodyError, SeveralBodiesError, RefusedError) as error:
            raise _explained(name, error, centre) from error
        days, ra, dec = zip(*table.rows, strict=True)
        return Positions(table.target, "TESS" if centre == TESS else "Earth", days, ra, dec)

    def _ask(self, query: dict[str, str]) -> str:
        address = f"{self._server}?{urlencode(query)}"
        for attempt in range(self._attempts):
            try:
                with urlopen(address, timeout=self._timeout) as answer:  # noqa: S310 - see __init__
                    pieces = iter(lambda: answer.read1(1 << 16), b"")
                    return read_within(pieces, self._timeout, self._clock).decode("utf-8", "replace")
            except ValueError as error:  # too long
                raise NoEphemerisError(_AWAY) from error
            except (OSError, HTTPException) as error:
                if attempt + 1 == self._attempts or _is_late(error):
                    raise NoEphemerisError(_AWAY) from error
        raise AssertionError


def _is_late(error: Exception) -> bool:
    return isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError)


def _command(name: str, kind: str | None) -> str:
    """Write a name as Horizons wants it, which knows no accents."""
    letters = unicodedata.normalize("NFKD", name.strip().translate(_APOSTROPHES))
    wanted = "".join(letter for letter in letters if not unicodedata.combining(letter)).replace('"', "")
    if comet := _COMET.fullmatch(wanted):
        return f"DES={comet[1] or comet[2]}{_RETURN}"
    return f"{wanted};" if kind == "smallbody" and not wanted.endswith(";") else wanted


class _NotThereError(Exception):
    """Horizons does not know where the observer was."""


def _explained(name: str, error: Exception, centre: str) -> Exception:
    """Turn what Horizons said into an error for the user."""
    if isinstance(error, SeveralBodiesError):
        return AmbiguousTargetError.about("obj_id", name, f"one of these records or designations: {error}")
    if isinstance(error, UnknownBodyError):
        allowed = "a name, number or designation that JPL Horizons knows, as majorbody or smallbody"
        return UnknownTargetError.about("obj_id", name, allowed)
    said = str(error)
    if centre == TESS and any(text in said for text in _NO_SPACECRAFT):
        return _NotThereError(said)
    if isinstance(error, IncompleteAnswerError):
        return NoEphemerisError(_AWAY)
    return UsageError(f"obj_id is {shown(name)}; JPL Horizons says: {said[:300]}")
