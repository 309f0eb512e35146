"""Growing cubes: finds the cube that new frames are added to, and publishes it with the segment that was built."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from tessera.builds.growth import Growth, plan_growth
from tessera.builds.update import OldCube, read_old_cube
from tessera.cubes.frames import Frame
from tessera.cubes.hashes.reading import read_record
from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import read_cube
from tessera.cubes.segments.joining import Segment
from tessera.cubes.segments.signed import table_text
from tessera.cubes.segments.table import SegmentTable, cube_name, describe_segment
from tessera.provenance.record import Record
from tessera_cloud import keys, segment_keys
from tessera_cloud.application.builds.plan_document import GROWN_INFO, GROWN_PRIMARY, BuildStore, read_plan
from tessera_cloud.application.index.footprint_index import read_pointer
from tessera_cloud.application.index.messages import FoundCube
from tessera_cloud.application.sidecar import CubeStore, Located, read_segment_table
from tessera_cloud.contracts import BuildRequest, CubePlan, GrowthPlan, PlanRef, PublishedCube
from tessera_cloud.errors import ObjectChangedError, ObjectMissingError
from tessera_cloud.names import CubeId
from tessera_cloud.ports import ObjectInfo, ObjectReader, RangeReader

MOST_SEGMENTS = 32
"""Largest number of segments of a growing cube. Each sends a request for each row of a cutout. If there would be more,
the whole cube is built."""
_ID_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Base:
    """The current cube of a CCD, and the frames that it lacks.

    Parameters
    ----------
    published : PublishedCube
        The cube.
    old : OldCube
        Its headers and info table.
    segments : tuple of Segment
        Its segments; a cube in one object is the first one.
    builds : tuple of str
        Build ids of its segments.
    new : tuple of ObjectInfo
        Frames that it does not have.
    """

    published: PublishedCube
    old: OldCube
    segments: tuple[Segment, ...]
    builds: tuple[str, ...]
    new: tuple[ObjectInfo, ...]

    def plan(self, frames: Sequence[Frame], build_id: str, day: str) -> tuple[Growth, GrowthPlan]:
        """Plan the growing cube with new frames, which are in order of time.

        Raises
        ------
        InconsistentFramesError
            If a frame does not belong to the cube.
        """
        self.old.check(frames)
        growth = plan_growth(self.old, self.segments, frames, self.published.ccd_id.sector, day)
        plan = GrowthPlan(
            build_id=build_id,
            n_cadences=growth.layout.n_cadences,
            segments=tuple(segment.to_fields() for segment in growth.segments),
            builds=self.builds,
            runs=growth.runs,
        )
        return growth, plan


def find_base(
    request: BuildRequest, listed: Sequence[ObjectInfo], frame_bucket: str, *, store: CubeStore, bucket: str
) -> Base | None:
    """Find the cube that listed frames can be added to.

    Parameters
    ----------
    request : BuildRequest
        Id of the cube, and whether it may grow.
    listed : sequence of ObjectInfo
        All frames of the CCD.
    frame_bucket : str
        Their bucket.
    store : CubeStore
        Store of cubes and plans.
    bucket : str
        Bucket of the cubes.

    Returns
    -------
    Base or None
        None if the cube may not grow, no cube of our own is current, it has all frames or too many segments, the plans
        that name its frames have expired, or one of its frames has gone or was replaced.
    """
    cube_id = request.cube_id
    published = read_pointer(store, bucket, keys.current(cube_id))[0] if request.grow else None
    if published is None:
        return None
    builds = published.segments or (published.build_id,)
    listing = {info.key: info.etag for info in listed}
    with suppress(ObjectMissingError, ObjectChangedError):
        have = _frames_of(cube_id, builds, frame_bucket, store, bucket)
        new = tuple(info for info in listed if info.key not in have)
        if new and len(builds) < MOST_SEGMENTS and have.items() <= listing.items():
            return Base(published, *_open_base(cube_id, published, store), builds, new)
    return None


def _frames_of(
    cube_id: CubeId, builds: Sequence[str], frame_bucket: str, store: ObjectReader, bucket: str
) -> dict[str, str]:
    """Key and ETag of each frame of some builds."""
    have: dict[str, str] = {}
    for build in builds:
        plan = read_plan(store, bucket, keys.build(cube_id, build))
        if plan.source_bucket != frame_bucket:
            raise ObjectChangedError(f"the frames of build {build} are in {plan.source_bucket}")
        have |= {frame.key: frame.etag for frame in plan.frames}
    return have


def _open_base(cube_id: CubeId, published: PublishedCube, store: CubeStore) -> tuple[OldCube, tuple[Segment, ...]]:
    name = published.key.rsplit("/", 1)[-1]
    if segment_keys.is_segment_table(published.key):
        table = read_segment_table(published, store)
        old = read_old_cube(cube_name(name), table.size, table.read_around, cube_id.kind)
        return old, table.segments
    read = _reader(published, store)
    old = read_old_cube(name, published.size, read, cube_id.kind)
    path, runs = segment_keys.segment_name(cube_id, published.build_id), ((0, old.layout.n_cadences),)
    return old, (describe_segment(path, published.size, read, runs, old.layout, etag=published.etag),)


def _reader(place: Located, store: CubeStore) -> Any:
    return lambda start, length: bytes(store.read_range(place.bucket, place.key, start, length, place.etag))


def _records(table: SegmentTable, bucket: str, key: str, store: RangeReader) -> Iterator[Record | None]:
    """Record of each segment of a table that will be at a key."""
    for segment in table.segments:
        place = segment_keys.segment(key, segment.name)

        def read(start: int, length: int, place: str = place, etag: str = segment.etag) -> bytes:
            return bytes(store.read_range(bucket, place, start, length, etag))

        found = read_record(segment.name, segment.size, read)
        yield None if found is None else found.record


def publishable(plan: CubePlan, ref: PlanRef, segment: PublishedCube, store: BuildStore) -> PublishedCube:
    """Write the segment table of a growing cube whose new segment is complete, and describe the growing cube.

    The key of a table follows from its segments, so that a table is never replaced by another one.
    """
    from tessera_cloud.application.index.read_cube import build_row  # noqa: PLC0415 - only growing cubes need a WCS

    growth = plan.growth
    assert growth is not None
    layout = CubeLayout(plan.n_rows, plan.n_columns, growth.n_cadences, plan.n_planes)
    path = segment_keys.segment_name(plan.cube_id, plan.build_id)
    new = describe_segment(path, segment.size, _reader(segment, store), growth.runs, layout, etag=segment.etag)
    primary, info = (store.read(ref.bucket, ref.prefix + name)[0] for name in (GROWN_PRIMARY, GROWN_INFO))
    table = SegmentTable(primary, layout, info, (*map(Segment.from_fields, growth.segments), new))
    parts = json.dumps([(item.name, item.etag) for item in table.segments]).encode()
    folder = f"{growth.build_id}-{hashlib.sha256(parts).hexdigest()[:_ID_LENGTH]}"
    key = segment_keys.segment_table(plan.cube_id, folder)
    with suppress(ObjectChangedError):
        records = partial(_records, table, segment.bucket, key, store)
        store.write(segment.bucket, key, table_text(table, records), only_new=True)
    etag = store.head(segment.bucket, key).etag
    place = FoundCube(obs_id=segment.obs_id, bucket=segment.bucket, key=key, size=table.size, etag=etag)
    row = build_row(place, read_cube(plan.cube_id.cube_name, table.size, table.read_around))
    return row.model_copy(
        update={
            "build_id": growth.build_id,
            "planned_at": segment.planned_at,
            "generation": segment.generation,
            "left_out": plan.left_out,  # this build has tried again what earlier ones left out
            "segments": (*growth.builds, plan.build_id),
        }
    )
