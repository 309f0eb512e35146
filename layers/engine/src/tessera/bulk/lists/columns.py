"""Find the columns of a list that say something about targets, by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tessera.bulk.lists.batch import Role
from tessera.errors import InvalidInputError
from tessera.targets.table import (
    COLUMNS,
    DEC_COLUMNS,
    EPOCH_COLUMNS,
    NAME_COLUMNS,
    PM_DEC_COLUMNS,
    PM_RA_COLUMNS,
    POSITION_COLUMNS,
    RA_COLUMNS,
    TIC_COLUMNS,
    column_word,
)

ROLES: dict[Role, tuple[str, ...]] = {
    "name": NAME_COLUMNS,
    "tic": TIC_COLUMNS,
    "position": POSITION_COLUMNS,
    "ra": RA_COLUMNS,
    "dec": DEC_COLUMNS,
    "pm_ra": PM_RA_COLUMNS,
    "pm_dec": PM_DEC_COLUMNS,
    "epoch": EPOCH_COLUMNS,
    "size": ("size", "cutout_size"),
    "sectors": ("sectors", "sector"),
    "aperture": ("aperture",),
}
"""Names of the columns of each role; the first one that a list has is used."""
_PAIRS: tuple[tuple[Role, Role], ...] = (("ra", "dec"), ("pm_ra", "pm_dec"))
_UNIT = re.compile(r"\s*(.*?)\s*(?:\[([^\]]*)\]|\(([^)]*)\))\s*", re.DOTALL)
_DIGITS = tuple("+-.0123456789")
_FRAMES = ("j2000", "j2000.0", "icrs")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column that is used.

    Parameters
    ----------
    place : int
        Number of the column in the list, from 0.
    label : str
        Name of the column as the user wrote it.
    unit : str
        Unit that the name says, as in ``ra [hourangle]``; empty if it says none.
    """

    place: int
    label: str
    unit: str


def choose_columns(names: Sequence[str], argument: str) -> dict[Role, Chosen]:
    """Find the columns of targets.

    Parameters
    ----------
    names : sequence of str
        Names of all columns.
    argument : str
        Name of the caller's argument, for errors.

    Raises
    ------
    InvalidInputError
        When there are no columns of positions, names or numbers of the TESS Input Catalog, one of a pair of columns is
        missing, or a column that is needed is there twice.
    """
    found: dict[str, list[Chosen]] = {}
    for place, name in enumerate(names):
        word, unit = _parted(name)
        found.setdefault(word, []).append(Chosen(place, " ".join(name.split()), unit))
    chosen: dict[Role, Chosen] = {}
    for role, words in ROLES.items():
        several = next((found[word] for word in words if word in found), [])
        if len(several) > 1:
            raise InvalidInputError(
                argument, f"a list with {len(several)} columns {several[0].label}", "one of each name"
            )
        if several:
            chosen[role] = several[0]
    for one, other in (*_PAIRS, *(pair[::-1] for pair in _PAIRS)):
        if one in chosen and other not in chosen:
            allowed = f"both, or none; names of the other one are {', '.join(ROLES[other])}"
            raise InvalidInputError(argument, f"a list with the column {chosen[one].label} alone", allowed)
    if chosen.get("position") == chosen.get("name"):  # a column of names may have positions, too
        chosen.pop("position", None)
    if not chosen.keys() & {"name", "tic", "ra"}:
        raise InvalidInputError(argument, f"a list with the columns {', '.join(names[:20])}", COLUMNS)
    return chosen


def has_columns(names: Sequence[str], *, words_alone: bool = False) -> bool:
    """Whether texts are names of columns of targets, and not targets themselves.

    Parameters
    ----------
    names : sequence of str
        The cells of a line.
    words_alone : bool, optional
        Whether they are the words of the line, such as those of "Barnard's star".
    """
    words = {_parted(name)[0] for name in names}
    if any(name.strip().startswith(_DIGITS) for name in names):
        return False
    if words & {*ROLES["ra"]} and words & {*ROLES["dec"]}:
        return True
    known = any(words & {*ROLES[role]} for role in ("name", "tic", "ra"))
    return known and (not words_alone or words <= {word for several in ROLES.values() for word in several})


def _parted(name: str) -> tuple[str, str]:
    """Name of a column as in `ROLES`, and the unit behind it."""
    match = _UNIT.fullmatch(name[:200])
    if match is None:
        return column_word(name), ""
    unit = (match[2] if match[2] is not None else match[3]).strip()
    return column_word(match[1]), "" if unit.lower() in _FRAMES else unit
