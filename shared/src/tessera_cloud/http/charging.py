"""Counts the bytes that each client gets in a day, and refuses clients that have had their share."""

from __future__ import annotations

import datetime

from tessera_cloud.errors import CounterFullError, ObjectMissingError, TooManyRequestsError, TransientError
from tessera_cloud.http.clients import client_of
from tessera_cloud.http.framework.operations import Request
from tessera_cloud.http.framework.outcome import note

KIND = "spend"
"""Kind of the counters. Each is named after a day in UTC and a client."""
_KEPT = datetime.timedelta(days=2)


def charge(request: Request, n_bytes: int, once: str = "") -> int:
    """Count bytes that a client is about to get. If the table does not answer, the client gets them uncounted.

    Parameters
    ----------
    request : Request
        Request of the client.
    n_bytes : int
        Number of bytes of the answer, or of the result that it links to; 0 only to ask whether there is a share left.
    once : str, optional
        Name of a result that counts once a day, however often the client asks for it.

    Returns
    -------
    int
        Number of bytes that count now: 0 for a result that has counted today.

    Raises
    ------
    TooManyRequestsError
        If the client had its share of the day before. The answer that exceeds the share is still given.
    """
    svc = request.services
    share = int(svc.settings.client_daily_gb * 1e9)
    if not share:
        return n_bytes
    now = svc.now()
    name, expires = f"{now:%Y-%m-%d}/{client_of(request.event)}", (now + _KEPT).timestamp()
    try:
        if once and svc.state.add(KIND, f"{name}/{once}", 1, expires=expires) > 1:
            n_bytes = 0
        svc.state.add(KIND, name, n_bytes, most=share - 1 + n_bytes, expires=expires)
    except CounterFullError:
        midnight = datetime.datetime.combine(now.date() + datetime.timedelta(days=1), datetime.time(), datetime.UTC)
        message = f"this address has had its {svc.settings.client_daily_gb:g} GB of today; ask again after midnight UTC"
        raise TooManyRequestsError(message, retry_seconds=int((midnight - now).total_seconds()) + 1) from None
    except TransientError as error:
        note(uncounted_bytes=n_bytes, count_error=str(error))
    return n_bytes


def charge_more(request: Request, n_bytes: int, name: str) -> None:
    """Count bytes of results that grow: those beyond what the client was charged today for the same name.

    Parameters
    ----------
    request : Request
        Request of the client.
    n_bytes : int
        Bytes of all results to which the answer links.
    name : str
        Name of the results.

    Raises
    ------
    TooManyRequestsError
        See `charge`.
    """
    svc = request.services
    if not svc.settings.client_daily_gb:
        return
    now, more = svc.now(), n_bytes
    counter, expires = f"{now:%Y-%m-%d}/{client_of(request.event)}/{name}", (now + _KEPT).timestamp()
    try:
        more = max(0, n_bytes - svc.state.add(KIND, counter, 0, expires=expires))
        charge(request, more)
        svc.state.add(KIND, counter, more, expires=expires)
    except TransientError as error:
        note(uncounted_bytes=more, count_error=str(error))


def charge_result(request: Request, key: str) -> None:
    """Count the bytes of a stored result to which an answer links."""
    svc = request.services
    try:
        charge(request, svc.store.head(svc.settings.result_bucket, key).size)
    except ObjectMissingError:
        note(missing_result=key)
