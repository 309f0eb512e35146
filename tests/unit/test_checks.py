"""Options: a word that is not allowed, a switch that is a text and a range that is none are refused at the door."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import tessera
from tessera.checks import check_choice, check_integer, check_integer_range, check_number_range, check_switch
from tessera.compat.moving.path_focus import FocusOptions
from tessera.compat.roman.asdf_cutout import check_format as check_asdf_format
from tessera.errors import InvalidInputError
from tessera.images.stretch import check_stretch
from tessera.inputs import check_rounding
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.ephemeris_table import parse_ephemeris
from tessera.tess.products import parse_product

TABLE = b"time,ra,dec\n1,2,3\n2,3,4\n"

DOORS: list[tuple[str, Callable[[Any], object], str, str]] = [
    ("placement", lambda word: tessera.CutoutOptions(placement=word), "center", "centre"),
    ("placement", lambda word: tessera.MovingOptions(placement=word), "Centre", "centre"),
    ("placement", lambda word: tessera.ImageCutoutOptions(placement=word), "rounds", "round"),
    ("placement", lambda word: FocusOptions(placement=word), "roundlower", "round_lower"),
    ("layout", lambda word: tessera.CutoutOptions(layout=word), "Full", "full"),
    ("edges", lambda word: tessera.MovingOptions(edges=word), "filled", "fill"),
    ("interpolation", lambda word: tessera.MovingOptions(interpolation=word), "qubic", "cubic"),
    ("interpolation", lambda word: FocusOptions(interpolation=word), "line", "linear"),
    ("rows", lambda word: FocusOptions(rows=word), "paths", "path"),
    ("clock", lambda word: Ephemeris(None, None, None, clock=word), "barycenter", "barycentre"),  # type: ignore[arg-type]
    ("time_format", lambda word: parse_ephemeris(TABLE, time_format=word), "mjdd", "mjd"),
    ("time_scale", lambda word: parse_ephemeris(TABLE, time_scale=word), "utcs", "utc"),
    ("clock", lambda word: parse_ephemeris(TABLE, clock=word), "observers", "observer"),
    ("on_unreadable", lambda word: tessera.CubeFactory(on_unreadable=word), "skips", "skip"),
    ("limit_rounding_method", check_rounding, "ceiling", "ceil"),
    ("product", parse_product, "TICAs", "TICA"),
    ("stretch", check_stretch, "arcsinh", "asinh"),
    ("output_format", partial(check_asdf_format, message=""), "asdff", ".asdf"),
    ("reproject", lambda word: tessera.CutoutsCombiner(reproject=word), "interpolate", "interp"),
]


@pytest.mark.parametrize(("argument", "door", "word", "meant"), DOORS, ids=[f"{door[0]}-{door[2]}" for door in DOORS])
def test_a_wrong_word_is_refused_and_the_right_one_is_named(
    argument: str, door: Callable[[Any], object], word: str, meant: str
) -> None:
    with pytest.raises(InvalidInputError, match=rf"{argument} is '\.?{word}'; allowed: .*; did you mean '{meant}'\?$"):
        door(word)
    for other in ("", "quite something else" * 10, 7, None, ["centre"], b"fill", np.nan):
        if other is None and argument in ("clock", "time_format", "time_scale"):
            continue
        with pytest.raises(InvalidInputError, match=rf"{argument} is .{{0,80}}; allowed: "):
            door(other)


def test_a_word_is_returned_as_the_list_of_words_has_it() -> None:
    assert check_choice("product", "tica", ("SPOC", "TICA"), any_case=True) == "TICA"
    assert check_choice("layout", "slim", ("full", "slim")) == "slim"
    with pytest.raises(InvalidInputError, match=r"layout is 'xyz'; allowed: 'full', 'slim'$"):
        check_choice("layout", "xyz", ("full", "slim"))


@pytest.mark.parametrize("value", ["no", "False", "", None, 2, 0.0, np.nan, [True]], ids=repr)
def test_a_switch_is_true_or_false_and_never_a_text(value: object) -> None:
    assert [check_switch("verbose", item) for item in (True, False, np.True_, np.False_, 1, 0)] == [1, 0, 1, 0, 1, 0]
    with pytest.raises(InvalidInputError, match=r"verbose is .*; allowed: True or False"):
        check_switch("verbose", value)


@pytest.mark.parametrize("value", [-1, 8, 1.0, True, "1", None, np.float64(1), 10**30, np.array([1, 2])], ids=repr)
def test_an_integer_is_in_its_range(value: object) -> None:
    assert check_integer("n", np.int16(7), 0, 7) == 7
    with pytest.raises(InvalidInputError, match=r"n is .*; allowed: an integer from 0 to 7"):
        check_integer("n", value, 0, 7)


@pytest.mark.parametrize(
    "value",
    [
        (2, 1),
        (np.nan, 1),
        (1, np.nan),
        (1,),
        (1, 2, 3),
        5,
        "12",
        "1,2",
        ("1", "2"),
        None,
        (None, 2),
        (True, 2),
        {1, 2},
        (1 + 2j, 5),
        slice(1, 2),
        range(2),
        [[1], [2]],
        np.ma.masked,
        10**400,
        (1, 10**400),
        np.ma.array([1, 2], mask=True),
    ],
)
def test_a_range_has_two_numbers_in_order(value: Any) -> None:
    for good in ((1, 2), [1, 2.5], np.array([1.0, 1.0]), (-np.inf, np.inf)):
        assert check_number_range("time", good, "day") == tuple(map(float, good))
    with pytest.raises(InvalidInputError, match=r"time is .*; allowed: two numbers, the first and the last day"):
        check_number_range("time", value, "day")


@pytest.mark.parametrize(
    "value", [(-1, 2), (1.0, 2), (2, 1), (0, 2**31), (np.nan, 1), "12", (0, "1"), (False, True)], ids=repr
)
def test_a_range_of_integers_begins_at_0_or_later(value: Any) -> None:
    assert check_integer_range("cadences", [np.int64(0), 2**31 - 1], "number") == (0, 2**31 - 1)
    with pytest.raises(InvalidInputError, match=r"cadences is .*; allowed: two integers from 0 to 2147483647"):
        check_integer_range("cadences", value, "number")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("time", (1330, 1320)),
        ("time", ("2018-07-25", "2018-08-01")),
        ("cadences", (-5, 3)),
        ("quality_mask", "default"),
        ("quality_mask", -1),
        ("quality_mask", 175.0),
        ("target_times", "no"),
        ("pos_corr", "False"),
        ("check", "no"),
        ("fill_value", "nan"),
        ("fill_value", 1e300),
    ],
)
def test_options_of_cutouts_are_checked_before_any_cube_is_opened(option: str, value: object) -> None:
    with pytest.raises(InvalidInputError, match=rf"{option} is .*; allowed: "):
        tessera.CutoutOptions(**{option: value})  # type: ignore[arg-type]
    if option not in ("target_times", "pos_corr"):
        with pytest.raises(InvalidInputError, match=rf"{option} is .*; allowed: "):
            tessera.MovingOptions(**{option: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["nan", 1e300, None])
def test_a_fill_value_along_a_path_is_a_number(value: object) -> None:
    with pytest.raises(InvalidInputError, match=r"fill_value is .*; allowed: "):
        FocusOptions(fill_value=value)  # type: ignore[arg-type]
