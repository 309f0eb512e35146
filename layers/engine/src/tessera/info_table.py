"""The info table of a cube: one row per frame, one column per card of the frames' science headers.

Layout as written by astrocut 1.4 (see docs/formats.md), with nothing lost: the columns are the union of the keywords
of all frames, strings are as wide as the longest value, and a missing value stays visibly missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.errors import InconsistentFramesError
from tessera.fits_layout import Card, CardValue
from tessera.fits_write import format_hdu, table_cards
from tessera.frames import Frame

FILE_COLUMN = "FFI_FILE"
_COMMENTARY = frozenset({"COMMENT", "HISTORY"})
_STRUCTURAL = frozenset(
    {"XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "TFIELDS", "CHECKSUM", "DATASUM"}
)
_INT32 = range(-(2**31), 2**31)


def _column_cards(frames: Sequence[Frame], template: Frame) -> dict[str, Card]:
    """Keyword to the card that describes its column: the template's cards first, then what only others have."""
    columns: dict[str, Card] = {}
    for frame in (template, *frames):
        for card in frame.science.cards:
            if card.keyword:
                columns.setdefault(card.keyword, card)
    return columns


def _values(frame: Frame) -> dict[str, CardValue]:
    """Values by keyword: the first card of a name, but all lines of COMMENT and HISTORY."""
    values: dict[str, CardValue] = {}
    for card in frame.science.cards:
        if card.keyword in _COMMENTARY and card.keyword in values:
            values[card.keyword] = f"{values[card.keyword]}\n{card.value}"
        else:
            values.setdefault(card.keyword, card.value)
    return values


@dataclass(frozen=True)
class _Column:
    name: str
    form: str
    values: NDArray[Any]
    null: int | None = None


def _string_column(name: str, values: Sequence[CardValue]) -> _Column:
    texts = ["" if value is None else str(value) for value in values]
    width = max(1, *map(len, texts))
    return _Column(name, f"{width}A", np.array([text.encode("ascii") for text in texts], dtype=f"S{width}"))


def _integer_column(name: str, values: Sequence[CardValue]) -> _Column:
    known = [int(value) for value in values if value is not None]
    form, dtype, null = ("J", ">i4", _INT32.start)
    if any(value not in _INT32 for value in known):
        form, dtype, null = ("K", ">i8", -(2**63))
    numbers = np.array([null if value is None else int(value) for value in values], dtype)
    return _Column(name, form, numbers, null if len(known) < len(values) else None)


def _column(name: str, values: Sequence[CardValue], template_value: CardValue) -> _Column:
    known = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in known):
        return _string_column(name, values)
    if template_value is not None and all(isinstance(value, int) for value in known):
        return _integer_column(name, values)
    numbers = np.array([np.nan if value is None else float(value) for value in values], ">f8")
    return _Column(name, "D", numbers)


def choose_template(frames_in_input_order: Sequence[Frame]) -> Frame:
    """The frame whose cards give the info table its first columns: the first one that has a WCS.

    Raises
    ------
    InconsistentFramesError
        When there is none, since a cube without any WCS cannot be cut.
    """
    for frame in frames_in_input_order:
        if frame.is_template:
            return frame
    first = frames_in_input_order[0]
    keyword, value = first.product.template
    raise InconsistentFramesError(first.name, f"neither this frame nor any other has {keyword} = {value} (a WCS)")


def build_info_table(frames: Sequence[Frame], template: Frame) -> bytes:
    """Build the third HDU of a cube.

    Parameters
    ----------
    frames : sequence of Frame
        In time order.
    template : Frame
        From `choose_template`.

    Returns
    -------
    bytes
        Header and data, whole FITS blocks. One row per frame; the header repeats each column's name with the comment
        of the frames' card as its value.
    """
    cards = _column_cards(frames, template)
    rows = [_values(frame) for frame in frames]
    columns = [_column(keyword, [row.get(keyword) for row in rows], card.value) for keyword, card in cards.items()]
    columns.append(_string_column(FILE_COLUMN, [frame.name for frame in frames]))
    table = np.empty(len(frames), dtype=[(column.name, column.values.dtype) for column in columns])
    header = table_cards(table.dtype.itemsize, len(frames), len(columns))
    for number, column in enumerate(columns, 1):
        table[column.name] = column.values
        header += [(f"TTYPE{number}", column.name, ""), (f"TFORM{number}", column.form, "")]
        header += [(f"TNULL{number}", column.null, "")] if column.null is not None else []
    header += [(keyword, card.comment, "") for keyword, card in cards.items() if keyword not in _STRUCTURAL]
    header.append((FILE_COLUMN, "", ""))
    return format_hdu(header, table.tobytes())
