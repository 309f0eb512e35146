"""All footprints in few bytes, for a map of the sky."""

from __future__ import annotations

import datetime
from typing import Any

from tessera.sky.footprint import Footprint
from tessera.tess.times import sector_cadence
from tessera_cloud.application.index.footprint_index import FootprintIndex
from tessera_cloud.contracts import PublishedCube

_MJD_0 = datetime.date(1858, 11, 17)
_DECIMALS = 3
"""Decimal places of corners in degrees."""


def day_of(mjd: float) -> str:
    """Date of an MJD, as ISO 8601."""
    return (_MJD_0 + datetime.timedelta(days=int(mjd // 1))).isoformat()


def _ccd(cube: PublishedCube) -> dict[str, Any]:
    corners = Footprint.parse_s_region(cube.s_region).vertices.round(_DECIMALS).tolist()
    return {"cube": cube.obs_id, "camera": cube.ccd_id.camera, "ccd": cube.ccd_id.ccd, "corners": corners}


def map_sectors(index: FootprintIndex, product: str) -> list[dict[str, Any]]:
    """Sectors in order, with their dates and the corners of their CCDs."""
    sectors: dict[int, list[PublishedCube]] = {}
    for cube in index.cubes:
        if cube.cube_id.product == product:
            sectors.setdefault(cube.sequence_number, []).append(cube)
    return [
        {
            "sector": sector,
            "start": day_of(min(cube.t_min for cube in cubes)),
            "stop": day_of(max(cube.t_max for cube in cubes)),
            "cadence_seconds": sector_cadence(sector),
            "ccds": [_ccd(cube) for cube in cubes],
        }
        for sector, cubes in sorted(sectors.items())
    ]
