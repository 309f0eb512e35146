"""Find the footprints that a cutout touches in an index of footprints."""

from __future__ import annotations

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from numpy.typing import NDArray

from tessera.coverage.footprint_index import footprint_corners
from tessera.errors import InvalidInputError
from tessera.inputs import CutoutSize, parse_coordinates, parse_size_input
from tessera.sky.coordinates import Coordinates
from tessera.sky.footprint import find_overlaps, sky_box
from tessera.windows import Side

ARCSEC_PER_PX = 21.0
"""Size of a pixel in arcseconds; it converts sizes in pixels to boxes on the sky."""

_COLUMNS = "obs_id, s_region, target_name and sequence_number"
_SMALLEST = 0.1
"""Smallest side of a box, in pixels. It replaces a side of 0 when the other side is larger."""


def _in_pixels(side: Side, arcsec_per_px: float) -> float:
    if not isinstance(side, u.Quantity):
        return float(side)
    angle = side.unit.physical_type == "angle"
    return float(side.to_value(u.arcsec) / arcsec_per_px if angle else side.value)


def _crossmatch_point(sky: SkyCoord, all_ffis: Table) -> NDArray[np.bool_]:
    return find_overlaps(footprint_corners(all_ffis), sky_box(float(sky.ra.deg), float(sky.dec.deg), 0.0, 0.0))


def _crossmatch_polygon(sky: SkyCoord, all_ffis: Table, width: float, height: float) -> NDArray[np.bool_]:
    """Which footprints touch a box of a width (along right ascension) and height in degrees on the sky; shape (n,)."""
    return find_overlaps(footprint_corners(all_ffis), sky_box(float(sky.ra.deg), float(sky.dec.deg), width, height))


def ra_dec_crossmatch(
    all_ffis: Table, coordinates: Coordinates, cutout_size: CutoutSize, arcsec_per_px: float = ARCSEC_PER_PX
) -> Table:
    """Find the footprints that a cutout touches, on all CCDs of all sectors.

    Parameters
    ----------
    all_ffis : Table
        Index of footprints, from `get_ffis`.
    coordinates : SkyCoord or str
        Position of one target.
    cutout_size : int, array, list, tuple or Quantity
        Size of the cutout in pixels or as angle: one side or two, the first along right ascension. With 0, the
        footprints that contain the target are found. The width on the sky is the same at every declination, and the
        box may contain a pole.
    arcsec_per_px : float, optional
        Size of a pixel in arcseconds.

    Returns
    -------
    Table
        Rows of `all_ffis` whose footprints touch the cutout.

    Raises
    ------
    InvalidInputError
        When more than one target is given, or the position or the size is not allowed.
    """
    targets = parse_coordinates(coordinates)
    if len(targets) > 1:
        raise InvalidInputError("coordinates", f"{len(targets)} targets", "one")
    pixels = [_in_pixels(side, arcsec_per_px) for side in parse_size_input(cutout_size, allow_zero=True)]
    if not any(pixels):
        return all_ffis[_crossmatch_point(targets[0], all_ffis)]
    width, height = (max(side, _SMALLEST) * arcsec_per_px / 3600 for side in pixels)
    return all_ffis[_crossmatch_polygon(targets[0], all_ffis, width, height)]
