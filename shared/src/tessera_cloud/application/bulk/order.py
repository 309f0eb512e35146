"""What was asked for a list of targets, and what its bands leave: small objects below the prefix of the list."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tessera.bulk.options import DEFAULT_SIZE, BulkOptions, Output, Packing
from tessera.lightcurves.detrending.words import Detrending
from tessera_cloud.application.jobs.records import JobId
from tessera_cloud.contracts import Asked, ProductName, PublishedCube, Wire

Side = Annotated[int, Field(ge=1)]


class BulkOrder(Asked):
    """A list of targets and what to make of it; ``order.json``.

    Parameters
    ----------
    id : str
        Hash of all that decides the results: the list, the options, the cubes that are served, and the version.
    form : str
        Format of the list; see `tessera.bulk.lists`.
    sha256 : str
        SHA-256 of the list in hexadecimal digits.
    n_bytes : int
        Size of the list.
    upload : str
        Id of the upload that has the list; empty if it is at `tessera_cloud.keys.bulk_list`.
    outputs, product, size, sectors, aperture, background, layout, packing, best_only, epoch, flags, detrend
        See `tessera.bulk.options.BulkOptions`.
    """

    id: JobId
    form: str
    sha256: str
    n_bytes: int
    upload: str = ""
    outputs: tuple[Output, ...] = ("parquet",)
    product: ProductName = "SPOC"
    size: tuple[Side, Side] = (DEFAULT_SIZE, DEFAULT_SIZE)
    sectors: tuple[int, ...] | None = None
    aperture: str = "default"
    background: bool = True
    layout: Literal["full", "slim"] = "full"
    packing: Packing = "zip"
    best_only: bool = False
    epoch: float | None = None
    flags: bool = False
    detrend: Detrending = "none"

    @property
    def options(self) -> BulkOptions:
        """Options for the engine."""
        return BulkOptions(
            self.outputs,
            self.product,
            self.size,
            self.sectors,
            self.aperture,
            self.background,
            self.layout,
            self.packing,
            self.best_only,
            self.epoch,
            self.flags,
            self.detrend,
        )


class BandTask(Wire):
    """Input of cut_band: an item of the distributed Map."""

    job: JobId
    attempt: Annotated[int, Field(ge=1)]
    band: Annotated[int, Field(ge=0)]
    plan: str
    """Hash of the plan; see `tessera_cloud.application.bulk.documents.PlanDocument`."""
    cube: PublishedCube
    """The cube, in the version that was planned."""


class BandFile(Wire):
    """A product that a band wrote."""

    name: str
    """Name below `tessera_cloud.keys.bulk_products`."""
    bytes: int
    sha256: str


class BandRecord(Wire):
    """Record of a band that has ended."""

    band: int
    cube: str
    n_ok: int
    """Targets with all their products, or with those that have pixels on the frame."""
    n_failed: int
    """Targets that could not be made, or not whole."""
    n_no_overlap: int = 0
    """Targets without a pixel on the frame."""
    n_requests: int = 0
    """Range requests that were sent, repeated ones too."""
    n_bytes: int = 0
    """Bytes that were read."""
    files: tuple[BandFile, ...] = ()
    plan: str = ""
    """Hash of the plan that the band belongs to."""
    attempt: int = 1
    """Attempt of the list that made the band."""
    reason: str = ""
    """Why no target of the band could be made, such as a cube that cannot be read; empty otherwise."""

    def counts_in(self, attempt: int) -> bool:
        """Whether an attempt of the list need not do the band again."""
        return not self.reason or self.attempt >= attempt
