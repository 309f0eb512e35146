"""Circles, polygons and ranges on the sky: what is inside, and which footprints they touch. Answers are by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tessera.sky.footprint import sky_box
from tessera.sky.shapes.boxes import clip_segments
from tessera.sky.shapes.parse import parse_shape
from tessera.sky.sphere import unit_vectors

ARROW = "POLYGON 10 10 14 10 14 14 12 11 10 14"
"""A square of four degrees with a notch from the north that ends at declination 11."""
FOOTPRINTS = np.array(
    [
        unit_vectors(*sky_box(ra, dec, side, side).vertices.T)
        for ra, dec, side in [(12, 13, 0.5), (12, 10.4, 0.5), (0, 0, 2), (80, 90, 2), (180, -30, 20), (12, 12, 90)]
    ]
)
"""In the notch of the arrow, in the arrow, at right ascension 0, around the pole, a large one, one around the arrow."""


@pytest.mark.parametrize(
    ("text", "ra", "dec", "inside"),
    [
        ("CIRCLE 12 34 0.5", 12.0, 34.5, True),
        ("CIRCLE 12 34 0.5", 12.0, 34.5001, False),
        ("CIRCLE 12 34 0.5", 12.6, 34.0, True),  # 0.497 degrees away
        ("CIRCLE 359.9 0 0.5", 0.3, 0.0, True),
        ("CIRCLE 40 89.9 0.2", 220.0, 89.95, True),
        ("CIRCLE 40 89.9 0.2", 220.0, 89.85, False),
        ("CIRCLE 0 0 120", 121.0, 0.0, False),
        ("CIRCLE 0 0 120", -119.0, 0.0, True),
        ("CIRCLE 0 0 180", 180.0, 0.0, True),
        ("RANGE 359 1 -1 1", 0.5, 0.5, True),
        ("RANGE 359 1 -1 1", 2.0, 0.5, False),
        ("RANGE -1 1 -1 1", 359.5, -0.5, True),
        ("RANGE 350 370 -1 1", 5.0, 0.0, True),
        ("RANGE 0 360 89 +Inf", 123.0, 90.0, True),
        ("RANGE 0 360 89 +Inf", 123.0, 88.9, False),
        ("RANGE -Inf +Inf -Inf +Inf", 123.0, -90.0, True),
        ("RANGE 350 +Inf -Inf 0", 355.0, -89.0, True),
        ("RANGE 350 +Inf -Inf 0", 1.0, -89.0, False),
        ("RANGE 10 20 30 40", 15.0, 40.0, True),  # a parallel, not a great circle, which passes 40.1 here
        ("RANGE 10 20 30 40", 15.0, 40.05, False),
        ("POLYGON 10 30 20 30 20 40 10 40", 15.0, 40.05, True),
        ("RANGE 10 10 20 20", 10.0, 20.0, True),
        (ARROW, 12.0, 10.5, True),
        (ARROW, 12.0, 11.5, False),
        (ARROW, 13.5, 13.0, True),
        ("POLYGON 0 80 90 80 180 80 270 80", 45.0, 90.0, True),
        ("POLYGON 270 80 180 80 90 80 0 80", 45.0, 90.0, True),  # the other way round
        ("POLYGON 359 -1 1 -1 1 1 359 1", 0.0, 0.0, True),
        ("POLYGON 359 -1 1 -1 1 1 359 1", 180.0, 0.0, False),
    ],
)
def test_a_shape_contains_what_is_inside(text: str, ra: float, dec: float, inside: bool) -> None:
    shape = parse_shape(text)
    assert shape.contains(np.array([[ra, np.nan]]), np.array([[dec, 0.0]])).tolist() == [[inside, False]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ARROW, [1, 5]),
        ("CIRCLE 12 10.4 0.01", [1, 5]),
        ("CIRCLE 12 13 0.01", [0, 5]),
        ("CIRCLE 12 12.5 0.3", [0, 5]),  # crosses an edge, between the corners
        ("CIRCLE 12 12.5 0.2", [5]),
        ("CIRCLE 0 0 180", [0, 1, 2, 3, 4, 5]),
        ("CIRCLE 180 0 160", [3, 4, 5]),  # the far side is free: a circle of 20 degrees around 0, 0
        ("RANGE -Inf +Inf -Inf +Inf", [0, 1, 2, 3, 4, 5]),
        ("RANGE 359.9 0.1 -0.1 0.1", [2, 5]),
        ("RANGE 1.1 2 -0.1 0.1", [5]),
        ("RANGE 100 260 -19.6 10", []),  # the corners of the large one are at declination -19.69
        ("RANGE 100 260 -19.75 10", [4]),
        ("RANGE 179 181 -19.99 10", []),  # its northern edge is at -20 in the middle, and at -19.93 five degrees aside
        ("RANGE 179 181 -20.01 10", [4]),
        ("RANGE 175 185 -19.94 10", [4]),
        ("RANGE 0 360 89.5 90", [3]),
        ("POLYGON 0 89.5 120 89.5 240 89.5", [3]),
        ("POLYGON 100 -30 180 -60 260 -30 180 80", [4]),  # around the large one
    ],
)
def test_a_shape_finds_the_footprints_that_it_touches(text: str, found: list[int]) -> None:
    assert np.flatnonzero(parse_shape(text).overlaps(FOOTPRINTS)).tolist() == found


def test_a_shape_without_footprints_finds_none() -> None:
    assert parse_shape("CIRCLE 1 2 3").overlaps(np.empty((0, 4, 3))).tolist() == []


@pytest.mark.parametrize("text", ["CIRCLE 40 89.9 0.2", "CIRCLE 1 2 100", "RANGE 350 20 -10 90", ARROW])
def test_an_outline_is_a_closed_line_of_short_segments(text: str) -> None:
    segments = parse_shape(text).outline(0.5)
    lengths = np.degrees(np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1))
    assert 0 < lengths.max() <= 0.5
    ends = {(round(x, 9) + 0.0, round(y, 9) + 0.0, round(z, 9) + 0.0) for x, y, z in segments[:, 1].tolist()}
    starts = {(round(x, 9) + 0.0, round(y, 9) + 0.0, round(z, 9) + 0.0) for x, y, z in segments[:, 0].tolist()}
    assert len(ends ^ starts) <= 4  # the sides of a range do not follow each other


def test_the_outline_of_a_circle_is_at_its_radius() -> None:
    points = parse_shape("CIRCLE 40 89.9 0.2").outline(0.01).reshape(-1, 3)
    middle = unit_vectors(np.array([40.0]), np.array([89.9]))[0]
    assert np.degrees(np.arccos(points @ middle)) == pytest.approx(0.2, abs=1e-6)


def test_an_outline_may_be_that_of_a_place_alone() -> None:
    place = unit_vectors(np.array([90.0]), np.array([0.0]))[0]
    band = parse_shape("RANGE 0 360 0 1")
    near = band.outline(0.1, (place, 3.0))
    distances = np.degrees(np.arccos(np.clip(near.reshape(-1, 3) @ place, -1, 1)))
    assert 3.0 < distances.max() < 4.5
    assert len(band.outline(0.1)) > 40 * len(near)


@pytest.mark.parametrize(
    ("begin", "end", "points"),
    [
        ((1, 1), (2, 3), [(1, 1), (2, 3)]),
        ((-2.5, 1), (3.5, 1), [(-0.5, 1), (3.5, 1)]),
        ((-2.5, -3.5), (5.5, 12.5), [(-0.5, 0.5), (3.5, 8.5)]),  # from corner to corner, beyond both
        ((-1, 2), (-1, 3), []),
        ((3, 12), (12, 3), []),  # past the last corner
        ((2, 2), (2, 2), [(2, 2), (2, 2)]),
        ((-2, 2), (-2, 2), []),
    ],
)
def test_a_segment_is_clipped_to_the_frame(
    begin: tuple[float, float], end: tuple[float, float], points: list[tuple[float, float]]
) -> None:
    clipped = clip_segments(np.array([[begin, end]], np.float64), np.array([3.5, 9.5]))
    assert clipped.tolist() == [pytest.approx(point) for point in points]
