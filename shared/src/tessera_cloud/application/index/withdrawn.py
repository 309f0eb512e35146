"""Cubes that an operator has withdrawn: a list beside the index, which only operators write.

Builds and FootprintIndex go on writing pointers and the index, and whoever answers requests leaves out what the list
names. So no writer can bring a cube back, and a restored cube is served again without being read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pydantic import Field

from tessera_cloud import keys
from tessera_cloud.application.backend import HasIndex
from tessera_cloud.application.caches import IndexCache
from tessera_cloud.application.documents import update_document
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.contracts import Wire
from tessera_cloud.errors import ObjectMissingError
from tessera_cloud.names import CubeId
from tessera_cloud.ports import Documents, ObjectReader


class Withdrawal(Wire):
    """When a cube was withdrawn, in seconds since 1970, and why."""

    since: float
    reason: str = ""


class Withdrawals(Wire):
    """The document ``index/withdrawn.json``: obs_id to withdrawal."""

    cubes: dict[str, Withdrawal] = Field(default_factory=dict)


def _parse(data: bytes | None) -> Withdrawals:
    return Withdrawals() if data is None else Withdrawals.model_validate_json(data)


def read_withdrawals(store: ObjectReader, bucket: str) -> Withdrawals:
    """Read the list of withdrawn cubes; empty if there is none."""
    try:
        return _parse(store.read(bucket, keys.WITHDRAWN)[0])
    except ObjectMissingError:
        return _parse(None)


_Cubes: TypeAlias = dict[str, Withdrawal]


def _change(store: Documents, bucket: str, change: Callable[[_Cubes], _Cubes]) -> bool:
    """Change the list; returns whether that made a difference."""

    def update(data: bytes | None) -> tuple[bytes | None, bool]:
        known = _parse(data)
        cubes = change(known.cubes)
        if cubes == known.cubes:
            return None, False
        return known.model_copy(update={"cubes": cubes}).model_dump_json().encode(), True

    return update_document(store, bucket, keys.WITHDRAWN, update)


def withdraw(cube_id: CubeId, reason: str, *, store: Documents, bucket: str, now: float) -> bool:
    """Withdraw a cube: neither the catalogue nor cutouts nor jobs have it from now on, whoever built it.

    Later builds of the same CCD and product stay hidden too, until `restore`.

    Parameters
    ----------
    cube_id : CubeId
        Id of the cube.
    reason : str
        Reason, for other operators.
    store : Documents
        Store of the list.
    bucket : str
        Bucket of the index.
    now : float
        Current time, in seconds since 1970.

    Returns
    -------
    bool
        False if it was withdrawn before.

    Raises
    ------
    TransientError
        If other writers were faster ten times.
    """
    withdrawal = Withdrawal(since=now, reason=reason)
    return _change(store, bucket, lambda cubes: {cube_id.obs_id: withdrawal} | cubes)


def restore(cube_id: CubeId, *, store: Documents, bucket: str) -> bool:
    """End the withdrawal of a cube; False if it was not withdrawn. See `withdraw` for the parameters and errors."""
    return _change(
        store, bucket, lambda cubes: {name: found for name, found in cubes.items() if name != cube_id.obs_id}
    )


def without(index: FootprintIndex, hidden: frozenset[str]) -> FootprintIndex:
    """Index without some cubes, by their obs_id."""
    if not any(cube.obs_id in hidden for cube in index.cubes):
        return index
    return FootprintIndex.of((cube for cube in index.cubes if cube.obs_id not in hidden), index.rest)


def hidden_cubes(cache: IndexCache, store: ObjectReader, bucket: str, *, now: float, seconds: float) -> frozenset[str]:
    """Withdrawn cubes by their obs_id, from a list that is at most `seconds` old.

    Parameters
    ----------
    cache : IndexCache
        Cache of this execution environment, which is brought up to date.
    store : ObjectReader
        Store of the list.
    bucket : str
        Bucket of the index.
    now, seconds : float
        Current time, in seconds since 1970, and largest age of the list in seconds.
    """
    if cache.hidden is None or not 0 <= now - cache.hidden_read < seconds:
        cache.hidden = frozenset(read_withdrawals(store, bucket).cubes)
        cache.hidden_read = now
    return cache.hidden


def is_withdrawn(obs_id: str, backend: HasIndex) -> bool:
    """Whether a cube is withdrawn, as far as this execution environment knows."""
    settings, now = backend.settings, backend.now().timestamp()
    names = hidden_cubes(backend.index, backend.store, settings.cube_bucket, now=now, seconds=settings.index_seconds)
    return obs_id in names
