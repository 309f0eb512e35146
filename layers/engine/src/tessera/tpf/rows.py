"""The table of a target pixel file as bytes: its checksum before its rows exist, and the rows piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.fits.checksum import ones_complement_add, ones_complement_sum
from tessera.fits.hdus import CardTuple, format_cards, format_hdu, header_bytes, seal_header, table_cards
from tessera.fits.headers import padded
from tessera.tpf.columns import Column, column_cards, with_inherited

WcsCards: TypeAlias = Callable[[int], list[CardTuple]]

_BLOCK_BYTES = 1_000_000
"""Rows are built in blocks of this size, which stay in the processor's cache."""
_PIECE_BYTES = 4_000_000
"""Size of a piece of rows; larger pieces cost memory and are no faster."""


@dataclass(frozen=True)
class TpfFront:
    """A target pixel file up to its first row, but for the checksums of the table.

    Parameters
    ----------
    primary : bytes
        The primary HDU.
    table : str
        Cards of the table's header; see `tessera.fits.hdus.format_cards`.
    """

    primary: bytes
    table: str

    @property
    def n_bytes(self) -> int:
        """Size in bytes."""
        return len(self.primary) + header_bytes(self.table)

    def sealed(self, data_sum: int) -> bytes:
        """All of its bytes, given the ones-complement sum of the rows."""
        return self.primary + seal_header(self.table, data_sum)


@dataclass(frozen=True)
class PixelTable:
    """The second HDU of a target pixel file.

    Parameters
    ----------
    columns : list of Column
        Columns of the table, at least one. The first column has one entry per cadence.
    shape : (int, int)
        Rows and columns of the pixels of an entry.
    """

    columns: list[Column]
    shape: tuple[int, int]

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Type of a row."""
        return np.dtype([(item.name, item.dtype, self.shape if item.pixels else ()) for item in self.columns])

    @property
    def n_rows(self) -> int:
        """Number of cadences."""
        return len(self.columns[0].values)

    @property
    def n_bytes(self) -> int:
        """Size of the rows in bytes, without the padding after them."""
        return self.dtype.itemsize * self.n_rows

    def front(
        self, primary: list[CardTuple], image: Iterable[CardTuple], wcs_cards: WcsCards | None = None
    ) -> TpfFront:
        """Format the file up to the first row: the primary HDU and the header of the table.

        Parameters
        ----------
        primary : list of cards
            Cards of the primary header.
        image : iterable of cards
            Cards of the table's header that do not describe a column.
        wcs_cards : callable, optional
            Function that returns the WCS cards of a column of pixels, given the number of the column from 1.
        """
        cards = table_cards(self.dtype.itemsize, self.n_rows, len(self.columns))
        for number, column in enumerate(self.columns, 1):
            cards += column_cards(number, column, self.shape)
            if wcs_cards is not None and column.pixels:
                cards += wcs_cards(number)
        cards += [("EXTNAME", "PIXELS", ""), ("INHERIT", True, ""), *image]
        return TpfFront(format_hdu(primary), format_cards(with_inherited(cards, primary)))

    def data_sum(self, placed: Mapping[str, NDArray[Any]] | None = None) -> int:
        """Ones-complement sum of all rows: entries are whole words, so the sums of the columns add up.

        Parameters
        ----------
        placed : mapping, optional
            Arrays, by column, that replace the values of the columns.
        """
        placed = placed or {}
        sums = []
        for column in self.columns:
            field, values = self.dtype[column.name], placed.get(column.name, column.values)
            if np.ndim(values):
                step = max(1, _BLOCK_BYTES // field.itemsize)
                blocks = (values[start : start + step] for start in range(0, self.n_rows, step))
                sums += [ones_complement_sum(np.ascontiguousarray(block, field.base)) for block in blocks]
            else:
                one = ones_complement_sum(np.array([values], field.base))
                sums.append(one * (self.n_rows * field.itemsize // field.base.itemsize))
        return ones_complement_add(*sums)

    def fill(self, rows: NDArray[Any], first: int = 0) -> None:
        """Fill an array with the rows of the cadences from `first` on, block by block."""
        step = max(1, _BLOCK_BYTES // self.dtype.itemsize)
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            for column in self.columns:
                some = np.ndim(column.values)
                block[column.name] = (
                    column.values[first + start : first + start + len(block)] if some else column.values
                )

    def pieces(self) -> Iterator[bytes]:
        """All rows, piece by piece, and the padding after them."""
        buffer = np.empty(min(max(1, _PIECE_BYTES // self.dtype.itemsize), self.n_rows), self.dtype)
        for start in range(0, self.n_rows, len(buffer)):
            block = buffer[: self.n_rows - start]
            self.fill(block, start)
            yield block.tobytes()
        yield bytes(padded(self.n_bytes) - self.n_bytes)
