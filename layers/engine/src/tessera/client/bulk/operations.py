"""The operations of a client for lists of targets."""

from __future__ import annotations

from collections.abc import Iterable

from tessera.bulk.options import DEFAULT_SIZE, check_options
from tessera.bulk.plan.price import BulkPlan
from tessera.client.bulk.job_operations import BulkOperations, look
from tessera.client.bulk.lists import BulkTargets, read_given_list
from tessera.client.bulk.records import BulkState, read_plan
from tessera.client.bulk.sending import send_list
from tessera.client.watching import LIST, read_id
from tessera.client.wire.steps import Service, Steps, work
from tessera.progress import ProgressInput, counting


class ListOperations:
    """Operations of a client for lists, as steps for a transport."""

    service: Service

    def bulk_plan(
        self,
        targets: BulkTargets,
        *,
        outputs: str | Iterable[str] = ("parquet",),
        size: int | tuple[int, int] = DEFAULT_SIZE,
        sectors: int | Iterable[int] | None = None,
        product: str = "SPOC",
        aperture: str = "default",
        background: bool = True,
        layout: str = "full",
        packing: str = "zip",
        best_only: bool = False,
        epoch: float | str | None = None,
        flags: bool = False,
        detrend: str = "none",
        progress: ProgressInput = None,
    ) -> Steps[BulkPlan]:
        """Ask what the work on a list of targets is, and what it costs. No pixel is read, and nothing begins.

        Parameters
        ----------
        targets, outputs, size, sectors, product, aperture, background, layout, packing, best_only, epoch : optional
            See `bulk`.
        flags, detrend : optional
            See `bulk`.
        progress : bool or callable, optional
            See `bulk`.

        Returns
        -------
        BulkPlan
            Numbers of targets, cubes and cutouts, bytes and requests, minutes, dollars, the size of the products, and
            the limits of the service that are exceeded. `problems` has the rows that cannot be understood.

        Raises
        ------
        InvalidInputError
            When an argument has a value that is not allowed, or `targets` is no list of targets.
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
            flags=flags,
            detrend=detrend,
        )
        given = yield from work(lambda: read_given_list(targets))
        with counting(progress, "byte") as show:
            return (yield from send_list("/v1/bulk/plan", given, options, self.service, read_plan, show=show))

    def bulk(
        self,
        targets: BulkTargets,
        *,
        outputs: str | Iterable[str] = ("parquet",),
        size: int | tuple[int, int] = DEFAULT_SIZE,
        sectors: int | Iterable[int] | None = None,
        product: str = "SPOC",
        aperture: str = "default",
        background: bool = True,
        layout: str = "full",
        packing: str = "zip",
        best_only: bool = False,
        epoch: float | str | None = None,
        flags: bool = False,
        detrend: str = "none",
        progress: ProgressInput = None,
    ) -> Steps[BulkOperations]:
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
        flags : bool, optional
            Whether files and light curves have Tessera's own flags; see `tessera.CutoutOptions`.
        detrend : {'none', 'pld', 'cbv'}, optional
            What takes away from light curves what comes from the instrument; see `tessera.TargetPixels.to_lightcurve`.
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
            flags=flags,
            detrend=detrend,
        )
        given = yield from work(lambda: read_given_list(targets))
        with counting(progress, "byte") as show:
            state = yield from send_list(LIST.path, given, options, self.service, BulkState.read, show=show)
        return BulkOperations(self.service, state)

    def open_bulk(self, job: str) -> Steps[BulkOperations]:
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
        state = yield from look(read_id(job, self.service, LIST), self.service)
        return BulkOperations(self.service, state)
