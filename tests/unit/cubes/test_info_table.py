"""The info table: types, missing values and comments of its columns, as astropy reads them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from tessera.cubes.frames import Frame
from tessera.cubes.info_table import InfoColumn, InfoTable
from tessera.errors import InconsistentFramesError
from tessera.fits.headers import Card, Header
from tessera.tess.products import SPOC

WCS = ("WCSAXES", 2, "number of axes")


def frame(name: str, *cards: tuple[str, Any, str]) -> Frame:
    header = Header(tuple(Card(*card) for card in cards), 2880, b"")
    return Frame(name, SPOC, header, header, (0, 0), (1, 1))


def table_of(*columns: tuple[Any, ...], absent: tuple[int, ...] = ()) -> fits.BinTableHDU:
    """Table of frames with the cards C0, C1, ..., one column of values for each; some frames have none of them."""
    return fits.BinTableHDU.fromstring(table_bytes(*columns, absent=absent))


def table_bytes(*columns: tuple[Any, ...], absent: tuple[int, ...] = ()) -> bytes:
    frames = [
        frame(
            f"{row}.fits", WCS, *((f"C{number}", value, "") for number, value in enumerate(values) if row not in absent)
        )
        for row, values in enumerate(zip(*columns, strict=True))
    ]
    return InfoTable.of_frames(frames).to_bytes()


@pytest.mark.parametrize(
    ("values", "form"),
    [
        ((0, 2**31 - 1), "J"),
        ((0, 2**31), "K"),
        ((-(2**31), 0), "J"),
        ((-(2**31) - 1, 0), "K"),
        ((2**63 - 1, -(2**63) + 1), "K"),
        ((True, False), "J"),
        ((1, 2.5), "D"),
        ((1e300, -0.0), "D"),
        (("a", ""), "1A"),
        (("", ""), "1A"),
        (("abc", "abcde"), "5A"),
        (("abc", 12), "3A"),
        ((2**63, -(10**30)), "32A"),
        (("a" * 300, "b"), "300A"),
    ],
)
def test_a_column_has_the_smallest_type_that_holds_its_values(values: tuple[Any, ...], form: str) -> None:
    table = table_of(values)
    assert table.header["TFORM2"] == form
    expected = [str(value) for value in values] if form.endswith("A") else list(values)
    assert table.data["C0"].tolist() == expected
    assert table.columns["C0"].null is None


@pytest.mark.parametrize(
    ("value", "missing", "null"),
    [(5, -(2**31), -(2**31)), (2**40, -(2**63), -(2**63)), (2.5, np.nan, None), ("text", "", None)],
)
def test_a_missing_value_is_marked_in_each_type(value: Any, missing: Any, null: int | None) -> None:
    table = table_of((value, 0), (1, 1), absent=(1,))
    np.testing.assert_array_equal(table.data["C0"], [value, missing])
    assert table.columns["C0"].null == null


@pytest.mark.parametrize("least", [-(2**31), -(2**63)])
def test_the_mark_of_a_missing_value_is_never_a_value_of_a_frame(least: int) -> None:
    table = table_of((least, 5, 0), (1, 1, 1), absent=(2,))
    assert table.data["C0"].tolist() == [least, 5, least + 1]
    assert table.columns["C0"].null == least + 1
    again = InfoTable.parse(
        "cube.fits", InfoTable.parse("cube.fits", table_bytes((least, 5, 0), absent=(2,))).to_bytes()
    )
    assert again.columns["C0"].values == (least, 5, None)


def test_logical_values_among_texts_are_letters() -> None:
    assert table_of((True, "abc", False)).data["C0"].tolist() == ["T", "abc", "F"]


def test_a_keyword_of_any_length_has_a_column_and_capitals_make_no_other_one() -> None:
    frames = [
        frame("a", WCS, ("my long key", 1, "a comment"), ("k" * 68, 5, "has no room")),
        frame("b", WCS, ("MY LONG KEY", 2, "")),
    ]
    table = fits.BinTableHDU.fromstring(InfoTable.of_frames(frames).to_bytes())
    assert table.columns.names == ["WCSAXES", "my long key", "k" * 68, "FFI_FILE"]
    assert table.data["my long key"].tolist() == [1, 2]
    assert table.header["my long key"] == "a comment"


def test_cards_with_the_keywords_of_a_table_do_not_damage_the_table() -> None:
    cards = [("TTYPE1", "x", "c"), ("TFORM2", 5, "c"), ("TSCAL1", 2.0, "c"), ("THEAP", 3, "c"), ("FFI_FILE", "no", "c")]
    table = fits.BinTableHDU.fromstring(InfoTable.of_frames([frame("a", WCS, *cards)]).to_bytes())
    assert table.columns.names == ["WCSAXES", "TTYPE1", "TFORM2", "TSCAL1", "THEAP", "FFI_FILE"]
    assert [table.data[name][0] for name in table.columns.names] == [2, "x", 5, 2.0, 3, "a"]


def test_more_keywords_than_a_table_has_columns_are_refused_with_the_frame() -> None:
    many = [(f"C{number}", number, "") for number in range(997)]
    assert len(InfoTable.of_frames([frame("a", WCS, *many)]).columns) == 998
    with pytest.raises(InconsistentFramesError, match=r"^b: .* 999 different keywords; an info table has room for 998"):
        InfoTable.of_frames([frame("a", WCS, *many), frame("b", WCS, ("ONE", 1, ""))])


def test_integers_are_doubles_where_the_first_card_of_their_name_is_without_a_value() -> None:
    frames = [
        frame("a", WCS, ("LATER", None, "unknown"), ("KNOWN", 3, "")),
        frame("b", WCS, ("LATER", 7, "known"), ("KNOWN", None, "")),
    ]
    table = fits.BinTableHDU.fromstring(InfoTable.of_frames(frames).to_bytes())
    assert [table.columns[name].format for name in ("LATER", "KNOWN")] == ["D", "J"]
    np.testing.assert_array_equal(table.data["LATER"], [np.nan, 7.0])
    assert table.data["KNOWN"].tolist() == [3, -(2**31)]


def test_the_first_card_of_a_name_counts_but_all_lines_of_text() -> None:
    cards = (
        WCS,
        ("TWICE", 1, "first"),
        ("COMMENT", "one", ""),
        ("", None, ""),
        ("TWICE", 2, "second"),
        ("COMMENT", "two", ""),
        ("HISTORY", "made", ""),
        ("COMMENT", "three", ""),
        ("HISTORY", "moved", ""),
    )
    table = fits.BinTableHDU.fromstring(InfoTable.of_frames([frame("a", *cards)]).to_bytes())
    assert table.columns.names == ["WCSAXES", "TWICE", "COMMENT", "HISTORY", "FFI_FILE"]
    assert table.data["TWICE"].tolist() == [1]
    assert table.header["TWICE"] == "first"
    assert table.data["COMMENT"].tolist() == ["one; two; three"]
    assert table.data["HISTORY"].tolist() == ["made; moved"]


def test_columns_are_those_of_the_first_frame_with_a_wcs_then_the_others_in_their_order() -> None:
    frames = [
        frame("bare", ("ONLY", 1, "in the first"), ("BOTH", 1, "of the first")),
        frame("full", WCS, ("BOTH", 2, "of the template")),
        frame("more", ("LAST", 5, "in the last"), WCS),
    ]
    table = InfoTable.of_frames(frames)
    assert list(table.columns) == ["WCSAXES", "BOTH", "ONLY", "LAST"]
    assert {name: column.values for name, column in table.columns.items()} == {
        "WCSAXES": (None, 2, 2),
        "BOTH": (1, 2, None),
        "ONLY": (1, None, None),
        "LAST": (None, None, 5),
    }
    assert table.columns["BOTH"].comment == "of the template"
    assert table.files == ("bare", "full", "more")


def test_frames_that_come_later_have_their_own_columns_too() -> None:
    table = InfoTable.of_frames([frame("a", WCS), frame("b", WCS)]).append([frame("c", WCS, ("NEW", 1, "since c"))])
    assert table.files == ("a", "b", "c")
    assert table.columns["NEW"].values == (None, None, 1)
    assert table.columns["WCSAXES"].values == (2, 2, 2)


def test_rows_are_taken_in_another_order() -> None:
    table = InfoTable.of_frames([frame(name, WCS, ("PLACE", place, "")) for place, name in enumerate("abc")])
    turned = table.take([2, 0])
    assert turned.files == ("c", "a")
    assert turned.columns["PLACE"].values == (2, 0)
    assert turned.columns["WCSAXES"] == table.take([0, 1]).columns["WCSAXES"]


def test_without_a_wcs_in_any_frame_the_first_is_named() -> None:
    with pytest.raises(InconsistentFramesError, match=r"^one\.fits: .* WCSAXES = 2"):
        InfoTable.of_frames([frame("one.fits", ("A", 1, "")), frame("two.fits", ("WCSAXES", 3, ""))])


def test_the_header_has_a_card_for_each_column_with_its_comment() -> None:
    cards = (
        WCS,
        ("NAXIS1", 2136, "of the frame"),
        ("SOME", 5, "some comment"),
        ("TEXT", "abc", ""),
        ("HOLE", 5, "only in one"),
    )
    hdu = InfoTable.of_frames([frame("a.fits", *cards), frame("b.fits", WCS)]).to_bytes()
    assert len(hdu) % 2880 == 0
    header = fits.Header.fromstring(hdu)
    columns = list(header.cards)[header.index("TFIELDS") + 1 :]
    assert [(card.keyword, card.value) for card in columns if card.keyword not in ("CHECKSUM", "DATASUM")] == [
        ("TTYPE1", "WCSAXES"),
        ("TFORM1", "J"),
        ("TTYPE2", "NAXIS1"),
        ("TFORM2", "J"),
        ("TNULL2", -(2**31)),
        ("TTYPE3", "SOME"),
        ("TFORM3", "J"),
        ("TNULL3", -(2**31)),
        ("TTYPE4", "TEXT"),
        ("TFORM4", "3A"),
        ("TTYPE5", "HOLE"),
        ("TFORM5", "J"),
        ("TNULL5", -(2**31)),
        ("TTYPE6", "FFI_FILE"),
        ("TFORM6", "6A"),
        ("WCSAXES", "number of axes"),
        ("SOME", "some comment"),
        ("TEXT", ""),
        ("HOLE", "only in one"),
        ("FFI_FILE", ""),
    ]
    assert not any(card.comment for card in columns if card.keyword not in ("CHECKSUM", "DATASUM"))
    assert (header["NAXIS1"], header["NAXIS2"], header["TFIELDS"]) == (4 + 4 + 4 + 3 + 4 + 6, 2, 6)


def test_a_table_without_comments_is_read_and_blanks_in_front_of_a_text_are_kept() -> None:
    columns = [fits.Column("TEXT", "6A", array=["  ab  ", ""]), fits.Column("FFI_FILE", "1A", array=["a", "b"])]
    content = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(content)
    table = InfoTable.parse("cube.fits", content.getvalue()[2880:])
    assert table.files == ("a", "b")
    assert table.columns == {"TEXT": InfoColumn(("  ab", None), "", double=False)}


def test_a_table_is_read_as_it_was_written() -> None:
    frames = [
        frame("a.fits", WCS, ("INT", 1, "i"), ("BIG", 2**40, ""), ("REAL", 0.1, "r"), ("TEXT", "x y", "t")),
        frame("b.fits", WCS, ("LATE", 3, "l")),
        frame("c.fits", WCS, ("REAL", 3.0, ""), ("NAXIS1", 9, "structural")),
    ]
    table = InfoTable.of_frames(frames)
    again = InfoTable.parse("cube.fits", table.to_bytes())
    assert again.files == table.files
    assert {name: column.values for name, column in again.columns.items()} == {
        name: column.values for name, column in table.columns.items()
    }
    assert {name: column.comment for name, column in again.columns.items()} == {
        "WCSAXES": "number of axes",
        "INT": "i",
        "BIG": "",
        "REAL": "r",
        "TEXT": "t",
        "LATE": "l",
        "NAXIS1": "",
    }
    assert [name for name, column in again.columns.items() if column.double] == ["REAL"]
    assert again.to_bytes() == table.to_bytes()
