"""Deleting cubes that nobody reads any more."""

from __future__ import annotations

from tessera_cloud import keys
from tessera_cloud.application.index.footprint_index import read_index, read_pointer
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.ports import Documents, ObjectInfo, ObjectReader

REST_SECONDS = 24 * 3600
"""How long a superseded cube stays: longer than requests that read it and executions that may publish it take."""


def _age(store: ObjectReader, bucket: str, key: str, now: float) -> float:
    """Seconds since an object was written; infinite when it is gone."""
    try:
        return now - store.head(bucket, key).modified
    except ObjectMissingError:
        return float("inf")


def _may_go(cube: ObjectInfo, pointer: ObjectInfo, *, store: ObjectReader, bucket: str, now: float) -> bool:
    """Whether another cube has been current for a day, and no execution of that day wants this one back."""
    if now - max(cube.modified, pointer.modified) < REST_SECONDS:
        return False
    current, _ = read_pointer(store, bucket, pointer.key)
    if current is None or current.key == cube.key:
        return False
    return _age(store, bucket, keys.plan_of(cube.key), now) >= REST_SECONDS


def delete_superseded(*, store: Documents, bucket: str, now: float) -> list[str]:
    """Delete the cubes that were superseded more than a day ago.

    A cube goes when neither its pointer nor the index names it, and itself, the pointer and its plan have not been
    written for a day. A cube without any pointer stays: it has not been published yet.

    Parameters
    ----------
    now : float
        Seconds since 1970.

    Returns
    -------
    list of str
        Keys that were deleted.
    """
    found = {info.key: info for info in store.list_objects(bucket, keys.CUBES)}
    served = {cube.key for cube in read_index(store, bucket)[0].cubes}
    deleted = []
    for key, cube in found.items():
        pointer = found.get(keys.current_of(key) or "")
        if pointer is None or key in served:
            continue
        if _may_go(cube, pointer, store=store, bucket=bucket, now=now):
            store.delete(bucket, key)
            deleted.append(key)
    return deleted
