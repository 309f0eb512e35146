"""Read lists that are text: CSV, ECSV, columns with blanks between them, and one target per line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from astropy.table import Table, meta

from tessera.bulk.lists.batch import Batch, Column
from tessera.bulk.lists.columns import Chosen, choose_columns, has_columns
from tessera.bulk.lists.formats.tables import table_batch, table_errors
from tessera.bulk.lists.forms import find_encoding
from tessera.errors import InvalidInputError, UnreadableFileError
from tessera.sky.position_text import parse_position
from tessera.targets.read import LONGEST_NAME
from tessera.targets.table import COLUMNS, DELIMITERS, is_comment

MOST_CELLS = 2_000_000
"""Largest number of cells that are in memory at once."""
MOST_ROWS_AT_ONCE = 20_000
LONGEST_LINE = 1_000_000
"""Largest number of characters of a line."""
_PIECE = 1 << 20
_BLANKS = " "
_NEVER = "\x1f"
_SEPARATOR = re.compile(r"sep=.", re.IGNORECASE)
"""First line of a CSV file of Excel."""
_ERRORS = ("#N/A", "#NAME?", "#REF!", "#VALUE!", "#NUM!", "#NULL!", "#DIV/0!")
"""Cells of spreadsheets that begin as comments do."""
_RULE = re.compile(r"(?=.*(?:----|-\|))[-=|:+;,\s]*")


def read_text(stream: io.BufferedReader, form: str, name: str, argument: str) -> Iterator[Batch]:
    """Read a list that is text.

    Lines that begin with ``#``, and blank lines, are no rows. Text is UTF-8, or what its byte order mark says; bytes
    that are not UTF-8 are taken for Windows-1252.

    Parameters
    ----------
    stream : BufferedReader
        The file.
    form : {'csv', 'ecsv', 'text'}
        Form of the list.
    name, argument : str
        Name of the file, and of the caller's argument, for errors.

    Yields
    ------
    Batch
        Some rows.

    Raises
    ------
    InvalidInputError
        When there are no columns of targets.
    UnreadableFileError
        When the text is no table.
    """
    encoding = find_encoding(stream.peek(4)[:4])
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    lines = _lines(io.TextIOWrapper(stream, encoding, errors=errors, newline=""), name)
    first = next(lines, "")
    if first.startswith("# %ECSV"):
        yield from _read_ecsv(chain([first], lines), name, argument)
        return
    remark, first = _skip_remarks(chain([first], lines))
    delimiter = max(DELIMITERS, key=first.count)
    if first.count(delimiter) == 0 and form == "text":
        delimiter = _BLANKS
        if _names_columns(remark, first):
            first, lines = remark.lstrip("# "), chain([first], lines)
    header = _cells_of(first, delimiter)
    if form == "text" and not has_columns(header, words_alone=delimiter == _BLANKS) and _is_target(first, delimiter):
        yield from _read_names(chain([first] if first.strip() else [], lines))
        return
    if not any(cell.strip() for cell in header):
        raise InvalidInputError(argument, "an empty list", COLUMNS)
    header[0] = header[0].lstrip("# ")
    chosen = choose_columns(header, argument)
    if delimiter == _BLANKS and len(header) == 1:
        delimiter = _NEVER  # a cell is a line
    yield from _read_rows(lines, list(chosen.items()), len(header), delimiter, name)


def _lines(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    """Lines of a text, with their ends."""
    return chain.from_iterable(_pieces(text, name))


def _skip_remarks(lines: Iterator[str]) -> tuple[str, str]:
    """The last line above a list that begins with #, and the first line that does not."""
    remark = ""
    for line in lines:
        if not is_comment(line) and not _SEPARATOR.fullmatch(line.strip()):
            return remark, line
        remark = line if line.startswith("#") else remark
    return remark, ""


def _names_columns(remark: str, first: str) -> bool:
    """Whether a remark has the names of the columns of the line below it, such as "# ra dec"."""
    words, cells = remark.strip("# \r\n").split(), _cells_of(first.strip(), _BLANKS)
    return len(words) == len(cells) and has_columns(words) and not has_columns(cells)


def _is_target(line: str, delimiter: str) -> bool:
    """Whether a line is a target, and not the names of columns that are unknown."""
    if delimiter == _BLANKS or len(line) > LONGEST_NAME:
        return delimiter == _BLANKS
    try:
        return parse_position(line) is not None
    except InvalidInputError:
        return True


def _pieces(text: io.TextIOWrapper, name: str) -> Iterator[list[str]]:
    """Some adjacent lines at a time."""
    while piece := text.read(_PIECE):
        end = "" if piece.endswith("\n") else text.readline(LONGEST_LINE)
        if len(end) == LONGEST_LINE:
            raise UnreadableFileError(name, f"it is not a table: a line has more than {LONGEST_LINE:,} characters")
        yield io.StringIO(piece + end, newline="").readlines()


def _cells_of(line: str, delimiter: str) -> list[str]:
    return next(
        csv.reader(
            [line.replace("\t", " ") if delimiter == _BLANKS else line], delimiter=delimiter, skipinitialspace=True
        ),
        [],
    )


def _rows(lines: Iterator[str]) -> Iterator[str]:
    """Lines that are rows."""
    return (
        line for line in lines if (line[0] != "#" and not line.isspace()) or "\t" in line or line.startswith(_ERRORS)
    )


def _read_names(lines: Iterator[str]) -> Iterator[Batch]:
    rows = _rows(lines)
    while block := list(islice(rows, MOST_ROWS_AT_ONCE)):
        yield Batch(len(block), {"name": Column("target", block)})


def _read_rows(
    lines: Iterator[str], chosen: Sequence[tuple[Any, Chosen]], n_columns: int, delimiter: str, name: str
) -> Iterator[Batch]:
    """Batches of the rows below the names of the columns."""
    texts, units = _skip_rule(_rows(lines), delimiter)
    if delimiter == _BLANKS:
        texts = (line.replace("\t", " ") for line in texts)
    reader = csv.reader(texts, delimiter=delimiter, skipinitialspace=True)
    n_rows = max(1, min(MOST_ROWS_AT_ONCE, MOST_CELLS // n_columns))
    comma = delimiter != ","
    while True:
        try:
            rows = list(islice(reader, n_rows))
        except csv.Error as error:
            raise UnreadableFileError(
                name, f"it is not a table: line {reader.line_num} of the rows: {error}"
            ) from error
        if not rows:
            return
        broken = _even_out(rows, n_columns)
        columns = {
            role: Column(
                one.label, list(map(itemgetter(one.place), rows)), units.get(one.place) or one.unit, comma=comma
            )
            for role, one in chosen
        }
        yield Batch(len(rows), columns, broken)


def _skip_rule(lines: Iterator[str], delimiter: str) -> tuple[Iterator[str], dict[int, str]]:
    """Skip a line of dashes below the names of the columns, and the units that VizieR writes between them.

    Returns the other lines, and the units by the number of the column.
    """
    first = list(islice(lines, 1))
    if first and _RULE.fullmatch(first[0]):
        return lines, {}
    second = list(islice(lines, 1))
    if second and _RULE.fullmatch(second[0]):
        return lines, dict(enumerate(map(str.strip, _cells_of(first[0], delimiter))))
    return chain(first, second, lines), {}


def _even_out(rows: list[list[str]], n_columns: int) -> dict[int, str]:
    """Give all rows the same number of cells; returns the reasons of those that have too many."""
    broken: dict[int, str] = {}
    if {*map(len, rows)} == {n_columns}:
        return broken
    for place, row in enumerate(rows):
        if len(row) < n_columns:
            row.extend([""] * (n_columns - len(row)))
        elif len(row) > n_columns and any(map(str.strip, row[n_columns:])):
            broken[place] = f"the row has {len(row)} cells; allowed: at most {n_columns}, as many as there are columns"
    return broken


def _read_ecsv(lines: Iterator[str], name: str, argument: str) -> Iterator[Batch]:
    header: list[str] = []
    for line in lines:
        if not line.startswith("#"):
            break
        header.append(line)
        if len(header) > LONGEST_LINE:
            raise UnreadableFileError(name, "it is not a table: its header has too many lines")
    else:
        raise InvalidInputError(argument, "a list without columns", COLUMNS)
    about = _ecsv_header(header, name)
    if "__serialized_columns__" in (about.get("meta") or {}):
        yield table_batch(_with_astropy([*header, line, *lines], name), argument)
        return
    delimiter = str(about.get("delimiter", _BLANKS))
    names = _cells_of(line, delimiter)
    units = {str(column.get("name")): str(column.get("unit") or "") for column in about["datatype"]}
    chosen = choose_columns(names, argument)
    with_units = [
        (role, Chosen(one.place, one.label, units.get(names[one.place], "") or one.unit))
        for role, one in chosen.items()
    ]
    yield from _read_rows(lines, with_units, len(names), delimiter, name)


def _ecsv_header(lines: list[str], name: str) -> dict[str, Any]:
    try:
        about = meta.get_header_from_yaml([line.removeprefix("#")[1:].rstrip("\r\n") for line in lines[1:]])
        if isinstance(about, dict) and all(isinstance(column, dict) for column in about["datatype"]):
            return about
    except Exception as error:  # the YAML of a header may be anything
        raise UnreadableFileError(name, "it is not a table: its ECSV header cannot be read") from error
    raise UnreadableFileError(name, "it is not a table: its ECSV header says no columns")


def _with_astropy(lines: list[str], name: str) -> Table:
    with table_errors(name):
        return Table.read([line.rstrip("\r\n") for line in lines], format="ascii.ecsv")
