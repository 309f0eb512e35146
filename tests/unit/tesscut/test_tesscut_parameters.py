"""Parameters of TESSCut in the spellings that its clients use."""

from __future__ import annotations

import pytest

from tessera_cloud.application.cutouts.fixed import Position
from tessera_cloud.application.cutouts.options import CutoutOptions, Size
from tessera_cloud.errors import UsageError
from tessera_cloud.http.tesscut.parameters import (
    parse_cutout_request,
    parse_radius,
    parse_sector_request,
    parse_sectors,
)


@pytest.mark.parametrize(
    ("values", "sectors"),
    [
        ([], None),
        ([""], None),
        (["All"], None),
        (["all"], None),
        (["1"], {1}),
        (["0001"], {1}),
        (["28", "68"], {28, 68}),
        (["[28, 68]"], {28, 68}),
        (["28,68"], {28, 68}),
        (["28.0"], {28}),
        (["1751"], {1751}),
    ],
)
def test_sectors_are_read_in_every_spelling(values: list[str], sectors: set[int] | None) -> None:
    assert parse_sectors(values) == sectors


@pytest.mark.parametrize("value", ["x", "0", "-1", "[1, x]", "1 2", "{}"])
def test_a_bad_sector_is_refused_with_its_value(value: str) -> None:
    with pytest.raises(UsageError, match="sector is"):
        parse_sectors([value])


@pytest.mark.parametrize(
    ("text", "degrees"),
    [(None, 0), ("0", 0), ("0.2", 0.2), ("12m", 0.2), ("30s", 1 / 120), ("5px", 105 / 3600), ("1d", 1), ("1e-3", 1e-3)],
)
def test_a_radius_has_a_unit_suffix(text: str | None, degrees: float) -> None:
    assert parse_radius(text) == pytest.approx(degrees)


@pytest.mark.parametrize("text", ["x", "-1", "5km", "100d", "nan"])
def test_a_bad_radius_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(UsageError, match="radius is"):
        parse_radius(text)


def cutout(**parameters: str) -> tuple[Size, CutoutOptions]:
    request = parse_cutout_request({name: [value] for name, value in parameters.items()})
    assert isinstance(request.target, Position)
    return request.target.size, request.options


def test_units_default_to_pixels_and_y_is_rows() -> None:
    size, options = cutout(ra="10", dec="-20", y="3", x="7.0")
    assert (size.rows, size.columns, size.unit, options.sectors) == (3, 7, "px", None)
    assert size.pixels(1, 1) == (3, 7)


@pytest.mark.parametrize(("units", "value"), [("d", "0.1"), ("m", "6"), ("s", "360")])
def test_angles_become_whole_pixels(units: str, value: str) -> None:
    size, _ = cutout(ra="10", dec="-20", y=value, x=value, units=units)
    assert size.pixels(21 / 3600, 20 / 3600) == (17, 18)
    assert size.degrees() == pytest.approx((0.1, 0.1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ra": "400"}, "ra is '400'; allowed: a number from -360 to 360"),
        ({"ra": "abc"}, "ra is 'abc'"),
        ({"ra": ""}, "ra is missing"),
        ({"dec": "91"}, "dec is '91'"),
        ({"dec": "nan"}, "dec is 'nan'"),
        ({"y": "0"}, "y is '0'; allowed: a number above 0, at most 10,000 pixels or 58 degrees"),
        ({"x": "inf"}, "x is 'inf'"),
        ({"units": "km"}, "units is 'km'; allowed: px, d, m, s"),
        ({"product": "FFI"}, "product is 'FFI'; allowed: SPOC, TICA"),
    ],
)
def test_bad_values_are_refused_with_name_value_and_what_is_allowed(change: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        cutout(**({"ra": "10", "dec": "-20", "y": "5", "x": "5"} | change))


def test_negative_right_ascension_wraps() -> None:
    assert parse_sector_request({"ra": ["-10"], "dec": ["0"]}).ra == 350


def test_a_parameter_that_is_given_twice_with_two_values_is_refused() -> None:
    with pytest.raises(UsageError, match="ra is given 2 times: 1, 2"):
        parse_sector_request({"ra": ["1", "2"], "dec": ["0"]})
