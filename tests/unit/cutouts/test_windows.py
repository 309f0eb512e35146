"""Where a window lies: the rules and their ties."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from astrocut import cutout_processing
from astrocut.cutout import Cutout as PeerCutout
from astropy import units as u
from hypothesis import given
from hypothesis import strategies as st

from tessera.compat.moving.path_focus import FocusOptions
from tessera.compat.moving.path_to_footprints import round_bounds
from tessera.cutouts.results import CutoutOptions
from tessera.errors import InvalidInputError, InvalidValueError, NoOverlapError
from tessera.images.cut import ImageCutoutOptions
from tessera.images.sizes import MAX_PIXELS, place_image_window
from tessera.moving.track import MovingOptions
from tessera.windows import MAX_WINDOW, Placement, Window, check_window_shape, place_axes, place_axis, place_window

CENTRE, TESSCUT, ROUND_LOWER = Placement.CENTRE, Placement.TESSCUT, Placement.ROUND_LOWER
EACH_LIMIT = (Placement.ROUND, Placement.CEIL, Placement.FLOOR)

# rule, position, size -> first pixel, number of pixels; all derived by hand. "tie" marks a limit half-way.
PLACES = [
    (CENTRE, 20.6, 3, 20, 3),  # nearest pixel 21
    (CENTRE, 20.5, 3, 20, 3),  # tie: on the border of pixels 20 and 21, so in 21
    (CENTRE, 19.5, 3, 19, 3),  # tie: in 20
    (CENTRE, -0.5, 1, 0, 1),  # tie: in 0
    (CENTRE, 20.0, 2, 20, 2),  # on the centre of the lower one of 20 and 21
    (CENTRE, 19.999, 2, 19, 2),
    (CENTRE, 20.4, 4, 19, 4),  # between the centres of 20 and 21, the middle two of 19 to 22
    (CENTRE, 20.0, 3.6, 19, 4),  # four whole pixels
    (CENTRE, 20.7, 0.01, 21, 1),
    (TESSCUT, 20.6, 3, 19, 3),  # 19.1
    (TESSCUT, 20.0, 3, 19, 3),  # 18.5, a tie: up
    (TESSCUT, 21.0, 3, 20, 3),  # 19.5, a tie: up
    (TESSCUT, 20.1, 2, 19, 2),  # 19.1
    (TESSCUT, 19.5, 2, 19, 2),  # 18.5, a tie: up
    (TESSCUT, 20.5, 2, 20, 2),  # 19.5, a tie: up
    (TESSCUT, 0.0, 1, 0, 1),  # -0.5, a tie: up
    (TESSCUT, -3.0, 2, -4, 2),
    (TESSCUT, 20.0, 2.5, 19, 2),  # 18.75 to 21.25
    (TESSCUT, 20.2, 2.7, 19, 3),  # 18.85 to 21.55
    (TESSCUT, 20.0, 3.6, 18, 4),  # 18.2 to 21.8
    (TESSCUT, 20.4, 0.6, 20, 1),  # at least one pixel
    (ROUND_LOWER, 20.6, 3, 19, 3),  # 19.1
    (ROUND_LOWER, 20.0, 3, 18, 3),  # 18.5, a tie: to even
    (ROUND_LOWER, 21.0, 3, 20, 3),  # 19.5, a tie: to even
    (ROUND_LOWER, 19.5, 2, 18, 2),  # 18.5, a tie: to even
    (ROUND_LOWER, 20.5, 2, 20, 2),  # 19.5, a tie: to even
    (ROUND_LOWER, 1.0, 1, 0, 1),  # 0.5, a tie: to even
    (Placement.ROUND, 20.6, 3, 19, 3),  # 19.1 to 22.1
    (Placement.ROUND, 20.0, 3, 18, 4),  # 18.5 to 21.5, two ties: 18 to 22
    (Placement.ROUND, 21.0, 3, 20, 2),  # 19.5 to 22.5, two ties: 20 to 22
    (Placement.ROUND, 19.5, 2, 18, 2),  # 18.5 to 20.5, two ties: 18 to 20
    (Placement.ROUND, 20.0, 2.5, 19, 2),  # 18.75 to 21.25
    (Placement.ROUND, 0.0, 1, 0, 1),  # -0.5 to 0.5, two ties: 0 to 0, so the pixel 0
    (Placement.ROUND, 1.0, 1, 0, 2),  # 0.5 to 1.5, two ties: 0 to 2
    (Placement.ROUND, 10.7, 0.02, 10, 1),  # 10.69 to 10.71: 11 to 11, so the pixel floor(10.7)
    (Placement.CEIL, 20.6, 3, 20, 3),  # 19.1 to 22.1
    (Placement.CEIL, 20.5, 3, 19, 3),  # 19 to 22
    (Placement.CEIL, 20.1, 2, 20, 2),  # 19.1 to 21.1
    (Placement.CEIL, 20.0, 0.5, 20, 1),  # 19.75 to 20.25
    (Placement.CEIL, 20.4, 0.2, 20, 1),  # 20.3 to 20.5: 21 to 21, so the pixel 20
    (Placement.FLOOR, 20.6, 3, 19, 3),  # 19.1 to 22.1
    (Placement.FLOOR, 20.5, 3, 19, 3),  # 19 to 22
    (Placement.FLOOR, 20.9, 2, 19, 2),  # 19.9 to 21.9
    (Placement.FLOOR, 20.4, 0.2, 20, 1),  # 20.3 to 20.5: 20 to 20, so the pixel 20
]
positions = st.floats(-50, 50) | st.integers(-200, 200).map(lambda number: number / 4)
sizes = st.integers(1, 12) | st.floats(0.01, 12)


@pytest.mark.parametrize(("rule", "position", "size", "first", "n"), PLACES)
def test_each_rule_has_its_own_pixels(rule: Placement, position: float, size: float, first: int, n: int) -> None:
    assert place_axis(position, size, rule) == (first, n)


def test_every_rule_has_places_by_hand() -> None:
    missing = set(Placement) - {rule for rule, *_ in PLACES}
    assert not missing, f"add places of {missing} to PLACES"


@pytest.mark.parametrize("rule", Placement)
@given(some=st.lists(positions, min_size=1, max_size=5), size=sizes)
def test_many_positions_are_placed_as_each_of_them(rule: Placement, some: list[float], size: float) -> None:
    first, n = place_axes(np.array(some), size, rule)
    assert first.dtype == n.dtype == np.int64
    assert list(zip(first.tolist(), n.tolist(), strict=True)) == [place_axis(item, size, rule) for item in some]


def peer_limits(position: float, size: float, method: str) -> tuple[int, int]:
    """First pixel and number of pixels as astrocut has them, of a target at a position."""
    target = SimpleNamespace(to_pixel=lambda _wcs: (position, position))
    settings = SimpleNamespace(_cutout_size=(size, size), _limit_rounding_method=method)
    (first, stop), _ = PeerCutout._get_cutout_limits(settings, target, None).tolist()
    return first, stop - first


@pytest.mark.parametrize(("rule", "position", "size", "first", "n"), [row for row in PLACES if row[0] in EACH_LIMIT])
def test_the_places_by_hand_are_those_of_astrocut(
    rule: Placement, position: float, size: float, first: int, n: int
) -> None:
    assert peer_limits(position, size, rule.value) == (first, n)


@pytest.mark.parametrize("rule", EACH_LIMIT)
@given(position=positions, size=sizes)
def test_limits_are_rounded_as_astrocut_rounds_them(rule: Placement, position: float, size: float) -> None:
    assert place_axis(position, size, rule) == peer_limits(position, size, rule.value)


@given(x=positions, y=positions, n_columns=st.integers(1, 12), n_rows=st.integers(1, 12))
def test_boxes_of_a_path_are_those_of_astrocut(x: float, y: float, n_columns: int, n_rows: int) -> None:
    size = (n_columns, n_rows)
    np.testing.assert_array_equal(round_bounds(x, y, size), cutout_processing._get_bounds(x, y, size))


@pytest.mark.parametrize(("rule", "position", "size", "first", "n"), [row for row in PLACES if row[0] is ROUND_LOWER])
def test_the_boxes_by_hand_are_those_of_astrocut(
    rule: Placement, position: float, size: int, first: int, n: int
) -> None:
    assert cutout_processing._get_bounds(position, position, (size, size))[0, 0].tolist() == [first, first + n], rule


@given(position=positions, size=st.integers(1, 12))
def test_the_target_is_in_the_centre_pixel_or_one_of_the_two(position: float, size: int) -> None:
    first, n = place_axis(position, size, CENTRE)
    assert n == size
    off = position - (first + (size - 1) / 2)
    assert -0.5 <= off <= 0.5


def test_the_largest_window_of_a_cube_has_10_000_rows_and_columns() -> None:
    check_window_shape(MAX_WINDOW, 1)
    check_window_shape(1, MAX_WINDOW)
    assert MAX_WINDOW == 10_000
    for shape, named in (((MAX_WINDOW + 1, 1), "rows"), ((1, MAX_WINDOW + 1), "columns"), ((0, 1), "rows")):
        with pytest.raises(InvalidValueError, match=rf"number of {named} is \d+; allowed: 1 to 10000"):
            check_window_shape(*shape)


def test_windows_of_images_have_a_limit_of_their_own() -> None:
    window = place_image_window((0.0, 0.0), (MAX_WINDOW + 1, 1), (1.0, 1.0))
    assert window.shape == (1, MAX_WINDOW + 1)
    side = 1 << 15
    assert place_image_window((0.0, 0.0), (side, side), (1.0, 1.0)).shape == (side, side)
    for size in ((side, side + 1), (1e30, 1e30)):
        with pytest.raises(InvalidInputError, match=f"at most {MAX_PIXELS:,} pixels"):
            place_image_window((0.0, 0.0), size, (1.0, 1.0))


def test_a_size_of_an_image_is_columns_and_rows_and_an_angle_is_divided_by_the_scale_of_its_axis() -> None:
    window = place_image_window((10.0, 20.0), (6 * u.deg, 5), (0.1, 2.0), Placement.FLOOR)
    assert window == Window(7, 18, 5, 3)


def test_an_overlap_is_the_part_of_a_window_that_has_pixels() -> None:
    overlap = Window(-2, 25, 5, 10).overlap(40, 30)
    assert (overlap.rows, overlap.columns, overlap.shape) == (slice(0, 3), slice(25, 30), (3, 5))
    assert overlap.inside == (slice(2, 5), slice(0, 5))
    filled = overlap.fill(np.ones(overlap.shape), 7.0)
    assert (filled == 1).sum() == 15
    assert (filled[:2] == 7).all()
    assert not overlap.whole
    assert Window(0, 0, 40, 30).overlap(40, 30).whole
    cube = overlap.fill(np.arange(30, dtype=">f4").reshape(2, 3, 5), -1)
    assert (cube.shape, cube.dtype) == ((2, 5, 10), np.dtype(">f4"))
    assert cube[1, 2:, :5].tolist() == [[15, 16, 17, 18, 19], [20, 21, 22, 23, 24], [25, 26, 27, 28, 29]]
    assert (cube[:, :2] == -1).all()
    assert (cube[:, :, 5:] == -1).all()
    with pytest.raises(NoOverlapError, match=r"rows 40\.\.44, columns 0\.\.4 are not on an image of 40 rows"):
        Window(40, 0, 5, 5).overlap(40, 30)


@pytest.mark.parametrize(
    ("window", "rows", "columns"),
    [
        (Window(-4, 0, 5, 3), (0, 1), (0, 3)),  # one row and one column of each edge
        (Window(9, 0, 5, 3), (9, 10), (0, 3)),
        (Window(0, -2, 3, 3), (0, 3), (0, 1)),
        (Window(0, 7, 3, 3), (0, 3), (7, 8)),
    ],
)
def test_one_row_or_column_is_an_overlap(window: Window, rows: tuple[int, int], columns: tuple[int, int]) -> None:
    overlap = window.overlap(10, 8)
    assert (overlap.rows, overlap.columns) == (slice(*rows), slice(*columns))


@pytest.mark.parametrize("window", [Window(-5, 0, 5, 3), Window(10, 0, 5, 3), Window(0, -3, 3, 3), Window(0, 8, 3, 3)])
def test_a_window_that_only_touches_an_image_has_no_overlap(window: Window) -> None:
    with pytest.raises(NoOverlapError, match="are not on an image of 10 rows and 8 columns"):
        window.overlap(10, 8)


def test_each_axis_of_a_window_is_placed_by_its_own_position_and_size() -> None:
    assert place_window(20.0, 7.3, 3, 4, TESSCUT) == Window(19, 5, 3, 4)
    assert place_window(20.0, 7.3, 3, 4, CENTRE) == Window(19, 6, 3, 4)


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        (CutoutOptions, "'centre', 'tesscut'"),
        (MovingOptions, "'centre', 'tesscut', 'round_lower'"),
        (FocusOptions, "'centre', 'tesscut', 'round_lower'"),
        (ImageCutoutOptions, "'centre', 'round', 'ceil', 'floor'"),
    ],
)
def test_an_unknown_placement_is_named_with_those_that_are_allowed(options: Any, allowed: str) -> None:
    wrong = "tesscut" if options is ImageCutoutOptions else "round"
    with pytest.raises(InvalidInputError) as caught:
        options(placement=wrong)
    assert str(caught.value).startswith(f"placement is '{wrong}'; allowed: {allowed}")
