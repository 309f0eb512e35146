"""Cubes that may see a target of a list, opened from their sidecars."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.sightings import SightCube
from tessera.bulk.target_rows import TargetRows
from tessera.errors import TesseraError
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.index.served import current_index, settled
from tessera_cloud.application.sidecar import open_cube
from tessera_cloud.errors import BusyError, FatalError

if TYPE_CHECKING:
    from tessera_cloud.contracts import PublishedCube

_AT_ONCE = 32
_KNOWN = 4000
"""Largest number of cubes that a process remembers: all of the mission. Each has about 10 kB."""


@dataclass(frozen=True, slots=True)
class SeenCube:
    """A cube that may see a target of a list.

    Parameters
    ----------
    published : PublishedCube
        The cube, with its current size and ETag.
    sight : SightCube or None
        What a plan knows of it; None if it cannot be opened.
    problem : str
        Why it cannot be opened; empty otherwise.
    """

    published: PublishedCube
    sight: SightCube | None
    problem: str = ""


def see_cubes(
    rows: TargetRows,
    options: BulkOptions,
    backend: HasCubes,
    deadline: float | None = None,
    *,
    fresh: bool = False,
) -> list[SeenCube]:
    """Open the cubes that may see a target of a list, in the order of the index.

    A cube whose sidecar is missing is opened itself, and gets one.

    Parameters
    ----------
    rows : TargetRows
        The targets.
    options : BulkOptions
        What is made of them: the product counts.
    backend : HasCubes
        Index, cubes and clock.
    deadline : float, optional
        Time in seconds since 1970 after which no further cube is opened.
    fresh : bool, optional
        Whether the source of each cube is asked for its version, because the cube will be read. Otherwise the version
        of the index counts, which may be a day old.

    Raises
    ------
    BusyError
        If there are cubes left at the deadline.
    TransientError
        If the store does not answer.
    """
    from tessera.bulk.plan.seeing import may_see  # noqa: PLC0415 - progress is shown without it

    index = current_index(backend)
    sectors, product = _sectors(rows), options.product
    places = [
        place
        for place, cube in enumerate(index.cubes)
        if cube.cube_id.product == product and (sectors is None or cube.sequence_number in sectors)
    ]
    near = np.flatnonzero(may_see(rows, index.vectors[places])) if places else ()
    found = [index.cubes[places[number]] for number in near]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        opened = list(pool.map(partial(_open, backend=backend, deadline=deadline, fresh=fresh), found))
    missing = sum(one is None for one in opened)
    if missing:
        message = f"{missing} of {len(found)} cubes are not opened yet; ask again, or ask for fewer sectors"
        raise BusyError(message)
    return [one for one in opened if one is not None]


def _sectors(rows: TargetRows) -> frozenset[int] | None:
    """All sectors that rows want; None for all that there are."""
    chosen = [rows.sector_sets[place] for place in np.unique(rows.sector_set).tolist()]
    if None in chosen:
        return None
    return frozenset(sector for sectors in chosen for sector in sectors or ())


def _open(published: PublishedCube, *, backend: HasCubes, deadline: float | None, fresh: bool) -> SeenCube | None:
    """Open a cube; None after the deadline, unless it was opened before."""
    known = backend.cubes.sights.get(published.etag)
    if known is not None and not fresh:
        return SeenCube(published, known)
    if deadline is not None and backend.now().timestamp() > deadline:
        return None
    current = published
    try:
        if fresh or not published.etag:
            found = settled(published, backend)
            if found is None:
                return SeenCube(published, None, "it is no longer at its source")
            current = found
        sight = backend.cubes.sights.get(current.etag) or _read(current, backend)
    except (TesseraError, FatalError) as error:
        return SeenCube(current, None, str(error)[:500])
    return SeenCube(current, sight)


def _read(published: PublishedCube, backend: HasCubes) -> SightCube:
    cube = open_cube(published, store=backend.store, cube_bucket=backend.settings.cube_bucket)
    _ = cube.wcs  # raises an error if it cannot be used
    sight, known = SightCube.of(cube, published.obs_id), backend.cubes.sights
    if len(known) >= _KNOWN:
        known.clear()
    known[published.etag] = sight
    return sight


def opened(seen: Sequence[SeenCube]) -> list[SightCube]:
    """Those that could be opened."""
    return [one.sight for one in seen if one.sight is not None]
