"""Info tables are read as astropy reads them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io import fits

from tessera.cubes.info_rows import parse_info_rows
from tessera.errors import CubeFormatError

COLUMNS = [
    fits.Column("DOUBLE", "D", array=[1.5, np.nan, -2.5]),
    fits.Column("SINGLE", "1E", array=[0.5, 1.5, np.nan]),
    fits.Column("INT", "J", null=-1, array=[3, -1, 2**31 - 1]),
    fits.Column("LONG", "K", null=-(2**63), array=[2**40, 5, -(2**63)]),
    fits.Column("SHORT", "I", array=[-1, 7, 300]),
    fits.Column("BYTE", "B", array=[0, 255, 1]),
    fits.Column("TEXT", "6A", array=["abc", "", "a b  "]),
    fits.Column("ONE", "A", array=["x", "y", "z"]),
]


def hdu_bytes(columns: list[fits.Column], **cards: object) -> bytes:
    """The table as astropy writes it; cards are replaced afterwards, as astropy would not write wrong ones."""
    content = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(content)
    data = content.getvalue()[2880:]
    end = data.index(b"END" + b" " * 77) // 2880 * 2880 + 2880
    header = fits.Header.fromstring(data[:end])
    header.update(cards)
    return bytes(header.tostring().encode()) + data[end:]


def test_every_type_is_read_and_missing_values_are_left_out() -> None:
    rows = parse_info_rows("cube.fits", hdu_bytes(COLUMNS))
    assert [rows.cards(cadence) for cadence in range(3)] == [
        {"DOUBLE": 1.5, "SINGLE": 0.5, "INT": 3, "LONG": 2**40, "SHORT": -1, "BYTE": 0, "TEXT": "abc", "ONE": "x"},
        {"SINGLE": 1.5, "LONG": 5, "SHORT": 7, "BYTE": 255, "TEXT": "", "ONE": "y"},
        {"DOUBLE": -2.5, "INT": 2**31 - 1, "SHORT": 300, "BYTE": 1, "TEXT": "a b", "ONE": "z"},
    ]
    assert rows.nulls == {"INT": -1, "LONG": -(2**63)}
    assert len(rows.rows) == 3


def test_columns_are_found_by_name_and_come_in_the_type_that_is_asked_for() -> None:
    rows = parse_info_rows("cube.fits", hdu_bytes(COLUMNS))
    assert "INT" in rows
    assert "FLOAT" not in rows
    short = rows.column("SHORT", "f8")
    assert (short.dtype, short.tolist()) == (np.dtype("f8"), [-1.0, 7.0, 300.0])
    assert rows.column("SHORT", "i8").dtype == np.dtype("i8")
    with pytest.raises(CubeFormatError, match="no column FLOAT"):
        rows.column("FLOAT", "f8")
    assert rows.texts("TEXT").tolist() == [b"abc", b"", b"a b"]
    assert rows.texts("BYTE").tolist() == [b"0", b"255", b"1"]
    assert rows.texts("NONE").tolist() == [b"", b"", b""]


def test_blanks_behind_a_text_do_not_count_and_those_in_front_do() -> None:
    data = hdu_bytes([fits.Column("TEXT", "6A", array=["abcdef"])]).replace(b"abcdef", b"  cd  ")
    rows = parse_info_rows("cube.fits", data)
    assert rows.cards(0) == {"TEXT": "  cd"}
    assert rows.texts("TEXT").tolist() == [b"  cd"]


def test_text_that_is_not_ascii_does_not_stop_a_reader() -> None:
    data = hdu_bytes([fits.Column("TEXT", "4A", array=["abcd"])]).replace(b"abcd", b"ab\xe9d")
    assert parse_info_rows("cube.fits", data).cards(0) == {"TEXT": "ab\N{REPLACEMENT CHARACTER}d"}


def test_the_first_card_that_describes_a_column_counts() -> None:
    data = hdu_bytes([fits.Column("FIRST", "J", array=[5])])
    header = fits.Header.fromstring(data)
    header.append(("TTYPE1", "SECOND"), end=True)
    again = header.tostring().encode() + data[2880:]
    assert parse_info_rows("cube.fits", again).cards(0) == {"FIRST": 5}


@pytest.mark.parametrize("form", ["2J", "C", "PJ(3)", "L", "10D", "", "0J"])
def test_columns_of_other_types_are_refused_by_name(form: str) -> None:
    data = hdu_bytes([fits.Column("SOME", "J", array=[5])], TFORM1=form)
    with pytest.raises(CubeFormatError, match=r"^cube\.fits: TFORM1 is "):
        parse_info_rows("cube.fits", data)


def test_a_table_that_is_cut_short_is_refused() -> None:
    data = hdu_bytes(COLUMNS)
    end = data.index(b"END" + b" " * 77)
    with pytest.raises(CubeFormatError, match=r"^cube\.fits: the header of the info table does not end"):
        parse_info_rows("cube.fits", data[:end])
    with pytest.raises(CubeFormatError, match=r"^cube\.fits: buffer is smaller"):
        parse_info_rows("cube.fits", data[: len(data) - 2880])
    with pytest.raises(CubeFormatError, match=r"^cube\.fits: .*TFIELDS is None"):
        parse_info_rows("cube.fits", data.replace(b"TFIELDS ", b"OTHER   "))
