"""Answers of our own API."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tessera_cloud.contracts import LeftOut
from tessera_cloud.http.fields import (
    Bytes,
    Camera,
    Ccd,
    CubeName,
    Document,
    FirstMjd,
    LastMjd,
    Product,
    Sector,
    SRegion,
)

CubeSource = Literal["built here", "public", "frames"]
_JOB = "https://api.example.org/v1/jobs/6f0c9d0e4b1a4a7f9d3c2b1a00112233"


class ExceededLimit(Document):
    """A limit that a list of targets exceeds."""

    limit: str = Field(description="Name of the limit.", examples=["usd"])
    value: float = Field(description="Value of the list.", examples=[12.5])
    allowed: float = Field(description="Largest value that is allowed.", examples=[10.0])


class ErrorDetails(Document):
    """Details of an error."""

    code: str = Field(description="Kind of error.", examples=["invalid_request"])
    message: str = Field(
        description="One sentence that says what is wrong.",
        examples=["ra is '400'; allowed: a number from -360 to 360"],
    )
    parameter: str | None = Field(None, description="Name of the parameter that is wrong.", examples=["ra"])
    value: str | None = Field(None, description="Value of the parameter.", examples=["400"])
    allowed: str | None = Field(None, description="Values that are allowed.", examples=["a number from -360 to 360"])
    limits: list[ExceededLimit] | None = Field(None, description="Limits that a list of targets exceeds.")
    parts: list[list[Sector]] | None = Field(
        None, description="Sectors of requests that together have what is too large for one.", examples=[[[1, 2], [28]]]
    )


class ErrorDocument(Document):
    """An error."""

    error: ErrorDetails = Field(description="Details of the error.")


class Message(Document):
    """A message. TESSCut's paths answer with it if there is nothing else to answer."""

    msg: str = Field(
        description="Text for the user.", examples=["No FFIs found for input target. Cutout not performed."]
    )


class SectorRow(Document):
    """A CCD of a sector; all values are strings, as at MAST."""

    sectorName: str = Field(description="Name of the cube.", examples=["tess-s0001-4-2"])  # noqa: N815 - MAST's spelling
    sector: str = Field(description="Number of the sector in four digits.", examples=["0001"])
    camera: str = Field(description="Number of the camera.", examples=["4"])
    ccd: str = Field(description="Number of the CCD.", examples=["2"])


class SectorList(Document):
    """CCDs that see a target."""

    results: list[SectorRow] = Field(description="CCDs by sector, camera and CCD.")


class WcsDocument(Document):
    """The WCS of the frames of a CCD."""

    wcs: str = Field(
        description="Text of a FITS header, cards of 80 characters without line breaks.",
        examples=["NAXIS   =                    2                                                  "],
    )


class Paused(Document):
    """A pause of the service. Until it ends, the service makes no results and hands out none."""

    reason: str = Field(
        description="Sentence for users.", examples=["the service is paused: the budget of the day is spent"]
    )
    since: str = Field(description="When the pause began, UTC.", examples=["2026-03-01T12:00:00+00:00"])
    by: Literal["operator", "budget"] = Field(description="Origin of the pause.", examples=["budget"])


class Health(Document):
    """State of the service."""

    status: Literal["ok"] = Field(description="State of the service.", examples=["ok"])
    version: str = Field(description="Version of Tessera.", examples=["0.1.0"])
    cubes: int = Field(description="Number of cubes that are served.", examples=[1312])
    index_changed: str | None = Field(
        description="When the index of cubes changed last, UTC; null while there is none.",
        examples=["2026-03-01T12:00:00+00:00"],
    )
    paused: Paused | None = Field(None, description="The pause of the service; null while it works.")


class CubeItem(Document):
    """A cube that is served."""

    name: CubeName
    sector: Sector
    camera: Camera
    ccd: Ccd
    product: Product
    source: CubeSource = Field(
        description="Origin of the cube; `frames` if there is none yet, and cutouts are made straight from the frames.",
        examples=["public"],
    )
    cadences: int | None = Field(description="Number of cadences; null until the cube has been read.", examples=[1282])
    t_min: FirstMjd
    t_max: LastMjd
    s_region: SRegion
    url: str = Field(
        description="Address of the cube in this API.", examples=["https://api.example.org/v1/cubes/tess-s0001-4-2"]
    )


class CubeList(Document):
    """A page of cubes in the order of their names."""

    cubes: list[CubeItem] = Field(description="Cubes of the page.")
    next: str | None = Field(
        description="Address of the next page; null on the last one.",
        examples=["https://api.example.org/v1/cubes?after=tess-s0001-4-2"],
    )


class Provenance(Document):
    """Origin of a cube."""

    location: str = Field(
        description="Key of a cube that was built here, or of its segment table; or S3 address of a public cube.",
        examples=["s3://stpubdata/tess/public/mast/tess-s0001-4-2-cube.fits"],
    )
    etag: str = Field(description="ETag of the file.", examples=['"9b2cf535f27731c974343645a3985328-5632"'])
    bytes: Bytes
    build: str | None = Field(description="Id of the build; null for a public cube.", examples=["3f6a1c0d9e8b"])
    planned_at: str | None = Field(
        description="When the frames of the build were listed, UTC.", examples=["2026-03-01T12:00:00+00:00"]
    )
    left_out: list[LeftOut] = Field(description="Frames that could not be read and are not in the cube.")
    segments: int = Field(
        0, description="Segments of a cube that still grows; 0 for a cube in one file.", examples=[0, 12]
    )


class Frames(Document):
    """The frames of a cube as they were last listed in our own bucket."""

    frames: int = Field(description="Number of frames.", examples=[1282])
    bytes: int = Field(description="Size of all frames in bytes.", examples=[45_600_000_000])
    unchanged_since: str = Field(
        description="When these frames were listed for the first time, UTC.", examples=["2026-03-01T12:00:00+00:00"]
    )
    listed_at: str = Field(
        description="When the frames were listed for the last time, UTC.", examples=["2026-03-02T12:00:00+00:00"]
    )
    next_listing: str | None = Field(
        None,
        description="When the frames are listed again at the latest, UTC; null if no listing is planned.",
        examples=["2026-03-02T18:00:00+00:00"],
    )
    removed: int = Field(description="Number of frames that the last change removed.", examples=[0])
    replaced: int = Field(description="Number of frames that the last change replaced by other bytes.", examples=[0])
    build: str | None = Field(
        description="Name of the build that was started last.", examples=["tess-s0001-4-2-3f6a1c0d9e8b"]
    )


class CubeDetails(CubeItem):
    """A cube that is served, with its origin."""

    state: Literal["served"] = Field(description="State of the cube.", examples=["served"])
    provenance: Provenance = Field(description="Origin of the cube.")
    frames: Frames | None = Field(description="Frames in our own bucket; null if there are none.")


class AwaitedCube(Document):
    """A cube that is not served yet, but has frames."""

    name: CubeName
    state: Literal["waiting", "building", "failed"] = Field(
        description="`waiting` until the frames are complete, then `building`; `failed` if the last build of these "
        "frames failed or was stopped. `frames.build` is its name.",
        examples=["waiting"],
    )
    frames: Frames = Field(description="Frames in our own bucket.")
    cut_from_frames: int | None = Field(
        None, description="Cadences of cutouts that are made straight from the frames; null for none.", examples=[1282]
    )


class Ring(Document):
    """A polygon in GeoJSON."""

    type: Literal["Polygon"] = Field(description="Type of the geometry.", examples=["Polygon"])
    coordinates: list[list[list[float]]] = Field(
        description="One closed ring of positions, each right ascension and declination in degrees.",
        examples=[[[[83.1, -81.6], [101.3, -70.9], [77.2, -66.9], [45.6, -75.4], [83.1, -81.6]]]],
    )


class FootprintItem(Document):
    """A cube that sees a place."""

    cube: CubeName
    sector: Sector
    camera: Camera
    ccd: Ccd
    t_min: FirstMjd
    t_max: LastMjd
    s_region: SRegion
    geometry: Ring = Field(description="Outline on the sky as GeoJSON.")


class FootprintList(Document):
    """Cubes that see a place."""

    footprints: list[FootprintItem] = Field(description="Cubes and their footprints.")


class JobProgress(Document):
    """Progress of a job."""

    cubes: int = Field(description="Number of cubes of the job.", examples=[26])
    done: int = Field(description="Number of cubes that have been cut.", examples=[12])
    failed: int = Field(description="Number of cubes that could not be cut.", examples=[0])


class JobCube(Document):
    """One cube of a job that has ended."""

    cube: CubeName
    status: Literal["succeeded", "failed"] = Field(
        description="Whether the target pixel file was made.", examples=["succeeded"]
    )
    bytes: Bytes
    reason: str | None = Field(
        description="Why there is no file; null if there is one.",
        examples=["the cube tess-s0001-4-2 is no longer at its source"],
    )
    url: str | None = Field(
        description="Address of the target pixel file, which works for 15 minutes.",
        examples=["https://results.s3.amazonaws.com/jobs/tess-s0001-4-2_88.951500_-75.391100_5x5_astrocut.fits"],
    )


class JobResult(Document):
    """The archive of a job."""

    url: str = Field(
        description="Address of the zip, which works for 15 minutes; each request for the job gives a new one.",
        examples=["https://results.s3.amazonaws.com/results/6f0c9d0e4b1a4a7f9d3c2b1a00112233.zip"],
    )
    bytes: int | None = Field(description="Size in bytes; null if it is unknown.", examples=[1_234_567])


class Job(Document):
    """Current state of a job."""

    id: str = Field(description="Id of the job.", examples=["6f0c9d0e4b1a4a7f9d3c2b1a00112233"])
    status: Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"] = Field(
        description="State of the job; `partial` when only some of its cubes could be cut.", examples=["running"]
    )
    created: str = Field(description="When this attempt began, UTC.", examples=["2026-03-01T12:00:00+00:00"])
    attempt: int = Field(description="Number of the attempt, from 1.", examples=[1])
    progress: JobProgress = Field(description="Progress of the job.")
    cubes: list[JobCube] = Field(description="Cubes that have ended so far.")
    result: JobResult | None = Field(description="Archive of all files; null until there is one.")
    reason: str | None = Field(description="Why the job failed; null otherwise.", examples=["the job took too long"])
    turn: int | None = Field(
        description="Number of a queued job in the order of starting, from 1; null for other jobs.", examples=[3]
    )
    cancel_token: str | None = Field(
        description="Secret that `DELETE` asks for. Only the answer to a request for the cutouts has it; else null.",
        examples=["k3Q9Xv2mT0yWn1c8RzLd4A"],
    )
    url: str = Field(description="Address of the job.", examples=[_JOB])
    wait_url: str = Field(description="Address that answers when the job has ended.", examples=[f"{_JOB}/wait?n=1"])


class BuildProgress(Document):
    """Progress of a running build."""

    blocks: int = Field(description="Number of blocks of the cube.", examples=[34])
    done: int = Field(description="Number of blocks that are built.", examples=[12])


class Build(Document):
    """A build of a cube."""

    name: str = Field(description="Name of the build.", examples=["tess-s0001-4-2-3f6a1c0d9e8b"])
    status: Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"] = Field(
        description="State of the execution in Step Functions.", examples=["RUNNING"]
    )
    started: str = Field(description="When the build began, UTC.", examples=["2026-03-01T12:00:00+00:00"])
    stopped: str | None = Field(
        description="When the build ended, UTC; null while it runs.", examples=["2026-03-01T13:00:00+00:00"]
    )
    request: dict[str, Any] | None = Field(
        None, description="Input of the build; not in a list.", examples=[{"sector": 1, "camera": 4, "ccd": 2}]
    )
    result: dict[str, Any] | None = Field(
        None, description="Output of the build; not in a list.", examples=[{"obs_id": "tess-s0001-4-2"}]
    )
    error: str | None = Field(None, description="Kind of error that stopped the build.", examples=["FatalError"])
    cause: str | None = Field(
        None, description="Message of the error that stopped the build.", examples=["a frame cannot be read"]
    )
    progress: BuildProgress | None = Field(
        None, description="Progress of a running build that has a plan; not in a list."
    )
    usd: float | None = Field(
        None,
        description="Price of the blocks in dollars, as the plan estimates it with the list prices of AWS; null if "
        "there is no plan. Not in a list.",
        examples=[1.88],
    )
    url: str = Field(
        description="Address of the build.",
        examples=["https://api.example.org/v1/builds/tess-s0001-4-2-3f6a1c0d9e8b"],
    )
    console: str | None = Field(
        None,
        description="Address of the build and its log in the console of AWS; null on one machine.",
        examples=["https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/arn"],
    )


class BuildList(Document):
    """The newest builds."""

    builds: list[Build] = Field(description="Builds, the newest first.")
