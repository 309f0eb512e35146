"""Footprints against MAST's polygons, and who sees a position against sources that are not ours."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from tessera.errors import InvalidValueError
from tessera.sky.footprint import Footprint, find_overlaps, find_points, footprint_vectors, frame_footprint, sky_box
from tessera.sky.positions import sky_to_pixel
from tessera.sky.sphere import unit_vectors
from tessera.sky.wcs import frame_wcs
from tests.support.paths import DATA
from tests.support.wcs import FRAME_SHAPE, ffi_wcs_header

pytestmark = pytest.mark.slow

MAST = json.loads((DATA / "tess_ffi_footprints.json").read_text(encoding="utf-8"))
VECTORS = footprint_vectors(MAST["s_region"])
LOOKUP = json.loads((DATA / "sector_lookup.json").read_text(encoding="utf-8"))
ANSWERS = json.loads((DATA / "tesscut_documented_answers.json").read_text(encoding="utf-8"))


def seen(ra: float, dec: float, size: float = 0.0) -> set[str]:
    hits = find_overlaps(VECTORS, sky_box(ra, dec, size, size))
    return {name for name, hit in zip(MAST["obs_id"], hits, strict=True) if hit}


def corner(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lengths of small differences of unit vectors, in arcseconds."""
    lengths: NDArray[np.float64] = np.degrees(2 * np.arcsin(np.linalg.norm(vectors, axis=-1) / 2)) * 3600
    return lengths


def turned(polygons: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Polygons, each turned on the sphere onto another one as well as that goes (Kabsch)."""
    u, _, v = np.linalg.svd(np.swapaxes(polygons, -1, -2) @ wanted)
    sign = np.sign(np.linalg.det(u @ v))
    scale = np.stack([np.ones_like(sign), np.ones_like(sign), sign], axis=-1)
    rotation: NDArray[np.float64] = (u * scale[..., None, :]) @ v
    return polygons @ rotation


def shape_errors(polygons: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the corners of each sector's polygon are from the usual shape of that detector, shape (1280,)."""
    errors = np.zeros(len(polygons))
    for detector in range(16):
        own, usual = polygons[detector::16], VECTORS[detector::16]
        for sector in range(len(own)):
            off = corner(turned(np.broadcast_to(own[sector], usual.shape), usual) - usual)
            errors[detector + 16 * sector] = np.median(off, axis=0).max()
    return errors


@pytest.fixture(scope="module")
def ours() -> NDArray[np.float64]:
    """Our polygons of all CCDs of sectors 1 to 80, in MAST's order."""
    texts = []
    for name in MAST["obs_id"]:
        sector, camera, ccd = (int(text.lstrip("s")) for text in name.split("-")[1:])
        wcs = frame_wcs(dict(ffi_wcs_header(sector, camera, ccd)))
        texts.append(frame_footprint(wcs, *FRAME_SHAPE, most_error=np.inf).format_s_region())
    return footprint_vectors(texts)


def test_our_polygons_of_real_wcs_are_masts(ours: NDArray[np.float64]) -> None:
    """Median 2.1"; beyond 10" are 107 of 1,280, the worst s0023-2-2 by 618".

    The corners of the whole frame lie outside of the science pixels, where the WCS of a single frame is extrapolated;
    MAST and tesswcs took different frames.
    """
    off = corner(ours - VECTORS).max(axis=1)
    assert len(off) == 1280
    assert np.median(off) < 2.2
    assert (off < 10).sum() >= 1173
    assert MAST["obs_id"][int(off.argmax())] == "tess-s0023-2-2"


def test_where_they_differ_one_of_them_is_not_the_shape_of_its_detector(ours: NDArray[np.float64]) -> None:
    off = corner(ours - VECTORS).max(axis=1)
    bent = np.maximum(shape_errors(ours), shape_errors(VECTORS))
    assert {MAST["obs_id"][row] for row in np.flatnonzero((off >= 10) & (bent < 4))} <= {"tess-s0033-3-4"}
    assert off[MAST["obs_id"].index("tess-s0033-3-4")] < 10.5


@pytest.mark.parametrize("answer", [a for a in ANSWERS["sector_answers"] if "ra" in a["request"]], ids=str)
def test_the_documented_sectors_of_the_live_service_are_found(answer: dict[str, object]) -> None:
    request = answer["request"]
    assert isinstance(request, dict)
    if request.get("product") == "tica":
        return
    wanted = {name for name in answer["answer"] if int(name[6:10]) <= 80}  # type: ignore[attr-defined]
    assert wanted <= seen(request["ra"], request["dec"])


def test_an_s_region_survives_the_round_trip() -> None:
    text = "POLYGON 313.776747 -47.870851 310.091131 -36.701617 324.468200 -33.330300 330.129023 -44.413032"
    polygon = Footprint.parse_s_region(text)
    assert polygon.format_s_region() == text + " 313.776747 -47.870851"
    assert Footprint.parse_s_region(polygon.format_s_region().replace("POLYGON", "POLYGON ICRS")).vertices.shape == (
        4,
        2,
    )


@pytest.mark.parametrize("text", ["", "CIRCLE 1 2 3", "POLYGON 1 2 3 4", "POLYGON 1 2 3 4 5 6 7"])
def test_other_regions_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="s_region"):
        Footprint.parse_s_region(text)


def test_boxes_across_zero_right_ascension_and_over_the_pole_are_right() -> None:
    square = footprint_vectors(["POLYGON 359 -1 1 -1 1 1 359 1", "POLYGON 0 89 90 89 180 89 270 89"])
    assert list(find_overlaps(square, sky_box(0, 0, 0, 0))) == [True, False]
    assert list(find_overlaps(square, sky_box(359.5, 0.5, 0, 0))) == [True, False]
    assert list(find_overlaps(square, sky_box(123, 89.9, 0, 0))) == [False, True]
    assert list(find_overlaps(square, sky_box(180, 0, 5, 5))) == [False, False]
    assert list(find_overlaps(square, sky_box(2, 0, 2.5, 0.1))) == [True, False]
    assert list(find_overlaps(square, sky_box(45, 85, 0.1, 20))) == [False, True]


def test_the_largest_box_holds_its_hemisphere() -> None:
    square = footprint_vectors(["POLYGON 10 10 10 20 20 20 20 10"])
    found = [bool(find_overlaps(square, sky_box(ra, 15, 180, 180))[0]) for ra in (0, 15, 50, 85, 120, 195)]
    assert found == [True, True, True, True, False, False]


def test_a_box_is_as_wide_on_the_sky_at_high_declination() -> None:
    vertices = SkyCoord(sky_box(10, 80, 1.0, 0.5).vertices, unit="deg")
    assert vertices[0].separation(vertices[3]).deg == pytest.approx(1.0, rel=1e-3)
    assert vertices[0].separation(vertices[1]).deg == pytest.approx(0.5, rel=1e-3)


def test_a_footprint_contains_random_points_exactly_when_its_wcs_says_so() -> None:
    wcs = frame_wcs(dict(ffi_wcs_header(1, 1, 1)))
    vectors = footprint_vectors([frame_footprint(wcs, *FRAME_SHAPE).format_s_region()])
    rng = np.random.default_rng(1)
    pixels = rng.uniform([-200, -200], [2336, 2278], (200, 2))
    margin = 15  # edges of the polygon are great circles, those of the distorted frame are not
    for (column, row), (ra, dec) in zip(pixels, wcs.all_pix2world(pixels, 0), strict=True):
        distance = min(column, 2135 - column, row, 2077 - row)
        if abs(distance) > margin:
            assert find_overlaps(vectors, sky_box(ra, dec, 0, 0))[0] == (distance > 0)


def test_points_are_inside_what_sees_them() -> None:
    rng = np.random.default_rng(5)
    directions = rng.normal(size=(40, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    inside = find_points(VECTORS, directions)
    assert inside.shape == (len(VECTORS), 40)
    for point, hits in zip(directions, inside.T, strict=True):
        ra, dec = np.degrees(np.arctan2(point[1], point[0])) % 360, np.degrees(np.arcsin(point[2]))
        assert {name for name, hit in zip(MAST["obs_id"], hits, strict=True) if hit} == seen(ra, dec)


def test_a_margin_lets_a_point_be_a_little_outside() -> None:
    ra, dec = Footprint.parse_s_region(MAST["s_region"][0]).vertices.mean(axis=0)
    south = unit_vectors(np.full(80, ra), dec - np.arange(80) / 4)
    strict, kind = (find_points(VECTORS[:1], south, margin)[0] for margin in (0.0, 0.5))
    assert kind.sum() - strict.sum() in (2, 3)
    assert strict[0]
    assert not kind[-1]


def test_both_poles_are_seen_where_the_wcs_says_so() -> None:
    for dec in (90.0, -90.0):
        for name in MAST["obs_id"]:
            sector, camera, ccd = (int(text.lstrip("s")) for text in name.split("-")[1:])
            row = MAST["obs_id"].index(name)
            if abs(VECTORS[row].mean(axis=0)[2]) < 0.9:
                continue
            pixel = sky_to_pixel(frame_wcs(dict(ffi_wcs_header(sector, camera, ccd))), 123.0, dec)
            distance = -np.inf if pixel is None else min(pixel[1], 2135 - pixel[1], pixel[0], 2077 - pixel[0])
            if abs(distance) > 40:  # two pixels for the polygon, and what MAST's frame differs by
                assert (name in seen(123.0, dec)) == (distance > 0), name
    assert len(seen(0, 90)) > 3
    assert len(seen(0, -90)) > 3


def test_footprints_across_zero_right_ascension_are_found_from_both_sides() -> None:
    across = [
        row for row, text in enumerate(MAST["s_region"]) if np.ptp(Footprint.parse_s_region(text).vertices[:, 0]) > 300
    ]
    assert len(across) > 20
    for row in across:
        if abs(VECTORS[row].mean(axis=0)[2]) > 0.95:
            continue
        for part in VECTORS[row]:
            inside = 0.98 * part + 0.02 * VECTORS[row].mean(axis=0)
            ra, dec = (
                np.degrees(np.arctan2(inside[1], inside[0])),
                np.degrees(np.arcsin(inside[2] / np.linalg.norm(inside))),
            )
            assert MAST["obs_id"][row] in seen(float(ra), float(dec))
            assert MAST["obs_id"][row] in seen(float(ra) % 360.0, float(dec))
