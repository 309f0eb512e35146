"""Answers about lists of targets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tessera_cloud.http.fields import Bytes, Document
from tessera_cloud.http.models import ExceededLimit

_JOB = "https://api.example.org/v1/bulk/6f0c9d0e4b1a4a7f9d3c2b1a00112233"
_FILES = "https://results.s3.amazonaws.com/bulk/6f0c9d0e4b1a4a7f9d3c2b1a00112233/products"


class ListProblem(Document):
    """A row that was not understood."""

    row: int = Field(description="Number of the row, from 1. The names of the columns are no row.", examples=[17])
    name: str = Field(description="Name or position as it was written.", examples=["TIC abc"])
    reason: str = Field(
        description="Sentence that says what is wrong with the row.",
        examples=["dec is '95'; allowed: a number from -90 to 90"],
    )


class ListPlan(Document):
    """Plan of the work on a list, and its price."""

    rows: int = Field(description="Rows of the list.", examples=[10_000])
    targets: int = Field(description="Rows that were understood.", examples=[9_998])
    n_problems: int = Field(description="Rows that were not understood.", examples=[2])
    problems: list[ListProblem] = Field(description="The first 100 rows that were not understood.")
    n_on_no_cube: int = Field(description="Targets that are on no cube.", examples=[12])
    cubes: int = Field(description="Cubes that are read.", examples=[26])
    cutouts: int = Field(description="Targets times the cubes that each is on.", examples=[23_456])
    duplicates: int = Field(
        description="Cutouts of targets that another CCD of the same sector sees better.", examples=[31]
    )
    bands: int = Field(description="Parts of cubes, each the work of one task.", examples=[52])
    scans: int = Field(description="Parts of which whole rows are read.", examples=[4])
    requests: int = Field(description="Range requests.", examples=[204_800])
    bytes: int = Field(description="Bytes that are read.", examples=[51_200_000_000])
    union_bytes: int = Field(description="Bytes of all pixels of the windows, each once.", examples=[50_000_000_000])
    tasks: int = Field(description="Tasks that run at the same time.", examples=[40])
    task_seconds: float = Field(description="Time of all tasks, one after the other, in seconds.", examples=[9120.5])
    minutes: float = Field(description="Time until the results are there, once the work begins.", examples=[4.5])
    requests_per_second: float = Field(description="Range requests per second of all tasks.", examples=[1200.0])
    usd: float = Field(description="Price in dollars.", examples=[0.42])
    usd_parts: dict[str, float] = Field(
        description="Dollars for each part of the price.", examples=[{"compute": 0.3, "requests": 0.08}]
    )
    result_bytes: int = Field(description="Size of the products in bytes.", examples=[1_500_000_000])
    result_files: int = Field(description="Number of files.", examples=[60])
    hats_order: int = Field(description="HEALPix order of the catalogue of light curves.", examples=[3])
    limits: list[ExceededLimit] = Field(description="Limits that the list exceeds.")
    allowed: bool = Field(description="Whether the list may be worked on.", examples=[True])


class ListProgress(Document):
    """Progress of a list by rows and by cutouts. A target on three cubes is one row and three cutouts.

    Cutouts count when their part of a cube has ended. In the end, ``done``, ``failed`` and ``no_overlap`` together are
    ``cutouts``.
    """

    rows: int | None = Field(description="Rows of the list; null until it is planned.", examples=[10_000])
    rows_done: int = Field(
        description="Rows with nothing left to do. A row on three cubes counts a third when each of them has ended.",
        examples=[5_200],
    )
    cutouts: int | None = Field(
        description="Targets times the cubes that each is on; null until they are planned.", examples=[23_456]
    )
    done: int = Field(description="Cutouts that were made.", examples=[12_000])
    failed: int = Field(description="Cutouts that could not be made, or not whole.", examples=[3])
    no_overlap: int = Field(
        description="Cutouts without a pixel on the frame: of targets close beside it.", examples=[14]
    )
    bands: int | None = Field(
        description="Parts of cubes, each the work of one task; null until planned.", examples=[52]
    )
    bands_done: int = Field(description="Parts that have ended.", examples=[26])


class ListFile(Document):
    """A product that is finished."""

    name: str = Field(
        description="Name below the folder of the products.",
        examples=["lightcurves/dataset/Norder=3/Dir=0/Npix=512/00012.parquet"],
    )
    bytes: Bytes
    sha256: str | None = Field(
        description="SHA-256 in hexadecimal digits; null if it is unknown.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    url: str = Field(
        description="Address, which works for 15 minutes.",
        examples=[f"{_FILES}/lightcurves/dataset/Norder=3/Dir=0/Npix=512/00012.parquet"],
    )


class ListJob(Document):
    """A list that is worked on."""

    id: str = Field(description="Id of the list.", examples=["6f0c9d0e4b1a4a7f9d3c2b1a00112233"])
    status: Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"] = Field(
        description="State of the list; `partial` when only some of its cutouts could be made.", examples=["running"]
    )
    phase: Literal["queued", "planning", "cutting", "finishing", "ended"] = Field(
        description="Step of the work.", examples=["cutting"]
    )
    created: str = Field(description="When this attempt began, UTC.", examples=["2026-03-01T12:00:00+00:00"])
    attempt: int = Field(description="Number of the attempt, from 1.", examples=[1])
    turn: int | None = Field(
        description="Number of a queued list in the order of starting, from 1; null for others.", examples=[3]
    )
    progress: ListProgress = Field(description="Progress of the work.")
    eta_seconds: int | None = Field(
        description="Seconds until the end, from the speed so far; null while the list waits, is planned or has ended.",
        examples=[240],
    )
    reason: str | None = Field(
        description="Why the list failed, or some of its cutouts; null otherwise.", examples=["the job took too long"]
    )
    plan: ListPlan | None = Field(description="The work and its price; null until it is planned.")
    files: list[ListFile] = Field(description="Products that are finished, in the order of their names.")
    next: str | None = Field(
        description="Address of the next page of products; null on the last one.", examples=[f"{_JOB}?after=status.csv"]
    )
    status_url: str | None = Field(
        description="Address of the table that says what became of each row; null until the end.",
        examples=[f"{_FILES}/status.csv"],
    )
    manifest_url: str | None = Field(
        description="Address of the list of all products with their checksums; null until the end.",
        examples=[f"{_FILES}/manifest.json"],
    )
    expires: str | None = Field(
        description="When the products are deleted, UTC; null until the end.", examples=["2026-03-08T12:00:00+00:00"]
    )
    cancel_token: str | None = Field(
        description="Secret that `DELETE` asks for. Only the answer to a request for the list has it; else null.",
        examples=["k3Q9Xv2mT0yWn1c8RzLd4A"],
    )
    url: str = Field(description="Address of the list.", examples=[_JOB])
    wait_url: str = Field(description="Address that answers when the list has ended.", examples=[f"{_JOB}/wait"])


class ListUpload(Document):
    """Where to upload a list."""

    upload: str = Field(description="Id of the upload.", examples=["k3Q9Xv2mT0yWn1c8RzLd4A"])
    url: str = Field(
        description="Address to which the file is sent with PUT, with exactly as many bytes as were announced.",
        examples=["https://results.s3.amazonaws.com/uploads/k3Q9Xv2mT0yWn1c8RzLd4A"],
    )
    expires: str = Field(description="When the address stops to work, UTC.", examples=["2026-03-01T12:15:00+00:00"])
    max_bytes: int = Field(description="Largest size of an upload in bytes.", examples=[200_000_000])
