"""Shapes as targets: the box on a frame and its aperture, compared with astropy's angles pixel by pixel."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from numpy.typing import NDArray

from tessera.cutouts.frame_pixels import about_frame, wcs_frame
from tessera.images.wcs import shape_window
from tessera.sky.footprint import footprint_vectors, frame_footprint, grow
from tessera.sky.shapes.boxes import PixelFrame, find_box, mark_pixels
from tessera.sky.shapes.parse import parse_shape
from tessera.windows import Window
from tessera_cloud.application.cutouts.shaped import Shaped
from tessera_cloud.application.index.footprint_index import EDGE_MARGIN
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import TooLargeError
from tests.support.wcs import FRAME_SHAPE, ffi_wcs_header

N_ROWS, N_COLUMNS = FRAME_SHAPE


@pytest.fixture(scope="module")
def wcs() -> WCS:
    """WCS of a frame near the south ecliptic pole, with distortion."""
    return WCS(ffi_wcs_header(1, 4, 2))


@pytest.fixture(scope="module")
def frame(wcs: WCS) -> PixelFrame:
    return wcs_frame(wcs, *FRAME_SHAPE)


def sky(wcs: WCS, row: float, column: float) -> tuple[float, float]:
    ra, dec = wcs.all_pix2world([[column, row]], 0)[0]
    return float(ra), float(dec)


def centres(wcs: WCS) -> SkyCoord:
    """Centres of the pixels in a part of the frame that has its first corner, rows 0 to 99 and columns 0 to 99."""
    rows, columns = np.indices((100, 100))
    return SkyCoord(*wcs.all_pix2world(columns.ravel(), rows.ravel(), 0), unit="deg").reshape(100, 100)


def whole(marked: NDArray[np.bool_], window: Window) -> NDArray[np.bool_]:
    """The marked pixels of a window, in the first hundred rows and columns of the frame."""
    assert window.stop_row <= 100 >= window.stop_column
    found = np.zeros((100, 100), bool)
    found[window.first_row : window.stop_row, window.first_column : window.stop_column] = marked
    return found


@pytest.mark.parametrize("radius", [0.004, 0.02, 0.11, 0.24])
@pytest.mark.parametrize("place", [(50.0, 45.3), (2.2, 47.1), (-3.0, 50.0), (-0.5, -0.5), (-10.0, -12.0)])
def test_a_circle_marks_the_pixels_within_its_radius(
    wcs: WCS, frame: PixelFrame, place: tuple[float, float], radius: float
) -> None:
    middle = sky(wcs, *place)
    shape = parse_shape(f"CIRCLE {middle[0]} {middle[1]} {radius}")
    expected = np.asarray(centres(wcs).separation(SkyCoord(*middle, unit="deg")) <= radius * u.deg)
    window = find_box(shape, frame)
    if not expected.any():
        assert window is None or window.shape[0] * window.shape[1] == 1
        return
    assert window is not None
    rows, columns = np.nonzero(expected)
    assert window.first_row in (rows.min(), rows.min() - 1)
    assert window.first_column in (columns.min(), columns.min() - 1)
    assert window.stop_row - 1 in (rows.max(), rows.max() + 1)
    assert window.stop_column - 1 in (columns.max(), columns.max() + 1)
    assert (whole(mark_pixels(shape, frame, window), window) == expected).all()


def test_a_range_marks_the_pixels_between_its_limits(wcs: WCS, frame: PixelFrame) -> None:
    position = centres(wcs)
    ra, dec = sky(wcs, 40, 40)
    shape = parse_shape(f"RANGE {ra - 0.3} {ra + 0.2} {dec - 0.05} {dec + 0.1}")
    expected = (position.ra.deg >= ra - 0.3) & (position.ra.deg <= ra + 0.2)
    expected &= (position.dec.deg >= dec - 0.05) & (position.dec.deg <= dec + 0.1)
    window = find_box(shape, frame)
    assert window is not None
    assert expected.sum() > 100
    assert (whole(mark_pixels(shape, frame, window), window) == expected).all()


def test_a_polygon_through_pixels_has_them_as_its_corners(wcs: WCS, frame: PixelFrame) -> None:
    corners = [(10, 10), (10, 30), (40, 30), (25, 20), (40, 10)]
    text = " ".join(f"{ra} {dec}" for ra, dec in (sky(wcs, row + 0.3, column + 0.2) for row, column in corners))
    shape = parse_shape(text, "POLYGON")
    window = find_box(shape, frame)
    assert window == Window(10, 10, 31, 21)
    marked = mark_pixels(shape, frame, window)
    assert not marked[0].any()  # the edge passes 0.3 pixels above their centres
    assert marked[1].tolist() == [False, *[True] * 20]
    assert marked[25, 10] == np.False_  # in the notch
    assert marked[14, 10] == np.True_


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("RANGE -Inf +Inf -Inf +Inf", Window(0, 0, N_ROWS, N_COLUMNS)),
        ("RANGE 0 360 -90 -20", Window(0, 0, N_ROWS, N_COLUMNS)),
        ("CIRCLE 90 -66 60", Window(0, 0, N_ROWS, N_COLUMNS)),
        ("CIRCLE 270 66 90", None),
        ("RANGE 0 360 0 90", None),
        ("CIRCLE 90 60 5", None),
    ],
)
def test_a_shape_larger_than_the_frame_has_the_frame_or_nothing(
    frame: PixelFrame, text: str, window: Window | None
) -> None:
    assert find_box(parse_shape(text), frame) == window


@pytest.mark.parametrize("place", [(50.2, 60.4), (50.49, 60.51), (0.0, 0.0), (2077.4, 2135.4)])
def test_a_shape_smaller_than_a_pixel_marks_the_pixel_of_its_middle(
    wcs: WCS, frame: PixelFrame, place: tuple[float, float]
) -> None:
    ra, dec = sky(wcs, *place)
    for text in (f"CIRCLE {ra} {dec} 1e-4", f"RANGE {ra} {ra} {dec} {dec}"):
        shape = parse_shape(text)
        window = find_box(shape, frame)
        assert window is not None
        marked = mark_pixels(shape, frame, window)
        rows, columns = np.nonzero(marked)
        assert (rows + window.first_row).tolist() == [np.floor(place[0] + 0.5)]
        assert (columns + window.first_column).tolist() == [np.floor(place[1] + 0.5)]
        assert window.shape[0] * window.shape[1] <= 4


def test_an_image_of_the_whole_sky_has_shapes_far_from_its_middle() -> None:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt, wcs.wcs.crpix = ["RA---CAR", "DEC--CAR"], [-1.0, 1.0], [180.5, 90.5]
    assert shape_window(parse_shape("RANGE 110.2 119.8 5.2 14.8"), wcs, 180, 360) == Window(95, 60, 10, 10)


def test_the_box_of_what_crosses_an_edge_ends_at_the_edge(wcs: WCS, frame: PixelFrame) -> None:
    ra, dec = sky(wcs, -20.0, 1000.0)
    window = find_box(parse_shape(f"CIRCLE {ra} {dec} 0.3"), frame)
    assert window is not None
    assert window.first_row == 0
    assert 20 < window.n_rows < 40
    assert 80 < window.n_columns < 110


def test_a_polygon_of_many_long_edges_takes_few_points(wcs: WCS, frame: PixelFrame) -> None:
    comb = [(-900.0 if n % 2 else 900.0, 20.0 * n) for n in range(100)] + [(-950.0, 2000.0), (-950.0, 0.0)]
    text = " ".join(f"{ra} {dec}" for ra, dec in (sky(wcs, row + 1000.0, column) for row, column in comb))
    n_points = []

    def counted(directions: NDArray[np.float64]) -> NDArray[np.float64]:
        n_points.append(len(directions))
        return frame.to_pixels(directions)

    window = find_box(parse_shape(text, "POLYGON"), dataclasses.replace(frame, to_pixels=counted))
    assert window is not None
    assert window.first_row == 50
    assert sum(n_points) < 200_000  # the edges are 180,000 pixels long


def published(wcs: WCS) -> PublishedCube:
    region = frame_footprint(wcs, *FRAME_SHAPE).format_s_region()
    fields = {"sequence_number": 1, "t_min": 0.0, "t_max": 0.0, "build_id": "", "bucket": "b", "key": "k", "etag": ""}
    row = fields | {"obs_id": "tess-s0001-4-2", "s_region": region, "n_cadences": 1282, "size": 0}
    return PublishedCube.model_validate(row)


def test_the_footprint_tells_about_how_many_pixels_are_on_the_frame(wcs: WCS, frame: PixelFrame) -> None:
    cube = published(wcs)
    for place, radius in [((1000.0, 1000.0), 2.0), ((-500.0, 1000.0), 4.0), ((2500.0, 2500.0), 5.0), ((0.0, 0.0), 3.0)]:
        ra, dec = sky(wcs, *place)
        target = Shaped(shape=f"CIRCLE {ra} {dec} {radius}")
        window = find_box(target.area, frame)
        assert window is not None
        n_pixels = window.n_rows * window.n_columns
        assert n_pixels < target.about_pixels(cube) < 1.4 * n_pixels


def test_a_large_shape_is_refused_only_where_much_of_it_is_on_the_frame(wcs: WCS) -> None:
    cube = published(wcs)
    ra, dec = sky(wcs, -1390.0, -1390.0)
    Shaped(shape=f"CIRCLE {ra} {dec} 12").check_size([cube], 250_000)
    with pytest.raises(TooLargeError, match=r"^CIRCLE is \d+ x \d+, [\d,]+ pixels; allowed: at most 250,000") as caught:
        Shaped(shape=f"CIRCLE {ra} {dec} 14", parameter="CIRCLE").check_size([cube], 250_000)
    assert caught.value.parameter == "CIRCLE"


def test_the_frame_of_a_footprint_has_about_the_pixels_of_the_frame(wcs: WCS) -> None:
    frame = about_frame(footprint_vectors([published(wcs).s_region])[0], 21 / 3600)
    assert frame.n_rows == pytest.approx(N_ROWS, abs=20)
    assert frame.n_columns == pytest.approx(N_COLUMNS, abs=20)


def test_a_footprint_that_is_grown_has_its_edges_outside(wcs: WCS) -> None:
    footprint = footprint_vectors([published(wcs).s_region])
    grown = grow(footprint, EDGE_MARGIN)
    for row, column, inside in [(-18.0, 1000.0, True), (-60.0, 1000.0, False), (1000.0, 2153.0, True)]:
        ra, dec = sky(wcs, row, column)
        dot = parse_shape(f"CIRCLE {ra} {dec} 0.0001")
        assert not dot.overlaps(footprint).any()
        assert dot.overlaps(grown).tolist() == [inside]
    assert grow(footprint[:0], 1.0).shape == footprint[:0].shape
