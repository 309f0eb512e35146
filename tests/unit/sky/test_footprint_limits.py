"""Footprints and boxes on the sky: corners, edges and limits, by hand and against astropy."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from tessera.errors import InvalidValueError
from tessera.sky.footprint import Footprint, find_overlaps, find_points, footprint_vectors, frame_footprint, sky_box
from tessera.sky.positions import path_pixels, sky_to_pixel
from tessera.sky.sphere import chord_degrees, unit_vectors

SQUARE = footprint_vectors(["POLYGON 9 -1 11 -1 11 1 9 1"])
DEGREE = np.pi / 180


def linear(ra: float = 0.0, dec: float = 0.0, projection: str = "CAR", scale: float = 0.125) -> WCS:
    """A WCS that has a place in its first pixel, `scale` degrees a pixel."""
    cards = {"CTYPE1": f"RA---{projection}", "CTYPE2": f"DEC--{projection}", "CRVAL1": ra, "CRVAL2": dec}
    return WCS(fits.Header(cards | {"CRPIX1": 1, "CRPIX2": 1, "CDELT1": scale, "CDELT2": scale}))


def test_unit_vectors_are_astropys() -> None:
    ra, dec = np.array([0.0, 90.0, 200.0, 359.0]), np.array([0.0, 30.0, -45.0, 90.0])
    expected = np.asarray(SkyCoord(ra, dec, unit="deg").cartesian.xyz.value.T, np.float64)
    np.testing.assert_allclose(unit_vectors(ra, dec), expected, rtol=0, atol=1e-15)


def test_close_directions_are_an_arc_apart() -> None:
    first, second = (
        unit_vectors(np.array([10.0, 50.0]), np.array([0.0, 20.0])),
        unit_vectors(np.array([10.0, 50.0]), np.array([0.001, 20.002])),
    )
    np.testing.assert_allclose(chord_degrees(first, second), [0.001, 0.002], rtol=1e-6)


def test_the_corners_of_a_frame_are_its_outer_pixels_in_masts_order() -> None:
    found = frame_footprint(linear(), 5, 9).vertices
    np.testing.assert_allclose(found, np.array([[0, 0], [0, 0.5], [1, 0.5], [1, 0]]), rtol=0, atol=1e-12)
    across = frame_footprint(linear(ra=359.5), 5, 9).vertices
    np.testing.assert_allclose(across[:, 0], np.array([359.5, 359.5, 0.5, 0.5]), rtol=0, atol=1e-12)
    south = frame_footprint(linear(dec=-0.25), 5, 9).vertices
    np.testing.assert_allclose(south[:, 1], np.array([-0.25, 0.25, 0.25, -0.25]), rtol=0, atol=1e-4)


def test_regions_are_read_in_every_spelling() -> None:
    corners = [[10.0, 20.0], [11.0, 20.0], [11.0, 21.5]]
    for text in (
        "POLYGON 10 20 11 20 11 21.5",
        "polygon 10 20 11 20 11 21.5 10 20",
        "Polygon ICRS 10 20 11 20 11 21.5",
        "POLYGON j2000 10.0 20.0 11.0 20.0 11.0 21.5 10.0 20.0",
    ):
        assert Footprint.parse_s_region(text).vertices.tolist() == corners
    closed = Footprint(np.array(corners)).format_s_region()
    assert closed == "POLYGON 10.000000 20.000000 11.000000 20.000000 11.000000 21.500000 10.000000 20.000000"


@pytest.mark.parametrize("text", ["POLYGON 1 2 3 4", "POLYGON 1 2 3 4 5", "CIRCLE 1 2 3 4 5 6", "ICRS", "POLYGON"])
def test_another_region_is_named(text: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Footprint.parse_s_region(text)
    assert str(caught.value) == f"s_region is {text!r}; allowed: POLYGON ra dec ra dec ra dec ..."


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (123.0, -60.0), (300.0, 89.9), (40.0, -90.0)])
@pytest.mark.parametrize(("width", "height"), [(1.0, 4.0), (60.0, 2.0), (0.01, 0.02)])
def test_a_box_is_that_of_the_tangent_plane(ra: float, dec: float, width: float, height: float) -> None:
    plane = linear(ra, dec, "TAN", 1.0)
    x, y = (np.degrees(np.tan(np.radians(side / 2))) for side in (width, height))
    expected = plane.all_pix2world([[-x, -y], [-x, y], [x, y], [x, -y]], 0)
    found = sky_box(ra, dec, width, height).vertices
    apart = SkyCoord(found, unit="deg").separation(SkyCoord(expected, unit="deg"))
    assert apart.to_value(u.deg).max() < 1e-9
    assert ((found[:, 0] >= 0) & (found[:, 0] < 360)).all()


def test_a_box_has_at_least_a_milliarcsecond_and_at_most_179_8_degrees() -> None:
    for asked, used in ((0.0, 3e-7), (-5.0, 3e-7), (3e-7, 3e-7), (180.0, 179.8), (1000.0, 179.8)):
        np.testing.assert_array_equal(sky_box(10, 20, asked, 1).vertices, sky_box(10, 20, used, 1).vertices)
    smallest = SkyCoord(sky_box(10, 0, 0, 0).vertices, unit="deg")
    assert smallest[0].separation(smallest[3]).deg == pytest.approx(3e-7, rel=1e-4)
    largest = unit_vectors(*sky_box(10, 0, 179.8, 1).vertices.T)
    assert np.degrees(np.arctan2(*largest[0, 1::-1])) == pytest.approx(10 - 89.9)


@pytest.mark.parametrize(
    ("ra", "dec", "size", "hit"),
    [
        (10.0, 0.0, 0.0, True),
        (11.0, 0.0, 0.0, True),  # on the edge, half of the smallest box
        (12.0, 0.0, 1.9, False),
        (12.0, 0.0, 2.1, True),
        (10.0, 2.0, 1.9, False),
        (10.0, 2.0, 2.1, True),
        (8.0, 0.0, 2.1, True),
        (8.0, 0.0, 1.9, False),
        (10.0, 0.0, 20.0, True),  # the box holds the footprint
        (190.0, 0.0, 0.0, False),  # opposite
        (190.0, 0.0, 20.0, False),
        (99.0, 0.0, 179.0, True),  # its western edge is at 9.5
        (101.0, 0.0, 179.0, False),  # at 11.5
    ],
)
def test_a_box_overlaps_what_it_touches(ra: float, dec: float, size: float, hit: bool) -> None:
    found = find_overlaps(SQUARE, sky_box(ra, dec, size, size))
    assert (found.shape, found.dtype) == ((1,), np.dtype(bool))
    assert found[0] == hit


def test_a_region_of_another_orientation_is_the_same_region() -> None:
    box = sky_box(11.5, 0, 2, 2)
    turned = Footprint(box.vertices[::-1])
    other = footprint_vectors(["POLYGON 9 1 11 1 11 -1 9 -1", "POLYGON 30 1 31 1 31 -1 30 -1"])
    for region in (box, turned):
        assert find_overlaps(other, region).tolist() == [True, False]
        assert find_overlaps(SQUARE, region).tolist() == [True]


def test_footprints_of_both_orientations_are_found() -> None:
    both = footprint_vectors(["POLYGON 9 -1 11 -1 11 1 9 1", "POLYGON 29 1 31 1 31 -1 29 -1"])
    for ra, found in ((10, [True, False]), (30, [False, True]), (20, [False, False])):
        assert find_overlaps(both, sky_box(ra, 0, 1, 1)).tolist() == found
        assert find_points(both, unit_vectors(np.array([ra]), np.array([0.0])))[:, 0].tolist() == found


def test_polygons_that_touch_share_a_point() -> None:
    """On the equator, where a polygon's edge is free of rounding."""
    north = footprint_vectors(["POLYGON 9 0 11 0 11 1 9 1"])
    assert find_overlaps(north, Footprint(np.array([[9.5, 0], [10.5, 0], [10.5, -1], [9.5, -1]]))).tolist() == [True]
    assert find_overlaps(north, Footprint(np.array([[8.5, 0], [11.5, 0], [11.5, -1], [8.5, -1]]))).tolist() == [True]


def test_a_region_on_the_other_side_of_the_sky_is_apart() -> None:
    """The edges of neither part them, as the region's antipode crosses the footprint."""
    diamond = Footprint(np.array([[188.8, 0.0], [190.0, 1.2], [191.2, 0.0], [190.0, -1.2]]))
    there = footprint_vectors(["POLYGON 189 -1 191 -1 191 1 189 1"])
    assert find_overlaps(np.concatenate([SQUARE, there]), diamond).tolist() == [False, True]


@pytest.mark.parametrize(("ra", "hit"), [(100.0, True), (105.0, True), (108.0, True), (109.5, True), (110.5, False)])
def test_the_largest_box_finds_what_its_edge_crosses(ra: float, hit: bool) -> None:
    """Its western edge is 89.9 degrees from its centre; the footprint ends at 20 degrees."""
    square = footprint_vectors(["POLYGON 10 10 10 20 20 20 20 10"])
    assert find_overlaps(square, sky_box(ra, 0, 180, 180)).tolist() == [hit]


def test_without_footprints_nothing_is_found() -> None:
    none = footprint_vectors([])
    assert none.shape == (0, 4, 3)
    assert find_overlaps(none, sky_box(0, 0, 1, 1)).tolist() == []
    assert find_overlaps(none, sky_box(0, 0, 1, 1)).dtype == np.dtype(bool)


def test_points_are_inside_up_to_the_edge_and_up_to_a_margin_beyond() -> None:
    """The western edge is a great circle of constant right ascension, so that a margin is a distance to it."""
    ra = np.array([10.0, 8.9, 8.1, 7.9, 11.5])
    directions = unit_vectors(ra, np.zeros(5))
    assert find_points(SQUARE, directions)[0].tolist() == [True, False, False, False, False]
    assert find_points(SQUARE, directions, 1.0)[0].tolist() == [True, True, True, False, True]
    beside = unit_vectors(np.full(4, 10.0), np.array([0.9, 1.1, -0.9, -1.1]))
    assert find_points(SQUARE, beside)[0].tolist() == [True, False, True, False]
    octant = np.eye(3)[None]  # its edges go through its corners, without rounding
    assert find_points(octant, np.array([[1.0, 0, 0], [0, 0.6, 0.8], [-1.0, 0, 0]]))[0].tolist() == [True, True, False]


def test_pixels_are_rows_and_columns_and_the_first_pixel_is_0() -> None:
    rows, columns = path_pixels(linear(), np.array([0.0, 1.0, np.nan]), np.array([0.0, 2.5, 0.0]))
    np.testing.assert_allclose(rows, [0, 20, np.nan], atol=1e-9)
    np.testing.assert_allclose(columns, [0, 8, np.nan], atol=1e-9)
    assert sky_to_pixel(linear(), 1.0, 2.5) == pytest.approx((20, 8))
    assert sky_to_pixel(linear(), np.nan, 0.0) is None


def test_nothing_is_on_a_frame_30_degrees_from_its_reference_point() -> None:
    wcs = linear(ra=200.0, dec=-10.0)
    assert sky_to_pixel(wcs, 200.0, 19.99) == pytest.approx((29.99 * 8, 0), abs=1e-6)
    assert sky_to_pixel(wcs, 200.0, 20.01) is None
    rows, columns = path_pixels(wcs, np.array([20.0, 30.0]), np.array([10.0, 0.0]))
    assert np.isnan([rows, columns]).all()
