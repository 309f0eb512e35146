"""Reads answers of servers that are not ours: within a time and a size."""

from __future__ import annotations

from collections.abc import Callable, Iterable

MOST_BYTES = 20_000_000
"""Largest number of bytes that are read of an answer. The largest table of Horizons has about 10 MB."""


def read_within(pieces: Iterable[bytes], seconds: float, clock: Callable[[], float]) -> bytes:
    """Join the pieces of an answer.

    A limit on the time of each piece is not enough, because a server may send a byte now and then.

    Parameters
    ----------
    pieces : iterable of bytes
        The answer.
    seconds : float
        Longest time that all pieces may take together.
    clock : callable
        Returns seconds that never decrease.

    Raises
    ------
    TimeoutError
        If the pieces take longer.
    ValueError
        If they have more than `MOST_BYTES` bytes.
    """
    stop, found = clock() + seconds, bytearray()
    for piece in pieces:
        found += piece
        if clock() > stop:
            raise TimeoutError(f"the answer takes longer than {seconds:g} s")
        if len(found) > MOST_BYTES:
            raise ValueError(f"the answer has more than {MOST_BYTES:,} bytes")
    return bytes(found)
