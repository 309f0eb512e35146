"""The files of the coverage: their cells, their times, their formats, and which cubes they show."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.time import Time
from mocpy import MOC, STMOC

from tessera.sky.footprint import find_distances, footprint_vectors
from tessera.sky.sphere import unit_vectors
from tessera_cloud.application.coverage.mocs import cube_mocs, footprint_moc, make_files
from tessera_cloud.application.coverage.parts import group_cubes, parse_file_name
from tests.support.covers import cube
from tests.support.paths import DATA

CELL = 0.09
"""Longest diagonal of a cell of order 10, in degrees."""

SIDE = 4.0


def stored(data: bytes) -> MOC:
    return MOC.from_fits(io.BytesIO(data))


def stored_st(data: bytes) -> STMOC:
    return STMOC.from_fits(io.BytesIO(data))


def files_of(*cubes: str) -> dict[str, bytes]:
    found = tuple(cube(name) for name in cubes)
    return make_files("s0001", found, cube_mocs(found))[0]


def test_a_part_has_a_moc_and_a_space_time_moc_as_fits_and_as_json() -> None:
    files = files_of("tess-s0001-1-1")
    assert list(files) == ["s0001.fits", "s0001.json", "s0001-st.fits", "s0001-st.json"]
    assert MOC.from_json(json.loads(files["s0001.json"])) == stored(files["s0001.fits"])
    assert STMOC.from_json(json.loads(files["s0001-st.json"])) == stored_st(files["s0001-st.fits"])


def test_the_fits_files_are_of_version_2_of_the_standard() -> None:
    files = files_of("tess-s0001-1-1")
    space, both = (fits.getheader(io.BytesIO(files[name]), 1) for name in ("s0001.fits", "s0001-st.fits"))
    assert (space["MOCVERS"], space["MOCDIM"], space["ORDERING"], space["COORDSYS"]) == ("2.0", "SPACE", "NUNIQ", "C")
    assert (space["MOCORD_S"], space["TFORM1"].strip(), space["TTYPE1"]) == (10, "1K", "UNIQ")
    assert (both["MOCDIM"], both["MOCORD_S"], both["MOCORD_T"], both["TIMESYS"]) == ("TIME.SPACE", 10, 28, "TCB")


def test_the_same_cubes_give_the_same_bytes() -> None:
    assert files_of("tess-s0001-1-1", "tess-s0001-1-2") == files_of("tess-s0001-1-1", "tess-s0001-1-2")


def test_every_position_in_a_footprint_is_in_the_moc_and_none_that_is_a_cell_away() -> None:
    """Square of 4 degrees around ra 10, dec 20, with its edges from corner to corner on great circles."""
    made = footprint_moc(cube("tess-s0001-1-1", side=SIDE).s_region)
    inside, outside = np.linspace(-1.93, 1.93, 40), np.linspace(-2.5, 2.5, 40)
    lon, lat = np.meshgrid(inside, inside)
    assert made.contains_lonlat(*degrees(10 + lon.ravel(), 20 + lat.ravel())).all()
    edges = np.concatenate([[10 + outside, np.full(40, 22.2)], [np.full(40, 12.2), 20 + outside]], axis=1)
    assert not made.contains_lonlat(*degrees(*edges)).any()


def degrees(lon: object, lat: object) -> tuple[object, object]:
    from astropy import units  # noqa: PLC0415 - only here

    return np.asarray(lon) * units.deg, np.asarray(lat) * units.deg


@pytest.mark.parametrize(
    ("ra", "dec", "outside"), [(0.0, 0.0, (180.0, 0.0)), (359.9, -30.0, (5.0, -30.0)), (100.0, 87.9, (280.0, 80.0))]
)
def test_a_footprint_may_cross_right_ascension_0_or_lie_near_a_pole(
    ra: float, dec: float, outside: tuple[float, float]
) -> None:
    made = footprint_moc(cube("tess-s0001-1-1", ra, dec).s_region)
    assert made.contains_lonlat(*degrees([ra], [dec])).all()
    assert not made.contains_lonlat(*degrees([outside[0]], [outside[1]])).any()
    assert made.sky_fraction < 0.001


def test_a_footprint_with_more_corners_is_used_as_it_is() -> None:
    """An L of two squares: the missing square is not covered."""
    corner = "POLYGON 10 0 14 0 14 2 12 2 12 4 10 4 10 0"
    made = footprint_moc(corner)
    found = made.contains_lonlat(*degrees([11.0, 11.0, 13.0, 13.0], [1.0, 3.0, 1.0, 3.0]))
    assert found.tolist() == [True, True, True, False]


def test_the_moc_of_a_real_sector_agrees_with_the_distances_to_its_footprints() -> None:
    """At 10,000 positions around sector 1: inside a footprint means covered, and covered means within a cell of one."""
    table = json.loads((DATA / "tess_ffi_footprints.json").read_bytes())
    s_regions = table["s_region"][:16]
    made = [footprint_moc(text) for text in s_regions]
    random = np.random.default_rng(17)
    lon, lat = random.uniform(280, 470, 10_000) % 360, random.uniform(-90, 0, 10_000)
    covered = made[0].union(*made[1:]).contains_lonlat(*degrees(lon, lat))
    distances = find_distances(footprint_vectors(s_regions), unit_vectors(lon, lat), CELL).max(axis=0)
    assert not ((distances >= 0) & ~covered).any()
    assert not ((distances < -CELL) & covered).any()
    assert 1_000 < (distances >= 0).sum() < 9_000


def test_a_space_time_moc_has_each_cube_at_its_own_time() -> None:
    first, second = cube("tess-s0001-1-1", 10, start=58324.5), cube("tess-s0002-1-1", 100, start=58354.5)
    cubes = (first, second)
    made = stored_st(make_files("all", cubes, cube_mocs(cubes))[0]["all-st.fits"])
    at = Time([58330.0, 58330.0, 58360.0, 58360.0, 58320.0], format="mjd", scale="utc")
    lon, lat = degrees([10.0, 100.0, 10.0, 100.0, 10.0], [20.0] * 5)
    assert made.contains(at, lon, lat).tolist() == [True, False, False, True, False]


def test_a_day_is_resolved() -> None:
    """Cells of 2**33 microseconds, 2.4 hours: a cube is in its own cells and in none that is 3 hours away."""
    only = cube("tess-s0001-1-1", start=58324.5)
    made = stored_st(make_files("all", (only,), cube_mocs((only,)))[0]["all-st.fits"])
    hours = np.array([-3.0, 0.02, 27 * 24 - 0.02, 27 * 24 + 3])
    lon, lat = degrees([10.0] * 4, [20.0] * 4)
    found = made.contains(Time(58324.5 + hours / 24, format="mjd", scale="utc"), lon, lat)
    assert found.tolist() == [False, True, True, False]


def test_a_cube_of_one_instant_is_in_the_space_time_moc() -> None:
    only = cube("tess-s0001-1-1").model_copy(update={"t_max": 58324.5})
    made = stored_st(make_files("all", (only,), cube_mocs((only,)))[0]["all-st.fits"])
    lon, lat = degrees([10.0], [20.0])
    assert made.contains(Time([58324.5], format="mjd", scale="utc"), lon, lat).all()


def test_parts_are_all_sectors_and_each_sector_of_all_products_and_each_product() -> None:
    names = ["tess-s0002-1-1", "tess-s0001-1-1", "tica-s0001-1-1", "tess-s1751-1-1"]
    groups = group_cubes(cube(name) for name in names)
    assert {of: [each.obs_id for each in cubes] for of, cubes in groups.items() if of[0] == "all"} == {
        ("all", "all"): ["tess-s0001-1-1", "tess-s0002-1-1", "tess-s1751-1-1", "tica-s0001-1-1"],
        ("all", "s0001"): ["tess-s0001-1-1", "tica-s0001-1-1"],
        ("all", "s0002"): ["tess-s0002-1-1"],
        ("all", "s1751"): ["tess-s1751-1-1"],
    }
    assert [of for of in groups if of[0] == "TICA"] == [("TICA", "all"), ("TICA", "s0001")]
    assert [name for product, name in groups if product == "SPOC"] == ["all", "s0001", "s0002", "s1751"]
    assert group_cubes([]) == {}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("all.fits", ("all", ".fits")),
        ("ALL-ST.JSON", ("all", "-st.json")),
        ("s0001-st.fits", ("s0001", "-st.fits")),
        ("s1.json", ("s0001", ".json")),
        ("s1751.fits", ("s1751", ".fits")),
        ("1.fits", None),
        ("s0001", None),
        ("s0001.zip", None),
        ("s\u0661.fits", None),
        ("../all.fits", None),
        ("all.fits\n", None),
    ],
)
def test_a_file_is_named_after_its_sector(name: str, meant: tuple[str, str] | None) -> None:
    assert parse_file_name(name) == meant
