"""Numbers the listings of a cube's frames. So the order of builds depends on conditional writes, and on no clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import read_pointer
from tessera_cloud.errors import ObjectChangedError, ObjectMissingError, TransientError
from tessera_cloud.names import CubeId
from tessera_cloud.ports import Documents, ObjectInfo, ObjectReader

_ATTEMPTS = 5


def _last_generation(store: ObjectReader, bucket: str, cube_id: CubeId) -> tuple[int, dict[str, Any], str | None]:
    """Number of the last listing, and the record that has it with its ETag; 0, no fields and None before the first.

    The record expires with the other documents of builds. The pointer stays, so the numbers never begin again.
    """
    pointer, _ = read_pointer(store, bucket, keys.current(cube_id))
    published = pointer.generation if pointer else 0
    try:
        data, info = store.read(bucket, keys.generation(cube_id))
    except ObjectMissingError:
        return published, {}, None
    record = json.loads(data)
    return max(published, int(record["generation"])), record, info.etag


def list_next(
    cube_id: CubeId, list_frames: Callable[[], list[ObjectInfo]], *, store: Documents, bucket: str
) -> tuple[list[ObjectInfo], int]:
    """List the frames of a cube, and number the listing. A listing with a larger number began after this one ended.

    The number is written only if nobody has written a number since before the listing began. Otherwise the frames are
    listed again.

    Parameters
    ----------
    cube_id : CubeId
        Id of the cube.
    list_frames : callable
        Lists the frames.
    store : Documents
        Store of pointers and numbers.
    bucket : str
        Bucket of the cubes.

    Returns
    -------
    tuple of (list of ObjectInfo, int)
        Frames and the number of the listing, from 1.

    Raises
    ------
    TransientError
        If other executions were faster five times.
    """
    key = keys.generation(cube_id)
    for _ in range(_ATTEMPTS):
        last, known, etag = _last_generation(store, bucket, cube_id)
        listed = list_frames()
        record = json.dumps(known | {"generation": last + 1}).encode()
        try:
            store.write(bucket, key, record, only_over=etag, only_new=etag is None)
        except ObjectChangedError:
            continue
        return listed, last + 1
    raise TransientError(f"s3://{bucket}/{key} changed {_ATTEMPTS} times while the frames were listed")
