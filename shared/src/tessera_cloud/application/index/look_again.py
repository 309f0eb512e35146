"""What is done when a cube is not what the index says: it was replaced, removed, or may no longer be read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from tessera_cloud.application.backend import HasIndex
from tessera_cloud.application.index.served import current_index, settled
from tessera_cloud.application.index.withdrawn import is_withdrawn
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import VANISHED, ObjectMissingError

_T = TypeVar("_T")


def look_again(backend: HasIndex) -> None:
    """Forget what is known of index and cubes. For some minutes, our own cubes are looked at too."""
    cache = backend.index
    cache.checked = -math.inf
    cache.sightings.clear()
    cache.doubted = backend.now().timestamp()


def use_current(published: PublishedCube, backend: HasIndex, use: Callable[[PublishedCube], _T]) -> _T:
    """Do something with a cube. If the cube is not what the index says, look once more, and do it with the new cube.

    Raises
    ------
    ObjectMissingError
        If the cube is gone, or was withdrawn since somebody asked for it.
    """
    if is_withdrawn(published.obs_id, backend):
        raise ObjectMissingError(f"the cube {published.obs_id} was withdrawn")
    try:
        return use(published)
    except VANISHED as error:
        look_again(backend)
        rows = (cube for cube in current_index(backend).cubes if cube.obs_id == published.obs_id)
        found = settled(next(rows, published), backend)
        if found is None:
            raise ObjectMissingError(f"the cube {published.obs_id} is no longer at its source") from error
    return use(found)
