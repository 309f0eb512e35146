"""Lists CCDs that have frames and no cube yet: reads the headers of the frames, so that no cutout has to.

Ingest knows the frames of each CCD, and which of them are built. A run reads the headers of those that are new, one
CCD after the other, and ends when its time does; the next run goes on. So a CCD is listed some minutes after ingest has
seen its frames, and listed again when it has seen more of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from tessera.builds.frame_set import find_footprint
from tessera.builds.plan import check_frame_number
from tessera.cubes.frames import check_frames, check_wcs, sort_by_time
from tessera.errors import TesseraError
from tessera.framesets.facts import FramePlace, build_facts
from tessera.tess.times import to_mast_mjd
from tessera_cloud import frame_keys, keys
from tessera_cloud.application.backend import HasClock, HasState, HasStore
from tessera_cloud.application.builds.identity import build_id
from tessera_cloud.application.builds.plan_cube import FoundFrame, leave_out, read_frames
from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.application.index.with_frames import change_frame_rows, read_frame_rows
from tessera_cloud.application.ingest.manifests import parse_manifest
from tessera_cloud.application.ingest.rules import KIND, CcdState
from tessera_cloud.application.switch import read_switch
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import FatalError, ObjectMissingError
from tessera_cloud.names import CubeId
from tessera_cloud.ports import ObjectInfo, RequestPace, StateStore

_KEPT_SECONDS = 600.0
"""Age in seconds below which facts are never deleted: another run may be about to name them in the index."""


@dataclass
class FramesLog:
    """Results of a run, which a handler writes to the log.

    Parameters
    ----------
    listed : list of str
        CCDs whose headers were read.
    removed : list of str
        CCDs whose rows were removed, because they have a cube, or no frames any more.
    failed : dict
        CCD to the reason why its frames cannot be cut.
    left : int
        Number of CCDs for which there was no time.
    """

    listed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    left: int = 0


class HasHeaders(HasStore, HasState, HasClock, Protocol):
    """Frames, records of ingest, the clock, and the pace of requests for headers."""

    def pace(self, tasks: int) -> RequestPace:
        """Pace of one of `tasks` tasks that read frames at the same time."""


def list_frames_of_ccds(backend: HasHeaders, has_time: Callable[[], bool], log: FramesLog) -> None:
    """Bring the index of frames up to date, unless the service is paused.

    Parameters
    ----------
    backend : HasHeaders
        Ports and settings.
    has_time : callable
        Returns whether there is time for one more CCD.
    log : FramesLog
        Results are added to it.
    """
    if read_switch(backend.state).paused:
        return
    store, bucket = backend.store, backend.settings.cube_bucket
    wanted = _wanted(backend.state, {cube.obs_id for cube in read_index(store, bucket)[0].cubes})
    old_facts = list(store.list_objects(bucket, frame_keys.FACTS))
    known = {row.cube_id: row for row in read_frame_rows(store, bucket)[0].cubes}
    _forget(old_facts, {row.key for row in known.values()}, backend)
    if gone := [cube_id for cube_id in known if cube_id not in wanted]:
        change_frame_rows(store, bucket, remove=gone)
        log.removed += map(str, gone)
    for cube_id, frames_hash in wanted.items():
        old = known.get(cube_id)
        if old is not None and old.build_id == build_id(frames_hash):
            continue
        if not has_time():
            log.left += 1
            continue
        try:
            change_frame_rows(store, bucket, add=[_read(cube_id, frames_hash, backend)])
        except (TesseraError, FatalError) as error:
            log.failed[str(cube_id)] = f"{type(error).__name__}: {error}"[:300]
            continue
        log.listed.append(str(cube_id))


def _wanted(state: StateStore, served: set[str]) -> dict[CubeId, str]:
    """Hash of the frames of each CCD that has frames and no cube, the newest sectors first."""
    found = {}
    for item in state.query(KIND):
        record, cube_id = CcdState.model_validate(item.value), CubeId.parse(item.name)
        if record.n_frames and not record.published and cube_id.obs_id not in served:
            found[cube_id] = record.hash
    return dict(sorted(found.items(), key=lambda item: (-item[0].ccd_id.sector, str(item[0]))))


def _forget(facts: Iterable[ObjectInfo], named: set[str], backend: HasHeaders) -> None:
    """Delete facts that the index did not name before this run: some requests have an index that is a minute old."""
    long_ago = backend.now().timestamp() - _KEPT_SECONDS
    for info in facts:
        if info.key not in named and info.modified < long_ago:
            backend.store.delete(backend.settings.cube_bucket, info.key)


def _read(cube_id: CubeId, frames_hash: str, backend: HasHeaders) -> PublishedCube:
    """Read the headers of the frames of a CCD, write their facts, and build the row of the index.

    Frames that cannot be read are left out: they may still be on their way.
    """
    store, settings = backend.store, backend.settings
    try:
        data, _ = store.read(settings.cube_bucket, keys.ingest_manifest(cube_id, frames_hash))
    except ObjectMissingError as error:
        raise FatalError(f"ingest has forgotten the frames of {cube_id}, {frames_hash[:12]}") from error
    listed = [ObjectInfo(*item) for item in parse_manifest(data)]
    check_frame_number(len(listed))
    found, _ = leave_out(read_frames(store, settings.ffi_bucket, listed, cube_id, backend.pace(1)), skip=True)
    frames = [item.frame for item in found]
    check_frames(frames)
    check_wcs(frames)
    facts = build_facts(cube_id.cube_name, frames, _places(found, settings.ffi_bucket), cube_id.ccd_id.sector)
    bucket, key = settings.cube_bucket, frame_keys.frame_facts(cube_id, build_id(frames_hash))
    content = facts.to_bytes()
    ordered = sort_by_time(frames)
    return PublishedCube(
        obs_id=cube_id.obs_id,
        sequence_number=cube_id.ccd_id.sector,
        s_region=find_footprint(ordered).format_s_region(),
        t_min=to_mast_mjd(cube_id.kind, ordered[0].start),
        t_max=to_mast_mjd(cube_id.kind, ordered[-1].stop),
        n_cadences=len(frames),
        build_id=build_id(frames_hash),
        bucket=bucket,
        key=key,
        size=len(content),
        etag=store.write(bucket, key, content),
    )


def _places(found: Iterable[FoundFrame], bucket: str) -> list[FramePlace]:
    return [FramePlace(f"{bucket}/{item.info.key}", item.info.size, item.info.etag) for item in found]
