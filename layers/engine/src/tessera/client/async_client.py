"""`tessera.AsyncClient`: a service from a program with asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Self

from tessera.client.bulk.jobs import AsyncBulkJob
from tessera.client.cuts.jobs import AsyncJob
from tessera.client.cuts.many import ManyCuts, check_parallel, run_in_tasks
from tessera.client.cuts.orders import Sectors, check_form
from tessera.client.cuts.results import ServiceCutout
from tessera.client.operations import Operations
from tessera.client.places import TargetInput, read_several
from tessera.client.running import Waiting, opening_later, waiting
from tessera.client.wire.transport import AsyncTransport, make_service
from tessera.cutouts.results import CutoutOptions, Size
from tessera.io.sources import Location
from tessera.progress import ProgressInput, counting


class AsyncClient(Waiting):
    """A Tessera service, for programs with asyncio: as `tessera.Client`, but all methods are coroutines.

    Use it as an asynchronous context manager, in one event loop.

    Parameters
    ----------
    url, timeout, retries, patience, verbose, clock
        See `tessera.Client`.
    sleep : callable, optional
        Coroutine function that waits for a number of seconds.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    MissingPackageError
        When httpx is not installed.

    Examples
    --------
    >>> import asyncio, tessera
    >>> async def address():
    ...     async with tessera.AsyncClient("http://127.0.0.1:3000") as client:
    ...         return client.url
    >>> asyncio.run(address())
    'http://127.0.0.1:3000'
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 60.0,
        retries: int = 3,
        patience: float = 120.0,
        verbose: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._service = make_service(url, retries=retries, patience=patience, verbose=verbose, clock=clock)
        self._operations = Operations(self._service)
        self._transport = AsyncTransport(self._service.address, timeout, sleep)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({str(self._service.address)!r})"

    @property
    def url(self) -> str:
        """Address of the service, without a slash at its end."""
        return self._service.address.url

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    health = waiting(Operations.health)
    cubes = waiting(Operations.cubes)
    footprints = waiting(Operations.footprints)
    sky_map = waiting(Operations.sky_map)
    targets = waiting(Operations.targets)
    resolve = waiting(Operations.resolve)
    resolve_moving = waiting(Operations.resolve_moving)
    cutouts = waiting(Operations.cutouts)
    job = opening_later(Operations.job, AsyncJob)
    open_job = opening_later(Operations.open_job, AsyncJob)
    bulk_plan = waiting(Operations.bulk_plan)
    bulk = opening_later(Operations.bulk, AsyncBulkJob)
    open_bulk = opening_later(Operations.open_bulk, AsyncBulkJob)
    preview = waiting(Operations.preview)
    preview_frames = waiting(Operations.preview_frames)
    lightcurve = waiting(Operations.lightcurve)
    cotrending_vectors = waiting(Operations.cotrending_vectors)
    neighbours = waiting(Operations.neighbours)
    preview_csv = waiting(Operations.preview_csv)
    preview_png = waiting(Operations.preview_png)
    datasets = waiting(Operations.datasets)
    image_search = waiting(Operations.image_search)
    image_cutouts = waiting(Operations.image_cutouts)

    def cutouts_many(
        self,
        targets: Iterable[TargetInput],
        size: Size | None = None,
        *,
        sectors: Sectors = None,
        product: str = "SPOC",
        options: CutoutOptions | None = None,
        output_dir: Location | None = None,
        parallel: int = 8,
        progress: ProgressInput = None,
    ) -> AsyncIterator[ServiceCutout]:
        """Cut many targets, several at the same time.

        Parameters and errors are those of `tessera.Client.cutouts_many`.

        Returns
        -------
        asynchronous iterator of ServiceCutout
            Results as they come.
        """
        form, n_tasks = check_form(size, sectors, product, options), check_parallel(parallel)
        many = ManyCuts(read_several(targets), form, output_dir, self._service)
        return self._many(many, n_tasks, progress)

    async def _many(self, many: ManyCuts, parallel: int, progress: ProgressInput) -> AsyncIterator[ServiceCutout]:
        with counting(progress, "target", len(many)) as counter:
            async for result in run_in_tasks(many, parallel, self._transport, counter):
                yield result
