"""Shapes as texts: what POS, CIRCLE and POLYGON may have as values, and what is said of other values."""

from __future__ import annotations

import pytest

from tessera.errors import InvalidInputError
from tessera.sky.shapes.parse import MOST_CORNERS, parse_shape


@pytest.mark.parametrize(
    ("parameter", "text", "shape"),
    [
        ("POS", "CIRCLE 12 34 0.5", "CIRCLE 12.0 34.0 0.5"),
        ("CIRCLE", "12 34 0.5", "CIRCLE 12.0 34.0 0.5"),
        ("pos", "  circle\t-1e1 +34. .5E0 ", "CIRCLE 350.0 34.0 0.5"),
        ("POS", "RANGE 12 14 34 36", "RANGE 12.0 14.0 34.0 36.0"),
        ("POS", "RANGE 0 360 89 +Inf", "RANGE 0.0 360.0 89.0 90.0"),
        ("POS", "RANGE 0 360 89  Inf", "RANGE 0.0 360.0 89.0 90.0"),  # + is a blank in a query string
        ("POS", "Range -inf +INF -Inf +Infinity", "RANGE 0.0 360.0 -90.0 90.0"),
        ("POS", "RANGE 359 1 -1 1", "RANGE 359.0 361.0 -1.0 1.0"),
        ("POS", "RANGE -1 1 -1 1", "RANGE 359.0 361.0 -1.0 1.0"),
        ("POS", "RANGE 359 361 -1 1", "RANGE 359.0 361.0 -1.0 1.0"),
        ("POS", "RANGE -180 180 -1 1", "RANGE 0.0 360.0 -1.0 1.0"),
        ("POS", "RANGE 20 10 -1 1", "RANGE 20.0 370.0 -1.0 1.0"),
        ("POS", "RANGE 10 10 20 20", "RANGE 10.0 10.0 20.0 20.0"),
        ("POLYGON", "12 34 14 34 14 36 12 36", "POLYGON 12.0 34.0 14.0 34.0 14.0 36.0 12.0 36.0"),
        ("Polygon", "12 34 14 34 14 36 12 34", "POLYGON 12.0 34.0 14.0 34.0 14.0 36.0"),
        ("POS", "POLYGON -1 0 361 0 0 1", "POLYGON 359.0 0.0 1.0 0.0 0.0 1.0"),
        ("POS", "POLYGON 7 90 0 80 90 80", "POLYGON 0.0 90.0 0.0 80.0 90.0 80.0"),
    ],
)
def test_a_text_is_a_shape_and_the_shape_has_one_text(parameter: str, text: str, shape: str) -> None:
    parsed = parse_shape(text, parameter)
    assert str(parsed) == shape
    assert parse_shape(shape) == parsed


@pytest.mark.parametrize(
    ("parameter", "text", "allowed"),
    [
        ("POS", "", "CIRCLE ra dec radius, RANGE ra1 ra2 dec1 dec2, POLYGON ra1 dec1"),
        ("POS", "12 34 0.5", "CIRCLE ra dec radius, RANGE"),
        ("POS", "BOX 1 2 3 4", "CIRCLE ra dec radius, RANGE"),
        ("POS", "CIRCLE ICRS 1 2 3", "the numbers ra dec radius of a CIRCLE"),
        ("CIRCLE", "CIRCLE 1 2 3", "the numbers ra dec radius of a CIRCLE"),
        ("CIRCLE", "1 2", "the numbers ra dec radius"),
        ("CIRCLE", "1 2 3 4", "the numbers ra dec radius"),
        ("CIRCLE", "1,2,3", "the numbers ra dec radius"),
        ("CIRCLE", "1_0 2 3", "the numbers ra dec radius"),
        ("CIRCLE", "1d 2 3", "the numbers ra dec radius"),
        ("CIRCLE", "\u0661 2 3", "the numbers ra dec radius"),
        ("CIRCLE", "NaN 2 3", "finite numbers"),
        ("CIRCLE", "1 +Inf 3", "finite numbers"),
        ("CIRCLE", "1 2 NaN", "a radius greater than 0 and at most 180"),
        ("CIRCLE", "1 2 Inf", "a radius greater than 0 and at most 180"),
        ("CIRCLE", "1 2 0", "a radius greater than 0 and at most 180"),
        ("CIRCLE", "1 2 -1", "a radius greater than 0 and at most 180"),
        ("CIRCLE", "1 2 180.1", "a radius greater than 0 and at most 180"),
        ("CIRCLE", "1 90.1 1", "dec from -90 to 90"),
        ("CIRCLE", "1e3 0 1", "ra from -360 to 720"),
        ("POS", "RANGE 1 2 3", "the numbers ra1 ra2 dec1 dec2"),
        ("POS", "RANGE 1 2 NaN 4", "numbers, -Inf or +Inf"),
        ("POS", "RANGE 1 2 4 3", "dec1 not above dec2"),
        ("POS", "RANGE 1 2 3 91", "dec from -90 to 90"),
        ("POS", "RANGE 1 721 3 4", "ra from -360 to 720"),
        ("POS", "RANGE Inf 2 3 4", "-Inf only as ra1, +Inf only as ra2"),
        ("POS", "RANGE 1 -Inf 3 4", "-Inf only as ra1, +Inf only as ra2"),
        ("POS", "RANGE 1 2 3 -Inf", "-Inf only as dec1, +Inf only as dec2"),
        ("POS", "RANGE -Inf -20 3 4", "ra from 0 to 360 beside -Inf or +Inf"),
        ("POLYGON", "1 2 3 4", "at least three pairs"),
        ("POLYGON", "1 2 3 4 5 6 7", "at least three pairs"),
        ("POLYGON", "0 0 1 0 0 0 1 0", "at least 3 different corners"),
        ("POLYGON", "0 0 1 0 1 -Inf", "finite numbers"),
        ("POLYGON", "0 0 1 0 1 100", "dec from -90 to 90"),
        ("POLYGON", "0 0 1 0 2 0", "a polygon with an area"),
        ("POLYGON", "0 0 1 1 1 0 0 1", "edges do not cross"),
        ("POLYGON", "0 0 2 0 2 2 1 0 0 2", "edges do not cross or touch"),  # a corner on an edge
        ("POLYGON", "0 0 2 0 1 0 1 1", "edges do not cross or touch"),  # an edge that goes back
        ("POLYGON", "0 0 1 1 2 0 2 2 1 1 0 2", "each corner once"),
        ("POLYGON", "0 0 120 0 240 0", "smaller than a hemisphere"),
        ("POLYGON", "0 -10 120 -10 240 -10 300 80", "smaller than a hemisphere"),
        ("POLYGON", "0 0 180 0 90 10", "smaller than a hemisphere"),
        ("POLYGON", "0 0 1e-13 0 0 1", "at least 1e-9 degrees apart"),
        ("POLYGON", " ".join(f"{n} 0" for n in range(MOST_CORNERS + 1)), "ra from -360 to 720"),
        ("POLYGON", " ".join(f"{n / 100} {n % 2}" for n in range(MOST_CORNERS + 1)), "at most 1,000"),
    ],
)
def test_an_error_names_the_parameter_the_value_and_what_is_allowed(parameter: str, text: str, allowed: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_shape(text, parameter)
    message = str(caught.value)
    assert message.startswith(f"{parameter} is '{text[:20]}")
    assert allowed in message.partition("; allowed: ")[2]


def test_a_polygon_may_be_any_simple_one_that_is_smaller_than_a_hemisphere() -> None:
    n_teeth = 250
    teeth = [f"{360 * n / n_teeth} {80 if n % 2 else 40}" for n in range(n_teeth)]
    assert str(parse_shape(" ".join(teeth), "POLYGON")).count(" ") == 2 * n_teeth
    parse_shape("0 0 170 0 85 10", "POLYGON")
    parse_shape("0 1 60 1 120 1 180 1 240 1 300 1", "POLYGON")
