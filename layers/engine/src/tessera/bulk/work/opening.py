"""Open the cubes of a list for its plan."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, cast

from tessera.bulk.plan.sightings import SightCube
from tessera.bulk.work.order import KnownCube
from tessera.cutouts.batching import CUBES_AT_ONCE
from tessera.cutouts.open_cube import open_cube
from tessera.errors import UNREADABLE, DataWarning, InvalidInputError, reason_of
from tessera.framesets.source import FrameSet
from tessera.io.locations import shown
from tessera.io.sources import Location


@dataclass(frozen=True)
class OpenedCubes:
    """The cubes of a list.

    Parameters
    ----------
    known : dict
        Cubes by their ids: where they are, and what is known of them.
    sights : list of SightCube
        The same cubes for the plan.
    product : {'SPOC', 'TICA'}
        Kind of their frames.
    unread : dict
        Cubes that cannot be read, as they were given, and why.
    """

    known: dict[str, KnownCube]
    sights: list[SightCube]
    product: Literal["SPOC", "TICA"]
    unread: dict[str, str]


def open_cubes(locations: Sequence[Location], product: str | None) -> OpenedCubes:
    """Read everything of cubes but their pixels.

    Parameters
    ----------
    locations : sequence of str or Path
        The cubes, in their file system.
    product : {'SPOC', 'TICA'} or None
        Kind of frames that is wanted; None for the kind that all cubes have.

    Raises
    ------
    InvalidInputError
        When the cubes have another kind of frames, or two kinds.
    OSError or CubeFormatError
        When no cube can be read. If only some cannot be read, a DataWarning names them.
    """
    with ThreadPoolExecutor(min(CUBES_AT_ONCE, len(locations))) as pool:
        opened = list(pool.map(_open, locations))
    errors = {shown(at): item for at, item in zip(locations, opened, strict=True) if isinstance(item, Exception)}
    if len(errors) == len(locations):
        raise next(iter(errors.values()))
    good = [item for item in opened if not isinstance(item, Exception)]
    kinds = sorted({item.product for item in good})
    if kinds != [product or kinds[0]]:
        wanted = f"cubes of {product} frames" if product else "cubes of one kind of frames, or one of them as product"
        raise InvalidInputError("cubes", f"cubes of {' and '.join(kinds)} frames", wanted)
    for name, error in errors.items():
        warnings.warn(f"{name} is left out: {reason_of(error)}", DataWarning, stacklevel=4)
    known, sights = dict[str, KnownCube](), []
    for item in good:
        cube_id = _different(item.sight.name, known)
        known[cube_id] = item.known
        sights.append(replace(item.sight, name=cube_id))
    unread = {name: reason_of(error) for name, error in errors.items()}
    return OpenedCubes(known, sights, cast("Literal['SPOC', 'TICA']", kinds[0]), unread)


class _Opened(NamedTuple):
    known: KnownCube
    sight: SightCube
    product: str


def _open(location: Location) -> _Opened | Exception:
    if isinstance(location, FrameSet):
        return InvalidInputError("cubes", location, "cubes; lists read each of them once, so make a cube of the frames")
    try:
        with open_cube(location) as file:
            known = KnownCube(location, file.source.version, file.cube.to_sidecar())
            return _Opened(known, SightCube.of(file.cube), file.cube.product.name)
    except UNREADABLE as error:
        return error


def _different(name: str, taken: dict[str, KnownCube]) -> str:
    """The name, or with a number if another cube has it."""
    number, found = 2, name
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found
