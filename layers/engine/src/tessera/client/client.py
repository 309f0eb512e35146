"""`tessera.Client`: a service from a program or a notebook."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from tessera.client.bulk.jobs import BulkJob
from tessera.client.cuts.jobs import Job
from tessera.client.cuts.many import ManyCuts, check_parallel, run_in_threads
from tessera.client.cuts.orders import Sectors, check_form
from tessera.client.cuts.results import ServiceCutout
from tessera.client.operations import Operations
from tessera.client.places import TargetInput, read_several
from tessera.client.running import Blocking, blocking, opening
from tessera.client.wire.transport import Transport, make_service
from tessera.cutouts.results import CutoutOptions, Size
from tessera.io.sources import Location
from tessera.progress import ProgressInput, counting


class Client(Blocking):
    """A Tessera service.

    One client may be used by several threads. It keeps its connections until `close`, or the end of its block.

    Parameters
    ----------
    url : str
        Address of the service, such as ``http://127.0.0.1:3000``.
    timeout : float, optional
        Longest time in seconds between two signs of life of the service during a request.
    retries : int, optional
        Number of times that a request which only reads is repeated after a broken connection, 502 or 504.
    patience : float, optional
        Longest time in seconds that one request waits, in all, for a service that is busy (429 and 503). The service
        says how long each pause is.
    verbose : bool, optional
        Whether to write what happens to stderr. The logger ``tessera`` is always told.
    clock, sleep : callable, optional
        Seconds since any moment, and a function that waits for a number of seconds.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    MissingPackageError
        When httpx is not installed.

    Examples
    --------
    >>> import tessera
    >>> client = tessera.Client("http://127.0.0.1:3000", patience=60)
    >>> client.url
    'http://127.0.0.1:3000'
    >>> client.close()
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
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._service = make_service(url, retries=retries, patience=patience, verbose=verbose, clock=clock)
        self._operations = Operations(self._service)
        self._transport = Transport(self._service.address, timeout, sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({str(self._service.address)!r})"

    @property
    def url(self) -> str:
        """Address of the service, without a slash at its end."""
        return self._service.address.url

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    health = blocking(Operations.health)
    cubes = blocking(Operations.cubes)
    footprints = blocking(Operations.footprints)
    sky_map = blocking(Operations.sky_map)
    targets = blocking(Operations.targets)
    resolve = blocking(Operations.resolve)
    resolve_moving = blocking(Operations.resolve_moving)
    cutouts = blocking(Operations.cutouts)
    job = opening(Operations.job, Job)
    open_job = opening(Operations.open_job, Job)
    bulk_plan = blocking(Operations.bulk_plan)
    bulk = opening(Operations.bulk, BulkJob)
    open_bulk = opening(Operations.open_bulk, BulkJob)
    preview = blocking(Operations.preview)
    preview_frames = blocking(Operations.preview_frames)
    lightcurve = blocking(Operations.lightcurve)
    cotrending_vectors = blocking(Operations.cotrending_vectors)
    neighbours = blocking(Operations.neighbours)
    preview_csv = blocking(Operations.preview_csv)
    preview_png = blocking(Operations.preview_png)
    datasets = blocking(Operations.datasets)
    image_search = blocking(Operations.image_search)
    image_cutouts = blocking(Operations.image_cutouts)

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
    ) -> Iterator[ServiceCutout]:
        """Cut many targets, several at the same time. A target that cannot be cut does not stop the others.

        Parameters
        ----------
        targets : list, table or SkyCoord
            Targets, each as in `cutouts`. A table has the columns ra and dec, or name, or tic.
        size, sectors, product, options, output_dir
            See `cutouts`.
        parallel : int, optional
            Number of targets that are cut at the same time, 1 to 64.
        progress : bool or callable, optional
            How the progress is shown; see `tessera.progress.ProgressInput`. It counts targets.

        Returns
        -------
        iterator of ServiceCutout
            Results as they come; those of one target come together. A target that cannot be cut has one result with the
            status 'no overlap' or 'error' and a reason. The attribute `number` is the place of the target in the list.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed. Wrong targets are results.
        """
        form, n_threads = check_form(size, sectors, product, options), check_parallel(parallel)
        many = ManyCuts(read_several(targets), form, output_dir, self._service)
        return self._many(many, n_threads, progress)

    def _many(self, many: ManyCuts, parallel: int, progress: ProgressInput) -> Iterator[ServiceCutout]:
        with counting(progress, "target", len(many)) as counter:
            yield from run_in_threads(many, parallel, self._transport, counter)
