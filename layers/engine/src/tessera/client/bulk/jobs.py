"""Lists of targets that a service works on: `tessera.BulkJob`."""

from __future__ import annotations

from tessera.client.bulk.job_operations import BulkOperations
from tessera.client.bulk.records import BulkState
from tessera.client.running import Blocking, Waiting, blocking, waiting
from tessera.client.watching import View
from tessera.client.wire.transport import AsyncTransport, Transport


class BulkJob(View[BulkState], Blocking):
    """A list of targets that a service works on, made by `tessera.Client.bulk`."""

    def __init__(self, transport: Transport, operations: BulkOperations) -> None:
        self._transport, self._operations = transport, operations

    refresh = blocking(BulkOperations.refresh)
    wait = blocking(BulkOperations.wait)
    cancel = blocking(BulkOperations.cancel)
    results = blocking(BulkOperations.results)
    download = blocking(BulkOperations.download)
    status_table = blocking(BulkOperations.status_table)


class AsyncBulkJob(View[BulkState], Waiting):
    """A list of targets of `tessera.AsyncClient.bulk`: as `BulkJob`, but all methods are coroutines."""

    def __init__(self, transport: AsyncTransport, operations: BulkOperations) -> None:
        self._transport, self._operations = transport, operations

    refresh = waiting(BulkOperations.refresh)
    wait = waiting(BulkOperations.wait)
    cancel = waiting(BulkOperations.cancel)
    results = waiting(BulkOperations.results)
    download = waiting(BulkOperations.download)
    status_table = waiting(BulkOperations.status_table)
