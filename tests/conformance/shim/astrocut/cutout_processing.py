"""See the package. What the peer's tests touch of its private functions is made of Tessera's public ones."""

from __future__ import annotations

from typing import Any

from astropy.io import fits
from astropy.table import Table
from astropy.time import Time

from tessera import CutoutsCombiner, build_default_combine_function, center_on_path, path_to_footprints
from tessera.compat.moving.path_files import image_cards
from tessera.compat.moving.path_focus import follow_path
from tessera.compat.moving.path_to_footprints import bounds_area, cutout_arguments, join_bounds, round_bounds
from tessera.images.combine import combine_headers
from tessera.moving.ephemeris import Ephemeris

__all__ = ["CutoutsCombiner", "build_default_combine_function", "center_on_path", "path_to_footprints"]

_area = bounds_area
_combine_bounds = join_bounds
_combine_headers = combine_headers
_get_args = cutout_arguments
_get_bounds = round_bounds


def _moving_target_focus(path: Table, size: Any, cutout_fles: list[str]) -> Table:
    """The tests' times of a path are those of cadences, TIME + 2457000, of no scale."""
    time = Time(path["time"].jd, format="jd", scale="tdb")
    sky = path["position"]
    focused, _ = follow_path(Ephemeris(time, sky.ra.deg, sky.dec.deg, "barycentre"), size, cutout_fles)
    return Table({column.name: column.values for column in focused.columns})


def _configure_bintable_header(new_header: fits.Header, table_headers: list[fits.Header]) -> None:
    new_header.extend(card for card in image_cards(table_headers) if card[0] not in new_header)
