"""Windows of targets on cubes: the library and the service place them by the same rules, ties included."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.time import Time

from tessera.compat.tess.windows_and_names import rounded_window
from tessera.cubes.reader import Cube, read_cube
from tessera.cutouts.placing import find_window
from tessera.errors import InvalidInputError, InvalidValueError
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.read_plan import Track
from tessera.moving.track import MovingOptions, follow_target
from tessera.sky.positions import sky_to_pixel
from tessera.windows import MAX_WINDOW, CubePlacement, Placement, Window
from tessera_cloud.application.cutouts.fixed import Position
from tessera_cloud.application.cutouts.moving import Moving
from tessera_cloud.application.cutouts.options import Size
from tessera_cloud.application.cutouts.request import CutoutRequest
from tessera_cloud.application.targets.path import Path
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.http.tesscut.parameters import parse_cutout_request, parse_moving_request
from tests.support.builds import build_cube
from tests.support.frames import tiny_sector, tiny_times
from tests.support.infos import one_wcs
from tests.support.wcs import FRAME_SHAPE, ffi_wcs_header

SHAPE = (40, 30)
DAYS = (tiny_times(0)[0] - 1, tiny_times(2)[1] + 1)
ONE = np.zeros(1, np.int64)
PUBLISHED = PublishedCube(
    obs_id="tess-s0001-4-2",
    sequence_number=1,
    s_region="",
    t_min=0.0,
    t_max=1.0,
    n_cadences=3,
    build_id="",
    bucket="cubes",
    key="cube.fits",
    size=1,
    etag="1",
)

# Pixel of the target, size, and first row and column by rule. Each place is a tie of at least one rule; of its two axes
# one goes up by "half up" and down by "half to even".
TIES: list[tuple[tuple[float, float], int, dict[str, tuple[int, int]]]] = [
    ((20.0, 15.0), 3, {"centre": (19, 14), "tesscut": (19, 14), "round_lower": (18, 14)}),
    ((20.5, 15.5), 3, {"centre": (20, 15), "tesscut": (19, 14), "round_lower": (19, 14)}),
    ((19.5, 14.5), 2, {"centre": (19, 14), "tesscut": (19, 14), "round_lower": (18, 14)}),
    ((20.0, 15.0), 2, {"centre": (20, 15), "tesscut": (19, 14), "round_lower": (19, 14)}),
]


@pytest.fixture(scope="module")
def tiny() -> Cube:
    data = build_cube(tiny_sector(3, SHAPE))
    return read_cube("tess-s0001-4-2-cube.fits", len(data), lambda start, length: data[start : start + length])


def aimed(cube: Cube, row: float, column: float) -> Cube:
    """The cube with a WCS that has ra = dec = 0 on this pixel, without any error: a tie stays a tie."""
    cards = {"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR", "CRVAL1": 0.0, "CRVAL2": 0.0, "CDELT1": 0.01, "CDELT2": 0.01}
    moved = dataclasses.replace(cube, wcs_cards=cards | {"CRPIX1": column + 1, "CRPIX2": row + 1})
    assert sky_to_pixel(moved.wcs, 0.0, 0.0) == (row, column)
    return moved


def find_served(cube: Cube, request: CutoutRequest) -> Window | None:
    """Window of a request for a position, as the service finds it."""
    assert isinstance(request.target, Position)
    return request.target.find_window(cube, request.options.placement)


@pytest.mark.parametrize(("place", "size", "first"), TIES)
def test_the_library_and_the_service_place_a_window_alike(
    tiny: Cube, place: tuple[float, float], size: int, first: dict[str, tuple[int, int]]
) -> None:
    cube = aimed(tiny, *place)
    rules: tuple[CubePlacement, ...] = ("centre", "tesscut")
    for placement in rules:
        window = find_window(cube, 0.0, 0.0, size, placement)
        assert (window.first_row, window.first_column) == first[placement]
        target = Position(ra=0, dec=0, size=Size(rows=size, columns=size))
        assert target.find_window(cube, placement) == window
    asked = parse_cutout_request({"ra": ["0"], "dec": ["0"], "y": [str(size)], "x": [str(size)]})
    found = find_served(cube, asked)
    assert found is not None
    assert (found.first_row, found.first_column) == first["tesscut"]


@pytest.mark.parametrize(("place", "size", "first"), TIES)
def test_boxes_around_a_moving_target_lie_where_the_rule_says(
    tiny: Cube, place: tuple[float, float], size: int, first: dict[str, tuple[int, int]]
) -> None:
    cube = aimed(tiny, *place)
    still = Ephemeris(Time(np.add(DAYS, 2457000), format="jd", scale="tdb"), np.zeros(2), np.zeros(2))
    for placement, corner in first.items():
        options = MovingOptions(placement=placement)  # type: ignore[arg-type] # text, as users have it
        boxes = follow_target(cube, one_wcs(cube), still, (size, size), options).boxes
        assert set(zip(boxes.first_row.tolist(), boxes.first_column.tolist(), strict=True)) == {corner}


@pytest.mark.parametrize(("place", "size", "first"), TIES)
def test_the_api_of_tesscut_follows_a_target_by_the_rule_of_tesscut(
    tiny: Cube, place: tuple[float, float], size: int, first: dict[str, tuple[int, int]]
) -> None:
    _, box, options = parse_moving_request({"obj_id": ["Wanderer"], "y": [str(size)], "x": [str(size)]})
    path = Path(target="Wanderer", observer="TESS", places=tuple((day + 2457000, 0.0, 0.0) for day in DAYS))
    cube = aimed(tiny, *place)
    planned = Moving(path=path, size=box).plan(PUBLISHED, cube, options, 100, lambda: one_wcs(cube))
    assert planned is not None
    boxes = planned.target.boxes
    assert set(zip(boxes.first_row.tolist(), boxes.first_column.tolist(), strict=True)) == {first["tesscut"]}


def test_a_window_of_a_cube_may_have_10_000_rows_and_columns_and_no_more(tiny: Cube) -> None:
    cube = aimed(tiny, 20.0, 15.0)
    most = Position(ra=0.0, dec=0.0, size=Size(rows=MAX_WINDOW, columns=MAX_WINDOW))
    more = Position(ra=0.0, dec=0.0, size=Size(rows=1.0, columns=MAX_WINDOW + 1.0))
    shapes = [
        find_window(cube, 0.0, 0.0, MAX_WINDOW).shape,
        rounded_window(cube, (0.0, 0.0), (MAX_WINDOW, MAX_WINDOW), Placement.CEIL).shape,
        most.find_window(cube, "centre").shape,  # type: ignore[union-attr] # there is one
        Track(ONE, ONE, ONE, MAX_WINDOW, MAX_WINDOW).missing(1, 1).shape,
    ]
    assert shapes == [*[(10_000, 10_000)] * 3, (1,)]
    too_large: list[Any] = [
        lambda: find_window(cube, 0.0, 0.0, (1, MAX_WINDOW + 1)),
        lambda: rounded_window(cube, (0.0, 0.0), (MAX_WINDOW + 1, 1), Placement.CEIL),
        lambda: more.find_window(cube, "centre"),
        lambda: Track(ONE, ONE, ONE, 1, MAX_WINDOW + 1),
    ]
    for place in too_large:
        with pytest.raises(InvalidValueError, match="number of columns is 10001; allowed: 1 to 10000"):
            place()


def test_an_unknown_placement_is_refused_where_a_window_is_asked_for(tiny: Cube) -> None:
    with pytest.raises(InvalidInputError, match="placement is 'round'; allowed: 'centre', 'tesscut'"):
        find_window(tiny, 0.0, 0.0, 3, "round")  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize(
    ("sector", "camera", "ccd", "shape"),
    [(9, 4, 1, (15, 21)), (27, 4, 2, (14, 21))],  # the file names in astroquery's documentation: 21x15 and 21x14
)
def test_each_limit_of_an_angular_window_is_rounded_as_tesscut_rounds_it(
    tiny: Cube, sector: int, camera: int, ccd: int, shape: tuple[int, int]
) -> None:
    ra, dec = 107.18696, -70.50919
    layout = dataclasses.replace(tiny.layout, n_rows=FRAME_SHAPE[0], n_columns=FRAME_SHAPE[1])
    cube = dataclasses.replace(tiny, wcs_cards=dict(ffi_wcs_header(sector, camera, ccd)), layout=layout)
    angles = {"y": ["5"], "x": ["7"], "units": ["m"]}
    served = find_served(cube, parse_cutout_request({"ra": [str(ra)], "dec": [str(dec)]} | angles))
    assert served is not None
    assert served.shape == shape
    assert rounded_window(cube, (ra, dec), (7 * u.arcmin, 5 * u.arcmin), Placement.ROUND) == served
    assert find_window(cube, ra, dec, [5, 7] * u.arcmin, "tesscut") == served
    centred = find_window(cube, ra, dec, [5, 7] * u.arcmin, "centre")
    assert centred.shape == (15, 20)
    size = Size(rows=5 / 60, columns=7 / 60, unit="d")
    assert Position(ra=ra, dec=dec, size=size).find_window(cube, "centre") == centred


@pytest.mark.parametrize(("height", "first", "n"), [(0.024, 19, 2), (0.029, 19, 3), (0.004, 20, 1)])
def test_an_angle_gets_the_pixels_between_its_rounded_limits(tiny: Cube, height: float, first: int, n: int) -> None:
    """Row 20.1 and pixels of 0.01 degrees: from 18.9 to 21.3, from 18.65 to 21.55, and one pixel at least."""
    target = Position(ra=0.0, dec=0.0, size=Size(rows=height, columns=0.01, unit="d"))
    window = target.find_window(aimed(tiny, 20.1, 15.0), "tesscut")
    assert window is not None
    assert (window.first_row, window.n_rows) == (first, n)
