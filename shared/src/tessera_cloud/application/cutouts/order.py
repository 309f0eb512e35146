"""Which cubes a request is about, what it will cost, and whether a client can wait for it."""

from __future__ import annotations

from functools import cached_property
from typing import Self

from tessera_cloud.application.backend import HasIndex
from tessera_cloud.application.cutouts.options import CutoutOptions
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.cutouts.target import OVERHEAD_BYTES, PLANE_BYTES, TPF_BYTES
from tessera_cloud.application.facts import FrameReads
from tessera_cloud.application.index.served import settled
from tessera_cloud.application.index.with_frames import index_for
from tessera_cloud.application.measures.references import check_references
from tessera_cloud.application.results import order_id
from tessera_cloud.application.side_by_side import side_by_side
from tessera_cloud.contracts import PublishedCube, Wire
from tessera_cloud.errors import NotFoundError, TooLargeError
from tessera_cloud.settings import Settings

SYNC_BYTES = 750_000_000
"""Bytes of target pixel files, before compression, that are made while a client waits. That may take half of the 29 s
that API Gateway waits. 1 GB takes a function of 2,048 MB, which has 1.16 processors and 625 Mbit/s, at most 19 s:

* reading 0.4 GB of pixels takes 5.1 s;
* making the files and compressing them takes 2.1 s of a processor (tests/bench/service/archives.py), so 1.8 s;
* storing the archive, 0.42 GB, takes 5.4 s, partly at the same time: 13 s in all at most;
* SODA stores a single file as it is, which takes 12.8 s while it is made, with reading and the start 19 s.

Other limits are the pixels of a window (`Settings.max_sync_pixels`) and the memory. What is larger than
`results.INLINE_LIMIT` is answered by a redirect, so the 6 MB of an answer are no limit.
"""
JOB_BYTES = 25_000_000_000
"""The same that one job makes: its archive has to be written within 15 minutes. Two processors do 660 MB/s; the link
of a function reads and writes 66 MB/s of files, so 25 GB take 6 minutes."""
FRAMES_SYNC_REQUESTS, FRAMES_SYNC_BYTES = 6_000, 400_000_000
"""Range requests and bytes of frames that are read while a client waits: at 2,000 requests per second and 78 MB/s,
three and five seconds."""
FRAMES_JOB_BYTES = 25_000_000_000
"""Bytes of frames that one cutout of a job reads: in five of the fifteen minutes that its task may take."""
_HEADS = 16
_NAMED = 5
_FRAME_BYTES = 2136 * 2078 * 8


class CutoutOrder(Wire):
    """A request and the cubes that it is about, as they were when it was made.

    Parameters
    ----------
    request : CutoutRequest
        What is wanted.
    cubes : tuple of PublishedCube
        Where it may be; a window may still miss some of them.
    provenance, crate : bool, optional
        Whether files have a record, and an archive a description; see `CutoutOptions`.
    """

    request: CutoutRequest
    cubes: tuple[PublishedCube, ...]
    provenance: bool = False
    crate: bool = False

    @classmethod
    def of(cls, request: CutoutRequest, cubes: tuple[PublishedCube, ...]) -> Self:
        """An order, with all that the request says."""
        options = request.options
        return cls(request=request, cubes=cubes, provenance=options.provenance, crate=options.crate)

    @property
    def options(self) -> CutoutOptions:
        """Options of the request, all of them."""
        return self.request.options.model_copy(update={"provenance": self.provenance, "crate": self.crate})

    @cached_property
    def id(self) -> str:
        """The same for the same request to the same cubes."""
        cubes = [(cube.bucket, cube.key, cube.etag) for cube in self.cubes]
        added = [name for name in ("provenance", "crate") if getattr(self, name)]
        return order_id(self.request.model_dump(mode="json"), cubes, *added)

    @cached_property
    def pixels(self) -> list[int]:
        """Pixels of the window on each cube, about."""
        return [self.request.target.about_pixels(cube) for cube in self.cubes]

    @property
    def values(self) -> list[int]:
        """Pixels times cadences of each cube, about."""
        return [
            pixels * (cube.n_cadences or max(1, cube.size // _FRAME_BYTES))
            for pixels, cube in zip(self.pixels, self.cubes, strict=True)
        ]

    @property
    def n_bytes(self) -> int:
        """Bytes of the target pixel files before compression, about."""
        return sum(self.values) * TPF_BYTES

    @cached_property
    def frame_reads(self) -> list[FrameReads]:
        """What is read of the frames of each CCD that has no cube."""
        return [FrameReads.of(cube) for cube in self.cubes if cube.from_frames]

    @property
    def frame_bytes(self) -> list[int]:
        """Bytes that are read of these frames, about."""
        rows = [self.request.target.about_rows(cube) for cube in self.cubes if cube.from_frames]
        return [reads.bytes_of(n_rows) for reads, n_rows in zip(self.frame_reads, rows, strict=True)]

    @property
    def memory(self) -> int:
        """Bytes of memory that the largest of them takes, about."""
        return self.request.target.memory(max(self.values, default=0))

    def check(self, settings: Settings) -> None:
        """Refuse what no job can make.

        Raises
        ------
        TooLargeError
            Naming what is too large, and what is allowed.
        """
        target = self.request.target
        target.check_size(self.cubes, settings.max_job_pixels)
        memory_bytes = int(0.95e6 * settings.cut_memory_mb)
        if self.n_bytes > JOB_BYTES or self.memory > memory_bytes:
            allowed = f"{JOB_BYTES:,} bytes of files, {(memory_bytes - OVERHEAD_BYTES) // PLANE_BYTES:,} in one"
            raise TooLargeError(
                f"{len(self.cubes)} cutouts of {sum(self.values):,} pixels x cadences in all, {self.n_bytes:,} bytes, "
                f"are too large for one request; ask for fewer sectors or a smaller {target.sized_by}",
                parameter=target.sized_by,
                value=f"{sum(self.values):,} pixels x cadences",
                allowed=allowed,
            )

        if max(self.frame_bytes, default=0) > FRAMES_JOB_BYTES:
            raise TooLargeError(
                f"{max(self.frame_bytes):,} bytes of the frames of one CCD would be read, because it has no cube yet; "
                f"ask for a smaller {target.sized_by}, or again when there is a cube",
                parameter=target.sized_by,
                value=f"{max(self.frame_bytes):,} bytes of frames",
                allowed=f"{FRAMES_JOB_BYTES:,} bytes of the frames of one CCD",
            )

    def is_heavy(self, settings: Settings) -> bool:
        """Whether a client cannot wait for it."""
        return (
            max(self.pixels, default=0) > settings.max_sync_pixels
            or self.n_bytes > SYNC_BYTES
            or self.memory > 0.95e6 * settings.memory_mb
            or sum(reads.requests for reads in self.frame_reads) > FRAMES_SYNC_REQUESTS
            or sum(self.frame_bytes) > FRAMES_SYNC_BYTES
        )


def place_order(request: CutoutRequest, backend: HasIndex) -> CutoutOrder:
    """An order for the cubes of today that a request may touch.

    Raises
    ------
    NotFoundError
        When the index names cubes, and all of them are gone.
    TooLargeError
        When no job can make it.
    """
    frames = request.options.frames and not request.options.difference  # only cubes have a reference frame
    found = request.target.find_cubes(index_for(backend, frames=frames), request.options)
    if not any(cube.from_frames for cube in found):  # the same request as without frames, and the same answer
        request = request.model_copy(update={"options": request.options.model_copy(update={"frames": False})})
    known = side_by_side(lambda cube: settled(cube, backend), found, _HEADS)
    if found and not any(known):
        names = ", ".join(cube.obs_id for cube in found[:_NAMED])
        raise NotFoundError(f"the cubes of this place are no longer at their source: {names}")
    order = CutoutOrder.of(request, tuple(cube for cube in known if cube is not None))
    order.check(backend.settings)
    if request.options.difference:
        check_references(order.cubes, backend)
    return order
