"""Answers of our own API."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tessera_cloud.contracts import LeftOut, ProductName

CubeSource = Literal["built here", "public"]


class Document(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True)


class ErrorDetails(Document):
    """What is wrong with a request."""

    code: str
    message: str
    parameter: str | None = None
    value: str | None = None
    allowed: str | None = None


class ErrorDocument(Document):
    """An error."""

    error: ErrorDetails


class Message(Document):
    """What TESSCut's paths answer where there is nothing else to give."""

    msg: str


class SectorRow(Document):
    """A CCD of a sector; all values are strings, as at MAST."""

    sectorName: str  # noqa: N815 - MAST's spelling
    sector: str
    camera: str
    ccd: str


class SectorList(Document):
    """CCDs that see a position."""

    results: list[SectorRow]


class WcsDocument(Document):
    """The WCS of the frames of a CCD as the text of a FITS header."""

    wcs: str


class Health(Document):
    """The service answers."""

    status: Literal["ok"]
    version: str
    cubes: int


class CubeItem(Document):
    """A cube that is served."""

    name: str
    sector: int
    camera: int
    ccd: int
    product: ProductName
    source: CubeSource
    cadences: int | None
    t_min: float
    t_max: float
    s_region: str
    url: str


class CubeList(Document):
    """A page of cubes in the order of their names."""

    cubes: list[CubeItem]
    next: str | None
    """Address of the next page."""


class Provenance(Document):
    """Where a cube comes from."""

    location: str
    etag: str
    bytes: int
    build: str | None
    planned_at: str | None
    """When the frames of the build were listed."""
    left_out: list[LeftOut]


class Frames(Document):
    """The frames of a cube as they were last listed in our own bucket."""

    frames: int
    bytes: int
    unchanged_since: str
    listed_at: str
    removed: int
    replaced: int
    """Frames that went, or came with other bytes, in the last change."""
    build: str | None
    """The build that was started last."""


class CubeDetails(CubeItem):
    """A cube, and where it comes from."""

    state: Literal["served"]
    provenance: Provenance
    frames: Frames | None


class AwaitedCube(Document):
    """A cube that is not served yet, of which there are frames."""

    name: str
    state: Literal["waiting", "building"]
    frames: Frames


class Ring(Document):
    """A polygon in GeoJSON."""

    type: Literal["Polygon"]
    coordinates: list[list[list[float]]]


class FootprintItem(Document):
    """A cube that sees a place."""

    cube: str
    sector: int
    camera: int
    ccd: int
    t_min: float
    t_max: float
    s_region: str
    geometry: Ring


class FootprintList(Document):
    """Cubes that see a place."""

    footprints: list[FootprintItem]


class JobProgress(Document):
    """How far a job is."""

    cubes: int
    done: int
    failed: int


class JobCube(Document):
    """What has become of one cube of a job."""

    cube: str
    status: Literal["succeeded", "failed"]
    bytes: int
    reason: str | None
    url: str | None
    """Of the target pixel file, for 15 minutes."""


class JobResult(Document):
    """The archive of a job."""

    url: str
    """For 15 minutes; ask again for another."""
    bytes: int | None


class Job(Document):
    """A job as it is now."""

    id: str
    status: Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
    created: str
    attempt: int
    progress: JobProgress
    cubes: list[JobCube]
    result: JobResult | None
    reason: str | None
    url: str
    wait_url: str


class BuildProgress(Document):
    """How far a build that runs is."""

    blocks: int
    done: int


class Build(Document):
    """A build."""

    name: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]
    started: str
    stopped: str | None
    request: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    error: str | None = None
    cause: str | None = None
    progress: BuildProgress | None = None
    """Of one that runs and is planned; not in a list."""
    url: str


class BuildList(Document):
    """The newest builds."""

    builds: list[Build]
