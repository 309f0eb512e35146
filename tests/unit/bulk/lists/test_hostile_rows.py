"""Rows as people and programs write them, right and wrong: each is a right answer, or a problem with a reason."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tessera.bulk.lists.read import read_list
from tessera.bulk.options import BulkOptions
from tessera.bulk.target_rows import RowProblem, TargetRows

OPTIONS = BulkOptions(size=(9, 9), sectors=(1,))
GOOD = "ok,10,20"


def read(text: str | bytes) -> TargetRows:
    return read_list(text if isinstance(text, bytes) else text.encode(), OPTIONS, form="csv")


POSITIONS: list[tuple[str, tuple[float, float] | str]] = [
    ("10.5,-20.25", (10.5, -20.25)),
    (" 10.5 , -20.25 ", (10.5, -20.25)),
    ("+10.5,+20", (10.5, 20.0)),
    ("1e1,-2E1", (10.0, -20.0)),
    (".5,-.5", (0.5, -0.5)),
    ("360,0", (0.0, 0.0)),
    ("-10,0", (350.0, 0.0)),
    ("0,90", (0.0, 90.0)),
    ("05:55:48.4,-75:23:28", (88.95166667, -75.39111111)),
    ("05 55 48.4,-75 23 28", (88.95166667, -75.39111111)),
    ("5h55m48.4s,-75d23m28s", (88.95166667, -75.39111111)),
    ("05:55:48.4,-00:23:28", (88.95166667, -0.39111111)),
    ("88.95d,-75.39d", (88.95, -75.39)),
    ("5.93h,-75.39d", (88.95, -75.39)),
    ('"88.95","-75.39"', (88.95, -75.39)),
    ("88.95,\u221275.39", (88.95, -75.39)),
    ("361,0", "ra and dec are '361 0'; allowed: RA from 0 to 360"),
    ("-361,0", "RA from 0 to 360"),
    ("0,90.0001", "Dec from -90 to 90"),
    ("0,-91", "Dec from -90 to 90"),
    ("inf,0", "ra and dec are 'inf 0'"),
    ("0,-inf", "Dec from -90 to 90"),
    ("1e999,0", "RA from 0 to 360"),
    ("nan,nan", "names are not looked up here"),
    (",", "names are not looked up here"),
    ("10,", "dec is missing"),
    (",20", "ra is missing"),
    ("10,nan", "dec is missing"),
    ("10,--", "dec is missing"),
    ("N/A,20", "ra is missing"),
    ("ten,20", "ra and dec are 'ten 20'"),
    ("1_0,20", "ra and dec are '1_0 20'"),
    ("0x10,20", "ra and dec are '0x10 20'"),
    ("=1+1,20", "ra and dec are '=1+1 20'"),
    ("=HYPERLINK(1),20", "ra and dec are '=HYPERLINK(1) 20'"),
    ("10 deg north,20", "ra and dec are"),
    ('"10,5","20,5"', "ra and dec are '10,5 20,5'"),
    ("\u0661\u0660,20", "ra and dec are"),
    ("10\x00,20", "ra and dec are '10\\x00 20'"),
    ("88.95,-75:23:28", "both angles in degrees, or both sexagesimal"),
    ("25:00:00,0:0:0", "longitude from -360 to 360 degrees"),
    ("05:60:00,0:0:0", "below 60"),
    ("05:00:00,-5h30m", "latitude from -90 to 90"),
    ("05:00:00,-91:00:00", "latitude from -90 to 90"),
    ("True,False", "ra and dec are 'True False'"),
    ("10,20,30,40", "the row has 5 cells; allowed: at most 3"),
    ("10", "dec is missing"),
    ("10,20,,", (10.0, 20.0)),
    ("9" * 5000 + ",20", "RA from 0 to 360"),
    ("x" * 5000 + ",20", "ra and dec are 'xxx"),
]


@pytest.mark.parametrize(
    ("cells", "expected"), POSITIONS, ids=[cells[:30].encode("unicode_escape").decode() for cells, _ in POSITIONS]
)
def test_a_position_is_read_or_is_a_problem_and_the_next_row_goes_on(
    cells: str, expected: tuple[float, float] | str
) -> None:
    rows = read(f"name,ra,dec\nthis,{cells}\n{GOOD}\n")
    assert rows.n_given == 2
    assert (rows.row[-1], rows.name[-1]) == (2, "ok")
    if isinstance(expected, str):
        (problem,) = rows.problems
        assert (problem.row, problem.name) == (1, "this")
        assert expected in problem.reason
        assert len(problem.reason) < 500
    else:
        assert rows.problems == ()
        assert (rows.ra[0], rows.dec[0]) == pytest.approx(expected, abs=1e-8)


OTHERS: list[tuple[str, str, Any]] = [
    ("size", "11", ("n_rows", 11)),
    ("size", "11.0", ("n_rows", 11)),
    ("size", "11x13", ("n_columns", 13)),
    ("size", "11 X 13", ("n_columns", 13)),
    ("size", '"(11, 13)"', ("n_columns", 13)),
    ("size", "11\u00d713", ("n_columns", 13)),
    ("size", "", ("n_rows", 9)),
    ("size", "0", "size is '0'; allowed: whole pixels from 1 to 101"),
    ("size", "-5", "whole pixels"),
    ("size", "11.5", "whole pixels"),
    ("size", "102", "whole pixels"),
    ("size", "11x", "whole pixels"),
    ("size", "11x11x11", "whole pixels"),
    ("size", "5 arcmin", "whole pixels"),
    ("size", "1e1", "whole pixels"),
    ("size", "9" * 400, "whole pixels"),
    ("sectors", "27", ("sector_set", (27,))),
    ("sectors", "27.0", ("sector_set", (27,))),
    ("sectors", '"1,2 5-7"', ("sector_set", (1, 2, 5, 6, 7))),
    ("sectors", '"[3, 1, 3]"', ("sector_set", (1, 3))),
    ("sectors", "5 - 6", ("sector_set", (5, 6))),
    ("sectors", "all", ("sector_set", None)),
    ("sectors", "", ("sector_set", (1,))),
    ("sectors", "0", "sectors is '0'; allowed: at most 1000 sectors from 1 to 9999"),
    ("sectors", "-1", "sectors from 1"),
    ("sectors", "7-5", "sectors from 1"),
    ("sectors", "1-9999", "at most 1000"),
    ("sectors", "1-999999999999", "sectors from 1"),
    ("sectors", "one", "sectors from 1"),
    ("sectors", "1.5", "sectors from 1"),
    ("aperture", "all", ("aperture", "all")),
    ("aperture", "ALL", ("aperture", "all")),
    ("aperture", "threshold", ("aperture", "default")),
    ("aperture", "", ("aperture", "default")),
    ("aperture", "0" * 20 + "8", ("aperture", "0" * 20 + "8")),
    ("aperture", "0" * 21, "at least one of them 1"),
    ("aperture", "ff", "21 hexadecimal digits"),
    ("aperture", "0" * 20 + "4", "one bit for each of 9 x 9 pixels"),
    ("aperture", "pipeline", "'default', 'threshold', 'all', or hexadecimal digits"),
    ("aperture", "0xff", "hexadecimal digits"),
    ("aperture", "circle", "hexadecimal digits"),
    ("tic", "261136679", ("tic", 261136679)),
    ("tic", "TIC 261136679", ("tic", 261136679)),
    ("tic", "261136679.0", ("tic", 261136679)),
    ("tic", "9223372036854775807", ("tic", 2**63 - 1)),
    ("tic", "", ("tic", 0)),
    ("tic", "9223372036854775808", "tic is '9223372036854775808'; allowed: a number of the TESS Input Catalog"),
    ("tic", "2.61136679E+08", ("tic", 261136679)),
    ("tic", "2.61137E+08", "tic is '2.61137E+08'; allowed: a number of the TESS Input Catalog"),
    ("tic", "#REF!", "number of the TESS Input Catalog"),
    ("tic", "-5", "number of the TESS Input Catalog"),
    ("tic", "5.5", "number of the TESS Input Catalog"),
    ("tic", "1e400", "number of the TESS Input Catalog"),
    ("tic", "261,136,679".replace(",", " "), "number of the TESS Input Catalog"),
    ("tic", "HD 39091", "number of the TESS Input Catalog"),
]


@pytest.mark.parametrize(
    ("column", "cell", "expected"), OTHERS, ids=[f"{column} {cell[:25]}" for column, cell, _ in OTHERS]
)
def test_a_cell_is_read_or_its_row_is_a_problem(column: str, cell: str, expected: tuple[str, object] | str) -> None:
    rows = read(f"name,ra,dec,{column}\nthis,1,2,{cell}\n{GOOD},\n")
    if isinstance(expected, str):
        assert [(problem.row, problem.name) for problem in rows.problems] == [(1, "this")]
        assert expected in rows.problems[0].reason
        assert rows.name == ("ok",)
        return
    assert rows.problems == ()
    field, wanted = expected
    value = getattr(rows, field)[0]
    found = {"sector_set": rows.sector_sets, "aperture": rows.apertures}.get(field)
    assert (value if found is None else found[value]) == wanted


MOTIONS: list[tuple[str, tuple[float, float, float] | str]] = [
    ("1,2,2016", (1.0, 2.0, 2016.0)),
    ("1,2,J2000", (1.0, 2.0, 2000.0)),
    ("1,2,J2016.0", (1.0, 2.0, 2016.0)),
    ("1,2,2016-01-01T12:00:00", (1.0, 2.0, 2016.0)),
    ("0,0,", (0.0, 0.0, math.nan)),
    (",,2016", (math.nan, math.nan, math.nan)),
    ("1,,2016", (math.nan, math.nan, math.nan)),
    ("1,2,", "epoch is ''; allowed: a Julian year from 1800 to 2200"),
    ("1,2,B1950", "epoch is 'B1950'"),
    ("1,2,2457389.0", "epoch is '2457389.0'"),
    ("1,2,16.0", "epoch is '16.0'"),
    ("1,2,2016-13-45", "epoch is '2016-13-45'"),
    ("1,2,inf", "epoch is 'inf'"),
    ("fast,2,2016", "pmra is 'fast'; allowed: a proper motion in mas per year"),
    ("1,1e6,2016", "pmdec is '1e6'"),
    ("inf,1,2016", "pmra is 'inf'"),
]


@pytest.mark.parametrize(("cells", "expected"), MOTIONS)
def test_a_proper_motion_is_read_or_its_row_is_a_problem(
    cells: str, expected: tuple[float, float, float] | str
) -> None:
    rows = read(f"name,ra,dec,pmra,pmdec,epoch\nthis,1,2,{cells}\n{GOOD},,,\n")
    if isinstance(expected, str):
        assert [problem.row for problem in rows.problems] == [1]
        assert expected in rows.problems[0].reason
    else:
        found = (rows.pm_ra[0], rows.pm_dec[0], rows.epoch[0])
        assert found == pytest.approx(expected, nan_ok=True, abs=1e-5)


NAMES: list[tuple[str, str]] = [
    ("", "the row has neither a name nor a position"),
    ("   ", "the row has neither a name nor a position"),
    ("nan", "the row has neither a name nor a position"),
    ("12345", "'TIC 12345' for a number of the TESS Input Catalog"),
    ("-12.5", "both angles in one text"),
    ("x" * 101, "allowed: a name such as"),
    ("pi\x07Men", "allowed: a name such as"),
    ("361 0", "longitude from -360 to 360"),
    ("10 91", "latitude from -90 to 90"),
    ("pi Men", "names are not looked up here"),
]


@pytest.mark.parametrize(("name", "reason"), NAMES)
def test_a_name_that_cannot_be_one_is_a_problem(name: str, reason: str) -> None:
    rows = read(f"name,other\n{name},1\n10 20,2\n")
    assert rows.name == ("10 20",)
    assert [problem.row for problem in rows.problems] == [1]
    assert reason in rows.problems[0].reason


def test_a_name_beside_a_position_must_be_printable_and_short() -> None:
    rows = read(f"name,ra,dec\na\x00b,1,2\n{'y' * 101},1,2\n{GOOD}\n")
    assert [(problem.row, problem.name[:5]) for problem in rows.problems] == [(1, "a\\x00"), (2, "yyyyy")]
    assert all("at most 100 characters that can be printed" in problem.reason for problem in rows.problems)


def test_equal_rows_stay_each_with_its_number() -> None:
    rows = read(f"name,ra,dec\n{GOOD}\n{GOOD}\nbad,x,y\n{GOOD}\n")
    assert rows.row.tolist() == [1, 2, 4]
    assert rows.problems == (RowProblem(3, "bad", rows.problems[0].reason),)


def test_quoted_line_ends_and_separators_do_not_shift_the_rows() -> None:
    rows = read('name,ra,dec\n"a\nb, c",1,2\n"say ""hi""",3,4\n"# 5",5,6\n')
    assert rows.name == ("a b, c", 'say "hi"', "# 5")
    assert rows.row.tolist() == [1, 2, 3]


def test_blank_lines_and_comments_are_no_rows() -> None:
    rows = read("# list\n\nname,ra,dec\n\n# off,9,9\nthis,1,2\n   \nbad,x,2\n")
    assert (rows.row.tolist(), rows.problems[0].row) == ([1], 2)
    rows = read("ra,dec\n#REF!,2\n1,2\n")  # an error of a spreadsheet is a row
    assert (rows.row.tolist(), rows.problems[0].row) == ([2], 1)


def test_a_comma_is_the_decimal_sign_where_it_does_not_part_cells() -> None:
    rows = read("name;ra;dec;pmra;pmdec;epoch\na;10,5;-20,25;1,5;-2,5;2016,5\nb;05:55:48,4;-75:23:28;;;\n")
    assert rows.problems == ()
    assert rows.ra.tolist() == pytest.approx([10.5, 88.9516667])
    assert (rows.dec[0], rows.pm_ra[0], rows.pm_dec[0], rows.epoch[0]) == (-20.25, 1.5, -2.5, 2016.5)


def test_texts_that_are_not_utf_8_are_read_as_windows_1252() -> None:
    rows = read("name,ra,dec\n\u00e9toile,1,2\n".encode("latin-1") + "\u03b2 Pic,3,4\n".encode())
    assert rows.name == ("\u00e9toile", "\u03b2 Pic")


def test_units_behind_the_names_of_columns_count() -> None:
    rows = read(
        "name,RA [hourangle],Dec (rad),pmra (arcsec/yr),pmdec (arcsec/yr),epoch\na,2,0.5,1,-1,2016\nb,02:00:00,0.5,,,\n"
    )
    assert rows.ra.tolist() == pytest.approx([30.0, 30.0])
    assert rows.dec.tolist() == pytest.approx([math.degrees(0.5)] * 2)
    assert (rows.pm_ra[0], rows.pm_dec[0]) == pytest.approx((1000.0, -1000.0))
    degrees = read("name,ra [deg],dec [deg]\na,88:57:00,-75:23:24\n")
    assert (degrees.ra[0], degrees.dec[0]) == pytest.approx((88.95, -75.39))
