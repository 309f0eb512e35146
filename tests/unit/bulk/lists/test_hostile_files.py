"""Files that are no lists, or want too much: one sentence says what is wrong, soon and in little memory."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from pathlib import Path
from typing import Any

import arro3.core
import arro3.io
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from tessera.bulk.lists.read import read_list
from tessera.bulk.options import BulkOptions
from tessera.errors import InvalidInputError, UnreadableFileError

VOTABLE = """<?xml version="1.0"?>{doctype}
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE{table}>
<FIELD name="ra" datatype="double" unit="deg"/><FIELD name="dec" datatype="double" unit="deg"/>{field}
<DATA>{data}</DATA></TABLE>{more}</RESOURCE></VOTABLE>"""
ROWS = "<TABLEDATA><TR><TD>1</TD><TD>2</TD></TR></TABLEDATA>"


def votable(*, doctype: str = "", table: str = "", field: str = "", data: str = ROWS, more: str = "") -> bytes:
    return VOTABLE.format(doctype=doctype, table=table, field=field, data=data, more=more).encode()


def fits_file(change: dict[str, Any] | None = None, cut: int | None = None) -> bytes:
    out = io.BytesIO()
    hdu = fits.BinTableHDU(Table({"ra": np.arange(50.0), "dec": np.arange(50.0)}))
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(out)
    data = out.getvalue()
    for key, value in (change or {}).items():
        place = data.index(f"{key:8}= ".encode(), 2880)
        data = data[:place] + f"{key:8}= {value:>20}".encode() + data[place + 30 :]
    return data[:cut]


def image() -> bytes:
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(np.zeros((5, 5)))]).writeto(out)
    return out.getvalue()


def parquet(table: dict[str, Any], **others: Any) -> bytes:
    out = io.BytesIO()
    arro3.io.write_parquet(arro3.core.Table.from_pydict(table), out, **others)
    return out.getvalue()


PARQUET = parquet({"ra": arro3.core.Array(np.arange(50.0)), "dec": arro3.core.Array(np.arange(50.0))})
ECSV = "# %ECSV 1.0\n# ---\n{yaml}\nra dec\n1 2\n"
LAUGHS = "".join(f"# - &a{k} [{', '.join([f'*a{k - 1}' if k else 'ha'] * 9)}]\n" for k in range(12))

FILES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "a list without rows"),
    "a byte order mark": (b"\xef\xbb\xbf", "a list without rows"),
    "blank lines": (b"\n\n  \n", "a list without rows"),
    "comments": (b"# nothing\n# here\n", "a list without rows"),
    "names of columns alone": (b"name,ra,dec\n", "a list without rows"),
    "no row of half a million comments": (b"ra,dec\n" + b"# no\n" * 500_000, "a list without rows"),
    "a column twice": (b"ra,dec,ra\n1,2,3\n", "a list with 2 columns ra'; allowed: one of each name"),
    "a column twice in other letters": (b"ra,dec,RA\n1,2,3\n", "a list with 2 columns ra'"),
    "right ascension alone": (b"name,ra\na,1\n", "the column ra alone'; allowed: both, or none"),
    "a proper motion alone": (b"ra,dec,pmdec\n1,2,3\n", "the column pmdec alone"),
    "proper motions without epochs": (b"ra,dec,pmra,pmdec\n1,2,3,4\n", "also a column epoch, or the option epoch"),
    "days as years": (b"ra,dec,pmra,pmdec,epoch [d]\n1,2,3,4,2036.5\n", "column epoch [d] is 'd'; allowed: yr"),
    "a unit of no angle": (b"ra [m],dec\n1,2\n", "unit of the column ra [m] is 'm'; allowed: a unit of angles"),
    "a unit of no motion": (b"ra,dec,pmra [deg],pmdec,epoch\n1,2,3,4,2000\n", "a unit of proper motions"),
    "sizes in arcminutes": (b"ra,dec,size [arcmin]\n1,2,3\n", "size [arcmin] is 'arcmin'; allowed: pixels"),
    "an unclosed quotation mark": (b'name,ra,dec\n"a,1,2\n' + b"b,1,2\n" * 50_000, "field larger than field limit"),
    "a line without an end": (b"name,ra,dec\n" + b"x" * 3_000_000, "a line has more than 1,000,000 characters"),
    "bytes": (b"\x01\x00\x02" * 100, "a file with bytes that are no text"),
    "UTF-16 without a mark": ("ra,dec\n1,2\n".encode("utf-16-le"), "a file with bytes that are no text"),
    "a PDF document": (b"%PDF-1.7\n", "a PDF document'; allowed: a list as CSV"),
    "a spreadsheet": (b"PK\x03\x04 xl/workbook.xml", "a zip archive or a spreadsheet"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "a picture"),
    "a web page": (b"<!DOCTYPE html><html></html>", "a web page"),
    "a damaged gzip file": (gzip.compress(b"name,ra,dec\n" * 1000)[:-20], "it cannot be unpacked"),
    "a damaged xz file": (lzma.compress(b"name,ra,dec\n" * 1000)[:-20], "it cannot be unpacked"),
    "a damaged bzip2 file": (bz2.compress(b"name,ra,dec\n" * 1000)[:-20], "it cannot be unpacked"),
    "a bzip2 file of which a byte is wrong": (
        bz2.compress(b"name,ra,dec\n" * 1000)[:20] + b"?" + bz2.compress(b"name,ra,dec\n" * 1000)[21:],
        "it cannot be unpacked",
    ),
    "a gzip bomb": (gzip.compress(b"ra,dec\n" + b"# no list here\n" * 2_000_000), "more than 20,000,000 bytes"),
    "no JSON": (b'{"ra": [1, 2', "it is not JSON"),
    "JSON that nests": (b"[" * 100_000, "nested too deeply"),
    "JSON objects that nest": (b'{"targets":' * 100_000, "nested too deeply"),
    "a JSON name twice": (b'[{"ra": 1, "dec": 2, "ra": 3}]', "an object has the name 'ra' twice"),
    "an empty JSON list": (b"[]", "a list without rows"),
    "an empty JSON object": (b"{}", "a list with the columns"),
    "a JSON number below targets": (b'{"targets": 5}', "targets is 5"),
    "JSON columns of different lengths": (b'{"ra": [1, 2], "dec": [3]}', "different lengths (ra: 2, dec: 1)"),
    "a JSON number of too many digits": (b"[" + b"9" * 100_000 + b"]", "it is not JSON"),
    "JSON rows without columns of targets": (b'[{"x": 1}, {"y": 2}]', "a list with the columns x, y"),
    "XML that is no VOTable": (b'<?xml version="1.0"?><svg/>', "it is not a table"),
    "a VOTable with an entity": (
        votable(doctype='<!DOCTYPE V [<!ENTITY e SYSTEM "http://127.0.0.1:9/x">]>'), "it defines entities",
    ),
    "a VOTable with data elsewhere": (
        votable(data='<BINARY><STREAM href="http://127.0.0.1:9/x"/></BINARY>'), "its data are in another file",
    ),
    "a VOTable of 10^9 rows": (votable(table=' nrows="1000000000"'), "its header says 1000000000 rows"),
    "a VOTable with huge cells": (
        votable(field='<FIELD name="x" datatype="char" arraysize="2000000000"/>'), "a field has cells of 2000000000",
    ),
    "a VOTable of two tables": (
        votable(more='<TABLE><FIELD name="ra" datatype="double"/></TABLE>'), "it has 2 tables; allowed: one",
    ),
    "half a VOTable": (votable()[:200], "it is not a table"),
    "a FITS image": (image(), "it has no table"),
    "a FITS table of 10^9 rows": (fits_file({"NAXIS2": 1_000_000_000}), "its header says 1000000000 rows"),
    "a FITS table of -1 rows": (fits_file({"NAXIS2": -1}), "it is not a table"),
    "half a FITS table": (fits_file(cut=6000), "it is not a table"),
    "half a Parquet file": (PARQUET[:-30], "not a whole one"),
    "a Parquet file with a damaged footer": (PARQUET[:-40] + b"\xff" * 32 + PARQUET[-8:], "it is not a table"),
    "Parquet columns of no targets": (parquet({"x": arro3.core.Array(np.arange(5.0))}), "a list with the columns x"),
    "an ECSV header that is no YAML": (ECSV.format(yaml="# datatype: [").encode(), "its ECSV header"),
    "an ECSV header without columns": (ECSV.format(yaml="# delimiter: ' '").encode(), "its ECSV header"),
    "an ECSV header with a program": (
        ECSV.format(yaml="# datatype: !!python/object/apply:os.system [false]").encode(),
        "its ECSV header",
    ),
}  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_no_list_is_one_error(file: str) -> None:
    data, sentence = FILES[file]
    with pytest.raises((InvalidInputError, UnreadableFileError)) as caught:
        read_list(data, BulkOptions(), most_rows=1_000_000, most_bytes=20_000_000)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_open_file_must_give_bytes(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"ra,dec\n1,2\n")
    with (tmp_path / "list.csv").open(encoding="utf-8") as text, (tmp_path / "list.csv").open("rb") as closed:
        closed.close()
        for file in (text, closed):
            with pytest.raises(UnreadableFileError, match=r"^list\.csv cannot be read: it is closed, or open as text"):
                read_list(file, BulkOptions())


def test_a_dtd_of_a_votable_is_not_opened() -> None:
    data = votable(doctype='<!DOCTYPE VOTABLE SYSTEM "http://127.0.0.1:9/VOTable.dtd">')
    assert read_list(data, BulkOptions()).ra.tolist() == [1.0]


def test_too_many_rows_are_one_error() -> None:
    for given in (b"ra,dec\n" + b"1,2\n" * 11, [(1, 2)] * 11, {"ra": [1] * 11, "dec": [2] * 11}, b"10 20\n" * 11):
        with pytest.raises(
            InvalidInputError, match="targets is 'a list with more than 10 rows'; allowed: at most 10 rows"
        ):
            read_list(given, BulkOptions(), most_rows=10)
    endless = iter(lambda: "10 20", "")
    with pytest.raises(InvalidInputError, match="at most 10 rows"):
        read_list(endless, BulkOptions(), most_rows=10)


def test_a_list_of_ten_thousand_columns_is_read() -> None:
    names = ",".join(f"c{k}" for k in range(10_000))
    row = ",".join(["7"] * 10_000)
    rows = read_list(f"ra,dec,{names}\n{(chr(10)).join([f'1,2,{row}'] * 50)}\n".encode(), BulkOptions())
    assert len(rows) == 50


def test_nested_columns_of_parquet_are_ignored_and_lists_of_sectors_are_read() -> None:
    lists = arro3.core.list_array(np.array([0, 2, 2], np.int32), arro3.core.Array(np.array([3, 1])))
    nested = arro3.core.struct_array([lists], fields=[arro3.core.Field("inner", lists.type, nullable=True)])
    ra = arro3.core.Array(np.array([1.0, 2.0]))
    rows = read_list(parquet({"ra": ra, "dec": ra, "sectors": lists, "nested": nested}), BulkOptions())
    assert [rows.sector_sets[place] for place in rows.sector_set] == [(1, 3), None]


def test_an_ecsv_header_with_many_aliases_is_read_in_no_time() -> None:
    yaml = "# datatype:\n# - {name: ra, datatype: float64}\n# - {name: dec, datatype: float64}\n# x:\n" + LAUGHS.rstrip(
        "\n"
    )
    assert read_list(ECSV.format(yaml=yaml).encode(), BulkOptions()).ra.tolist() == [1.0]


def test_json_that_is_not_finite_is_an_empty_cell_or_a_problem() -> None:
    document = json.dumps(
        [{"ra": float("nan"), "dec": 1}, {"ra": float("inf"), "dec": 1}, {"ra": [[1]], "dec": {}}, None]
    )
    rows = read_list(document.encode(), BulkOptions())
    assert [problem.row for problem in rows.problems] == [1, 2, 3, 4]
