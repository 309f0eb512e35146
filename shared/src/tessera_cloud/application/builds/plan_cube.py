"""Plans a cube: its frames, their order, and its blocks and parts."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from tessera.builds.estimate import ASKING_SECONDS, BuildEstimate, cheapest, estimate_sizes, polite_concurrency
from tessera.builds.frame_set import find_footprint
from tessera.builds.growth import Growth
from tessera.builds.plan import check_frame_number
from tessera.builds.remarks import find_remarks
from tessera.cubes.frames import Frame, check_frames, check_wcs, read_frame, sort_by_time
from tessera.cubes.hdus import build_info_hdu, build_primary_header
from tessera.cubes.layout import CubeLayout
from tessera.errors import InvalidValueError, UnreadableFrameError
from tessera.tess.times import to_mast_mjd
from tessera_cloud import keys
from tessera_cloud.application.builds.cube_record import planned_record
from tessera_cloud.application.builds.generations import list_next
from tessera_cloud.application.builds.growth import Base, find_base
from tessera_cloud.application.builds.identity import build_id, frames_hash
from tessera_cloud.application.builds.plan_document import GROWN_INFO, GROWN_PRIMARY, INFO, PRIMARY, RECORD
from tessera_cloud.contracts import BuildRequest, CubePlan, LeftOut, PlannedFrame, PlanRef, SizeEstimate
from tessera_cloud.errors import NoFramesError, ObjectChangedError, TooManyUnreadableFramesError
from tessera_cloud.names import CubeId, frame_ccd
from tessera_cloud.ports import Documents, ObjectInfo, ObjectLister, ObjectWriter, RangeReader, RequestPace
from tessera_cloud.settings import Settings

HEADER_READS = 32
"""Largest number of headers that are read at the same time."""
MAX_LEFT_OUT = 200
"""Largest number of frames that a build may leave out. The state of the execution lists them, in at most 256 KiB."""
_REASON_LENGTH = 300
_UNUSUAL_MEMORY = 0.75
"""Share of a task's memory for a block if pixels are converted, which takes the rest."""


class FrameStore(RangeReader, Documents, Protocol):
    """Store of frames and cubes, which are read by ranges, and of plans, which are written whole."""


@dataclass(frozen=True, slots=True)
class FoundFrame:
    """A frame with its place."""

    info: ObjectInfo
    frame: Frame


def list_frames(store: ObjectLister, bucket: str, prefix: str, cube_id: CubeId) -> list[ObjectInfo]:
    """List the frames of one cube below the prefix of its product.

    Raises
    ------
    NoFramesError
        If there are no frames.
    """
    where = keys.sector_frames(prefix, cube_id)
    found = []
    for info in store.list_objects(bucket, where):
        try:
            ccd_id = frame_ccd(cube_id.product, info.key.rsplit("/", 1)[-1])
        except InvalidValueError:
            continue  # another object between the frames
        if ccd_id == cube_id.ccd_id:
            found.append(info)
    if not found:
        raise NoFramesError(f"no {cube_id.product} frames of {cube_id.ccd_id} below s3://{bucket}/{where}")
    return found


def read_frames(
    store: RangeReader, bucket: str, found: Sequence[ObjectInfo], cube_id: CubeId, pace: RequestPace | None = None
) -> list[FoundFrame | UnreadableFrameError]:
    """Read the headers of frames, many at a time. If a frame cannot be read, its place in the list has the error."""

    def read(info: ObjectInfo) -> FoundFrame | UnreadableFrameError:
        def read_range(start: int, length: int) -> bytes:
            return bytes(store.read_range(bucket, info.key, start, length, info.etag, pace=pace))

        try:
            return FoundFrame(info, read_frame(info.key.rsplit("/", 1)[-1], cube_id.kind, info.size, read_range))
        except UnreadableFrameError as error:
            return error

    with ThreadPoolExecutor(HEADER_READS) as pool:
        return list(pool.map(read, found))


def leave_out(
    outcomes: Sequence[FoundFrame | UnreadableFrameError], *, skip: bool
) -> tuple[list[FoundFrame], tuple[LeftOut, ...]]:
    """Separate the frames that can be read from those that are left out.

    Parameters
    ----------
    outcomes : sequence of FoundFrame or UnreadableFrameError
        Results of `read_frames`.
    skip : bool
        Whether unreadable frames may be left out.

    Returns
    -------
    tuple
        Frames of the cube, and descriptions of the frames that are left out.

    Raises
    ------
    UnreadableFrameError
        The first error, if frames may not be left out or if no frame can be read.
    TooManyUnreadableFramesError
        If more than `MAX_LEFT_OUT` frames would be left out.
    """
    frames = [outcome for outcome in outcomes if isinstance(outcome, FoundFrame)]
    errors = [outcome for outcome in outcomes if isinstance(outcome, UnreadableFrameError)]
    if errors and not (skip and frames):
        raise errors[0]
    if len(errors) > MAX_LEFT_OUT:
        raise TooManyUnreadableFramesError(
            f"{len(errors)} of {len(outcomes)} frames are unreadable, at most {MAX_LEFT_OUT} may be; {errors[0]}"
        )
    return frames, tuple(LeftOut(name=error.name, reason=error.reason[:_REASON_LENGTH]) for error in errors)


def _describe(work: BuildEstimate) -> SizeEstimate:
    return SizeEstimate(
        memory_mb=work.memory_mb,
        blocks=len(work.blocks),
        tasks=work.tasks,
        gets=work.gets,
        seconds=round(work.seconds),
        usd=round(work.usd, 4),
    )


def _estimate(layout: CubeLayout, settings: Settings, *, usable: float) -> tuple[BuildEstimate, ...]:
    pace = settings.max_gets_per_second
    sizes = settings.block_sizes_mb
    return estimate_sizes(layout, sizes, settings.block_concurrency, gets_per_second=pace, usable=usable)


def _plan(
    request: BuildRequest,
    source: str,
    identity: str,
    found: Sequence[FoundFrame],
    *,
    left_out: tuple[LeftOut, ...],
    settings: Settings,
) -> CubePlan:
    frames = [item.frame for item in found]
    n_rows, n_columns = frames[0].shape
    cube_id = request.cube_id
    layout = CubeLayout(n_rows, n_columns, len(frames), cube_id.kind.n_planes)
    unusual = {place: frame.formats for place, frame in enumerate(frames) if not frame.plain}
    sizes = _estimate(layout, settings, usable=_UNUSUAL_MEMORY if unusual else 1.0)
    work = cheapest(sizes)
    return CubePlan(
        ccd=str(request.ccd_id),
        build_id=identity,
        source_bucket=source,
        cube_key=keys.cube(cube_id, identity),
        frames=tuple(
            PlannedFrame(key=item.info.key, etag=item.info.etag, offsets=item.frame.offsets) for item in found
        ),
        n_rows=n_rows,
        n_columns=n_columns,
        n_planes=layout.n_planes,
        rows_per_part=work.parts.rows_per_part,
        n_row_parts=work.parts.n_row_parts,
        tail_number=work.parts.tail_number,
        blocks=tuple((block.parts[0].number, block.parts[-1].number) for block in work.blocks),
        s_region=find_footprint(frames).format_s_region(),
        t_min=to_mast_mjd(cube_id.kind, frames[0].start),
        t_max=to_mast_mjd(cube_id.kind, frames[-1].stop),
        product=request.product,
        left_out=left_out,
        formats=unusual,
        memory_mb=work.memory_mb,
        sizes=tuple(map(_describe, sizes)),
    )


def _sort(found: Sequence[FoundFrame]) -> list[FoundFrame]:
    """Frames in order of time, if they belong to one cube and have a WCS."""
    frames = [item.frame for item in found]
    check_frames(frames)
    check_wcs(frames)
    by_name = {item.frame.name: item for item in found}
    return [by_name[frame.name] for frame in sort_by_time(frames)]


def _plan_growth(
    plan: CubePlan, base: Base | None, in_time: Sequence[FoundFrame], whole_id: str, day: str
) -> tuple[CubePlan, Growth | None]:
    """Plan of a segment and of the growing cube that gets it; the plan as it is if no cube grows."""
    if base is None:
        return plan, None
    growth, grown = base.plan([item.frame for item in in_time], whole_id, day)
    return plan.model_copy(update={"growth": grown}), growth


def _concurrency(plan: CubePlan, request: BuildRequest, settings: Settings) -> int:
    wanted = min(request.max_concurrency or settings.block_concurrency, len(plan.blocks))
    gets_of_block = len(plan.frames) * plan.n_planes
    return polite_concurrency(wanted, gets_of_block, settings.max_gets_per_second, ASKING_SECONDS)


def _write_plan(
    plan: CubePlan,
    where: str,
    found: Sequence[FoundFrame],
    day: str,
    *,
    growth: Growth | None,
    store: ObjectWriter,
    settings: Settings,
) -> None:
    """Write the documents that a build needs; the plan is the last one.

    The primary header has a date, and the record a version. If an earlier execution has written them, they stay, so
    that all executions of a build upload equal parts.
    """
    frames = [item.frame for item in found]
    input_order = [item.frame for item in sorted(found, key=lambda item: item.info.key)]
    primary = build_primary_header(frames, plan.cube_id.ccd_id.sector, day)
    for name, data in ((PRIMARY, primary), (RECORD, planned_record(plan))):
        with suppress(ObjectChangedError):
            store.write(settings.cube_bucket, where + name, data, only_new=True)
    store.write(settings.cube_bucket, where + INFO, build_info_hdu(frames, input_order))
    if growth is not None:
        store.write(settings.cube_bucket, where + GROWN_PRIMARY, growth.primary)
        store.write(settings.cube_bucket, where + GROWN_INFO, growth.info)
    store.write(settings.cube_bucket, where + keys.PLAN, plan.model_dump_json().encode())


def plan_cube(
    request: BuildRequest,
    *,
    store: FrameStore,
    settings: Settings,
    now: Callable[[], datetime.datetime],
    pace: RequestPace | None = None,
) -> PlanRef:
    """Plan the cube of one CCD from the frames in a bucket, and write the plan.

    Parameters
    ----------
    request : BuildRequest
        Id of the cube, and the place of its frames if they are not in the stack's own bucket.
    store : FrameStore
        Store of frames and plans.
    settings : Settings
        Buckets, prefixes and limits.
    now : callable
        Returns the current time in UTC.
    pace : RequestPace, optional
        Pace of the requests for headers.

    Returns
    -------
    PlanRef
        Reference to the plan. The same frames give the same build id, and an equal plan replaces the earlier one.

    Raises
    ------
    NoFramesError
        If there are no frames.
    TooManyUnreadableFramesError, tessera.errors.FrameError
        If frames are damaged or do not fit together. The message names one.
    tessera.errors.PlanError
        If there are too many frames, or no division into blocks fits the memory of a task.
    """
    bucket, prefix = settings.ffi_bucket, settings.frame_prefix(request.product)
    if request.source:
        bucket, prefix = request.source.bucket, request.source.prefix
    planned_at = now().isoformat(timespec="microseconds")
    list_all = partial(list_frames, store, bucket, prefix, request.cube_id)
    listed, generation = list_next(request.cube_id, list_all, store=store, bucket=settings.cube_bucket)
    check_frame_number(len(listed))
    base = find_base(request, listed, bucket, store=store, bucket=settings.cube_bucket)
    wanted = listed if base is None else base.new
    outcomes = read_frames(store, bucket, wanted, request.cube_id, pace)
    found, left_out = leave_out(outcomes, skip=request.on_unreadable == "skip")
    in_time = _sort(found)
    plan = _plan(request, bucket, build_id(frames_hash(wanted)), in_time, left_out=left_out, settings=settings)
    plan, growth = _plan_growth(plan, base, in_time, build_id(frames_hash(listed)), planned_at[:10])
    where = keys.build(request.cube_id, plan.build_id)
    _write_plan(plan, where, in_time, planned_at[:10], growth=growth, store=store, settings=settings)
    return PlanRef(
        bucket=settings.cube_bucket,
        prefix=where,
        ccd=plan.ccd,
        build_id=plan.build_id,
        blocks=tuple(range(len(plan.blocks))),
        max_concurrency=_concurrency(plan, request, settings),
        planned_at=planned_at,
        generation=generation,
        product=request.product,
        remarks=find_remarks([item.frame for item in in_time]),
        size=settings.block_sizes_mb.index(plan.memory_mb),
        memory_mb=plan.memory_mb,
        sizes=plan.sizes,
        grown_id=plan.growth.build_id if plan.growth else "",
    )
