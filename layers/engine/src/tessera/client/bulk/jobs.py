"""Lists of targets that a service works on: `tessera.BulkJob`."""

from __future__ import annotations

from tessera.client.bulk.job_operations import BulkOperations
from tessera.client.bulk.records import BulkState
from tessera.client.running import Blocking, Waiting, blocking, waiting
from tessera.client.wire.transport import AsyncTransport, Transport


class _View:
    """What is known of a list without asking."""

    _operations: BulkOperations

    @property
    def state(self) -> BulkState:
        """State of the list when the service was last asked."""
        return self._operations.state

    @property
    def id(self) -> str:
        """Id of the list."""
        return self.state.id

    @property
    def status(self) -> str:
        """``queued``, ``running``, ``succeeded``, ``partial``, ``failed`` or ``cancelled``, when it was last asked."""
        return self.state.status

    @property
    def cancel_token(self) -> str:
        """Secret with which `cancel` works, also for the list opened by its id; empty if it was not begun here."""
        return self._operations.cancel_token

    @property
    def progress(self) -> tuple[int, int]:
        """Number of rows with nothing left to do, and of all rows, when the service was last asked."""
        return self.state.rows_done, self.state.rows

    def __repr__(self) -> str:
        done, total = self.progress
        return f"<{type(self).__name__} {self.id}: {self.status}, {done:,} of {total:,} rows>"


class BulkJob(_View, Blocking):
    """A list of targets that a service works on, made by `tessera.Client.bulk`."""

    def __init__(self, transport: Transport, operations: BulkOperations) -> None:
        self._transport, self._operations = transport, operations

    refresh = blocking(BulkOperations.refresh)
    wait = blocking(BulkOperations.wait)
    cancel = blocking(BulkOperations.cancel)
    results = blocking(BulkOperations.results)
    download = blocking(BulkOperations.download)
    status_table = blocking(BulkOperations.status_table)


class AsyncBulkJob(_View, Waiting):
    """A list of targets of `tessera.AsyncClient.bulk`: as `BulkJob`, but all methods are coroutines."""

    def __init__(self, transport: AsyncTransport, operations: BulkOperations) -> None:
        self._transport, self._operations = transport, operations

    refresh = waiting(BulkOperations.refresh)
    wait = waiting(BulkOperations.wait)
    cancel = waiting(BulkOperations.cancel)
    results = waiting(BulkOperations.results)
    download = waiting(BulkOperations.download)
    status_table = waiting(BulkOperations.status_table)
