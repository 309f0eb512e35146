"""Who makes a large answer: the first of those who want it at the same time. The others wait until it is stored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from tessera_cloud import keys
from tessera_cloud.application.backend import HasClock, HasStore
from tessera_cloud.application.results import exists
from tessera_cloud.errors import BusyError, ObjectChangedError, ObjectMissingError

WAIT_SECONDS = 20.0
"""Longest time that a request waits for another one. The API answers within 29 seconds."""
CLAIM_SECONDS = 30.0
"""Time after which a claim is void, in seconds: who made it has been ended."""
_POLL_SECONDS = 0.5


class _Port(HasStore, HasClock, Protocol):
    """Store and clock."""


def _claim(order_id: str, backend: _Port) -> bool:
    """Claim an answer; False if it was claimed before."""
    now = repr(backend.now().timestamp()).encode()
    with suppress(ObjectChangedError):
        backend.store.write(backend.settings.result_bucket, keys.claim(order_id), now, only_new=True)
        return True
    return False


def _take_over(order_id: str, backend: _Port) -> bool:
    """Claim an answer whose claim is void; False if another request makes it now."""
    store, bucket, key = backend.store, backend.settings.result_bucket, keys.claim(order_id)
    now = backend.now().timestamp()
    with suppress(ObjectMissingError, ObjectChangedError):  # the claim is removed or replaced at this moment
        data, info = store.read(bucket, key)
        if not _is_valid(data, now):
            store.write(bucket, key, repr(now).encode(), only_over=info.etag)
            return True
    return False


def _is_valid(claim: bytes, now: float) -> bool:
    try:
        return 0 <= now - float(claim) < CLAIM_SECONDS
    except ValueError:
        return False


def release(order_id: str, backend: _Port) -> None:
    """Give up a claim, because there is no stored answer."""
    backend.store.write(backend.settings.result_bucket, keys.claim(order_id), b"0")


def is_first(order_id: str, key: str, backend: _Port, sleep: Callable[[float], None]) -> bool:
    """Whether the caller must make a large answer. If another request makes it, wait until it is stored at a key.

    An answer has a claim for as long as it is stored, so a new claim tells in one request that there is none.

    Raises
    ------
    BusyError
        If the other request takes too long.
    """
    waited = 0.0
    while not _claim(order_id, backend):
        if exists(backend.store, backend.settings.result_bucket, key):
            return False
        if _take_over(order_id, backend):
            return True
        if waited >= WAIT_SECONDS:
            raise BusyError("the same cutouts are being made for another request; try again in some seconds")
        sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS
    return True
