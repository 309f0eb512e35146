"""The index of CCDs that have frames and no cube yet, and the index of both.

Rows of frames are in an object of their own. So whatever needs files of cubes never sees them: TESSCut's answers, the
Virtual Observatory, lists and the coverage of the sky.
"""

from __future__ import annotations

from collections.abc import Iterable

from tessera_cloud import frame_keys
from tessera_cloud.application.backend import HasIndex
from tessera_cloud.application.documents import update_document
from tessera_cloud.application.index.footprint_index import FootprintIndex, parse_index
from tessera_cloud.application.index.served import current_index
from tessera_cloud.application.index.withdrawn import hidden_cubes
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError, TransientError
from tessera_cloud.names import CubeId
from tessera_cloud.ports import Documents, ObjectReader


def read_frame_rows(store: ObjectReader, bucket: str) -> tuple[FootprintIndex, str | None]:
    """Read the index of frames and its ETag; an empty index and None if there is none."""
    try:
        data, info = store.read(bucket, frame_keys.FRAMES_INDEX)
    except ObjectMissingError:
        return parse_index(None), None
    return parse_index(data), info.etag


def change_frame_rows(
    store: Documents, bucket: str, *, remove: Iterable[CubeId] = (), add: Iterable[PublishedCube] = ()
) -> None:
    """Change rows of the index of frames. A row replaces the one of the same CCD and product.

    Raises
    ------
    TransientError
        If other writers were faster ten times.
    """
    rows = {row.obs_id: row for row in add}
    gone = {cube_id.obs_id for cube_id in remove} | rows.keys()

    def update(data: bytes | None) -> tuple[bytes | None, None]:
        known = parse_index(data)
        kept = [row for row in known.cubes if row.obs_id not in gone]
        if data is not None and not rows and len(kept) == len(known.cubes):
            return None, None
        return known.with_cubes([*kept, *rows.values()]).to_json(), None

    update_document(store, bucket, frame_keys.FRAMES_INDEX, update)


def _rows(backend: HasIndex) -> FootprintIndex:
    """Rows of frames, at most `Settings.index_seconds` old; older ones if the store does not answer."""
    cache, now = backend.index, backend.now().timestamp()
    known = None if cache.with_frames is None else cache.with_frames[1]
    if known is not None and 0 <= now - cache.frames_checked < backend.settings.index_seconds:
        return known
    cache.frames_checked = now
    try:
        found, etag = read_frame_rows(backend.store, backend.settings.cube_bucket)
    except TransientError:
        if known is None:
            raise
        return known
    if known is not None and etag == cache.frames_etag:
        return known
    cache.frames_etag = etag
    return found


def index_with_frames(backend: HasIndex) -> FootprintIndex:
    """Index that answers a request which takes frames, too: cubes, and the CCDs that have none but frames.

    A cube always comes before its frames, and a withdrawal hides both.
    """
    served, rows, cache = current_index(backend), _rows(backend), backend.index
    if cache.with_frames is None or cache.with_frames[0] is not served or cache.with_frames[1] is not rows:
        bucket, now = backend.settings.cube_bucket, backend.now().timestamp()
        hidden = hidden_cubes(cache, backend.store, bucket, now=now, seconds=backend.settings.index_seconds)
        have = {cube.obs_id for cube in served.cubes} | hidden
        others = [row for row in rows.cubes if row.obs_id not in have]
        both = FootprintIndex.of([*served.cubes, *others], served.rest) if others else served
        cache.with_frames = served, rows, both
    return cache.with_frames[2]


def index_for(backend: HasIndex, *, frames: bool) -> FootprintIndex:
    """The index of cubes, or that of cubes and frames."""
    return index_with_frames(backend) if frames else current_index(backend)
