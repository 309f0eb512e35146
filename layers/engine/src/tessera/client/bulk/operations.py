"""The operations of a client for lists of targets."""

from __future__ import annotations

from collections.abc import Iterable

from tessera.bulk.options import DEFAULT_SIZE, check_options
from tessera.bulk.plan.price import BulkPlan
from tessera.client.bulk.lists import BulkTargets, read_given_list
from tessera.client.bulk.records import read_plan
from tessera.client.bulk.sending import send_list
from tessera.client.wire.steps import Service, Steps, work
from tessera.progress import ProgressInput, counting


class BulkPlanOperations:
    """Operations that answer at once, as steps for a transport."""

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
        progress: ProgressInput = None,
    ) -> Steps[BulkPlan]:
        """Ask what the work on a list of targets is, and what it costs. No pixel is read, and nothing begins.

        Parameters
        ----------
        targets, outputs, size, sectors, product, aperture, background, layout, packing, best_only, epoch, progress
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
        )
        given = yield from work(lambda: read_given_list(targets))
        with counting(progress, "byte") as show:
            return (yield from send_list("/v1/bulk/plan", given, options, self.service, read_plan, show=show))
