"""Read a list of targets: a file, bytes, or values of Python."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tessera.bulk.lists.batch import Batch, check_rows
from tessera.bulk.lists.cells.choices import Choices
from tessera.bulk.lists.formats.parquet import read_parquet
from tessera.bulk.lists.formats.tables import read_fits, read_votable, table_batch
from tessera.bulk.lists.formats.text import read_text
from tessera.bulk.lists.formats.values import read_json, read_value
from tessera.bulk.lists.forms import FORMS, START_BYTES, Form, find_form, form_of_name
from tessera.bulk.lists.lookup import look_up
from tessera.bulk.lists.rows import Part, combine, understand
from tessera.bulk.lists.sources import open_list
from tessera.bulk.options import UPLOAD_ROWS, BulkOptions
from tessera.bulk.target_rows import TargetRows
from tessera.checks import check_choice
from tessera.errors import InvalidInputError, UnreadableFileError
from tessera.targets.places import Names, Stars
from tessera.targets.table import COLUMNS

MOST_BYTES = 1_000_000_000
"""Largest size of a list in bytes, after it is unpacked."""
MOST_VOTABLE_BYTES = 100_000_000
MOST_JSON_BYTES = 50_000_000
"""Largest sizes of lists in VOTable and JSON, which need many times as much memory."""
MOST_NAMES = 1_000
MOST_STARS = 10_000


def read_list(
    source: Any,
    options: BulkOptions,
    *,
    form: Form | None = None,
    names: Names | None = None,
    stars: Stars | None = None,
    most_rows: int = UPLOAD_ROWS,
    most_bytes: int = MOST_BYTES,
    most_names: int = MOST_NAMES,
    most_stars: int = MOST_STARS,
    argument: str = "targets",
) -> TargetRows:
    """Read a list of targets.

    A row has a position (the columns ra and dec), a name, or a number in the TESS Input Catalog (tic). It may have a
    proper motion (pmra, pmdec) with its epoch, and its own size, sectors and aperture; the options are for rows that do
    not. Other columns are ignored. docs/guide/lists.md describes the columns.

    Parameters
    ----------
    source : str, Path, bytes, binary file object, table, or iterable
        Path or URL of a file, its content, an open file; a table of astropy or pandas or a structured array; a
        SkyCoord; names, positions, pairs of RA and Dec in degrees, or dicts one by one; or a dict of columns. A text
        that is no path of a file is one target. `TargetRows` are returned as they are.
    options : BulkOptions
        Size, sectors and aperture of the rows that say none.
    form : {'csv', 'ecsv', 'votable', 'fits', 'parquet', 'json', 'text'}, optional
        Form of a file. By default, its bytes and its name say it; see `tessera.bulk.lists.forms.find_form`.
    names : Names, optional
        Resolver that is asked for names without a position, several names at the same time. Without it they are
        problems.
    stars : Stars, optional
        Catalogue that is asked for numbers in the TESS Input Catalog without a position, many at once. Without it, they
        are names.
    most_rows : int, optional
        Largest number of rows.
    most_bytes : int, optional
        Largest size of a file, after it is unpacked.
    most_names, most_stars : int, optional
        Largest number of different names and numbers that are looked up. The rows of others are problems.
    argument : str, optional
        Name of the caller's argument, for errors.

    Returns
    -------
    TargetRows
        The targets. A row that cannot be understood, or has no position, is among the problems.

    Raises
    ------
    InvalidInputError
        When there is no row, or no column of targets; or a column cannot be used for all rows.
    TooManyRowsError
        When there are too many rows. It is an `InvalidInputError`.
    UnreadableFileError
        When a file cannot be read, or is no table.
    NameResolverError
        When all rows need to be looked up, and neither the resolver nor the catalogue answers.
    """
    if isinstance(source, TargetRows):
        return source
    choices = Choices(options)
    parts: list[Part] = []
    n_rows = 0
    for batch in _batches(source, form, most_rows, most_bytes, argument):
        check_rows(n_rows + batch.n_rows, most_rows, argument)
        parts.append(understand(batch, n_rows, choices, argument))
        n_rows += batch.n_rows
    if n_rows == 0:
        raise InvalidInputError(argument, "a list without rows", COLUMNS)
    found = look_up(_asked(parts), names, stars, most_names=most_names, most_stars=most_stars, argument=argument)
    if found.failure is not None and all(len(part.asked) == len(part.names) for part in parts):
        raise found.failure
    return combine(parts, found, choices)


def _asked(parts: Iterable[Part]) -> Iterator[str | int]:
    """What is looked up for the rows that are right otherwise."""
    return (asked for part in parts for place, asked in part.asked.items() if place not in part.reasons)


def _batches(source: Any, form: Form | None, most_rows: int, most_bytes: int, argument: str) -> Iterator[Batch]:
    if form is not None:
        check_choice("form", form, FORMS)
    if isinstance(source, str) and form is None and not _is_file(source):
        yield read_value([source], most_rows, argument)
    elif isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview)) or _is_open_file(source):
        with open_list(source, most_bytes) as (name, stream):
            start = stream.peek(START_BYTES)[:START_BYTES]
            kind = form or find_form(name, "", start, argument)
            yield from _read_file(stream, kind, name, most_rows, argument)
    else:
        yield read_value(source, most_rows, argument)


def _is_open_file(source: Any) -> bool:
    return hasattr(source, "read") and not hasattr(source, "colnames")  # tables of astropy have a method read, too


def _is_file(text: str) -> bool:
    """Whether a text is the path or URL of a list, and not a target."""
    try:
        return form_of_name(text) is not None or "://" in text or Path(text).is_file()
    except (OSError, ValueError):  # such as a name that is too long
        return False


def _read_file(stream: io.BufferedReader, form: Form, name: str, most_rows: int, argument: str) -> Iterator[Batch]:
    if form in ("csv", "ecsv", "text"):
        yield from read_text(stream, form, name, argument)
    elif form == "parquet":
        yield from read_parquet(stream.read(), name, argument)
    elif form == "fits":
        yield table_batch(read_fits(stream.read(), name), argument)
    elif form == "votable":
        yield table_batch(read_votable(_read_all(stream, MOST_VOTABLE_BYTES, name), name, most_rows), argument)
    else:
        yield read_value(read_json(_read_all(stream, MOST_JSON_BYTES, name), name), most_rows, argument)


def _read_all(stream: io.BufferedReader, most: int, name: str) -> bytes:
    data = stream.read(most + 1)
    if len(data) > most:
        raise UnreadableFileError(name, f"it has more than {most:,} bytes; allowed: the list as CSV or Parquet")
    return data
