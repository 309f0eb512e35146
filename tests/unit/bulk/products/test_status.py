"""The table of what became of each row of a list."""

import csv
import io
import math

import pytest
from astropy.table import Table

from tessera.bulk.status import COLUMNS, BulkStatus, format_status, parse_status, status_header

PLAIN = BulkStatus(
    7, "TIC 25155310", 25155310, 63.37, -69.23, "tess-s0001-4-2", 1, 4, 2, False, "ok", "", "tpf", "a.zip", "b", "0f"
)
NAMES = ('a "b", c', "two\nlines\r\n", "\u2028", "=1+1", " ", "ναός", "null\0", "half \ud83d")


def table(*rows: BulkStatus) -> bytes:
    return status_header() + format_status(rows)


def test_what_is_written_is_read_again() -> None:
    bare = BulkStatus(8, "nowhere", 0, math.nan, math.nan, status="error", reason="ra: 'x' is not a number")

    first, second = parse_status(table(PLAIN, bare))

    assert first == PLAIN
    assert math.isnan(second.ra)
    assert (second.row, second.cube, second.sector, second.best, second.reason) == (8, "", 0, True, bare.reason)


def test_each_row_is_one_line_whatever_its_name_is() -> None:
    content = format_status(BulkStatus(number, name, 0, 1.5, 2.5) for number, name in enumerate(NAMES, 1))

    assert [int(line.partition(b",")[0]) for line in content.splitlines()] == [*range(1, 9)]
    assert [row.target for row in parse_status(content)] == [
        'a "b", c', "two lines  ", " ", "=1+1", " ", "ναός", "null ", "half ?"
    ]  # fmt: skip


def test_astropy_reads_the_table() -> None:
    content = table(PLAIN, BulkStatus(9, 'a "b", c', 0, 1.0, 2.0, "tess-s0002-1-1", 2, 1, 1))

    read = Table.read(content.decode(), format="ascii.csv")

    assert tuple(read.colnames) == COLUMNS
    assert list(read["target"]) == ["TIC 25155310", 'a "b", c']
    assert list(read["best"]) == ["false", "true"]


def test_numbers_keep_all_digits() -> None:
    (read,) = parse_status(format_status([BulkStatus(1, "x", 2**62, 0.1 + 0.2, -1e-300)]))

    assert (read.tic, read.ra, read.dec) == (2**62, 0.1 + 0.2, -1e-300)


@pytest.mark.parametrize("content", [b"a,b,c\n", ",".join("x" for _ in COLUMNS).encode()])
def test_other_tables_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"is not a line of status\.csv"):
        parse_status(content)


def test_the_header_names_the_columns_in_the_order_of_the_values() -> None:
    (line,) = csv.DictReader(io.StringIO(table(PLAIN).decode()))

    assert {name: line[name] for name in ("row", "product", "file", "member", "sha256")} == {
        "row": "7", "product": "tpf", "file": "a.zip", "member": "b", "sha256": "0f"
    }  # fmt: skip
