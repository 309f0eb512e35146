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
    name, expires = _counter(request, now), (now + _KEPT).timestamp()
    try:
        if once and svc.state.add(KIND, f"{name}/{once}", 1, expires=expires) > 1:
            n_bytes = 0
        known = svc.shares.get(name) is not None  # then it has its time of expiry
        total = svc.state.add(KIND, name, n_bytes, most=share - 1 + n_bytes, expires=None if known else expires)
        svc.shares.keep(name, total)
    except CounterFullError:
        svc.shares.keep(name, share)
        midnight = datetime.datetime.combine(now.date() + datetime.timedelta(days=1), datetime.time(), datetime.UTC)
        message = f"this address has had its {svc.settings.client_daily_gb:g} GB of today; ask again after midnight UTC"
        raise TooManyRequestsError(message, retry_seconds=int((midnight - now).total_seconds()) + 1) from None
    except TransientError as error:
        note(uncounted_bytes=n_bytes, count_error=str(error))
    return n_bytes


def _counter(request: Request, now: datetime.datetime) -> str:
    """Name of the counter of a client and a day."""
    return f"{now:%Y-%m-%d}/{client_of(request.event)}"


def check_share(request: Request) -> None:
    """Refuse a client that has had its share, before an answer is made that `charge` counts afterwards.

    The table is not asked if this process has counted for the client today, and the share was not used up then. If
    other processes have counted the rest since, `charge` refuses the answer, and this process asks from then on.

    Raises
    ------
    TooManyRequestsError
        See `charge`.
    """
    svc = request.services
    known = svc.shares.get(_counter(request, svc.now()))
    if known is None or known >= int(svc.settings.client_daily_gb * 1e9):
        charge(request, 0)


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
    counter, expires = f"{_counter(request, now)}/{name}", (now + _KEPT).timestamp()
    try:
        more = max(0, n_bytes - svc.state.add(KIND, counter, 0, expires=expires))
        charge(request, more)
        svc.state.add(KIND, counter, more, expires=expires)
    except TransientError as error:
        note(uncounted_bytes=more, count_error=str(error))


def charge_result(request: Request, key: str, n_bytes: int = 0) -> None:
    """Count the bytes of a stored result to which an answer links; the store is asked for a size that is 0."""
    svc = request.services
    try:
        charge(request, n_bytes or svc.store.head(svc.settings.result_bucket, key).size)
    except ObjectMissingError:
        note(missing_result=key)
