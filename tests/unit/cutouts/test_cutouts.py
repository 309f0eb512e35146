"""Cutouts of many targets and cubes: a result for each, the target in the centre, times for the target."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.io import fits
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from tessera.cubes.reader import Cube
from tessera.cutouts.barycentre import barycentric_columns, reference_direction
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.cadences import select_cadences
from tessera.cutouts.open_cube import CubeFile, open_cube
from tessera.cutouts.placing import find_window
from tessera.cutouts.results import CutoutOptions
from tessera.errors import InvalidInputError, NoCadenceError, NoOverlapError
from tessera.io.sources import open_source
from tests.support.builds import build_cube
from tests.support.checks import checksums_hold
from tests.support.frames import centred_wcs, spoc_frame, tiny_flux, tiny_sector

SHAPE = (40, 30)
N = 6


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cubes") / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(tiny_sector(N, SHAPE, dquality={2: 4096, 5: 1})))
    return path


@pytest.fixture(scope="module")
def cube(path: Path) -> Cube:
    with open_cube(path) as file:
        return file.cube


def at(cube: Cube, row: float, column: float) -> SkyCoord:
    return SkyCoord(*cube.wcs.all_pix2world([[column, row]], 0)[0], unit="deg")


@given(st.floats(3, 36), st.floats(3, 26), st.integers(1, 6), st.integers(1, 6))
def test_the_target_is_in_the_centre_pixel(cube: Cube, row: float, column: float, rows: int, columns: int) -> None:
    sky = at(cube, row, column)
    window = find_window(cube, sky.ra.deg, sky.dec.deg, (rows, columns))
    assert (window.n_rows, window.n_columns) == (rows, columns)
    for place, first, n in ((row, window.first_row, rows), (column, window.first_column, columns)):
        assert abs(place - (first + (n - 1) / 2)) <= 0.5 + 1e-6


@pytest.mark.parametrize(
    ("size", "shape"),
    [(5, (5, 5)), ((3, 7), (3, 7)), (5 * u.pixel, (5, 5)), ([1, 2] * u.arcmin, (3, 6)), (0.01 * u.arcsec, (1, 1))],
)
def test_sizes_are_rows_and_columns_in_pixels_or_angles(cube: Cube, size: object, shape: tuple[int, int]) -> None:
    sky = at(cube, 20, 15)
    window = find_window(cube, sky.ra.deg, sky.dec.deg, size)
    assert (window.n_rows, window.n_columns) == shape


@pytest.mark.parametrize("size", [0, -1, (1, 2, 3), 5 * u.s, float("nan"), (0, 5)])
def test_something_else_than_a_size_is_refused(cube: Cube, size: object) -> None:
    sky = at(cube, 20, 15)
    with pytest.raises(InvalidInputError, match="size is"):
        find_window(cube, sky.ra.deg, sky.dec.deg, size)


def test_every_target_and_cube_has_its_own_result(cube: Cube, path: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken-cube.fits"
    broken.write_bytes(path.read_bytes()[:10_000])
    targets = SkyCoord([at(cube, 20, 15), at(cube, 0, 0), at(cube, 500, 15), SkyCoord(10, 60, unit="deg")])
    results = make_cutouts([path, broken, tmp_path / "missing.fits"], targets, 5)
    assert [result.status for result in results[:4]] == ["ok", "ok", "no overlap", "no overlap"]
    assert [result.status for result in results[4:]] == ["error"] * 8
    assert "the info table" in results[4].reason
    assert "missing.fits" in results[8].reason
    assert all(checksums_hold(result.data) for result in results if result.data)
    table = fits.open(io.BytesIO(results[0].data or b""))[1].data
    np.testing.assert_array_equal(table["FLUX"][3], tiny_flux(3, SHAPE)[18:23, 13:18])


def test_coordinates_of_any_frame_are_the_same_place(cube: Cube, path: Path) -> None:
    sky = at(cube, 20.3, 15.2)
    (first,) = make_cutouts([path], sky, 5)
    (second,) = make_cutouts([path], sky.galactic, 5)
    assert first.name == second.name
    flux = [fits.open(io.BytesIO(result.data or b""))[1].data["FLUX"] for result in (first, second)]
    np.testing.assert_array_equal(*flux)


def test_files_appear_whole_in_the_folder(cube: Cube, path: Path, tmp_path: Path) -> None:
    (result,) = make_cutouts([path], at(cube, 20, 15), 5, output_dir=tmp_path / "new")
    assert result.path is not None
    assert [item.name for item in (tmp_path / "new").iterdir()] == [result.name]
    assert checksums_hold(result.path.read_bytes())


def test_a_range_of_time_and_a_quality_mask_choose_cadences(cube: Cube, path: Path) -> None:
    times = (cube.series["start"] + cube.series["stop"]) / 2
    options = CutoutOptions(time=(times[1], times[4]), quality_mask=4096)
    (result,) = make_cutouts([path], at(cube, 20, 15), 5, options=options)
    table = fits.open(io.BytesIO(result.data or b""))[1].data
    assert list(table["TIME"]) == [times[1], times[3], times[4]]
    np.testing.assert_array_equal(table["FLUX"][1], tiny_flux(3, SHAPE)[18:23, 13:18])


@pytest.mark.slow
def test_target_times_are_right_to_the_light_time_of_the_spacecrafts_orbit(cube: Cube) -> None:
    middle = (cube.series["start"] + cube.series["stop"]) / 2
    where = EarthLocation.from_geocentric(0, 0, 0, unit="m")
    times = Time(2457000, middle, format="jd", scale="tdb", location=where)
    x, y, z = reference_direction(cube)
    centre = SkyCoord(np.arctan2(y, x) * u.rad, np.arcsin(z) * u.rad)
    target = centre.directional_offset_by(30 * u.deg, 12 * u.deg)
    columns = barycentric_columns(cube, target.ra.deg, target.dec.deg)
    expected = (times.light_travel_time(target) - times.light_travel_time(centre)).to_value(u.s)
    np.testing.assert_allclose((columns["TIME"] - middle) * 86400, expected, atol=0.01)
    np.testing.assert_allclose((columns["TIMECORR"] - cube.series["barycorr"]) * 86400, expected, atol=1e-3)
    assert np.abs(expected).max() > 5


def test_a_range_of_cadences_is_counted_or_by_number(cube: Cube) -> None:
    assert list(select_cadences(cube, None, (1, 3), 0)) == [1, 2, 3]  # type: ignore[arg-type]
    numbered = dataclasses.replace(cube, series=cube.series | {"cadence_number": np.arange(N) + 117591})
    assert list(select_cadences(numbered, None, (117592, 117593), 0)) == [1, 2]  # type: ignore[arg-type]
    with pytest.raises(NoCadenceError):
        select_cadences(numbered, None, (0, 3), 0)
    assert select_cadences(cube, None, None, 0) is None


def test_positions_follow_the_pointing_of_every_frame(tmp_path: Path) -> None:
    drift = [(0.3 * cadence, -0.2 * cadence) for cadence in range(5)]
    frames = []
    for cadence, (columns, rows) in enumerate(drift):
        wcs = centred_wcs(SHAPE)
        wcs["CRPIX1"] += columns
        wcs["CRPIX2"] += rows
        pixels = tiny_flux(cadence, SHAPE)
        times: dict[str, Any] = {"tstart": 1325.0 + cadence, "tstop": 1325.5 + cadence}
        frames.append(spoc_frame(cadence_index=cadence, flux=pixels, error=pixels, wcs_cards=wcs, **times))
    cube_path = tmp_path / "tess-s0001-4-2-cube.fits"
    cube_path.write_bytes(build_cube(frames))
    with open_cube(cube_path) as file:
        target = at(file.cube, 20, 15)
    (plain,), (corrected,) = (
        make_cutouts([cube_path], target, 3, options=CutoutOptions(pos_corr=pos_corr)) for pos_corr in (False, True)
    )
    assert not fits.open(io.BytesIO(plain.data or b""))[1].data["POS_CORR1"].any()
    table = fits.open(io.BytesIO(corrected.data or b""))[1].data
    np.testing.assert_allclose(table["POS_CORR1"], [columns - drift[2][0] for columns, _ in drift], atol=1e-4)
    np.testing.assert_allclose(table["POS_CORR2"], [rows - drift[2][1] for _, rows in drift], atol=1e-4)
    assert checksums_hold(corrected.data or b"")


def test_target_times_are_off_by_default(cube: Cube, path: Path) -> None:
    plain, timed = (
        fits.open(io.BytesIO(make_cutouts([path], at(cube, 2, 2), 3, options=options)[0].data or b""))[1].data
        for options in (CutoutOptions(), CutoutOptions(target_times=True))
    )
    assert list(plain["TIME"]) == list((cube.series["start"] + cube.series["stop"]) / 2)
    assert (plain["TIME"] != timed["TIME"]).all()
    np.testing.assert_array_equal(plain["FLUX"], timed["FLUX"])


def test_no_pixel_is_read_for_a_window_beside_the_frame(path: Path) -> None:
    file = CubeFile(open_source(path))
    reads = []
    file.source.read_buffer = lambda start, length: reads.append(start) or b""  # type: ignore[method-assign, func-returns-value]
    for row, column in ((-9, 5), (50, 5), (5, -9), (5, 40)):
        sky = at(file.cube, row, column)
        with pytest.raises(NoOverlapError):
            find_window(file.cube, sky.ra.deg, sky.dec.deg, 5)
    assert not reads
    file.close()


@pytest.mark.parametrize(("ra", "dec"), [(0.001, 45.0), (359.999, -10.0), (123.0, 89.99), (10.0, -89.99)])
def test_positions_at_ra_zero_and_at_the_poles_are_found(cube: Cube, ra: float, dec: float) -> None:
    cards = cube.wcs_cards | {"CRVAL1": ra, "CRVAL2": dec}
    moved = dataclasses.replace(cube, wcs_cards=cards)
    for offset in (-4, 0, 4):
        position = moved.wcs.all_pix2world([[15 + offset, 20]], 0)[0]
        window = find_window(moved, position[0], position[1], 5)
        assert (window.first_row, window.first_column) == (18, 13 + offset)
