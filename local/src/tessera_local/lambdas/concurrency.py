"""Concurrency as AWS limits it: of the account, and reserved for functions. What is beyond it is refused."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

RETRY_SECONDS = 1
"""Time that a refused caller is asked to wait, in seconds."""
_PAUSE_SECONDS = 0.1


class ThrottledError(Exception):
    """An invocation is refused. The message is AWS's reason for it."""


class Concurrency:
    """Counts the invocations that run.

    Parameters
    ----------
    account
        Largest number of invocations at the same time; None for no limit.
    reserved
        Number of invocations by function that nobody else gets, and that the function does not exceed.
    """

    def __init__(self, account: int | None = None, reserved: Mapping[str, int] | None = None) -> None:
        self.account, self.reserved = account, dict(reserved or {})
        self._running: Counter[str] = Counter()

    def _refuse(self, function: str) -> str:
        """Reason why a function cannot run now; empty if it can."""
        if function in self.reserved:
            full = self._running[function] >= self.reserved[function]
            return "ReservedFunctionConcurrentInvocationLimitExceeded" if full else ""
        if self.account is None:
            return ""
        shared = self.account - sum(self.reserved.values())
        running = sum(count for name, count in self._running.items() if name not in self.reserved)
        return "ConcurrentInvocationLimitExceeded" if running >= shared else ""

    @asynccontextmanager
    async def slot(self, function: str, *, queued: bool) -> AsyncIterator[None]:
        """Count an invocation for the duration of the block.

        Parameters
        ----------
        function
            Name of the function.
        queued
            Whether to wait for a free slot, as Lambda does with events, instead of refusing.

        Raises
        ------
        ThrottledError
            If there is no free slot.
        """
        while reason := self._refuse(function):
            if not queued:
                raise ThrottledError(reason)
            await asyncio.sleep(_PAUSE_SECONDS)
        self._running[function] += 1
        try:
            yield
        finally:
            self._running[function] -= 1
