"""Each cadence of a moving target follows the WCS of its own frame. Truth is astropy's WCS of each frame's header."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from astropy.wcs import WCS

from tessera import InvalidInputError, TessCubeCutout, center_on_path
from tessera.compat.moving.path_focus import FocusOptions
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.results import CutoutOptions
from tessera.moving.batch import make_moving_cutouts
from tessera.moving.ephemeris import Ephemeris
from tests.support.builds import build_cube
from tests.support.frames import centred_wcs, spoc_frame, tiny_flux, tiny_times

SHAPE = (60, 50)
N = 9
BARYCORR = 0.004
MIDDLES = np.array([np.mean(tiny_times(cadence)) for cadence in range(N)]) - BARYCORR


def jump(header: fits.Header, cadence: int) -> None:
    header["CRPIX1"] += 2.0 * (cadence > 5)
    header["CRPIX2"] -= 3.0 * (cadence > 5)


def drift(header: fits.Header, cadence: int) -> None:
    header["CRPIX1"] += 0.3 * cadence
    header["CRVAL2"] += 1e-3 * cadence


def rotation(header: fits.Header, cadence: int) -> None:
    angle = np.radians(2.0 * cadence)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.array([[header["CD1_1"], header["CD1_2"]], [header["CD2_1"], header["CD2_2"]]]) @ turn
    for (row, column), value in np.ndenumerate(matrix):
        header[f"CD{row + 1}_{column + 1}"] = float(value)


def distortion(header: fits.Header, cadence: int) -> None:
    header["A_2_0"] += 2e-4 * cadence


def nothing(header: fits.Header, cadence: int) -> None:
    """All frames have one WCS."""


CHANGES = {change.__name__: change for change in (jump, drift, rotation, distortion, nothing)}


def header_of(change: Callable[[fits.Header, int], None], cadence: int) -> fits.Header:
    header = centred_wcs(SHAPE)
    change(header, cadence)
    return header


def cube_of(folder: Path, change: Callable[[fits.Header, int], None], bare: tuple[int, ...] = ()) -> Path:
    frames = [
        spoc_frame(
            cadence_index=cadence,
            flux=tiny_flux(cadence, SHAPE),
            error=tiny_flux(cadence, SHAPE) + 0.5,
            wcs_cards=None if cadence in bare else header_of(change, cadence),
            tstart=tiny_times(cadence)[0],
            tstop=tiny_times(cadence)[1],
            barycorr=BARYCORR,
        )
        for cadence in range(N)
    ]
    path = folder / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(frames))
    return path


def sky_of(rows: Any, columns: Any) -> SkyCoord:
    """Places on the sky of some pixels of the frame that has no change."""
    return SkyCoord(*WCS(centred_wcs(SHAPE)).all_pix2world(np.column_stack([columns, rows]), 0).T, unit="deg")


def path_of() -> tuple[Time, SkyCoord]:
    """A path through the middle of the frame, with a position in each cadence."""
    return Time(2457000, MIDDLES, format="jd", scale="tdb"), sky_of(np.linspace(22, 38, N), np.linspace(20, 31, N))


def truth(change: Callable[[fits.Header, int], None], sky: SkyCoord) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the path in each cadence, by astropy's WCS of the frame's own header."""
    found = [WCS(header_of(change, n)).all_world2pix([[sky[n].ra.deg, sky[n].dec.deg]], 0)[0] for n in range(N)]
    columns, rows = np.array(found).T
    return rows, columns


def check_boxes(table: Any, rows: np.ndarray, columns: np.ndarray, cadences: Any = range(N)) -> None:
    """Pixels are those of the box around the target, and TGT_X and TGT_Y are its place in the box."""
    assert len(table) == len(cadences)
    for entry, cadence in zip(table, cadences, strict=True):
        top, left = round(rows[cadence] - entry["TGT_Y"]), round(columns[cadence] - entry["TGT_X"])
        assert entry["TGT_Y"] == pytest.approx(rows[cadence] - top, abs=2e-4)
        assert entry["TGT_X"] == pytest.approx(columns[cadence] - left, abs=2e-4)
        n = entry["FLUX"].shape[0]
        assert abs(entry["TGT_X"] - n // 2) <= 0.51 >= abs(entry["TGT_Y"] - n // 2)
        np.testing.assert_array_equal(entry["FLUX"], tiny_flux(cadence, SHAPE)[top : top + n, left : left + n])


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_moving_target_is_where_the_wcs_of_each_frame_has_it(
    change: Callable[[fits.Header, int], None], tmp_path: Path
) -> None:
    time, sky = path_of()
    (result,) = make_moving_cutouts([cube_of(tmp_path, change)], Ephemeris(time, sky.ra.deg, sky.dec.deg), 5)
    assert (result.status, result.reason, result.n_borrowed) == ("ok", "", 0)
    with fits.open(io.BytesIO(result.data or b"")) as hdus:
        check_boxes(hdus[1].data, *truth(change, sky))
        assert "NBORROW" not in hdus[1].header


def test_a_frame_without_a_wcs_has_that_of_the_frame_nearest_in_time_and_the_result_says_so(tmp_path: Path) -> None:
    time, sky = path_of()
    cube = cube_of(tmp_path, drift, bare=(0, 3, 4, 8))
    (result,) = make_moving_cutouts([cube], Ephemeris(time, sky.ra.deg, sky.dec.deg), 5)
    assert result.reason == "4 of 9 cadences have no WCS of their own and use that of the frame nearest in time"
    nearest = {0: 1, 3: 2, 4: 5, 8: 7}
    rows, columns = truth(lambda header, cadence: drift(header, nearest.get(cadence, cadence)), sky)
    with fits.open(io.BytesIO(result.data or b"")) as hdus:
        check_boxes(hdus[1].data, rows, columns)
        assert hdus[1].header["NBORROW"] == result.n_borrowed == 4


@pytest.mark.parametrize(
    "damage",
    [{"CRVAL1": None}, {"CRPIX2": None}, {"CTYPE1": "RA---XYZ"}],
    ids=["no CRVAL1", "no CRPIX2", "an unknown projection"],
)
def test_a_wcs_that_cannot_be_used_is_none(damage: dict[str, Any], tmp_path: Path) -> None:
    def change(header: fits.Header, cadence: int) -> None:
        drift(header, cadence)
        for keyword, value in damage.items() if cadence == 7 else ():
            if value is None:
                del header[keyword]
            else:
                header[keyword] = value

    time, sky = path_of()
    (result,) = make_moving_cutouts([cube_of(tmp_path, change)], Ephemeris(time, sky.ra.deg, sky.dec.deg), 5)
    assert (result.status, result.n_borrowed) == ("ok", 1)
    with fits.open(io.BytesIO(result.data or b"")) as hdus:
        check_boxes(hdus[1].data, *truth(lambda header, cadence: drift(header, cadence - (cadence == 7)), sky))


@pytest.mark.parametrize("change", [jump, rotation], ids=["jump", "rotation"])
@pytest.mark.parametrize("way", ["cubes", "cubes and WCS of another frame", "POS_CORR"])
def test_center_on_path_follows_the_frames(
    change: Callable[[fits.Header, int], None], way: str, tmp_path: Path
) -> None:
    time, sky = path_of()
    cube, size = cube_of(tmp_path, change), 44
    middle = sky_of([30.0], [25.0])
    if way == "POS_CORR":
        (made,) = make_cutouts([cube], middle, size, options=CutoutOptions(pos_corr=True), output_dir=tmp_path / "cut")
        files = [str(made.path)]
    else:
        files = TessCubeCutout(str(cube), middle, size).write_as_tpf(tmp_path / "cut")
    header = header_of(change, N // 2)
    header["NAXIS"], header["NAXIS1"], header["NAXIS2"] = 2, SHAPE[1], SHAPE[0]
    options: dict[str, Any] = {"options": FocusOptions(placement="centre")}
    options |= {"cubes": [cube]} if way != "POS_CORR" else {}
    wcs = WCS(header) if way != "cubes" else None
    table = Table({"time": time, "position": sky})
    made_path = center_on_path(table, 5, files, None, wcs, None, tmp_path / "out", False, **options)
    rows, columns = truth(change, sky)
    data = fits.getdata(made_path, 1)
    if way != "POS_CORR":
        check_boxes(data, rows, columns)
        return
    top, left = rows - data["TGT_Y"], columns - data["TGT_X"]
    if change is jump:  # POS_CORR is for the middle of the cutout; where frames turn, it is another elsewhere
        np.testing.assert_allclose(top, np.rint(top), atol=2e-4)
        np.testing.assert_allclose(left, np.rint(left), atol=2e-4)


def test_center_on_path_refuses_cubes_that_lack_a_frame(tmp_path: Path) -> None:
    time, sky = path_of()
    cube = cube_of(tmp_path, jump)
    files = TessCubeCutout(str(cube), sky_of([30.0], [25.0]), 40).write_as_tpf(tmp_path / "cut")
    with fits.open(files[0], mode="update") as hdus:
        hdus[1].data["FFI_FILE"][2] = "another_ffic.fits"
    with pytest.raises(InvalidInputError, match=r"cubes is .*no cube has 'another_ffic.fits'"):
        center_on_path(
            Table({"time": time, "position": sky}), 5, files, None, None, None, tmp_path, False, cubes=[cube]
        )


def test_center_on_path_needs_the_wcs_of_the_frames_for_files_that_do_not_say_where_they_were_cut(
    tmp_path: Path,
) -> None:
    time, sky = path_of()
    cube = cube_of(tmp_path, jump)
    files = TessCubeCutout(str(cube), sky_of([30.0], [25.0]), 40).write_as_tpf(tmp_path / "cut")
    with fits.open(files[0], mode="update") as hdus:
        del hdus[1].header["1CRV5P"]
    with pytest.raises(InvalidInputError, match="img_wcs is None; allowed: the WCS of the frames"):
        center_on_path(
            Table({"time": time, "position": sky}), 5, files, None, None, None, tmp_path, False, cubes=[cube]
        )


def test_pos_corr_is_the_distance_between_the_wcs_of_a_frame_and_of_the_cube(tmp_path: Path) -> None:
    sky = sky_of([33.0], [18.0])
    cube = cube_of(tmp_path, rotation, bare=(2,))
    (made,) = make_cutouts([cube], sky, 5, options=CutoutOptions(pos_corr=True))
    rows, columns = truth(rotation, sky[[0] * N])
    table = fits.getdata(io.BytesIO(bytes(made.data or b"")), 1)
    there = np.arange(N) != 2
    np.testing.assert_allclose(table["POS_CORR1"][there], (columns - columns[N // 2])[there], atol=1e-4)
    np.testing.assert_allclose(table["POS_CORR2"][there], (rows - rows[N // 2])[there], atol=1e-4)
    assert np.isnan(table["POS_CORR1"][2])
