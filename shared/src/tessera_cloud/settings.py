"""Settings of a function, from its environment variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tessera.errors import InvalidValueError
from tessera.tess.products import SPOC, TICA

PUBLIC_REGION = "us-east-1"
"""Region of the public buckets, such as MAST's."""
_NO_LAST_SECTOR = 999_999
_SECTORS = re.compile(r"(\d+)(?:(-)(\d*))?")


def parse_sectors(text: str) -> tuple[tuple[int, int], ...]:
    """Parse ``all``, or sectors and ranges such as ``1,27,56-60,90-``.

    Returns
    -------
    tuple of (int, int)
        First and last sector of each range.

    Raises
    ------
    InvalidValueError
        If the text has another form.
    """
    if text.strip() == "all":
        return ((1, _NO_LAST_SECTOR),)
    ranges = []
    for item in text.replace(",", " ").split():
        match = _SECTORS.fullmatch(item)
        if match is None:
            raise InvalidValueError("sectors", text, "all, or sectors and ranges such as 1,27,56-60,90-")
        first, to, last = match.groups()
        ranges.append((int(first), int(last) if last else _NO_LAST_SECTOR if to else int(first)))
    return tuple(ranges)


def _folder(place: str) -> str:
    return place.rstrip("/") + "/"


@dataclass(frozen=True, slots=True)
class BulkSettings:
    """Limits of lists of targets.

    Parameters
    ----------
    machine : str
        ARN of the state machine; empty for functions that do not need it.
    concurrency : int
        Largest number of bands that one list works on at the same time.
    max_jobs : int
        Largest number of lists that are worked on at the same time.
    most_usd : float
        Largest estimated price of a list, in dollars.
    kept_days : int
        Days that the results of a list are kept.
    """

    machine: str = ""
    concurrency: int = 40
    max_jobs: int = 2
    most_usd: float = 10.0
    kept_days: int = 7

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> BulkSettings:
        """Read the variables that the templates set, from the mapping `environ`."""
        return cls(
            machine=environ.get("TESSERA_BULK_JOB_MACHINE", ""),
            concurrency=int(environ.get("TESSERA_BULK_CONCURRENCY", "40")),
            max_jobs=int(environ.get("TESSERA_MAX_BULK_JOBS", "2")),
            most_usd=float(environ.get("TESSERA_BULK_USD", "10")),
            kept_days=int(environ.get("TESSERA_BULK_DAYS", "7")),
        )


_TEXTS = (
    "TESSERA_FFI_BUCKET",
    "TESSERA_STATE_TABLE",
    "TESSERA_INGEST_QUEUE_URL",
    "TESSERA_CUBE_BUILD_MACHINE",
    "TESSERA_CUTOUT_JOB_MACHINE",
    "TESSERA_HORIZONS_URL",
    "TESSERA_NAMES_URL",
    "TESSERA_STARS_URL",
    "TESSERA_PUBLISHED_FOOTPRINTS",
    "TESSERA_CANARY_TARGET",
    "TESSERA_ORIGIN_SECRET",
    "TESSERA_SPEND_ALARM",
    "TESSERA_SIGNING_SECRET",
)
"""Variables of the fields that are plain texts. Each field has the name of its variable, and is empty without it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Names of resources, and limits.

    Parameters
    ----------
    ffi_bucket : str
        Bucket of the frames; empty for functions that do not use frames.
    ffi_prefix, tica_prefix : str
        Prefixes of SPOC and of TICA frames.
    cube_bucket : str
        Bucket of cubes, plans and the footprint index.
    result_bucket : str
        Bucket of answers that are too large to be sent inline.
    block_sizes_mb : tuple of int
        Memory of each function that builds a block, in MB. The plan of a build chooses one.
    block_concurrency : int
        Largest number of blocks that are built at the same time.
    max_gets_per_second : float
        Largest number of requests for frames per second, of all tasks of a build together.
    memory_mb : int
        Memory of this function, in MB.
    state_table : str
        Table of the shared records of ingest and of jobs.
    ingest_queue_url : str
        URL of the queue that ingest reads.
    cube_build_machine, cutout_job_machine : str
        ARNs of the state machines; empty for functions that do not need them.
    cube_sources : tuple of str
        Public places of ready-made cubes, each ``bucket/folder/``, read without credentials.
    published_footprints : str
        ``bucket/key`` of a footprint file that is used until our own index covers all sources; empty for no file.
    index_seconds : float
        Largest age of the footprint index that answers a request, in seconds.
    horizons_url : str
        Address of the ephemeris service; empty for JPL's.
    names_url : str
        Address of the resolver of names; empty for a short list that needs no network.
    stars_url : str
        Address of the TESS Input Catalog; empty for none.
    stable_seconds : int
        Time that a listing must stay unchanged before a build starts, in seconds.
    grow_seconds : int
        Time that a listing must stay unchanged before the current cube gets a segment, in seconds; 0 for no segments.
    max_builds : int
        Largest number of builds that ingest runs at the same time from a bucket of our own.
    ingest_sectors : tuple of (int, int)
        First and last sector of each range that ingest builds. Without ranges, ingest builds all sectors of a bucket of
        our own, and no sector of a public bucket, because its cubes would fill more than a hundred terabytes.
    max_sync_pixels, max_job_pixels : int
        Largest number of pixels of a cutout that is made while a client waits, and of one that a job makes.
    cut_memory_mb : int
        Memory of the function that makes a target pixel file of a job, in MB.
    image_buckets : frozenset of str
        Buckets whose images may be served.
    index_concurrency, job_concurrency : int
        Largest number of tasks that a run of an index, and that a job, does at the same time.
    max_jobs : int
        Largest number of jobs that run at the same time.
    client_jobs : int
        Largest number of jobs of one client that run or wait.
    canary_url, canary_target : str
        Address of the service, and what the canary cuts there, as JSON; empty for all other functions.
    wait_concurrency : int
        Concurrency that is reserved for clients that wait for a job; 0 if none is.
    origin_secret : str
        Text by which requests through the page's distribution are known; empty for no distribution.
    client_daily_gb : float
        Gigabytes that one client may get in a day (UTC); 0 for no limit.
    bulk : BulkSettings
        Limits of lists of targets.
    spend_alarm : str
        Name of the alarm that watches what a day costs; empty for functions that do not need it.
    signing_secret : str
        ARN of the secret with the key that signs records; empty for none.
    ivo_authority : str
        Authority of the identifiers in the Virtual Observatory.
    has_console : bool
        Whether the console of AWS shows the executions; not where another server takes the place of AWS.
    """

    ffi_bucket: str
    ffi_prefix: str
    tica_prefix: str
    cube_bucket: str
    result_bucket: str
    block_sizes_mb: tuple[int, ...]
    block_concurrency: int
    max_gets_per_second: float
    memory_mb: int
    state_table: str = ""
    ingest_queue_url: str = ""
    cube_build_machine: str = ""
    cutout_job_machine: str = ""
    cube_sources: tuple[str, ...] = ()
    published_footprints: str = ""
    horizons_url: str = ""
    names_url: str = ""
    stars_url: str = ""
    index_seconds: float = 60.0
    stable_seconds: int = 86_400
    grow_seconds: int = 0
    max_builds: int = 4
    ingest_sectors: tuple[tuple[int, int], ...] = ()
    max_sync_pixels: int = 10_000
    max_job_pixels: int = 250_000
    cut_memory_mb: int = 3008
    image_buckets: frozenset[str] = frozenset()
    index_concurrency: int = 40
    job_concurrency: int = 20
    max_jobs: int = 20
    client_jobs: int = 10
    wait_concurrency: int = 0
    origin_secret: str = field(default="", repr=False)
    canary_url: str = ""
    canary_target: str = ""
    client_daily_gb: float = 0.0
    spend_alarm: str = ""
    signing_secret: str = ""
    bulk: BulkSettings = field(default_factory=BulkSettings)
    ivo_authority: str = "tessera"
    has_console: bool = True

    @property
    def public_buckets(self) -> frozenset[str]:
        """Buckets that are read without credentials."""
        places = (*self.cube_sources, self.published_footprints)
        return frozenset(place.partition("/")[0] for place in places if place) - {self.cube_bucket}

    @property
    def builds_at_once(self) -> int:
        """Largest number of builds at the same time; one from a public bucket, because it uses the full rate."""
        return 1 if self.ffi_bucket in self.public_buckets else self.max_builds

    def frame_prefix(self, product: str) -> str:
        """Prefix of the frames of a product, by the name of the product."""
        return {SPOC.name: self.ffi_prefix, TICA.name: self.tica_prefix}[product]

    def wants_sector(self, sector: int) -> bool:
        """Whether ingest builds the cubes of a sector."""
        if not self.ingest_sectors:
            return self.ffi_bucket not in self.public_buckets
        return any(first <= sector <= last for first, last in self.ingest_sectors)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the variables that template.yaml sets, from the mapping `environ`."""
        texts: dict[str, Any] = {name.removeprefix("TESSERA_").lower(): environ.get(name, "") for name in _TEXTS}
        return cls(
            **texts,
            ffi_prefix=environ.get("TESSERA_FFI_PREFIX", "tess/public/ffi/"),
            tica_prefix=environ.get("TESSERA_TICA_PREFIX", "tess/public/tica/"),
            cube_bucket=environ["TESSERA_CUBE_BUCKET"],
            result_bucket=environ["TESSERA_RESULT_BUCKET"],
            block_sizes_mb=tuple(map(int, environ.get("TESSERA_BLOCK_SIZES", "2048").split(","))),
            block_concurrency=int(environ.get("TESSERA_BLOCK_CONCURRENCY", "8")),
            max_gets_per_second=float(environ.get("TESSERA_MAX_GETS_PER_SECOND", "2000")),
            memory_mb=int(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048")),
            cube_sources=tuple(map(_folder, environ.get("TESSERA_CUBE_SOURCES", "").replace(",", " ").split())),
            canary_url=environ.get("TESSERA_CANARY_URL", "").rstrip("/"),
            index_seconds=float(environ.get("TESSERA_INDEX_SECONDS", "60")),
            stable_seconds=int(environ.get("TESSERA_STABLE_SECONDS", "86400")),
            grow_seconds=int(environ.get("TESSERA_GROW_SECONDS", "0")),
            max_builds=int(environ.get("TESSERA_MAX_BUILDS", "4")),
            ingest_sectors=parse_sectors(environ.get("TESSERA_INGEST_SECTORS", "")),
            max_sync_pixels=int(environ.get("TESSERA_MAX_SYNC_PIXELS", "10000")),
            max_job_pixels=int(environ.get("TESSERA_MAX_JOB_PIXELS", "250000")),
            cut_memory_mb=int(environ.get("TESSERA_CUT_MEMORY_MB", "3008")),
            max_jobs=int(environ.get("TESSERA_MAX_JOBS", "20")),
            client_jobs=int(environ.get("TESSERA_CLIENT_JOBS", "10")),
            wait_concurrency=int(environ.get("TESSERA_WAIT_CONCURRENCY", "0")),
            image_buckets=frozenset(environ.get("TESSERA_IMAGE_BUCKETS", "").replace(",", " ").split()),
            index_concurrency=int(environ.get("TESSERA_INDEX_CONCURRENCY", "40")),
            job_concurrency=int(environ.get("TESSERA_JOB_CONCURRENCY", "20")),
            client_daily_gb=float(environ.get("TESSERA_CLIENT_DAILY_GB", "0")),
            bulk=BulkSettings.from_env(environ),
            ivo_authority=environ.get("TESSERA_IVO_AUTHORITY", "tessera"),
            has_console="AWS_ENDPOINT_URL" not in environ,
        )
