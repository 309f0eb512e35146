"""Understand the rows of a list, batch by batch, and put the targets together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.bulk.lists.batch import Batch, Column
from tessera.bulk.lists.cells.choices import Choices
from tessera.bulk.lists.cells.numbers import Reasons, plain_texts, read_tics
from tessera.bulk.lists.cells.positions import Sky, read_sky
from tessera.bulk.lists.lookup import Found
from tessera.bulk.target_rows import RowProblem, TargetRows
from tessera.errors import InvalidInputError
from tessera.sky.position_text import POSITIONS, parse_position
from tessera.targets.places import StarPlace
from tessera.targets.read import LONGEST_NAME, parse_target
from tessera.tess.star import tic_number

Asked = str | int
"""A name, or a number in the TESS Input Catalog, whose position is looked up."""

_J2000 = 2000.0


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of a batch, after they were understood.

    Parameters
    ----------
    first : int
        Number of its first row in the list, from 0.
    names : list of str
        Names, or positions as they were written.
    tic : ndarray of int64
        Numbers in the TESS Input Catalog; 0 where not known.
    sky : Sky
        Positions and proper motions.
    choices : tuple of ndarray of int32
        Rows and columns of the windows, and places of sectors and apertures.
    asked : dict
        Place of a row without a position to what is looked up for it.
    reasons : dict
        Place of a row that is wrong to the reason.
    """

    first: int
    names: list[str]
    tic: NDArray[np.int64]
    sky: Sky
    choices: tuple[NDArray[np.int32], ...]
    asked: dict[int, Asked]
    reasons: Reasons


def understand(batch: Batch, first: int, choices: Choices, argument: str) -> Part:
    """Understand the rows of a batch.

    Parameters
    ----------
    batch : Batch
        The rows.
    first : int
        Number of its first row in the list, from 0.
    choices : Choices
        The sizes, sectors and apertures of the list, which get those of the batch.
    argument : str
        Name of the caller's argument, for errors.

    Raises
    ------
    InvalidInputError
        When a column has a unit that it cannot have, or there are proper motions without epochs.
    """
    columns, n_rows = batch.columns, batch.n_rows
    reasons = dict(batch.broken)
    sky = read_sky(columns, n_rows, choices.epoch, argument, reasons)
    tic = read_tics(columns["tic"], reasons) if "tic" in columns else np.zeros(n_rows, np.int64)
    sides = choices.read(columns, n_rows, argument, reasons)
    names = plain_texts(columns["name"]) if "name" in columns else [""] * n_rows
    _number_names(names, tic)
    if "position" in columns:
        _read_positions(columns["position"], sky, reasons)
    asked = _find_missing(names, tic, sky, "tic" in columns, reasons)
    _name_all(names, tic, sky, reasons)
    return Part(first, names, tic, sky, sides, asked, reasons)


def _read_positions(column: Column, sky: Sky, reasons: Reasons) -> None:
    """Read the positions that are written in a column of their own, for the rows that have no other position."""
    texts = plain_texts(column)
    for place in np.flatnonzero(np.isnan(sky.ra)).tolist():
        if texts[place] and place not in reasons:
            try:
                found = parse_position(texts[place], column.label)
            except InvalidInputError as error:
                reasons[place] = str(error)
                continue
            if found is None:
                reasons[place] = str(InvalidInputError(column.label, texts[place], POSITIONS))
            else:
                (sky.ra[place], sky.dec[place]), sky.written[place] = found, texts[place]


def _number_names(names: list[str], tic: NDArray[np.int64]) -> None:
    """Take the numbers of names such as TIC 261136679, where there is no other number."""
    for place, name in enumerate(names):
        if name.startswith(("TIC", "tic", "Tic")) and tic[place] == 0:
            tic[place] = tic_number(name) or 0


def _find_missing(
    names: list[str], tic: NDArray[np.int64], sky: Sky, has_tics: bool, reasons: Reasons
) -> dict[int, Asked]:
    """Read the positions that are written as names. Returns what to look up for the other rows without a position."""
    asked: dict[int, Asked] = {}
    for place in np.flatnonzero(np.isnan(sky.ra)).tolist():
        if place in reasons:
            continue
        if tic[place]:
            asked[place] = int(tic[place])
        elif not names[place]:
            wanted = "neither a name, a number in the TESS Input Catalog nor a position"
            reasons[place] = f"the row has {wanted if has_tics else 'neither a name nor a position'}"
        else:
            try:
                names[place], found = parse_target(names[place], "target")
            except InvalidInputError as error:
                reasons[place] = str(error)
                continue
            if found is None:
                asked[place] = names[place]
            else:
                sky.ra[place], sky.dec[place] = found
    return asked


def _name_all(names: list[str], tic: NDArray[np.int64], sky: Sky, reasons: Reasons) -> None:
    """Give names to the rows without one, and refuse those that cannot be printed."""
    numbers, ra, dec = tic.tolist(), sky.ra.tolist(), sky.dec.tolist()
    for place, name in enumerate(names):
        if not name:
            if numbers[place]:
                names[place] = f"TIC {numbers[place]}"
            elif len(sky.written.get(place, "")) in range(1, LONGEST_NAME + 1):
                names[place] = sky.written[place]
            elif not math.isnan(ra[place]):
                names[place] = f"{ra[place]:.6f} {dec[place]:+.6f}"
        elif len(name) > LONGEST_NAME or not name.isprintable():
            allowed = f"at most {LONGEST_NAME} characters that can be printed"
            reasons.setdefault(place, str(InvalidInputError("name", name, allowed)))
            names[place] = name[:LONGEST_NAME]


def combine(parts: list[Part], found: Found, choices: Choices) -> TargetRows:
    """Put the rows of a list together, with the positions that were looked up.

    Parameters
    ----------
    parts : list of Part
        All rows.
    found : Found
        What was looked up.
    choices : Choices
        The sizes, sectors and apertures.
    """
    problems: list[RowProblem] = []
    kept = []
    for part in parts:
        _place(part, found)
        good = np.ones(len(part.names), np.bool_)
        good[list(part.reasons)] = False
        kept.append(np.flatnonzero(good))
        for place in sorted(part.reasons):
            name = part.names[place]
            shown = name if name.isprintable() else name.encode("unicode_escape").decode("ascii")
            problems.append(RowProblem(part.first + place + 1, shown[:LONGEST_NAME], part.reasons[place]))
    names = tuple(part.names[place] for part, places in zip(parts, kept, strict=True) for place in places.tolist())
    several = [_arrays(part, places) for part, places in zip(parts, kept, strict=True)]
    columns = {field: np.concatenate([one[field] for one in several]) for field in several[0]}
    return TargetRows(
        **columns,
        name=names,
        sector_sets=choices.sector_sets,
        apertures=choices.apertures,
        problems=tuple(problems),
    )


def _arrays(part: Part, kept: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """Columns of `TargetRows`, for the rows of a part that are kept."""
    sky = part.sky
    n_rows, n_columns, sector_set, aperture = (values[kept] for values in part.choices)
    return {
        "row": part.first + kept + 1,
        "tic": part.tic[kept],
        "ra": sky.ra[kept],
        "dec": sky.dec[kept],
        "pm_ra": sky.pm_ra[kept],
        "pm_dec": sky.pm_dec[kept],
        "epoch": sky.epoch[kept],
        "n_rows": n_rows,
        "n_columns": n_columns,
        "sector_set": sector_set,
        "aperture": aperture,
    }


def _place(part: Part, found: Found) -> None:
    """Give the positions that were looked up to the rows of a part."""
    sky = part.sky
    for place, asked in part.asked.items():
        if place in part.reasons:
            continue
        where = found.places[asked]
        if isinstance(where, StarPlace):
            sky.ra[place], sky.dec[place] = where.ra % 360.0, where.dec
            if np.isfinite([where.pm_ra, where.pm_dec]).all() and np.isnan(sky.pm_ra[place]):
                sky.pm_ra[place], sky.pm_dec[place], sky.epoch[place] = where.pm_ra, where.pm_dec, _J2000
        else:
            part.reasons[place] = where
