"""Which cubes see which targets: against the function that places single windows, and against astropy's WCS."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tessera.bulk.options import BulkOptions
from tessera.bulk.plan.motion import with_motion
from tessera.bulk.plan.seeing import find_sightings, may_see
from tessera.bulk.plan.sightings import SightCube, Sightings
from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import Cube
from tessera.cutouts.cadences import middle_time
from tessera.cutouts.placing import find_window
from tessera.errors import InvalidInputError, NoOverlapError
from tessera.sky.footprint import find_points, footprint_vectors, frame_footprint
from tessera.sky.motion import read_targets
from tessera.sky.positions import path_pixels
from tessera.sky.sphere import unit_vectors
from tessera.sky.wcs import frame_wcs
from tessera.tess.clock import Time
from tessera.windows import Window
from tests.support.lists import full_cube, target_rows
from tests.support.wcs import FRAME_SHAPE

u_mas = u.mas / u.yr
_Floats = NDArray[np.float64]
ROWS, COLUMNS = FRAME_SHAPE


@lru_cache
def _cube(sector: int, camera: int, ccd: int) -> Cube:
    return full_cube(sector, camera, ccd)


def _sky(cube: Cube, rows: _Floats, columns: _Floats) -> tuple[_Floats, _Floats]:
    ra, dec = cube.wcs.all_pix2world(np.column_stack([columns, rows]), 0).T
    return ra % 360.0, dec


def _windows(found: Sightings) -> dict[tuple[int, int], Window]:
    sides = (found.first_row, found.first_column, found.n_rows, found.n_columns)
    keys = zip(found.cube.tolist(), found.target.tolist(), strict=True)
    return {key: Window(*map(int, side)) for key, side in zip(keys, zip(*sides, strict=True), strict=True)}


def _expected(cubes: list[Cube], ra: _Floats, dec: _Floats, sizes: NDArray[np.int32]) -> dict[tuple[int, int], Window]:
    """Windows as `make_cutouts` places them one by one."""
    windows = {}
    for number, cube in enumerate(cubes):
        for target in range(len(ra)):
            try:
                size = int(sizes[target])
                windows[number, target] = find_window(cube, float(ra[target]), float(dec[target]), size)
            except NoOverlapError:
                pass
    return windows


@pytest.mark.parametrize(
    ("sector", "camera", "ccd"),
    [
        pytest.param(1, 4, 2, id="the south ecliptic pole"),
        pytest.param(20, 4, 1, id="the north, near the pole of the sky"),
        pytest.param(3, 1, 3, id="near the equator"),
    ],
)
def test_windows_at_edges_and_borders_of_pixels_are_those_of_single_cutouts(sector: int, camera: int, ccd: int) -> None:
    cube, random = _cube(sector, camera, ccd), np.random.default_rng(sector)
    n = 60
    along_rows, along_columns = random.uniform(-9, ROWS + 8, n), random.uniform(-9, COLUMNS + 8, n)
    near = random.uniform(-9, 9, n)
    halves = random.integers(0, 2 * ROWS, 200) / 2 + random.choice([0.0, 1e-7, -1e-7, 3e-5, -3e-5], 200)
    rows = np.concatenate([near, ROWS - 1 + near, along_rows, along_rows, halves])
    columns = np.concatenate([along_columns, along_columns, near, COLUMNS - 1 + near, halves[::-1]])
    ra, dec = _sky(cube, rows, columns)
    sizes = random.integers(1, 14, len(ra)).astype(np.int32)

    found = find_sightings(target_rows(ra, dec, (sizes, sizes)), [SightCube.of(cube)])

    expected = _expected([cube], ra, dec, sizes)
    assert 300 < len(expected) < len(ra)
    assert _windows(found) == expected


def test_no_target_of_the_whole_sky_is_lost() -> None:
    cubes = [_cube(1, camera, ccd) for camera, ccd in ((1, 1), (3, 2), (4, 2), (4, 4))]
    random = np.random.default_rng(5)
    ra, dec = random.uniform(0, 360, 20_000), np.degrees(np.arcsin(random.uniform(-1, 1, 20_000)))

    found = find_sightings(target_rows(ra, dec, 101), [SightCube.of(cube) for cube in cubes])

    for number, cube in enumerate(cubes):
        near = unit_vectors(ra, dec) @ unit_vectors(*np.array(cube.wcs.wcs.crval)[:, None])[0] > np.cos(np.radians(15))
        columns, rows = cube.wcs.all_world2pix(ra[near], dec[near], 0, quiet=True)
        on = (rows > -51) & (rows < ROWS + 50) & (columns > -51) & (columns < COLUMNS + 50)
        assert set(np.flatnonzero(near)[on]) == set(found.target[found.cube == number])
        assert on.sum() > 30


def test_right_ascension_wraps_and_a_pole_is_an_ordinary_place() -> None:
    cubes = [SightCube.of(_cube(3, 1, 3))]
    base = dict(cubes[0].wcs_cards)
    for ra0, dec0 in ((0.0, 0.0), (359.999, 10.0), (123.0, 89.9), (40.0, -90.0), (200.0, 90.0)):
        cards = base | {"CRVAL1": ra0, "CRVAL2": dec0, "LONPOLE": 180.0}
        cube, single = replace(cubes[0], wcs_cards=cards), replace(_cube(3, 1, 3), wcs_cards=cards)
        rows, columns = (grid.ravel() for grid in np.meshgrid(np.linspace(0, ROWS - 1, 9), np.linspace(0, 2135, 9)))
        ra, dec = _sky(single, rows, columns)
        found = find_sightings(target_rows(ra, dec), [cube])
        assert len(found) == 81
        order = np.argsort(found.target)
        np.testing.assert_allclose(found.row[order], rows, atol=1e-3)
        np.testing.assert_allclose(found.column[order], columns, atol=1e-3)


def test_a_moving_star_is_where_make_cutouts_has_it() -> None:
    cube = _cube(60, 2, 3)
    ra, dec = _sky(cube, np.array([500.0, 501.0, 502.0]), np.array([900.0, 901.0, 902.0]))
    motion = {"pm_ra": np.array([-8000.0, np.nan, 300.0]), "pm_dec": np.array([10_300.0, np.nan, 0.0])}
    rows = target_rows(ra, dec, 5, **motion, epoch=np.array([1991.25, np.nan, 2016.0]))

    found = find_sightings(rows, [SightCube.of(cube)])

    sky = SkyCoord(
        ra[[0, 2]],
        dec[[0, 2]],
        unit="deg",
        pm_ra_cosdec=motion["pm_ra"][[0, 2]] * u_mas,
        pm_dec=motion["pm_dec"][[0, 2]] * u_mas,
        obstime=Time([1991.25, 2016.0], format="jyear", scale="tdb"),
    )
    moved = read_targets(sky).at(middle_time(cube))
    assert np.hypot(*(np.array(moved)[:, 0] - [ra[0], dec[0]])) > 0.05
    windows = _windows(found)
    assert windows[0, 0] == find_window(cube, float(moved[0][0]), float(moved[1][0]), 5)
    assert windows[0, 1] == find_window(cube, float(ra[1]), float(dec[1]), 5)
    assert windows[0, 2] == find_window(cube, float(moved[0][1]), float(moved[1][1]), 5)


def test_a_star_that_moves_onto_the_frame_is_found() -> None:
    cube = _cube(60, 2, 3)
    ra, dec = _sky(cube, np.array([-40.0]), np.array([900.0]))
    there = _sky(cube, np.array([20.0]), np.array([900.0]))
    years = 2000.0 + (middle_time(cube) + 5455.0) / 365.25 - 2016.0
    east, north = (there[0] - ra) * np.cos(np.radians(dec)), there[1] - dec
    rows = target_rows(ra, dec, 11, pm_ra=east / years * 3.6e6, pm_dec=north / years * 3.6e6, epoch=np.array([2016.0]))
    found = find_sightings(rows, [SightCube.of(cube)])
    assert found.row == pytest.approx([20.0], abs=0.1)
    assert not len(find_sightings(target_rows(ra, dec, 11), [SightCube.of(cube)]))


@settings(max_examples=15)
@given(
    st.tuples(st.floats(0, 360), st.floats(-90, 90), st.floats(0, 360)),
    st.tuples(st.floats(1e-5, 8e-3), st.floats(-3e-5, 3e-5)),
    st.floats(0.0, 3e5),
    st.integers(0, 2**32 - 1),
)
def test_the_quick_test_of_a_region_loses_no_target(
    pointing: tuple[float, float, float], pixels: tuple[float, float], motion: float, seed: int
) -> None:
    (ra0, dec0, roll), (scale, bend) = pointing, pixels
    turn, random = np.radians(roll), np.random.default_rng(seed)
    cards = {
        "CTYPE1": "RA---TAN-SIP",
        "CTYPE2": "DEC--TAN-SIP",
        "CRVAL1": ra0,
        "CRVAL2": dec0,
        "LONPOLE": 180.0,
        "CRPIX1": 300.0,
        "CRPIX2": 150.0,
        "CD1_1": -scale * np.cos(turn),
        "CD1_2": scale * np.sin(turn),
        "CD2_1": scale * np.sin(turn),
        "CD2_2": scale * np.cos(turn),
        "A_ORDER": 2,
        "B_ORDER": 2,
        "A_2_0": bend,
        "A_1_1": -bend,
        "B_0_2": bend,
        "B_2_0": bend / 3,
    }
    cube = replace(SightCube.of(_cube(1, 4, 2)), wcs_cards=cards, layout=CubeLayout(310, 590, 4, 2))
    wcs = frame_wcs(cards)
    ra, dec = wcs.all_pix2world(np.column_stack([random.uniform(-60, 650, 80), random.uniform(-60, 370, 80)]), 0).T
    still = {"pm_ra": np.zeros(80), "pm_dec": np.zeros(80), "epoch": np.full(80, 2016.0)}
    rows = target_rows(ra % 360.0, dec, 9, **still)
    pm_ra, pm_dec = random.normal(0, motion / 10, (2, 80))
    there = with_motion(rows.ra, dec, pm_ra, pm_dec, rows.epoch)
    moved = replace(rows, pm_ra=there.pm_ra, pm_dec=there.pm_dec)

    for chosen, places in ((rows, (rows.ra, rows.dec)), (moved, there.at(cube.middle))):
        row, column = path_pixels(wcs, *places)
        on = (row > -5.4) & (row < 314.4) & (column > -5.4) & (column < 594.4)
        found = set(find_sightings(chosen, [cube]).target.tolist())
        clear = (row > -4.4) & (row < 313.4) & (column > -4.4) & (column < 593.4)
        assert set(np.flatnonzero(clear).tolist()) <= found <= set(np.flatnonzero(on).tolist())


def test_rows_choose_their_sectors() -> None:
    cube = _cube(1, 4, 2)
    other = replace(SightCube.of(cube), sector=2, name="tess-s0002-4-2")
    ra, dec = _sky(cube, np.full(4, 700.0), np.array([100.0, 300.0, 500.0, 700.0]))
    sets = (None, (2,), (1, 2), (7,))
    rows = target_rows(ra, dec, 3, sector_set=np.array([0, 1, 2, 3], np.int32), sector_sets=sets)

    found = find_sightings(rows, [SightCube.of(cube), other])

    pairs = list(zip(found.cube.tolist(), found.target.tolist(), strict=True))
    assert pairs == [(0, 0), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert found.unseen(4).tolist() == [3]


def test_the_better_of_two_ccds_is_farther_from_its_edge() -> None:
    cubes = [_cube(1, 4, ccd) for ccd in (1, 2, 3, 4)]
    along, beyond = np.linspace(0, 2047, 150), np.repeat([-9.0, 2060.0, 1.0], 50)
    at = [_sky(cube, *pixels) for cube in cubes for pixels in ((along, beyond), (beyond, along + 44))]
    ra, dec = (np.concatenate(values) for values in zip(*at, strict=True))
    sights = [SightCube.of(cube) for cube in cubes]

    found = find_sightings(target_rows(ra, dec, 101), sights)

    twice = np.flatnonzero(np.bincount(found.target) > 1)
    assert len(twice) > 100
    for target in twice:
        some = np.flatnonzero(found.target == target)
        best = max(some, key=lambda place: (found.edge[place], -found.cube[place]))
        assert found.best[some].tolist() == [place == best for place in some]
    assert found.best[~np.isin(found.target, twice)].all()
    only = find_sightings(target_rows(ra, dec, 101), sights, BulkOptions(best_only=True))
    assert only.best.all()
    assert sorted(only.target) == sorted(set(found.target))


def test_equally_good_ccds_are_taken_by_camera_and_ccd_and_sectors_do_not_compete() -> None:
    cube = SightCube.of(_cube(1, 4, 2))
    same = [replace(cube, camera=camera, ccd=ccd, sector=s) for camera, ccd, s in ((3, 1, 1), (2, 4, 1), (4, 1, 2))]
    ra, dec = _sky(_cube(1, 4, 2), np.array([900.0]), np.array([800.0]))
    found = find_sightings(target_rows(ra, dec), [cube, *same])
    assert found.best.tolist() == [False, False, True, True]


def test_the_distance_to_the_edge_is_that_to_the_pixels_that_see_the_sky() -> None:
    cube = _cube(1, 4, 2)
    ra, dec = _sky(cube, np.array([-2.0, 3.0, 1000.0, 2060.0]), np.array([50.0, 45.0, 2090.0, 2130.0]))
    found = find_sightings(target_rows(ra, dec), [SightCube.of(cube)])
    by_target = found.edge[np.argsort(found.target)]
    assert by_target == pytest.approx([-1.5, 1.5, 1.5, -38.5], abs=1e-3)  # rows 0 to 2047, columns 44 to 2091


def test_sightings_are_sorted_and_as_they_were_listed() -> None:
    cubes = [SightCube.of(_cube(1, 4, ccd)) for ccd in (2, 1)]
    ra, dec = (np.repeat(values, 2) for values in _sky(_cube(1, 4, 2), np.array([9.0, 7.0, 8.0]), np.full(3, 70.0)))
    found = find_sightings(target_rows(ra, dec, 3), cubes)
    assert found.target[found.cube == 0].tolist() == [2, 3, 4, 5, 0, 1]
    assert (np.diff(found.cube) >= 0).all()


def test_a_list_on_no_cube_has_no_sightings() -> None:
    rows = target_rows([10.0, 20.0], [80.0, 85.0])
    for cubes in ([], [SightCube.of(_cube(1, 4, 2))]):
        found = find_sightings(rows, cubes)
        assert len(found) == 0
        assert found.unseen(2).tolist() == [0, 1]


def test_more_cutouts_than_allowed_are_refused_with_the_number() -> None:
    ra, dec = _sky(_cube(1, 4, 2), np.full(4, 700.0), np.array([100.0, 300.0, 500.0, 700.0]))
    with pytest.raises(InvalidInputError, match=r"^number of cutouts of the list is 4; allowed: at most 3;"):
        find_sightings(target_rows(ra, dec), [SightCube.of(_cube(1, 4, 2))], most=3)


def test_footprints_keep_every_cube_that_sees_a_target() -> None:
    cubes = [_cube(sector, camera, ccd) for sector in (1, 2) for camera in (1, 4) for ccd in (1, 2, 3, 4)]
    texts = [frame_footprint(cube.wcs, *FRAME_SHAPE, np.inf).format_s_region() for cube in cubes]
    vectors = footprint_vectors(texts)
    random = np.random.default_rng(2)
    for cube in cubes:
        edge = random.uniform(-50, ROWS + 49, 12), random.choice([-50.0, COLUMNS + 49.0], 12)
        ra, dec = _sky(cube, *edge)
        rows = target_rows(ra, dec, 101)
        found = find_sightings(rows, [SightCube.of(one) for one in cubes])
        chosen = may_see(rows, vectors)
        assert chosen[np.unique(found.cube)].all()
        assert not chosen.all()
    assert may_see(target_rows([0.0], [88.0]), vectors).tolist() == [False] * len(cubes)
    inside = find_points(vectors, unit_vectors(ra, dec))
    assert may_see(target_rows(ra, dec), vectors)[inside.any(axis=1)].all()
