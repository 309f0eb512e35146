"""`tessera.Client`: a service from a program or a notebook."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from tessera.bulk.options import DEFAULT_SIZE, check_options
from tessera.client.bulk.job_operations import begin as begin_list
from tessera.client.bulk.job_operations import find as find_list
from tessera.client.bulk.jobs import BulkJob
from tessera.client.bulk.lists import BulkTargets
from tessera.client.cuts.jobs import Job, begin, find
from tessera.client.cuts.many import ManyCuts, check_parallel, run_in_threads
from tessera.client.cuts.orders import Sectors, check_form
from tessera.client.cuts.results import ServiceCutout
from tessera.client.operations import Operations
from tessera.client.places import TargetInput, read_several
from tessera.client.running import Blocking, blocking
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
    bulk_plan = blocking(Operations.bulk_plan)
    preview = blocking(Operations.preview)
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

    def job(
        self,
        target: TargetInput,
        size: Size | None = None,
        *,
        sectors: Sectors = None,
        product: str = "SPOC",
        options: CutoutOptions | None = None,
    ) -> Job:
        """Begin a job that makes cutouts, or find it: the same cutouts are the same job, for all users.

        Parameters
        ----------
        target, size, sectors, product, options
            See `cutouts`.

        Returns
        -------
        Job
            The job.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed.
        NothingFoundError
            When no cube has pixels there; the error says why.
        ServiceError
            When the service cannot answer.
        """
        order = check_form(size, sectors, product, options).order(target)
        return Job(self._transport, self._transport.run(begin(order, target, self._service)))

    def open_job(self, job: str) -> Job:
        """Find a job by its id or its address.

        Parameters
        ----------
        job : str
            Id or address of the job.

        Returns
        -------
        Job
            The job.

        Raises
        ------
        InvalidInputError
            When it is neither, or the address is that of another service.
        NothingFoundError
            When the service does not know the job.
        ServiceError
            When the service cannot answer.
        """
        return Job(self._transport, self._transport.run(find(job, self._service)))

    def bulk(
        self,
        targets: BulkTargets,
        *,
        outputs: str | Iterable[str] = ("parquet",),
        size: int | tuple[int, int] = DEFAULT_SIZE,
        sectors: Sectors = None,
        product: str = "SPOC",
        aperture: str = "default",
        background: bool = True,
        layout: str = "full",
        packing: str = "zip",
        best_only: bool = False,
        epoch: float | str | None = None,
        progress: ProgressInput = None,
    ) -> BulkJob:
        """Begin the work on a list of targets, or find it: the same list is the same work, for all users.

        A list of up to 10,000 rows is sent in the request. A larger one, of up to 2 million rows, is uploaded.
        `bulk_plan` says before what it costs.

        Parameters
        ----------
        targets : str or Path, table, dict of columns, SkyCoord, or list
            Path of a file (CSV, ECSV, VOTable, FITS, Parquet or JSON), or the list itself: a table of astropy or
            pandas, or a list of names, pairs of RA and Dec in degrees, positions, or dicts. Its columns are name or
            tic, or ra and dec, with pmra, pmdec and epoch, and size, sectors and aperture of single rows.
        outputs : str or list of str, optional
            Products: ``parquet`` (light curves as a catalogue), ``lightcurves`` (a FITS file each) or ``tpf`` (target
            pixel files), one or several.
        size : int or (int, int), optional
            Side of a window in pixels, or (rows, columns), for rows without a size.
        sectors : int or list of int, optional
            Sectors, for rows without sectors; all by default.
        product : {'SPOC', 'TICA'}, optional
            Kind of frames.
        aperture : str, optional
            Aperture for rows without one: ``default``, ``all``, or hexadecimal digits as on the web page.
        background : bool, optional
            Whether the light curves are without the local background.
        layout : {'full', 'slim'}, optional
            Layout of target pixel files; slim leaves out constant columns.
        packing : {'zip', 'files'}, optional
            Files of targets in archives of up to 2 GB, or one by one.
        best_only : bool, optional
            Whether a target that is on two CCDs of a sector is cut from the better one only. Otherwise it is cut from
            both, and marked.
        epoch : float or str, optional
            Julian year of the positions, such as 2016.0, for rows that have a proper motion and no epoch.
        progress : bool or callable, optional
            How the progress of an upload is shown; see `tessera.progress.ProgressInput`. It counts bytes.

        Returns
        -------
        BulkJob
            The work: wait for it, cancel it, load its products.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed, or `targets` is no list of targets.
        RefusedRequestError
            When the list has too many rows, or costs more than the service allows; the error says what is allowed.
        ServiceError
            When the service cannot answer.
        """
        options = check_options(
            outputs=outputs,
            size=size,
            sectors=sectors,
            product=product,
            aperture=aperture,
            background=background,
            layout=layout,
            packing=packing,
            best_only=best_only,
            epoch=epoch,
        )
        return BulkJob(self._transport, self._transport.run(begin_list(targets, options, self._service, progress)))

    def open_bulk(self, job: str) -> BulkJob:
        """Find a list by its id or its address.

        Parameters
        ----------
        job : str
            Id or address of the list.

        Returns
        -------
        BulkJob
            The list.

        Raises
        ------
        InvalidInputError
            When it is neither, or the address is that of another service.
        NothingFoundError
            When the service does not know the list.
        ServiceError
            When the service cannot answer.
        """
        return BulkJob(self._transport, self._transport.run(find_list(job, self._service)))
