"""Finds the cubes that see a position, and the pixel of the position on each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import Cube
from tessera.cutouts.cadences import cadence_seconds
from tessera.lightcurves.preview import count_science_pixels, edge_distance
from tessera.windows import Placement, place_window
from tessera_cloud.application.backend import HasCubes
from tessera_cloud.application.cutouts.order import FRAMES_SYNC_BYTES, FRAMES_SYNC_REQUESTS
from tessera_cloud.application.facts import FrameReads
from tessera_cloud.application.index.seen import pixel_on
from tessera_cloud.application.index.served import settled
from tessera_cloud.application.index.sky_map import day_of
from tessera_cloud.application.index.with_frames import index_with_frames
from tessera_cloud.application.sidecar import known_cubes
from tessera_cloud.contracts import PublishedCube

_HEADS = 16
_TEN_ROWS = 10


def _sighting(
    published: PublishedCube, cube: Cube, ra: float, dec: float, sides: tuple[int, int] | None
) -> dict[str, Any] | None:
    """Pixel of a position on one cube; None if the position is outside its frames."""
    pixel = pixel_on(cube, ra, dec)
    if pixel is None:
        return None
    row, column = pixel
    layout, ccd_id = cube.layout, published.ccd_id
    distance = edge_distance(layout, row, column)
    return {
        "cube": published.obs_id,
        "sector": ccd_id.sector,
        "camera": ccd_id.camera,
        "ccd": ccd_id.ccd,
        "start": day_of(published.t_min),
        "stop": day_of(published.t_max),
        "cadence_seconds": cadence_seconds(cube),
        "n_cadences": layout.n_cadences,
        "row": round(row, 3),
        "column": round(column, 3),
        "edge_distance_px": round(distance, 1),
        "on_silicon": distance >= 0,
        "science_pixels": None if sides is None else _science_pixels(layout, row, column, sides),
        "frames": _frame_cost(published),
    }


def _frame_cost(published: PublishedCube) -> dict[str, Any] | None:
    """What a cutout of a CCD without a cube reads and costs; None for a cube."""
    if not published.from_frames:
        return None
    reads = FrameReads.of(published)
    at_once = FRAMES_SYNC_BYTES // max(1, reads.bytes_of(1)) if reads.requests <= FRAMES_SYNC_REQUESTS else 0
    return {
        "requests": reads.requests,
        "bytes_per_row": reads.bytes_of(1),
        "rows_at_once": at_once,
        "seconds": round(reads.seconds_of(_TEN_ROWS), 1),
        "usd": float(f"{reads.usd_of(_TEN_ROWS):.2g}"),
    }


def _science_pixels(layout: CubeLayout, row: float, column: float, sides: tuple[int, int]) -> int:
    return count_science_pixels(layout, place_window(row, column, *sides, Placement.CENTRE))


def find_sightings(
    ra: float, dec: float, product: str, backend: HasCubes, sides: tuple[int, int] | None = None
) -> list[dict[str, Any]]:
    """Find cubes that have a pixel at a position, by their WCS. The order is sector, camera, CCD.

    With `sides`, rows and columns of a window, its science pixels on each cube are counted.
    """
    found = [candidate.published for candidate in index_with_frames(backend).find_position(ra, dec, product)]
    with ThreadPoolExecutor(_HEADS) as pool:
        published = [cube for cube in pool.map(lambda cube: settled(cube, backend), found) if cube is not None]
    cubes = known_cubes(published, backend)
    rows = (_sighting(item, cube, ra, dec, sides) for item, cube in zip(published, cubes, strict=True))
    return sorted((row for row in rows if row is not None), key=lambda row: (row["sector"], row["camera"], row["ccd"]))
