"""The info table of a cube: one row per frame, one column per card of the frames' science headers.

Layout as written by astrocut 1.4 (see docs/explanation/formats.md), with nothing lost: the columns are the union of the
keywords of all frames, strings are as wide as the longest value, and a missing value stays visibly missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.checks import check_table_size, read_table_header
from tessera.cubes.frames import Frame
from tessera.errors import CubeFormatError, InconsistentFramesError
from tessera.fits.hdus import format_hdu, table_cards
from tessera.fits.headers import CardValue

FILE_COLUMN = "FFI_FILE"
MOST_KEYWORDS = 998
"""Largest number of keywords of a table: FITS allows 999 columns, and the last one has the names of the frames."""
_COMMENTARY = frozenset({"COMMENT", "HISTORY", "CONTINUE"})
_STRUCTURAL = frozenset(
    {"XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "TFIELDS", "CHECKSUM", "DATASUM"}
)
_OF_TABLES = re.compile(r"T[A-Z]{3,4}\d+|THEAP")
"""Keywords that describe the columns of a table. A comment under such a keyword would damage the table."""
_LONGEST_KEYWORD = 60
"""Length in characters of the longest keyword that leaves room for a value in a HIERARCH card."""
_INTEGERS = (("J", ">i4", 2**31), ("K", ">i8", 2**63))


def _values(frame: Frame) -> dict[str, CardValue]:
    """Values by keyword in capitals: the first card of a keyword, but all lines of COMMENT and HISTORY."""
    values: dict[str, CardValue] = {}
    lines: dict[str, list[str]] = {}
    for card in frame.science.cards:
        if card.keyword in _COMMENTARY:
            lines.setdefault(card.keyword, []).append(str(card.value))
        else:
            values.setdefault(card.keyword.upper(), card.value)
    return values | {keyword: "; ".join(texts) for keyword, texts in lines.items()}


@dataclass(frozen=True)
class _Column:
    name: str
    form: str
    values: NDArray[Any]
    null: int | None = None


def _text(value: CardValue) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    return "" if value is None else str(value)


def _string_column(name: str, values: Sequence[CardValue]) -> _Column:
    texts = [_text(value).encode("ascii") for value in values]
    width = max(1, *map(len, texts))
    return _Column(name, f"{width}A", np.array(texts, dtype=f"S{width}"))


def _integer_column(name: str, values: Sequence[CardValue]) -> _Column:
    """Column of 32 or 64 bits, or of text if an integer is larger. The mark of a missing value is no frame's value."""
    known = {int(value) for value in values if value is not None}
    for form, dtype, limit in _INTEGERS:
        if all(-limit <= value < limit for value in known):
            null = next(number for number in count(-limit) if number not in known)
            numbers = np.array([null if value is None else int(value) for value in values], dtype)
            return _Column(name, form, numbers, null if None in values else None)
    return _string_column(name, values)


def _column(name: str, values: Sequence[CardValue], *, double: bool) -> _Column:
    known = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in known):
        return _string_column(name, values)
    if not double and all(isinstance(value, int) for value in known):
        return _integer_column(name, values)
    numbers = np.array([np.nan if value is None else float(value) for value in values], ">f8")
    return _Column(name, "D", numbers)


def choose_template(frames_in_input_order: Sequence[Frame]) -> Frame:
    """The frame whose cards give the info table its first columns: the first one that has a WCS.

    Raises
    ------
    InconsistentFramesError
        When no frame has a WCS. A cube without a WCS cannot be cut.
    """
    for frame in frames_in_input_order:
        if frame.is_template:
            return frame
    first = frames_in_input_order[0]
    keyword, value = first.product.template
    raise InconsistentFramesError(first.name, f"neither this frame nor any other has {keyword} = {value} (a WCS)")


@dataclass(frozen=True)
class InfoColumn:
    """One keyword of the frames.

    Parameters
    ----------
    values : tuple
        Values of the card, one per frame; None for a frame without the card.
    comment : str
        Comment of the card in the first frame that has it.
    double : bool
        Whether numbers are stored as doubles even if all of them are integers. This is so if the card has no value in
        the first frame that has the card.
    """

    values: tuple[CardValue, ...]
    comment: str
    double: bool


@dataclass(frozen=True)
class InfoTable:
    """The cards of all frames of a cube.

    Parameters
    ----------
    files : tuple of str
        Names of the frames.
    columns : dict
        Keyword to `InfoColumn`: first the keywords of the template, then those of other frames, in input order.
    """

    files: tuple[str, ...]
    columns: dict[str, InfoColumn]

    @classmethod
    def of_frames(cls, frames: Sequence[Frame]) -> InfoTable:
        """Table of some frames, in the order in which they are given.

        Raises
        ------
        InconsistentFramesError
            See `choose_template`.
        """
        template = choose_template(frames)
        empty: dict[str, InfoColumn] = {}
        _add_keywords(empty, template, 0)
        return cls((), empty).append(frames)

    def append(self, frames: Sequence[Frame]) -> InfoTable:
        """Table with more frames at its end."""
        columns = dict(self.columns)
        for frame in frames:
            _add_keywords(columns, frame, len(self.files))
        capitals = {keyword: keyword.upper() for keyword in columns}
        values = {keyword: list(column.values) for keyword, column in columns.items()}
        for frame in frames:  # one after the other: the values of 20,000 frames by keyword would take 190 MB
            row = _values(frame)
            for keyword, of_column in values.items():
                of_column.append(row.get(capitals[keyword]))
        extended = {keyword: replace(column, values=tuple(values[keyword])) for keyword, column in columns.items()}
        return InfoTable(self.files + tuple(frame.name for frame in frames), extended)

    def take(self, order: Sequence[int]) -> InfoTable:
        """Table with its rows in another order."""
        columns = {
            keyword: replace(column, values=tuple(column.values[row] for row in order))
            for keyword, column in self.columns.items()
        }
        return InfoTable(tuple(self.files[row] for row in order), columns)

    @classmethod
    def parse(cls, name: str, hdu: bytes) -> InfoTable:
        """Read the third HDU of a cube, this library's or another's.

        Parameters
        ----------
        name : str
            Name of the cube, for errors.
        hdu : bytes
            Header and data of the HDU.

        Raises
        ------
        CubeFormatError
            When the HDU is not a table with the names of frames, or cannot be read.
        """
        check_table_size(name, read_table_header(name, hdu))
        try:
            columns = cls._read_columns(hdu)
        except Exception as reason:
            raise CubeFormatError(f"{name}: the info table cannot be read: {reason!s:.120}") from reason
        if FILE_COLUMN not in columns:
            raise CubeFormatError(f"{name}: the info table has no column {FILE_COLUMN}")
        files = columns.pop(FILE_COLUMN).values
        return cls(tuple(str(file) for file in files), columns)

    @staticmethod
    def _read_columns(hdu: bytes) -> dict[str, InfoColumn]:
        from astropy.io import fits  # noqa: PLC0415 - slow to import, and most functions do not need it

        table = fits.BinTableHDU.fromstring(hdu)
        columns = {}
        for column in table.columns:
            comment = table.header.get(column.name, "") if column.name not in _STRUCTURAL else ""
            values = tuple(_known(value, column.null) for value in table.data[column.name].tolist())
            columns[column.name] = InfoColumn(values, str(comment), column.format == "D")
        return columns

    def to_bytes(self) -> bytes:
        """Format the third HDU of a cube.

        Returns
        -------
        bytes
            Header and data, whole FITS blocks. There is one row per frame. The header has a card for each column; its
            value is the comment that the card has in the frames.
        """
        columns = [_column(keyword, column.values, double=column.double) for keyword, column in self.columns.items()]
        columns.append(_string_column(FILE_COLUMN, self.files))
        table = np.empty(len(self.files), dtype=[(column.name, column.values.dtype) for column in columns])
        header = table_cards(table.dtype.itemsize, len(self.files), len(columns))
        for number, column in enumerate(columns, 1):
            table[column.name] = column.values
            header += [(f"TTYPE{number}", column.name, ""), (f"TFORM{number}", column.form, "")]
            header += [(f"TNULL{number}", column.null, "")] if column.null is not None else []
        header += [
            (keyword, column.comment, "")
            for keyword, column in self.columns.items()
            if keyword not in _STRUCTURAL and not _OF_TABLES.fullmatch(keyword) and len(keyword) <= _LONGEST_KEYWORD
        ]
        header.append((FILE_COLUMN, "", ""))
        return format_hdu(header, table.tobytes())


def _add_keywords(columns: dict[str, InfoColumn], frame: Frame, n_rows: int) -> None:
    """Add a column for each keyword of a frame that has none. FITS does not tell capitals in names of columns apart."""
    known = {keyword.upper() for keyword in columns} | {"", FILE_COLUMN}
    for card in frame.science.cards:
        if card.keyword not in columns and card.keyword.upper() not in known:
            known.add(card.keyword.upper())
            columns[card.keyword] = InfoColumn((None,) * n_rows, card.comment, card.value is None)
    if len(columns) > MOST_KEYWORDS:
        reason = f"it is the first with which the frames have {len(columns):,} different keywords"
        raise InconsistentFramesError(frame.name, f"{reason}; an info table has room for {MOST_KEYWORDS}")


def _known(value: Any, null: int | None) -> CardValue:
    if isinstance(value, float) and math.isnan(value):
        return None
    known: CardValue = value.rstrip() if isinstance(value, str) else value
    return None if known in ("", null) else known
