"""Which form a list has: by its bytes, then its media type, then its name."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pytest

from tessera.bulk.lists.forms import find_form
from tessera.bulk.lists.read import read_list
from tessera.bulk.options import BulkOptions
from tessera.errors import InvalidInputError, MissingFileError

CSV = b"name,ra,dec\na,1,2\n"
FOUND: list[tuple[str, str, bytes, str]] = [
    ("", "", b"", "text"),
    ("", "", CSV, "text"),
    ("stars.csv", "", CSV, "csv"),
    ("STARS.CSV.GZ", "", b"", "csv"),
    ("stars.tsv", "", b"", "csv"),
    ("stars.dat", "", b"", "text"),
    ("stars.pq", "", b"", "parquet"),
    ("a.b/stars", "", b"", "text"),
    ("stars.json", "text/csv; charset=utf-8", b"", "csv"),
    ("", "Text/CSV", CSV, "csv"),
    ("", "text/plain", CSV, "text"),
    ("", "application/octet-stream", CSV, "text"),
    ("", "application/x-votable+xml", b"", "votable"),
    ("", "application/vnd.apache.parquet", b"", "parquet"),
    ("stars.csv", "text/csv", b"PAR1\x15\x00", "parquet"),
    ("stars.csv", "text/csv", b"SIMPLE  =                    T", "fits"),
    ("stars.csv", "text/csv", b"# %ECSV 1.0\n", "ecsv"),
    ("stars.csv", "", b"\n <?xml version='1.0'?>", "votable"),
    ("stars.csv", "", b"<VOTABLE>", "votable"),
    ("stars.csv", "", b"<vot:VOTABLE xmlns:vot=''>", "votable"),
    ("stars.txt", "", b'[{"ra": 1}]', "json"),
    ("stars.txt", "", b'{\n "ra": [1]}', "json"),
    ("stars.txt", "", b'["pi Men"]', "json"),
    ("stars.txt", "", b"[[1, 2]]", "json"),
    ("stars.txt", "", b"[HB93] 12\n", "text"),
    ("stars.csv", "", b"\xef\xbb\xbf" + b'[{"ra": 1}]', "json"),
    ("stars.csv", "", '[{"ra": 1}]'.encode("utf-16"), "json"),
    ("", "", gzip.compress(b"# %ECSV 1.0\n", mtime=0), "ecsv"),
    ("", "", bz2.compress(b"# %ECSV 1.0\n"), "ecsv"),
    ("", "", lzma.compress(b"# %ECSV 1.0\n"), "ecsv"),
    ("", "", gzip.compress(b"PAR1" + bytes(range(256)) * 90, mtime=0)[:200], "parquet"),
]


@pytest.mark.parametrize(("name", "content_type", "start", "form"), FOUND)
def test_bytes_count_before_the_media_type_and_that_before_the_name(
    name: str, content_type: str, start: bytes, form: str
) -> None:
    assert find_form(name, content_type, start) == form


def test_what_is_no_list_is_named() -> None:
    with pytest.raises(InvalidInputError, match="body is 'a spreadsheet'; allowed: a list as CSV, ECSV, VOTable"):
        find_form("stars.csv", "text/csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "body")


def test_a_form_that_is_given_counts_and_must_be_one() -> None:
    with pytest.raises(InvalidInputError, match="form is 'xls'; allowed: 'csv', 'ecsv'"):
        read_list(CSV, BulkOptions(), form="xls")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="a list with the columns 10 20"):
        read_list(b"10 20\n", BulkOptions(), form="csv")
    assert read_list(b"10 20\n", BulkOptions(), form="text").ra.tolist() == [10.0]


def test_a_path_without_a_file_is_said(tmp_path: object) -> None:
    for name in ("none.csv", "none.pq", "NONE.LIST.GZ"):
        with pytest.raises(MissingFileError, match="there is no such file"):
            read_list(f"{tmp_path}/{name}", BulkOptions())
    with pytest.raises(InvalidInputError, match="targets is 5; allowed: a name such as"):
        read_list(5, BulkOptions())


@pytest.mark.parametrize(
    ("text", "names", "n_problems"),
    [
        ("10 20\n-5 30\n", ("10 20", "-5 30"), 0),
        ("10, 20\n11; 21\n", ("10, 20", "11; 21"), 0),
        ("05:55:48 -75:23:28\n\n# no\nJ055548.4-752328\n", ("05:55:48 -75:23:28", "J055548.4-752328"), 0),
        ("ra dec\n10 20\n  11   21  \n", ("10.000000 +20.000000", "11.000000 +21.000000"), 0),
        ("ra\tdec\tname\n10\t20\ta b\n", ("a b",), 0),
        ("# ra dec name\n10 20 a\n", ("a",), 0),
        ("# ra and dec in degrees\n10 20\n", ("10 20",), 0),
        ("name size\n'10' 5\n", (), 1),
        ("target\n10 20\n", ("10 20",), 0),
        ("tic\n5\n", (), 1),
        ("Barnard's star\n10 20\n", ("10 20",), 1),
        ("TIC 5\n10 20\n", ("10 20",), 1),
        ("361, 0\n10 20\n", ("10 20",), 1),
        ("name,coordinates\na,05:55:48 -75:23:28\nb,\nc,x\n", ("a",), 2),
    ],
)
def test_text_has_a_target_on_each_line_or_columns(text: str, names: tuple[str, ...], n_problems: int) -> None:
    rows = read_list(text.encode(), BulkOptions())
    assert (rows.name, len(rows.problems)) == (names, n_problems)


def test_text_whose_columns_are_unknown_is_one_error() -> None:
    with pytest.raises(InvalidInputError, match="a list with the columns star_a, alpha, delta'; allowed: a table with"):
        read_list(b"star_a,alpha,delta\nx,1,2\n", BulkOptions())
