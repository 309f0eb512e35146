"""Deletes superseded cubes, and finds uploads that nobody continues."""

from __future__ import annotations

from tessera_cloud import keys, measure_keys
from tessera_cloud.application.index.footprint_index import read_index, read_pointer
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.ports import Documents, ObjectInfo, ObjectReader, Uploads

EXECUTION_SECONDS = 20 * 3600
"""Longest time that an execution of CubeBuild takes, in seconds."""
REST_SECONDS = 24 * 3600
"""Time for which a superseded cube is kept, in seconds. All requests and executions that may use it end earlier."""


def keys_of(cube: PublishedCube) -> set[str]:
    """Keys of all objects of a cube: a growing cube has a segment table and segments."""
    return {cube.key, *(keys.cube(cube.cube_id, build) for build in cube.segments)}


def _age(store: ObjectReader, bucket: str, key: str, now: float) -> float:
    """Seconds since an object was written; infinite if there is no such object."""
    try:
        return now - store.head(bucket, key).modified
    except ObjectMissingError:
        return float("inf")


def _may_go(cube: ObjectInfo, pointer: ObjectInfo, *, store: ObjectReader, bucket: str, now: float) -> bool:
    """Whether another cube has been current for a day, and no execution of that day planned this one again."""
    if now - max(cube.modified, pointer.modified) < REST_SECONDS:
        return False
    current, _ = read_pointer(store, bucket, pointer.key)
    if current is None or cube.key in keys_of(current):
        return False
    return _age(store, bucket, keys.plan_of(cube.key), now) >= REST_SECONDS


def _is_beside(key: str, cube_key: str) -> bool:
    """Whether there is a measure of a cube at a key."""
    return key != cube_key and key.startswith(measure_keys.beside(cube_key, "-"))


def delete_superseded(*, store: Documents, bucket: str, now: float) -> list[str]:
    """Delete the cubes that were superseded more than a day ago, and what is beside them.

    A cube is deleted if neither its pointer nor the index names it, and if cube, pointer and plan were all written more
    than a day ago. A cube without a pointer is kept, because it has not been published yet.

    Parameters
    ----------
    store : Documents
        Store of the cubes.
    bucket : str
        Bucket of the cubes.
    now : float
        Current time, in seconds since 1970.

    Returns
    -------
    list of str
        Keys of the deleted cubes.
    """
    found = {info.key: info for info in store.list_objects(bucket, keys.CUBES)}
    served = {key for cube in read_index(store, bucket)[0].cubes for key in keys_of(cube)}
    deleted = []
    for key, cube in found.items():
        pointer = found.get(keys.current_of(key) or "")
        if pointer is None or key in served:
            continue
        if _may_go(cube, pointer, store=store, bucket=bucket, now=now):
            for beside in [name for name in found if _is_beside(name, key)]:
                store.delete(bucket, beside)
            store.delete(bucket, key)
            deleted.append(key)
    return deleted


def find_forgotten(*, store: Uploads, bucket: str, now: float) -> list[str]:
    """Keys of cubes whose upload began before any execution that still runs. Nobody resumes them but a new build.

    The bucket drops such an upload after seven days. Until then its parts cost as much as a cube.
    """
    found = store.list_uploads(bucket, keys.CUBES)
    return sorted(key for key, _, begun in found if now - begun > EXECUTION_SECONDS)
