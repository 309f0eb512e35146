"""Refuse Parquet files whose pages need too much memory, before arro3 unpacks them.

The sizes are those of the headers of the pages, because the unpacking goes by them; the footer could say others.

Source: https://parquet.apache.org/docs/file-format/metadata/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tessera.bulk.parquet_files import (
    CHILDREN,
    CHUNK,
    COLUMNS,
    COMPRESSED,
    DATA_PAGE,
    DICTIONARY_PAGE,
    GROUPS,
    KIND,
    N_VALUES,
    SCHEMA,
)
from tessera.bulk.thrift import ThriftReader, plain_values
from tessera.errors import UnreadableFileError

ROWS_AT_ONCE = 50_000
_LARGEST_PAGES = 500_000_000
"""Largest number of bytes of one page of each column together."""
_LARGEST_TEXTS = 64_000_000
"""Largest number of bytes of the pages of all columns together that may have one text for many rows."""
_DECODED = 128_000_000
_MOST_VALUES = 50_000_000
"""Largest number of values of a column in a group of rows."""
_MOST_PAGES = 500_000
_PAGE, _UNPACKED, _PACKED = 1, 2, 3
"""Fields of the header of a page: its kind, and its sizes in bytes."""
_TEXTS = (6, 7)
"""Types of columns of bytes, of any length and of one length."""
_IS_DICTIONARY = 2
"""Kind of a page that is a dictionary."""
_DELTA_BYTE_ARRAY = 7
_TAIL = 8


def rows_at_once(data: bytes, name: str) -> int:
    """Check a Parquet file, and return how many of its rows may be read at once.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        Its name, for errors.

    Raises
    ------
    UnreadableFileError
        When the file is damaged, or would need too much memory.
    """
    length = int.from_bytes(data[-_TAIL:-4], "little")
    try:
        footer = plain_values(ThriftReader(data, len(data) - _TAIL - length).struct())
        return _check(data, footer, name)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
        raise UnreadableFileError(name, "it is not a table: its Parquet footer is damaged") from error


def _check(data: bytes, footer: dict[int, Any], name: str) -> int:
    texts = n_pages = 0
    kinds = [element.get(KIND) for element in footer[SCHEMA] if not element.get(CHILDREN)]
    for group in footer[GROUPS]:
        chunks = [column[CHUNK] for column in group[COLUMNS]]
        columns = [
            _measure(_pages(data, chunk), chunk[N_VALUES], has_texts=kind in _TEXTS)
            for chunk, kind in zip(chunks, kinds, strict=True)
        ]
        n_pages += sum(column.n_pages for column in columns)
        texts = max(texts, sum(column.texts for column in columns))
        largest = sum(column.page for column in columns)
        if n_pages > _MOST_PAGES or any(chunk[N_VALUES] > _MOST_VALUES for chunk in chunks):
            raise UnreadableFileError(name, f"a column has more than {_MOST_VALUES:,} values in a group of rows")
        if largest > _LARGEST_PAGES or texts > _LARGEST_TEXTS:
            allowed = f"at most {_LARGEST_PAGES:,}, of which {_LARGEST_TEXTS:,} are dictionaries"
            raise UnreadableFileError(name, f"its pages need {largest:,} bytes at once; allowed: {allowed}")
    return max(8, min(ROWS_AT_ONCE, _DECODED // max(texts, 1)))


class _Measured(NamedTuple):
    """A column in a group of rows: bytes of its largest page, and of the largest one that may repeat texts."""

    page: int
    texts: int
    n_pages: int


def _measure(pages: Iterator[dict[int, Any]], n_values: int, *, has_texts: bool) -> _Measured:
    largest = texts = n_pages = n_found = 0
    for page in pages:
        n_pages += 1
        largest = max(largest, page[_UNPACKED])
        if page[_PAGE] != _IS_DICTIONARY:
            n_found += _about(page).get(1, 0)
        if has_texts and _repeats(page):
            texts = max(texts, page[_UNPACKED])
    if n_found != n_values:  # arro3 ends the process for some files that contradict themselves
        raise ValueError("the pages have another number of values than the footer says")
    return _Measured(largest, texts, n_pages)


def _repeats(page: dict[int, Any]) -> bool:
    """Whether a few bytes of a page may stand for many texts."""
    return page[_PAGE] == _IS_DICTIONARY or _about(page).get(4 if 8 in page else 2) == _DELTA_BYTE_ARRAY


def _about(page: dict[int, Any]) -> dict[int, Any]:
    """Header of a page of its kind: of data, a dictionary, or data in the second version."""
    found: dict[int, Any] = page.get(5) or page.get(7) or page.get(8) or {}
    return found


def _pages(data: bytes, chunk: dict[int, Any]) -> Iterator[dict[int, Any]]:
    """Headers of the pages of a column in a group of rows."""
    places = (chunk[DATA_PAGE], chunk.get(DICTIONARY_PAGE) or chunk[DATA_PAGE])
    place = min(places)
    stop = place + chunk[COMPRESSED]
    if place < 0 or chunk[COMPRESSED] < 0 or max(places) > stop or stop > len(data):
        raise ValueError("a column is beyond the end of the file")
    while place < stop:
        reader = ThriftReader(data, place)
        page = plain_values(reader.struct())
        if page[_PACKED] < 0 or page[_UNPACKED] < 0:
            raise ValueError("a page has a negative size")
        yield page
        place = reader.place + page[_PACKED]
