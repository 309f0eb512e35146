"""Read some row groups, or only the first columns, of a Parquet file by ranges of bytes.

The reader of arro3 reads whole files. So it is given a file that has the bytes of the wanted part at their places, and
a footer that names nothing else.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tessera.bulk.parquet_files import (
    CHILDREN,
    CHUNK,
    COLUMNS,
    COMPRESSED,
    DATA_PAGE,
    DICTIONARY_PAGE,
    GROUPS,
    SCHEMA,
    arrow_errors,
)
from tessera.bulk.products.columns import PURPOSE
from tessera.bulk.thrift import I32, I64, LIST, STRUCT, Fields, Items, ThriftReader, write_struct
from tessera.errors import UnreadableFileError
from tessera.extras import import_extra
from tessera.io.sources import Source

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MAGIC = b"PAR1"
_TAIL = 8
_FIRST_READ = 256_000
"""Bytes at the end of a file that are read at first: most footers are smaller, even with the record of 800 targets."""
_N_ROWS, _KEY_VALUES, _ORDERS = 3, 5, 7
_GROUP_ROWS = 3


class ParquetParts:
    """An open Parquet file of which parts are read.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    UnreadableFileError
        When it is not a Parquet file, or is damaged, or cannot be read.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        first = max(0, source.size - _FIRST_READ)
        end = source.read(first, source.size - first)
        if len(end) < _TAIL + len(_MAGIC) or end[-4:] != _MAGIC:
            raise UnreadableFileError(source.name, "it is not a Parquet file")
        (length,) = struct.unpack("<I", end[-8:-4])
        self._footer_start = source.size - _TAIL - length
        if self._footer_start < len(_MAGIC):
            raise UnreadableFileError(source.name, "it is damaged: its footer does not fit into it")
        start = self._footer_start - first
        data = end[start:-_TAIL] if start >= 0 else source.read(self._footer_start, length)
        with arrow_errors(source.name):
            self._footer = ThriftReader(data).struct()
            self.groups: list[int] = [group[_GROUP_ROWS][1] for group in self._groups]
            """Rows of each row group."""
            pairs = self._footer.get(_KEY_VALUES, (LIST, ()))[1]
            self.key_values = {pair[1][1].decode(): pair[2][1].decode() for pair in pairs if 2 in pair}
            """Metadata of the file."""

    @property
    def _groups(self) -> Items:
        groups: Items = self._footer[GROUPS][1]
        return groups

    def read(self, groups: Sequence[int] | None = None, n_columns: int | None = None) -> Any:
        """Read rows.

        Parameters
        ----------
        groups : sequence of int, optional
            Numbers of the row groups; by default all.
        n_columns : int, optional
            How many columns are read, from the first, none of which is a list; by default all columns.

        Returns
        -------
        arro3.core.Table
            The rows.

        Raises
        ------
        MissingPackageError
            When Arrow is not installed.
        UnreadableFileError
            When the file is damaged, or cannot be read.
        """
        reader = import_extra("arro3.io", PURPOSE)
        with arrow_errors(self._source.name):
            table = reader.read_parquet(self._part(groups, n_columns)).read_all()
            n_rows = self.groups if groups is None else [self.groups[number] for number in groups]
            if min(n_rows, default=0) < 0 or table.num_rows != sum(n_rows):
                raise ValueError(f"it has {table.num_rows} rows, and its footer says otherwise")
            return table

    def _part(self, groups: Sequence[int] | None, n_columns: int | None) -> _PartialFile:
        _check_schema(self._footer)
        chosen = self._groups if groups is None else [self._groups[number] for number in groups]
        footer = dict(self._footer)
        footer[_N_ROWS] = I64, sum(group[_GROUP_ROWS][1] for group in chosen)
        kept = [{**group, COLUMNS: (LIST, Items(STRUCT, group[COLUMNS][1][:n_columns]))} for group in chosen]
        footer[GROUPS] = LIST, Items(STRUCT, kept)
        footer.pop(_KEY_VALUES, None)  # it has the columns as Arrow sees them, which the schema of Parquet says, too
        if n_columns is not None:
            _keep_columns(footer, n_columns)
        spans = [self._read_span(group) for group in kept]
        return _PartialFile(spans, self._footer_start, write_struct(footer))

    def _read_span(self, group: Fields) -> tuple[int, bytes]:
        """First byte of the wanted columns of a row group, and their bytes, which are adjacent."""
        bounds = [_bounds(column[CHUNK][1]) for column in group[COLUMNS][1]]
        start, stop = min(first for first, _ in bounds), max(last for _, last in bounds)
        if not 0 < start <= stop <= self._footer_start:
            raise UnreadableFileError(self._source.name, "it is damaged: a column does not fit into it")
        return start, self._source.read(start, stop - start)


def _check_schema(footer: Fields) -> None:
    """Check that no column has more columns than there are. Arrow takes memory for them, and ends the process."""
    schema = footer[SCHEMA][1]
    if any(not 0 <= element.get(CHILDREN, (I32, 0))[1] < len(schema) for element in schema):
        raise ValueError("a column has more columns than there are")


def _bounds(chunk: Fields) -> tuple[int, int]:
    """First byte of a column in a row group, and the byte after its last one."""
    if chunk[COMPRESSED][1] < 0:  # Arrow ends the process
        raise ValueError("a column has a negative size")
    start = chunk[DATA_PAGE][1]
    if DICTIONARY_PAGE in chunk:
        start = min(start, chunk[DICTIONARY_PAGE][1])
    return start, start + chunk[COMPRESSED][1]


def _keep_columns(footer: Fields, n_columns: int) -> None:
    """Keep the first columns of a footer."""
    schema = footer[SCHEMA][1]
    root = {**schema[0], CHILDREN: (I32, n_columns)}
    footer[SCHEMA] = LIST, Items(STRUCT, [root, *schema[1 : n_columns + 1]])
    if _ORDERS in footer:
        footer[_ORDERS] = LIST, Items(STRUCT, footer[_ORDERS][1][:n_columns])


class _PartialFile(io.RawIOBase):
    """A Parquet file of which some bytes are known: those of some parts, and a footer.

    Parameters
    ----------
    spans : list of (int, bytes)
        First byte of each part, and its bytes.
    footer_start : int
        First byte of the footer.
    footer : bytes
        The footer without what follows it.
    """

    def __init__(self, spans: list[tuple[int, bytes]], footer_start: int, footer: bytes) -> None:
        end = footer + struct.pack("<I", len(footer)) + _MAGIC
        self._spans = [(0, _MAGIC), *spans, (footer_start, end)]
        self._size = footer_start + len(end)
        self._at = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be read from any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to a place."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read the next bytes; zeros where they are not known."""
        out = memoryview(buffer).cast("B")
        size = max(0, min(len(out), self._size - self._at))
        out[:size] = bytes(size)
        for start, data in self._spans:
            first, last = max(start, self._at), min(start + len(data), self._at + size)
            if first < last:
                out[first - self._at : last - self._at] = data[first - start : last - start]
        self._at += size
        return size
