"""A batch loses nothing silently: every target of every cube has a file of its own or a result that says why not."""

from __future__ import annotations

import io
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time
from astropy.utils.masked import Masked
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.cubes.reader import Cube
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.open_cube import open_cube
from tessera.cutouts.output_names import OutputNames
from tessera.cutouts.results import CutoutOptions, CutoutResult
from tessera.errors import InvalidInputError
from tessera_cloud.contracts import BuildRequest
from tests.support.builds import build_cube
from tests.support.checks import checksums_hold
from tests.support.frames import CADENCE_DAYS, FIRST_TSTART, tiny_flux, tiny_sector

SHAPE = (40, 30)
N = 6
MIDDLE = (20, 15)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two cubes of one CCD and one name, in two folders, and one of another CCD."""
    folder = tmp_path_factory.mktemp("cubes")
    cubes = []
    for name, ccd, n_frames in (("a", 2, N), ("b", 2, N - 1), ("c", 1, N)):
        path = folder / name / f"tess-s0001-4-{ccd}-cube.fits"
        path.parent.mkdir()
        request = BuildRequest(sector=1, camera=4, ccd=ccd)
        path.write_bytes(build_cube(tiny_sector(n_frames, SHAPE, ccd=ccd), request))
        cubes.append(path)
    return cubes


@pytest.fixture(scope="module")
def cube(paths: list[Path]) -> Cube:
    with open_cube(paths[0]) as file:
        return file.cube


def at(cube: Cube, row: float, column: float) -> SkyCoord:
    return SkyCoord(*cube.wcs.all_pix2world([[column, row]], 0)[0], unit="deg")


def table(result: CutoutResult) -> Any:
    content = result.path.read_bytes() if result.path else bytes(result.data or b"")
    assert checksums_hold(content)
    return fits.open(io.BytesIO(content))[1].data


def window_of(shape: tuple[int, int], size: int = 5) -> tuple[slice, slice]:
    row, column = shape
    return slice(row - size // 2, row + size // 2 + 1), slice(column - size // 2, column + size // 2 + 1)


def test_cubes_of_one_name_have_files_of_their_own(cube: Cube, paths: list[Path], tmp_path: Path) -> None:
    star = at(cube, *MIDDLE)
    for folder in (None, tmp_path):
        results = make_cutouts([paths[0], paths[1], paths[0]], star, 5, output_dir=folder)
        assert [result.status for result in results] == ["ok"] * 3
        place = f"{star.ra.deg:.6f}_{star.dec.deg:.6f}_5x5_astrocut.fits"
        expected = [f"tess-s0001-4-2{number}_{place}" for number in ("", "-2", "-3")]
        assert [result.name for result in results] == expected
        assert [len(table(result)) for result in results] == [N, N - 1, N]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(expected)


def test_targets_that_differ_by_less_than_their_names_have_files_of_their_own(cube: Cube, paths: list[Path]) -> None:
    star = at(cube, *MIDDLE)
    near = SkyCoord([star.ra, star.ra, star.ra], [star.dec, star.dec + 1e-9 * u.deg, star.dec])
    names = [result.name for result in make_cutouts(paths[0], near, 5)]
    assert len(set(names)) == 3


def test_names_follow_the_order_of_the_cubes_whichever_is_ready_first() -> None:
    names = OutputNames(3)
    names.offer(2, ["x_1.fits"])
    names.offer(0, ["x_1.fits", "x_1.fits", "y_1.fits"])
    names.offer(1, [])
    assert names.take(2) == ["x-3_1.fits"]
    assert names.take(0) == ["x_1.fits", "x-2_1.fits", "y_1.fits"]
    names.offer(0, ["x_1.fits", "x_1.fits", "z_1.fits"])  # cut again
    assert names.take(0) == ["x_1.fits", "x-2_1.fits", "z_1.fits"]


def test_a_cube_without_products_does_not_hold_up_the_others(cube: Cube, paths: list[Path]) -> None:
    missing = paths[0].parent / "missing.fits"
    results = make_cutouts([missing, paths[2], paths[0], missing, paths[1]], at(cube, *MIDDLE), 5)
    assert [result.status for result in results][2] == "ok"
    assert [result.status for result in results][::3] == ["error", "error"]
    assert [result.name.partition("_")[0] for result in results][2::2] == ["tess-s0001-4-2", "tess-s0001-4-2-2"]


@pytest.mark.parametrize("content", [b"my notes", b"SIMPLE  =                    T" + bytes(2850), None])
def test_a_file_that_is_something_else_is_kept(
    cube: Cube, paths: list[Path], tmp_path: Path, content: bytes | None
) -> None:
    star = SkyCoord([at(cube, *MIDDLE), at(cube, 10, 10)])
    first, second = make_cutouts(paths[0], star, 5, output_dir=tmp_path)
    assert first.path is not None
    if content is None:  # a folder
        first.path.unlink()
        first.path.mkdir()
    else:
        first.path.write_bytes(content)
    again = make_cutouts(paths[0], star, 5, output_dir=tmp_path)
    assert [result.status for result in again] == ["error", "ok"]
    assert again[0].reason == (
        f"{first.path} is kept, because it is not a target pixel file by tessera of tess-s0001-4-2; move it away, or "
        "write to another folder"
    )
    assert content is None or first.path.read_bytes() == content
    assert second.path == again[1].path


def test_a_cutout_of_another_ccd_or_creator_is_kept_and_an_own_one_is_replaced(
    cube: Cube, paths: list[Path], tmp_path: Path
) -> None:
    star = at(cube, *MIDDLE)
    (made,) = make_cutouts(paths[0], star, 5, output_dir=tmp_path)
    assert made.path is not None
    (shorter,) = make_cutouts(paths[1], star, 5, output_dir=tmp_path)
    assert (shorter.path, len(table(shorter))) == (made.path, N - 1)
    with open_cube(paths[2]) as file:
        (other,) = make_cutouts(paths[2], at(file.cube, *MIDDLE), 5)
    made.path.write_bytes(bytes(other.data or b""))
    (kept,) = make_cutouts(paths[0], star, 5, output_dir=tmp_path)
    assert (kept.status, kept.path) == ("error", None)
    made.path.write_bytes(b"")
    assert make_cutouts(paths[0], star, 5, output_dir=tmp_path)[0].status == "ok"
    with fits.open(made.path, mode="update") as hdus:
        hdus[0].header["CREATOR"] = "astrocut"
    assert make_cutouts(paths[0], star, 5, output_dir=tmp_path)[0].status == "error"


def test_masked_and_unknown_positions_are_errors_of_their_rows(cube: Cube, paths: list[Path]) -> None:
    star = at(cube, *MIDDLE)
    ra = Masked([star.ra.deg, star.ra.deg, star.ra.deg] * u.deg, mask=[False, True, False])
    sky = SkyCoord(ra, [star.dec.deg, star.dec.deg, np.nan] * u.deg)
    missing = paths[0].parent / "missing.fits"
    results = make_cutouts([paths[0], missing], sky, 5)
    assert [result.status for result in results] == ["ok", *["error"] * 5]
    np.testing.assert_array_equal(table(results[0])["FLUX"][3], tiny_flux(3, SHAPE)[window_of(MIDDLE)])
    assert [result.reason.partition(";")[0] for result in results[1:3]] == [
        "coordinates[1] is 'masked'",
        f"coordinates[2] is '{star.ra.deg} nan'",
    ]
    assert "missing.fits" in results[3].reason
    assert results[4].reason == results[1].reason
    assert math.isnan(results[1].ra)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time": (1.0, 2.0)}, "time 1.000000 to 2.000000; the cube has BTJD 1325.3"),
        ({"cadences": (6, 9)}, "cadences 6 to 9; the cube has BTJD .*, cadences 0 to 5"),
        ({"quality_mask": 1}, "quality_mask 1; the cube"),
    ],
)
def test_options_that_keep_no_cadence_are_no_overlap_in_memory_and_in_a_folder(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    path = tmp_path / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(tiny_sector(N, SHAPE, dquality=dict.fromkeys(range(N), 1))))
    with open_cube(path) as file:
        star = at(file.cube, *MIDDLE)
    folder = tmp_path / "out"
    for output_dir in (None, folder):
        (result,) = make_cutouts(path, star, 5, options=CutoutOptions(**options), output_dir=output_dir)
        assert (result.status, result.data, result.path, result.name) == ("no overlap", None, None, "")
        assert re.search(f"no cadence of {path.name} is kept by {words}", result.reason)
    assert not list(folder.iterdir())


def test_a_moving_star_is_cut_where_it_is_in_the_middle_of_the_cube(cube: Cube, paths: list[Path]) -> None:
    star = at(cube, *MIDDLE)
    middle = Time(2457000, FIRST_TSTART + N / 2 * CADENCE_DAYS, format="jd", scale="tdb")
    moving = SkyCoord(
        star.ra, star.dec, pm_ra_cosdec=-801.551 * u.mas / u.yr, pm_dec=10362.394 * u.mas / u.yr, obstime=middle
    )
    far = SkyCoord(moving, distance=1.8 * u.pc).apply_space_motion(dt=-30 * u.yr)
    assert far.separation(star).arcsec > 300
    results = make_cutouts(paths[0], [far, star], 5)
    for result, motion in zip(results, ((far.pm_ra_cosdec.value, far.pm_dec.value), (0.0, 0.0)), strict=True):
        np.testing.assert_array_equal(table(result)["FLUX"][3], tiny_flux(3, SHAPE)[window_of(MIDDLE)])
        header = fits.getheader(io.BytesIO(result.data or b""))
        assert (header["PMRA"], header["PMDEC"]) == pytest.approx(motion)
        assert header["PMTOTAL"] == pytest.approx(math.hypot(*motion))
    assert (results[0].ra, results[0].dec) == (far.ra.deg, far.dec.deg)
    assert results[0].name == f"tess-s0001-4-2_{far.ra.deg:.6f}_{far.dec.deg:.6f}_5x5_astrocut.fits"


def test_a_proper_motion_that_is_masked_is_said_in_the_result(cube: Cube, paths: list[Path]) -> None:
    star = at(cube, *MIDDLE)
    motions = Masked([1.0, 1.0] * u.mas / u.yr, mask=[True, False])
    sky = SkyCoord([star.ra, star.ra], [star.dec, star.dec], pm_ra_cosdec=motions, pm_dec=motions, obstime="J2016")
    results = make_cutouts(paths[0], sky, 5)
    assert [result.status for result in results] == ["ok", "ok"]
    assert [result.reason for result in results] == [
        "its proper motion is masked or not finite, so the position is used as given",
        "",
    ]
    assert fits.getheader(io.BytesIO(results[0].data or b""))["PMTOTAL"] == 0


def test_one_path_a_generator_and_texts_are_understood(cube: Cube, paths: list[Path]) -> None:
    star = at(cube, *MIDDLE)
    expected = make_cutouts([paths[0]], star, 5)
    text = star.to_string("hmsdms", precision=8)
    colons = star.to_string("hmsdms", sep=":", precision=8)
    degrees = f"{star.ra.deg}, {star.dec.deg}"
    for cubes in (str(paths[0]), iter([paths[0]]), (paths[0],), np.array([str(paths[0])])):
        (result,) = make_cutouts(cubes, star, 5)
        assert (result.status, result.name) == ("ok", expected[0].name)
    for coordinates in (text, colons, [degrees], star.galactic, star.frame, iter([star])):
        (result,) = make_cutouts(paths[0], coordinates, 5)
        assert (result.status, result.name) == ("ok", expected[0].name)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cubes": None}, "cubes is None; allowed: a list of paths"),
        ({"cubes": 5}, "cubes is 5; allowed: a list of paths"),
        ({"cubes": []}, r"cubes is \[\]; allowed: a list with at least one path"),
        ({"cubes": [None]}, "cubes is None; allowed: paths"),
        ({"coordinates": None}, "coordinates is None; allowed: a SkyCoord"),
        ({"coordinates": "pi Men"}, "coordinates is 'pi Men'; allowed: a SkyCoord"),
        ({"coordinates": (88.95, -75.39)}, r"coordinates\[0\] is 88.95; allowed: a SkyCoord"),
        ({"coordinates": []}, r"coordinates is \[\]; allowed: a SkyCoord"),
        (
            {"coordinates": SkyCoord(1, 2, unit="deg", frame="altaz")},
            r"coordinates is <SkyCoord \(AltAz.*; allowed: ICRS",
        ),
        ({"size": "5"}, "size is '5'; allowed: pixels or angles"),
        ({"size": 0}, "size is 0; allowed: pixels or angles"),
        ({"size": (5, -1)}, r"size is \(5, -1\); allowed: pixels or angles"),
        ({"size": True}, "size is True; allowed: pixels or angles"),
        ({"size": []}, r"size is \[\]; allowed: pixels or angles"),
        ({"size": [1, 2, 3]}, r"size is \[1, 2, 3\]; allowed: pixels or angles"),
        ({"size": None}, "size is None; allowed: pixels or angles"),
        ({"size": 5 * u.s}, r"size is <Quantity 5\. s>; allowed: pixels or angles"),
        ({"size": np.nan}, "size is nan; allowed: pixels or angles"),
        ({"size": np.ma.masked}, "size is masked; allowed: pixels or angles"),
        ({"options": {"placement": "centre"}}, "options is .*; allowed: CutoutOptions"),
    ],
    ids=lambda value: next(iter(value)) + repr(next(iter(value.values())))[:12] if isinstance(value, dict) else "",
)
def test_an_argument_that_is_not_allowed_is_refused_before_any_cube_is_opened(
    paths: list[Path], tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    given: dict[str, Any] = {"cubes": [paths[0]], "coordinates": "88.95 -75.39", "size": 5, **changed}
    with pytest.raises(InvalidInputError, match=words):
        make_cutouts(**given, output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        (np.int16(5), (5, 5)),
        (np.array(5), (5, 5)),
        (np.array([3, 7]), (3, 7)),
        ([5], (5, 5)),
        (4.6, (5, 5)),
        ((3 * u.pixel, 7), (3, 7)),
        ([1 * u.arcmin, 120 * u.arcsec], (3, 6)),
        ((63 * u.arcsec, 7), (3, 7)),
        (1e-3 * u.arcsec, (1, 1)),
        (u.Quantity([3, 7], u.pixel), (3, 7)),
    ],
    ids=repr,
)
def test_a_size_is_rows_and_columns_of_any_kind(
    cube: Cube, paths: list[Path], size: Any, shape: tuple[int, int]
) -> None:
    (result,) = make_cutouts(paths, at(cube, *MIDDLE), size)[:1]
    assert table(result)["FLUX"].shape[1:] == shape


NUMBER = st.one_of(
    st.floats(-5, 60),
    st.integers(-5, 60),
    st.sampled_from([math.nan, math.inf, -1e300, 1e300, None, "5", True, 1 << 70]),
)
PLACES = st.tuples(st.floats(-9, 50), st.floats(-9, 40))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    places=st.lists(st.one_of(PLACES, st.just((math.nan, 1.0))), min_size=1, max_size=3),
    size=st.one_of(NUMBER, st.tuples(st.integers(1, 60), st.integers(1, 60)), st.lists(NUMBER, max_size=3)),
    options=st.fixed_dictionaries(
        {},
        optional={
            "time": st.one_of(st.tuples(st.floats(1325, 1326), st.floats(1325, 1326)), st.tuples(NUMBER, NUMBER)),
            "cadences": st.one_of(
                st.tuples(st.integers(4690, 4710), st.integers(4690, 4710)), st.tuples(NUMBER, NUMBER)
            ),
            "quality_mask": NUMBER,
            "placement": st.sampled_from(["centre", "tesscut", "center", "", None]),
            "layout": st.sampled_from(["full", "slim", "Slim", 5]),
            "fill_value": NUMBER,
        },
    ),
)
def test_any_request_is_a_right_answer_or_an_error_of_ours(
    cube: Cube, paths: list[Path], places: list[tuple[float, float]], size: Any, options: dict[str, Any]
) -> None:
    pixels = np.array(places)
    sky = SkyCoord(*cube.wcs.all_pix2world(np.nan_to_num(pixels[:, ::-1]), 0).T, unit="deg")
    sky = SkyCoord(np.where(np.isnan(pixels[:, 0]), np.nan, sky.ra.deg), sky.dec.deg, unit="deg")
    try:
        results = make_cutouts(paths[0], sky, size, options=CutoutOptions(**options))
    except InvalidInputError:
        return
    assert len(results) == len(places)
    for result, (row, column) in zip(results, places, strict=True):
        if result.status != "ok":
            assert result.reason
            continue
        rows = table(result)
        header = fits.open(io.BytesIO(result.data or b""))[1].header
        first_row, first_column = header["2CRV5P"] - 1, header["1CRV5P"] - 1
        n_rows, n_columns = rows["FLUX"].shape[1:]
        assert abs(first_row + (n_rows - 1) / 2 - row) <= 1.01
        assert abs(first_column + (n_columns - 1) / 2 - column) <= 1.01
        wide = np.full((N, 200, 200), options.get("fill_value", np.nan), np.float32)
        wide[:, 80:120, 80:110] = [tiny_flux(cadence, SHAPE) for cadence in range(N)]
        kept = np.rint((rows["TIME"] - FIRST_TSTART) / CADENCE_DAYS - 0.5).astype(int)
        box = wide[kept, 80 + first_row : 80 + first_row + n_rows, 80 + first_column : 80 + first_column + n_columns]
        np.testing.assert_array_equal(rows["FLUX"], box)
        assert len(rows) > 0
