"""Positions of moving targets from JPL Horizons, through astroquery."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

from tessera.errors import shown
from tessera.io.answers import read_within
from tessera_cloud.errors import AmbiguousTargetError, NoEphemerisError, UnknownTargetError, UsageError
from tessera_cloud.ports import Positions

TESS, EARTH = "500@-95", "500@399"
"""Observers, as Horizons writes them."""
_RIGHT_ASCENSION_AND_DECLINATION = "1"
_COMET = re.compile(r"(\d+[PDI](?:-[A-Z]+)?)(?:/.*)?|([PCDXAI]/[0-9]{1,4} [A-Z]+[0-9]*(?:-[A-Z]+)?)(?: \(.*\))?")
"""Designations of comets. One designation may have several orbits, one per return of the comet. A name may follow."""
_SIGNS = ("API SOURCE", "$$SOF")
"""Texts of which every answer of Horizons has one."""
_BROKEN = (ValueError, LookupError, TypeError, NameError, AttributeError)
"""Errors that astroquery raises for answers that are incomplete or of another form."""
_AWAY = "JPL Horizons does not answer; try again later"
_NO_SPACECRAFT = ("No ephemeris for", "center body", "Cannot find central body", "prior to", "after A.D.")


class Horizons:
    """JPL Horizons as `Ephemerides`.

    Parameters
    ----------
    server : str
        Address of the API; empty for JPL's.
    timeout : int
        Longest time that an answer may take, in seconds. A request to our API may need two answers: one finds a target,
        one follows it. So twice this time must end before the 29 seconds of the API.
    attempts : int
        Largest number of requests to a server that answers with errors. A server that does not answer within `timeout`
        gets no second request.
    clock : callable, optional
        Returns seconds that never decrease. Without it, `timeout` limits each piece of an answer only.
    """

    def __init__(
        self, server: str = "", timeout: int = 12, attempts: int = 2, clock: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._server, self._timeout, self._attempts, self._clock = server, timeout, attempts, clock

    def find(self, name: str, kind: str | None, start: float, stop: float, hours: int) -> Positions:
        """See `Ephemerides.find`. The Earth is the observer if Horizons does not know where the spacecraft was."""
        try:
            return self._find(name, kind, (start, stop), hours, TESS)
        except _NotThereError:
            return self._find(name, kind, (start, stop), hours, EARTH)

    def _find(self, name: str, kind: str | None, span: tuple[float, float], hours: int, centre: str) -> Positions:
        epochs = {"start": f"JD{span[0]:.6f}", "stop": f"JD{span[1]:.6f}", "step": f"{hours}h"}
        table = self._ask(name, kind, epochs, centre)
        try:
            columns = (table[name].astype(float).filled(math.nan).tolist() for name in ("datetime_jd", "RA", "DEC"))
            rows = sorted(zip(*columns, strict=True))
            if len(rows) < 2 or not all(math.isfinite(number) for row in rows for number in row):
                raise ValueError("the table has no positions")
            target = str(table["targetname"][0])
        except _BROKEN as error:
            raise NoEphemerisError(_AWAY) from error
        days, ra, dec = zip(*rows, strict=True)
        return Positions(target, "TESS" if centre == TESS else "Earth", days, ra, dec)

    def _ask(self, name: str, kind: str | None, epochs: dict[str, str], centre: str) -> Any:
        from requests import ConnectTimeout, ReadTimeout, RequestException  # noqa: PLC0415 - takes half a second with astroquery; only moving targets need it

        comet = _COMET.fullmatch(name.strip())
        id_type = "designation" if comet else "smallbody" if kind == "smallbody" else None
        wanted = (comet[1] or comet[2]) if comet else name.strip()
        client = _client_class()(id=wanted, location=centre, epochs=epochs, id_type=id_type)
        client.server, client.TIMEOUT, client.clock = self._server, self._timeout, self._clock
        options: dict[str, Any] = {"closest_apparition": True, "no_fragments": True} if comet else {}
        for attempt in range(self._attempts):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return client.ephemerides(
                        quantities=_RIGHT_ASCENSION_AND_DECLINATION, cache=False, extra_precision=True, **options
                    )
            except (RequestException, TimeoutError) as error:
                if attempt + 1 == self._attempts or isinstance(error, ReadTimeout | ConnectTimeout | TimeoutError):
                    raise NoEphemerisError(_AWAY) from error
            except _BROKEN as error:
                raise _explained(name, str(error), centre) from error
        raise AssertionError


@cache
def _client_class() -> Any:
    """Class of astroquery's client, changed to use another server and to refuse what is no answer of Horizons."""
    from astroquery.jplhorizons import HorizonsClass  # noqa: PLC0415 - see `Horizons`

    class Client(HorizonsClass):  # type: ignore[misc] # astroquery has no types
        server = ""
        clock: Callable[[], float]

        def _request(self, method: str, url: str, **options: Any) -> Any:
            answer = super()._request(method, self.server or url, **(options | {"stream": True}))
            answer.raise_for_status()
            answer._content = read_within(answer.iter_content(1 << 16), self.TIMEOUT, self.clock)  # noqa: SLF001 - requests has no limits
            _check_text(answer.text)
            return answer

    return Client


def _check_text(text: str) -> None:
    """Check that a text is a whole answer of Horizons, and not the page of a proxy or the beginning of a table.

    Raises
    ------
    NoEphemerisError
        If it is not.
    """
    is_cut_off = text.count("$$SOE") != text.count("$$EOE")
    if is_cut_off or not any(sign in text for sign in _SIGNS):
        raise NoEphemerisError(_AWAY)


class _NotThereError(Exception):
    """Horizons does not know where the observer was."""


def _explained(name: str, message: str, centre: str) -> Exception:
    """Turn the message of an astroquery error into an error for the user."""
    if message.startswith("Ambiguous"):
        candidates = "; ".join(" ".join(line.split()) for line in message.splitlines()[1:] if re.search(r"\d", line))
        return AmbiguousTargetError.about("obj_id", name, f"one of these records or designations: {candidates}")
    if message.startswith("Unknown target") or "No matches found" in message:
        allowed = "a name, number or designation that JPL Horizons knows, as majorbody or smallbody"
        return UnknownTargetError.about("obj_id", name, allowed)
    if centre == TESS and any(text in message for text in _NO_SPACECRAFT):
        return _NotThereError(message)
    if not message.startswith("Horizons Error") and "INPUT ERROR" not in message:
        return NoEphemerisError(_AWAY)
    return UsageError(f"obj_id is {shown(name)}; JPL Horizons says: {' '.join(message.split())[:300]}")
