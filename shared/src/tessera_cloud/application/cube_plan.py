"""Planning a cube: which frames, in which order, in which blocks and parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tessera.cube import build_info_hdu, build_primary_header
from tessera.errors import InvalidValueError
from tessera.footprint import frame_footprint
from tessera.frames import Frame, check_frames, read_frame, sort_by_time
from tessera.ids import CcdId, FrameName
from tessera.layout import CubeLayout
from tessera.plans import MIB, plan_blocks, plan_parts
from tessera.products import SPOC
from tessera.skymap import frame_wcs
from tessera_cloud import keys
from tessera_cloud.contracts import BuildRequest, CubePlan, PlannedFrame, PlanRef
from tessera_cloud.errors import NoFramesError
from tessera_cloud.ports import ObjectInfo, ObjectStore
from tessera_cloud.settings import Settings

HEADER_READS = 32
"""Headers that are read at the same time."""
FORMAT = "1"
"""Changes when the same frames would give another cube."""
MIN_BLOCKS = 8
"""Blocks of a large enough cube even where fewer run side by side: a retry repeats little, and progress shows."""
TJD_TO_MJD = 56999.5
"""MJD of BTJD 0 (BJD 2457000)."""

PLAN, PRIMARY, INFO = "plan.json", "primary-header", "info-table"
"""Names of what a plan leaves below its prefix."""


@dataclass(frozen=True, slots=True)
class FoundFrame:
    """A frame and where it was found."""

    info: ObjectInfo
    frame: Frame


def list_frames(store: ObjectStore, bucket: str, prefix: str, ccd_id: CcdId) -> list[ObjectInfo]:
    """Frames of one CCD below the prefix of a sector.

    Raises
    ------
    NoFramesError
        When there are none.
    """
    found = []
    for info in store.list_objects(bucket, keys.sector_frames(prefix, ccd_id)):
        try:
            name = FrameName.parse(info.key.rsplit("/", 1)[-1])
        except InvalidValueError:
            continue  # something else that lives beside the frames
        if name.ccd_id == ccd_id:
            found.append(info)
    if not found:
        raise NoFramesError(f"no frames of {ccd_id} below s3://{bucket}/{keys.sector_frames(prefix, ccd_id)}")
    return found


def read_frames(store: ObjectStore, bucket: str, found: Sequence[ObjectInfo]) -> list[FoundFrame]:
    """Read the headers of frames, many at a time."""

    def read(info: ObjectInfo) -> FoundFrame:
        def read_range(start: int, length: int) -> bytes:
            return bytes(store.read_range(bucket, info.key, start, length, info.etag))

        return FoundFrame(info, read_frame(info.key.rsplit("/", 1)[-1], SPOC, info.size, read_range))

    with ThreadPoolExecutor(HEADER_READS) as pool:
        return list(pool.map(read, found))


def build_id(found: Sequence[ObjectInfo]) -> str:
    """Identity of a build: a hash of the keys, sizes and ETags of its frames."""
    digest = hashlib.sha256(FORMAT.encode())
    for info in sorted(found, key=lambda info: info.key):
        digest.update(f"\n{info.key} {info.size} {info.etag}".encode())
    return digest.hexdigest()[:12]


def wcs_frame(frames: Sequence[Frame]) -> Frame:
    """The frame whose WCS stands for the cube: the middle one, or the next one (wrapping) that has a WCS."""
    n = len(frames)
    ordered = (frames[(n // 2 + step) % n] for step in range(n))
    return next((frame for frame in ordered if frame.has_wcs), frames[n // 2])


def _plan(
    request: BuildRequest, source: str, identity: str, found: Sequence[FoundFrame], settings: Settings
) -> CubePlan:
    frames = [item.frame for item in found]
    n_rows, n_columns = frames[0].shape
    layout = CubeLayout(n_rows, n_columns, len(frames), 2)
    parts = plan_parts(layout)
    memory = settings.block_memory_mb * MIB
    blocks = plan_blocks(layout, parts, memory, wanted_blocks=max(MIN_BLOCKS, settings.block_concurrency))
    wcs = frame_wcs({card.keyword: card.value for card in wcs_frame(frames).science.cards})
    return CubePlan(
        ccd=str(request.ccd_id),
        build_id=identity,
        source_bucket=source,
        cube_key=keys.cube(request.ccd_id, identity),
        frames=tuple(
            PlannedFrame(key=item.info.key, etag=item.info.etag, offsets=item.frame.offsets) for item in found
        ),
        n_rows=n_rows,
        n_columns=n_columns,
        n_planes=2,
        rows_per_part=parts.rows_per_part,
        n_row_parts=parts.n_row_parts,
        tail_number=parts.tail_number,
        blocks=tuple((block.parts[0].number, block.parts[-1].number) for block in blocks),
        s_region=frame_footprint(wcs, n_rows, n_columns).format_s_region(),
        t_min=frames[0].start + TJD_TO_MJD,
        t_max=frames[-1].stop + TJD_TO_MJD,
    )


def plan_cube(request: BuildRequest, *, store: ObjectStore, settings: Settings, today: Callable[[], str]) -> PlanRef:
    """Plan the cube of one CCD from the frames in a bucket, and write the plan.

    Parameters
    ----------
    request : BuildRequest
        Which CCD, and where its frames are when not in the stack's own bucket.
    store, settings, today
        The outside world; `today` gives the day of creation, ``YYYY-MM-DD``.

    Returns
    -------
    PlanRef
        Running it again with the same frames gives the same build id and overwrites the plan with an equal one.

    Raises
    ------
    NoFramesError, tessera.errors.FrameError, tessera.errors.PlanError
        When no cube can be made; a frame is named.
    """
    bucket = request.source.bucket if request.source else settings.ffi_bucket
    prefix = request.source.prefix if request.source else settings.ffi_prefix
    listed = list_frames(store, bucket, prefix, request.ccd_id)
    in_listing_order = read_frames(store, bucket, listed)
    check_frames([item.frame for item in in_listing_order])
    by_name = {item.frame.name: item for item in in_listing_order}
    input_order = [item.frame for item in in_listing_order]
    frames = sort_by_time(input_order)
    plan = _plan(request, bucket, build_id(listed), [by_name[frame.name] for frame in frames], settings)
    where = keys.build(request.ccd_id, plan.build_id)
    store.write(settings.cube_bucket, where + PRIMARY, build_primary_header(frames, request.sector, today()))
    store.write(settings.cube_bucket, where + INFO, build_info_hdu(frames, input_order))
    store.write(settings.cube_bucket, where + PLAN, plan.model_dump_json().encode())
    return PlanRef(
        bucket=settings.cube_bucket,
        prefix=where,
        ccd=plan.ccd,
        build_id=plan.build_id,
        blocks=tuple(range(len(plan.blocks))),
        max_concurrency=request.max_concurrency or settings.block_concurrency,
    )


def read_plan(store: ObjectStore, bucket: str, prefix: str) -> CubePlan:
    """Read a plan that `plan_cube` wrote."""
    return CubePlan.model_validate_json(store.read(bucket, prefix + PLAN)[0])
