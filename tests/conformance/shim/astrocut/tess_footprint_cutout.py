"""See the package. The tests replace functions in this module, so it is Tessera's own.

What is private in the peer and what its tests touch all the same is here, made of Tessera's functions.
"""

import sys
from typing import Any

import numpy as np
from astropy.table import Column

from tessera.compat.tess import tess_footprint_cutout
from tessera.coverage.footprint_index import ccd_ids
from tessera.errors import InvalidValueError
from tessera.sky.footprint import Footprint, find_overlaps
from tessera.tess.products import SPOC


def _s_region_to_polygon(s_region: str) -> Footprint:
    try:
        return Footprint.parse_s_region(s_region)
    except InvalidValueError as error:
        raise ValueError(f"Unsupported s_region type: {s_region.split(maxsplit=1)[0]}") from error


def _corners(polygon: Any) -> np.ndarray:
    return np.array(next(iter(polygon.points)))[:-1]


def _ffi_intersect(table: Any, polygon: Any) -> Column:
    lon, lat = np.degrees([np.arctan2(*_corners(polygon).T[1::-1]), np.arcsin(_corners(polygon).T[2])])
    footprints = np.array([_corners(item) for item in table["polygon"]])
    return Column(find_overlaps(footprints, Footprint(np.column_stack([lon, lat]))))


def _extract_sequence_information(obs_id: str) -> dict[str, str]:
    match = SPOC.obs_id.match(obs_id)
    return dict(zip(("sector", "camera", "ccd"), match.groups(), strict=True)) if match else {}


def _create_sequence_list(table: Any) -> list[dict[str, str]]:
    return [_extract_sequence_information(row["obs_id"]) for row, _ in ccd_ids(table)]


tess_footprint_cutout.TessFootprintCutout._s_region_to_polygon = staticmethod(_s_region_to_polygon)
tess_footprint_cutout.TessFootprintCutout._ffi_intersect = staticmethod(_ffi_intersect)
tess_footprint_cutout._extract_sequence_information = _extract_sequence_information
tess_footprint_cutout._create_sequence_list = _create_sequence_list
sys.modules[__name__] = tess_footprint_cutout
