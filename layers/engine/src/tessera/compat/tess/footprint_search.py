"""Find the footprints that a cutout touches in an index of footprints.

The index has the form that MAST publishes: a JSON object of columns of equal length. The columns are obs_id, s_region,
target_name and sequence_number (the sector).
"""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from numpy.typing import NDArray

from tessera.errors import DataWarning, InvalidInputError, UnreadableFileError
from tessera.inputs import CutoutSize, parse_coordinates, parse_size_input
from tessera.sky.coordinates import Coordinates
from tessera.sky.footprint import Footprint, find_overlaps, footprint_vectors, sky_box
from tessera.tess.ids import CcdId
from tessera.tess.products import SPOC, Product
from tessera.windows import Side

ARCSEC_PER_PX = 21.0
"""Size of a pixel in arcseconds; it converts sizes in pixels to boxes on the sky."""

_COLUMNS = "obs_id, s_region, target_name and sequence_number"
_SMALLEST = 0.1
"""Smallest side of a box, in pixels. It replaces a side of 0 when the other side is larger."""


def parse_index(data: bytes, name: str = "index") -> Table:
    """Read an index of footprints.

    Parameters
    ----------
    data : bytes
        The index as JSON.
    name : str, optional
        Name of its file, for the error.

    Returns
    -------
    Table
        Columns of the index, and ``polygon``: the corners as unit vectors, shape (n, vertices, 3). A footprint that
        has fewer than four corners is left out with a `DataWarning`.

    Raises
    ------
    UnreadableFileError
        When the data are not an index.
    """
    try:
        columns: dict[str, list[Any]] = json.loads(data)
        rows = zip(columns["obs_id"], columns["s_region"], columns["target_name"], strict=True)
        usable = [_usable(str(obs_id), str(region)) for obs_id, region, _ in rows]
        table = Table(columns)[usable]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnreadableFileError(name, f"it is not an index of footprints: JSON of {_COLUMNS} as lists") from error
    table["polygon"] = footprint_vectors(list(table["s_region"]))
    return table


def _usable(name: str, s_region: str) -> bool:
    try:
        n_vertices = len(Footprint.parse_s_region(s_region).vertices)
    except ValueError as error:
        warnings.warn(f"The footprint of {name} is not used: {error}", DataWarning, stacklevel=2)
        return False
    if n_vertices < 4:
        warnings.warn(f"The footprint of {name} is not used: {n_vertices} corners", DataWarning, stacklevel=2)
    return n_vertices >= 4


def _in_pixels(side: Side, arcsec_per_px: float) -> float:
    if not isinstance(side, u.Quantity):
        return float(side)
    angle = side.unit.physical_type == "angle"
    return float(side.to_value(u.arcsec) / arcsec_per_px if angle else side.value)


def _vectors(all_ffis: Table) -> NDArray[np.float64]:
    """Corners of the footprints as unit vectors. A table that `parse_index` did not make has only s_region texts."""
    if "polygon" in all_ffis.colnames and all_ffis["polygon"].dtype.kind == "f":
        return np.asarray(all_ffis["polygon"])
    return footprint_vectors(list(all_ffis["s_region"]))


def _crossmatch_point(sky: SkyCoord, all_ffis: Table) -> NDArray[np.bool_]:
    return find_overlaps(_vectors(all_ffis), sky_box(float(sky.ra.deg), float(sky.dec.deg), 0.0, 0.0))


def _crossmatch_polygon(sky: SkyCoord, all_ffis: Table, width: float, height: float) -> NDArray[np.bool_]:
    """Which footprints touch a box of a width (along right ascension) and height in degrees on the sky; shape (n,)."""
    return find_overlaps(_vectors(all_ffis), sky_box(float(sky.ra.deg), float(sky.dec.deg), width, height))


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


def ccd_ids(found: Table, product: Product = SPOC) -> list[tuple[dict[str, Any], CcdId]]:
    """Rows of one product, each with its sector, camera and CCD."""
    rows = (dict(zip(row.colnames, row, strict=True)) for row in found)
    matches = ((row, product.obs_id.match(row["obs_id"])) for row in rows if row["target_name"] == product.target_name)
    return [(row, CcdId(*map(int, match.groups()))) for row, match in matches if match]
