"""Rows of target pixel files: their checksum before they exist, and their bytes piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tessera.fits.checksum import ones_complement_add, ones_complement_sum
from tessera.fits.hdus import CardTuple
from tessera.tpf.cards import RESERVED_KEYWORDS

_BLOCK_BYTES = 1_000_000
"""Rows are made so many bytes at a time, which stay in the processor's cache."""
_PIECE_BYTES = 4_000_000
"""Rows of a file in pieces are given away so many bytes at a time; more costs memory and is no faster."""


class Column(Protocol):
    """A column of a table, whose entries are whole words."""

    @property
    def name(self) -> str:
        """TTYPE."""

    @property
    def values(self) -> Any:
        """One entry per cadence, or a number that stands for all."""


def with_inherited(cards: list[CardTuple], primary: Sequence[CardTuple]) -> list[CardTuple]:
    """Cards of an extension, and behind them those of the primary header that it has not."""
    known = {keyword for keyword, _, _ in cards} | RESERVED_KEYWORDS
    return [*cards, *(card for card in primary if card[0] not in known)]


def data_sum(columns: Sequence[Column], dtype: np.dtype[Any], n_rows: int) -> int:
    """Ones-complement sum of all rows: columns are whole words, so theirs add up."""
    sums = []
    for column in columns:
        field = dtype[column.name]
        if np.ndim(column.values):
            sums.append(ones_complement_sum(np.ascontiguousarray(column.values, field.base)))
        else:
            one = ones_complement_sum(np.array([column.values], field.base))
            sums.append(ones_complement_add(one * (n_rows * field.itemsize // field.base.itemsize)))
    return ones_complement_add(*sums)


def fill_rows(columns: Sequence[Column], table: NDArray[Any], first: int) -> None:
    """Fill a table with the rows of the cadences from `first` on, as many at a time as stay in the cache."""
    step = max(1, _BLOCK_BYTES // table.dtype.itemsize)
    for start in range(0, len(table), step):
        block = table[start : start + step]
        for column in columns:
            some = np.ndim(column.values)
            block[column.name] = column.values[first + start : first + start + len(block)] if some else column.values


def row_pieces(columns: Sequence[Column], dtype: np.dtype[Any], n_rows: int) -> Iterator[bytes]:
    """All rows, piece by piece."""
    room = np.empty(min(max(1, _PIECE_BYTES // dtype.itemsize), n_rows), dtype)
    for start in range(0, n_rows, len(room)):
        block = room[: n_rows - start]
        fill_rows(columns, block, start)
        yield block.tobytes()
