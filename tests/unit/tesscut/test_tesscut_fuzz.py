"""Parameters of TESSCut that nobody has thought of: a request comes out, or an error that names what is wrong."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tessera_cloud.application.cutouts.fixed import Position
from tessera_cloud.errors import UsageError
from tessera_cloud.http.tesscut.parameters import (
    MOST_DEGREES,
    MOST_PIXELS,
    parse_cutout_request,
    parse_radius,
    parse_sector_request,
    parse_sectors,
    parse_wcs_request,
)

NUMBERS = st.floats(allow_nan=True, allow_infinity=True).map(str) | st.integers().map(str)
VALUES = (
    st.text(max_size=20) | NUMBERS | st.sampled_from(["", "All", "[28, 68]", "1.0", "0001", "5px", "1e999", "٣", "1_0"])
)
NAMES = ["ra", "dec", "radius", "y", "x", "units", "sector", "camera", "ccd", "product", "OTHER"]
PARAMETERS = st.dictionaries(st.sampled_from(NAMES), st.lists(VALUES, min_size=1, max_size=3))


def outcome(parse: Any, parameters: dict[str, list[str]]) -> Any:
    try:
        return parse(parameters)
    except UsageError as refused:
        error = refused
    assert error.parameter in NAMES
    assert error.parameter in str(error)
    assert error.allowed in str(error)
    assert len(str(error)) < 1000
    return None


@given(PARAMETERS)
@example({"ra": ["1"], "dec": ["1"], "y": ["1e308"], "x": ["1e308"], "units": ["d"]})
@example({"ra": ["1"], "dec": ["1"], "y": ["1"], "x": ["1"], "sector": ["9" * 5000]})
@example({"ra": ["1"], "dec": ["1"], "y": ["1"], "x": ["1"], "sector": ["[" * 50_000]})
@example({"ra": ["1"], "dec": ["1"], "y": ["1"], "x": ["1"], "sector": ["[1e999]"]})
def test_a_cutout_is_possible_or_refused(parameters: dict[str, list[str]]) -> None:
    request = outcome(parse_cutout_request, parameters)
    if request is not None:
        target, sectors = request.target, request.options.sectors
        assert isinstance(target, Position)
        assert 0 <= target.ra < 360
        assert -90 <= target.dec <= 90
        assert 0 < target.size.rows <= (MOST_PIXELS if target.size.unit == "px" else MOST_DEGREES)
        rows, columns = target.size.pixels()
        assert rows >= 1 <= columns
        assert sectors is None or all(sector >= 1 for sector in sectors)
        assert len(target.search_area().vertices) == 4


@given(PARAMETERS)
def test_a_search_is_possible_or_refused(parameters: dict[str, list[str]]) -> None:
    request = outcome(parse_sector_request, parameters)
    assert request is None or (0 <= request.radius <= 90 and request.product in ("SPOC", "TICA"))
    outcome(parse_wcs_request, parameters)


@given(st.sets(st.integers(1, 9999), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_list_of_sectors_means_the_same_in_every_spelling(sectors: set[int], random: Any) -> None:
    numbers = sorted(sectors, key=lambda _: random.random())
    spellings = [
        [str(number) for number in numbers],
        [f"{number:04d}" for number in numbers],
        [f"{float(number)}" for number in numbers],
        [json.dumps(numbers)],
        [str(numbers).replace(" ", "")],
        [",".join(map(str, numbers))],
        [", ".join(map(str, numbers))],
    ]
    assert {parse_sectors(spelling) for spelling in spellings} == {frozenset(sectors)}


@given(st.floats(0, 90), st.sampled_from([("d", 1), ("", 1), ("m", 60), ("s", 3600), ("px", 3600 / 21)]))
def test_a_radius_is_the_same_in_every_unit(degrees: float, unit: tuple[str, float]) -> None:
    suffix, per_degree = unit
    text = f"{degrees * per_degree:.17g}{suffix}"
    assert abs(parse_radius(text) - degrees) <= 1e-12 * max(1.0, degrees) or degrees > 89.999999
