"""The parameters of SODA: what they mean, and what is refused."""

from __future__ import annotations

import math

import pytest

from tessera_cloud.application.vo.soda.parameters import SodaRequest, SodaShape, parse_soda
from tessera_cloud.errors import MultiValuedError, TooLargeError, UsageError

ID, CIRCLE = ["tess-s0001-4-2"], ["12 34 0.5"]


def parsed(**given: str | list[str]) -> SodaRequest:
    wanted = {"id": ID, "circle": CIRCLE} | given
    return parse_soda({name: [text] if isinstance(text, str) else text for name, text in wanted.items()})


def test_shapes_of_all_three_parameters_are_shapes_of_one_request() -> None:
    found = parsed(pos=["RANGE 12 14 34 36", "circle 1 2 3"], polygon="10 10 11 10 11 11").shapes
    assert found == (
        SodaShape(parameter="CIRCLE", text="CIRCLE 12.0 34.0 0.5"),
        SodaShape(parameter="POLYGON", text="POLYGON 10.0 10.0 11.0 10.0 11.0 11.0"),
        SodaShape(parameter="POS", text="RANGE 12.0 14.0 34.0 36.0"),
        SodaShape(parameter="POS", text="CIRCLE 1.0 2.0 3.0"),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("55100.0 +Inf", (55100.0, math.inf)),
        ("-Inf 55100", (-math.inf, 55100.0)),
        ("-inf  inf", (-math.inf, math.inf)),
        ("5.51e4 55101.5", (55100.0, 55101.5)),
        ("55678.5 55678.5", (55678.5, 55678.5)),
        ("55678.5", (55678.5, 55678.5)),
    ],
)
def test_times_are_intervals_with_open_ends(text: str, found: tuple[float, float]) -> None:
    assert parsed(time=text).times == (found,)


def test_equal_and_blank_values_count_once_or_not_at_all() -> None:
    found = parsed(circle=["12 34 0.5", "12.0 34 5e-1", ""], time=["", " "], band="", runid="", responseformat="")
    assert (len(found.shapes), found.times, found.bands, found.form, found.run) == (1, (), (), "", "")


@pytest.mark.parametrize(
    ("given", "form", "media"),
    [
        ("fits", "fits", "application/fits"),
        ("image/fits", "fits", "image/fits"),
        ("Application/FITS; charset=x", "fits", "application/fits"),
        ("application/zip", "zip", "application/zip"),
    ],
)
def test_a_format_is_a_media_type_or_its_short_name(given: str, form: str, media: str) -> None:
    found = parsed(responseformat=given)
    assert (found.form, found.media) == (form, media)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"id": ""}, "ID is missing; allowed: an obs_publisher_did"),
        ({"circle": "12 34"}, "CIRCLE is '12 34'; allowed: "),
        ({"circle": "12 34 -1"}, "CIRCLE is '12 34 -1'; allowed: "),
        ({"polygon": "1 1 2 2"}, "POLYGON is '1 1 2 2'; allowed: "),
        ({"pos": "BOX 1 2 3 4"}, "POS is 'BOX 1 2 3 4'; allowed: "),
        ({"time": "2 1"}, "TIME is '2 1'; allowed: two numbers, MJD (UTC), the first not above the second"),
        ({"time": "2018-08-01 2018-08-02"}, "TIME is '2018-08-01 2018-08-02'; allowed: two numbers"),
        ({"time": "+Inf +Inf"}, "TIME is '+Inf +Inf'; allowed: "),
        ({"time": "1 nan"}, "TIME is '1 nan'; allowed: "),
        ({"band": "1 2 3"}, "BAND is '1 2 3'; allowed: two numbers, wavelengths in metres"),
        ({"pol": "light"}, "POL is 'light'; allowed: I, Q, U, V"),
        ({"responseformat": "image/png"}, "RESPONSEFORMAT is 'image/png'; allowed: application/fits"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(given: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed(**given)
    assert str(caught.value).startswith(message)


def test_a_format_is_given_once() -> None:
    with pytest.raises(MultiValuedError, match="RESPONSEFORMAT is given 2 times; allowed: once"):
        parsed(responseformat=["fits", "zip"])


def test_a_request_without_a_shape_is_told_that_whole_files_are_too_large() -> None:
    with pytest.raises(TooLargeError, match="whole file is too large; allowed: at least one of them"):
        parsed(circle="")


def test_more_than_ten_results_are_refused() -> None:
    times = [f"{day} {day + 1}" for day in range(58320, 58326)]
    assert len(parsed(time=times[:5], band=["6e-7 8e-7", "8e-7 1e-6"]).times) == 5
    with pytest.raises(TooLargeError, match="have 12 combinations; allowed: at most 10 in one request"):
        parsed(time=times, band=["6e-7 8e-7", "8e-7 1e-6"])
