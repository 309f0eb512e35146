"""Moving targets by name: which sectors saw them, and requests that follow them."""

from __future__ import annotations

from collections.abc import Sequence

from tessera_cloud.application.backend import HasTargets
from tessera_cloud.application.cutouts.moving import Moving
from tessera_cloud.application.cutouts.options import CutoutOptions, Size
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.index.footprint_index import EDGE_MARGIN, FootprintIndex
from tessera_cloud.application.index.with_frames import index_for
from tessera_cloud.application.targets.passages import SEARCH_HOURS, TRACK_HOURS, find_passages, find_path
from tessera_cloud.application.targets.path import MAX_ROWS, MovingTarget, Path, Place
from tessera_cloud.contracts import ProductName, PublishedCube
from tessera_cloud.errors import TooLargeError

_PARALLAX = 0.3
"""Degrees by which a target of the search may be elsewhere when it is followed: what the Earth sees is not what the
spacecraft sees."""


_CLOSE = 1 / 1440
"""Days between places that are taken for two; where the answers for two sectors meet, they may be closer."""


def _path(target: MovingTarget, span: tuple[float, float], hours: int, backend: HasTargets) -> Path:
    store, bucket = backend.store, backend.settings.result_bucket
    return find_path(target.name, target.kind, span, hours, ephemerides=backend.ephemerides, store=store, bucket=bucket)


def _searched(index: FootprintIndex, product: ProductName, sectors: Sequence[int] | None) -> FootprintIndex:
    wanted = None if sectors is None else frozenset(sectors)
    return FootprintIndex.of(
        cube
        for cube in index.cubes
        if cube.cube_id.product == product and (wanted is None or cube.sequence_number in wanted)
    )


def _span(cubes: Sequence[PublishedCube]) -> tuple[float, float]:
    return min(cube.t_min for cube in cubes), max(cube.t_max for cube in cubes)


def find_target_cubes(
    target: MovingTarget,
    product: ProductName,
    sectors: Sequence[int] | None,
    margin: float,
    backend: HasTargets,
    *,
    frames: bool = False,
) -> list[PublishedCube]:
    """Cubes that a target crosses, by sector, camera and CCD.

    Raises
    ------
    UsageError
        When the name is unknown, or is that of several.
    """
    index = _searched(index_for(backend, frames=frames), product, sectors)
    if not index.cubes:
        return []
    path = _path(target, _span(index.cubes), SEARCH_HOURS, backend)
    return find_passages(path, index, product=product, margin=margin)


def follow(target: MovingTarget, size: Size, options: CutoutOptions, backend: HasTargets) -> CutoutRequest | None:
    """A request that follows a target; None where no sector saw it.

    Parameters
    ----------
    target : MovingTarget
        Whom.
    size : Size
        Of the boxes around it.
    options : CutoutOptions
        Out of which cubes, and what of them.
    backend : HasTargets
        Ports.

    Raises
    ------
    UsageError
        When the name is unknown, or is that of several.
    """
    margin = EDGE_MARGIN + _PARALLAX
    cubes = find_target_cubes(target, options.product, options.sectors, margin, backend, frames=options.frames)
    if not cubes:
        return None
    spans = _joined([(cube.t_min, cube.t_max) for cube in cubes])
    # one question at a time, as JPL asks of those who use Horizons
    paths = [_path(target, span, TRACK_HOURS, backend) for span in spans]
    places = sorted({place for path in paths for place in path.places})
    if len(places) > MAX_ROWS:
        raise TooLargeError.about("sector", f"{len(spans)} sectors", "fewer sectors at a time")
    observer = ", ".join(sorted({path.observer for path in paths}))
    path = Path(target=paths[0].target, observer=observer, places=_apart(places))
    sectors = tuple(sorted({cube.sequence_number for cube in cubes}))
    moving = Moving(path=path, size=size)
    return CutoutRequest(target=moving, options=options.model_copy(update={"sectors": sectors}))


def _joined(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans that overlap as one: CCDs of a sector differ by minutes, and are asked for once."""
    joined: list[tuple[float, float]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


def _apart(places: Sequence[Place]) -> tuple[Place, ...]:
    """Places, in order of time, without those that are almost at the time of the one before."""
    kept: list[Place] = []
    for place in places:
        if not kept or place[0] - kept[-1][0] > _CLOSE:
            kept.append(place)
    return tuple(kept)
