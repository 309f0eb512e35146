"""Cutouts of many targets at the same time, which come as they are ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Event

from tessera.checks import check_integer
from tessera.client.cuts.cutting import Delivery, cut_one_of_many
from tessera.client.cuts.orders import OrderForm
from tessera.client.cuts.results import ServiceCutout
from tessera.client.places import TargetInput
from tessera.client.wire.steps import Service, Steps
from tessera.client.wire.transport import CONNECTIONS, AsyncTransport, Transport
from tessera.io.outputs import output_folder
from tessera.io.sources import Location
from tessera.progress import Counter

Cuts = list[ServiceCutout]


def check_parallel(parallel: object) -> int:
    """Return the number of targets that are cut at the same time, or raise `InvalidInputError`."""
    return check_integer("parallel", parallel, 1, CONNECTIONS)


class ManyCuts:
    """Steps for each of many targets.

    Parameters
    ----------
    targets : list
        The targets.
    form : OrderForm
        What all of them share.
    output_dir : str or Path, optional
        Folder of the files.
    service : Service
        The service.
    """

    def __init__(
        self, targets: list[TargetInput], form: OrderForm, output_dir: Location | None, service: Service
    ) -> None:
        folder = output_folder(output_dir)
        self._deliveries = [Delivery(folder, number, target) for number, target in enumerate(targets)]
        self._form, self._service = form, service

    def __iter__(self) -> Iterator[Steps[Cuts]]:
        """Steps of one target after the other."""
        for delivery in self._deliveries:
            yield cut_one_of_many(self._form, delivery, self._service)

    def __len__(self) -> int:
        return len(self._deliveries)


def run_in_threads(many: ManyCuts, parallel: int, transport: Transport, counter: Counter) -> Iterator[ServiceCutout]:
    """Carry out the steps in threads, some targets at a time."""
    waiting, running, stop = iter(many), set[Future[Cuts]](), Event()
    pool = ThreadPoolExecutor(parallel, "tessera-client")
    try:
        while True:
            running |= {pool.submit(transport.run, steps, stop) for steps in islice(waiting, parallel - len(running))}
            if not running:
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                yield from future.result()
                counter.add()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


async def run_in_tasks(
    many: ManyCuts, parallel: int, transport: AsyncTransport, counter: Counter
) -> AsyncIterator[ServiceCutout]:
    """Carry out the steps in tasks, some targets at a time."""
    waiting, running = iter(many), set[asyncio.Task[Cuts]]()
    try:
        while True:
            started = islice(waiting, parallel - len(running))
            running |= {asyncio.create_task(transport.run(steps)) for steps in started}
            if not running:
                return
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                for result in task.result():
                    yield result
                counter.add()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
