"""The rule for what a cube sees. All answers of the service follow it: sectors, footprints, targets and previews."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from tessera.errors import TesseraError
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.index.footprint_index import Candidate
from tessera_cloud.application.index.served import current_index, settled
from tessera_cloud.contracts import ProductName, PublishedCube

if TYPE_CHECKING:
    from tessera.cubes.reader import Cube

_CUBES_AT_ONCE = 16


def pixel_on(cube: Cube, ra: float, dec: float) -> tuple[float, float] | None:
    """Row and column of a position on the frames of a cube, by their WCS; None if the frames have no pixel there.

    See `tessera.cutouts.placing.find_pixels`.
    """
    import numpy as np  # noqa: PLC0415 - see below

    from tessera.cutouts.placing import find_pixels  # noqa: PLC0415 - imports astropy.wcs, which is slow

    rows, columns = find_pixels(cube, np.array([ra], np.float64), np.array([dec], np.float64))
    return None if np.isnan(rows[0]) else (float(rows[0]), float(columns[0]))


def find_seeing(ra: float, dec: float, product: ProductName, backend: HasCubes) -> list[PublishedCube]:
    """Find the cubes that have a pixel at a position, in index order.

    The footprint decides, except close to its edge. There the WCS of the cube decides, so that this answer is that of
    `pixel_on`.
    """
    found = current_index(backend).find_position(ra, dec, product)
    with ThreadPoolExecutor(_CUBES_AT_ONCE) as pool:
        hits = list(pool.map(lambda candidate: candidate.certain or _sees(candidate, ra, dec, backend), found))
    return [candidate.published for candidate, hit in zip(found, hits, strict=True) if hit]


def _sees(candidate: Candidate, ra: float, dec: float, backend: HasCubes) -> bool:
    """Whether a cube sees a position, by its WCS; by its footprint if the cube is gone or damaged."""
    from tessera_cloud.application.sidecar import known_cube  # noqa: PLC0415 - see `pixel_on`

    current = settled(candidate.published, backend)
    if current is not None:
        with suppress(TesseraError):
            return pixel_on(known_cube(current, backend), ra, dec) is not None
    return candidate.inside
