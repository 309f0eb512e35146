"""Select cutouts by file and target, and make tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table

from tessera.errors import InvalidInputError
from tessera.inputs import parse_coordinates, sky_text

COLUMNS = ("file", "coordinate", "cutout")


def select_files(known: Mapping[str, Any], files: Any) -> list[str]:
    """Names in results of the files that a user selects; with None, all files.

    Raises
    ------
    InvalidInputError
        When a file has no cutout.
    """
    if files is None:
        return list(known)
    chosen = [str(file) for file in (files if isinstance(files, (list, tuple)) else [files])]
    for file in chosen:
        if file not in known:
            message = f"Input file {file} is not in the cutout results."
            raise InvalidInputError("input_files", file, "a file with a cutout", message)
    return chosen


def select_coordinates(known: Iterable[str], coordinates: Any) -> list[str]:
    """Targets that a user selects, as "ra dec" with eight decimals; with None, all targets.

    Raises
    ------
    InvalidInputError
        When an item is not a position, or a target has no cutout.
    """
    texts = list(dict.fromkeys(known))
    if coordinates is None:
        return texts
    chosen = []
    for item in coordinates if isinstance(coordinates, (list, tuple)) else [coordinates]:
        if not isinstance(item, (SkyCoord, str)):
            message = f"Coordinate {item} is not a valid SkyCoord or string."
            raise InvalidInputError("coordinates", item, "positions", message)
        try:
            chosen += [sky_text(sky) for sky in parse_coordinates(item)]
        except InvalidInputError as error:
            message = f"Invalid coordinate string: {item}."
            raise InvalidInputError("coordinates", item, "positions", message) from error
    for text in chosen:
        if text not in texts:
            message = f"Input coordinate {text} is not in the cutout results."
            raise InvalidInputError("coordinates", text, "a position with a cutout", message)
    return chosen


def cutout_table(rows: Iterable[tuple[str, SkyCoord, Any]]) -> Table:
    """Make a table of files, targets and cutouts. The cutouts may be any objects."""
    listed = list(rows)
    if not listed:
        return Table(names=COLUMNS)
    cutouts = np.empty(len(listed), object)
    for number, (_, _, cutout) in enumerate(listed):
        cutouts[number] = cutout
    degrees = [[float(angle.deg) for angle in (sky.icrs.ra, sky.icrs.dec)] for _, sky, _ in listed]
    files = [file for file, _, _ in listed]
    return Table([files, SkyCoord(degrees, unit="deg"), cutouts], names=COLUMNS)


def filter_table(table: Table, files: Sequence[str], coordinates: Sequence[str]) -> Table:
    """Rows of a table of cutouts that are of these files and targets."""
    keep = [row["file"] in files and sky_text(row["coordinate"]) in coordinates for row in table]
    return table[np.array(keep, bool)]
