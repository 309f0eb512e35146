"""`path_to_footprints` and `center_on_path`: names and outputs of the peer, without its faults."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astrocut import cutout_processing as peer
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from astropy.wcs import WCS

from tessera import CubeFactory, DataWarning, InvalidInputError, InvalidQueryError, center_on_path, path_to_footprints
from tessera.compat.moving.path_focus import FocusOptions, follow_path
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.open_cube import open_cube
from tests.support.builds import build_cube
from tests.support.checks import checksums_hold
from tests.support.frames import centred_wcs, spoc_frame, tiny_flux, tiny_times

SHAPE = (60, 50)
N = 12
BARYCORR = 0.004
ROWS = np.linspace(20.0, 40.0, N)
COLUMNS = np.linspace(12.0, 36.0, N)


def frame_cards(ra: float, dec: float) -> fits.Header:
    header = centred_wcs(SHAPE)
    header["CRVAL1"], header["CRVAL2"] = ra, dec
    return header


def image_wcs(ra: float = 82.0, dec: float = -30.0) -> WCS:
    header = frame_cards(ra, dec)
    header["NAXIS"], header["NAXIS1"], header["NAXIS2"] = 2, SHAPE[1], SHAPE[0]
    return WCS(header)


def make_cube(folder: Path, header: fits.Header, ccd: int = 2) -> Path:
    frames = [
        spoc_frame(
            cadence_index=cadence,
            flux=tiny_flux(cadence, SHAPE),
            error=tiny_flux(cadence, SHAPE) + 0.5,
            wcs_cards=header,
            ccd=ccd,
            tstart=tiny_times(cadence)[0],
            tstop=tiny_times(cadence)[1],
            barycorr=BARYCORR,
        )
        for cadence in range(N)
    ]
    path = folder / f"tess-s0001-4-{ccd}-cube.fits"
    if ccd == 2:
        path.write_bytes(build_cube(frames))
        return path
    for name, data in frames:
        (folder / name).write_bytes(data)
    CubeFactory().make_cube([folder / name for name, _ in frames], path, sector=1, verbose=False)
    return path


def cut(cube: Path, row: float, column: float, size: tuple[int, int], folder: Path) -> Path:
    with open_cube(cube) as file:
        sky = SkyCoord(*file.cube.wcs.all_pix2world([[column, row]], 0)[0], unit="deg")
    (result,) = make_cutouts([cube], sky, size, output_dir=folder)
    assert result.path is not None, result.reason
    return result.path


def path_of(wcs: WCS, rows: Any = ROWS, columns: Any = COLUMNS, chosen: Any = slice(None)) -> Table:
    """A path whose places are those of the cadences, by the spacecraft's clock in UTC."""
    days = np.array([np.mean(tiny_times(cadence)) for cadence in range(N)]) - BARYCORR
    time = Time(2457000, days, format="jd", scale="tdb").utc
    sky = SkyCoord(*wcs.all_pix2world(np.column_stack([columns, rows]), 0).T, unit="deg")
    return Table({"time": time[chosen], "position": sky[chosen]})


def read(path: str) -> fits.HDUList:
    data = Path(path).read_bytes()
    assert checksums_hold(data)
    return fits.open(io.BytesIO(data))


def true_box(cadence: int, row: float, column: float, size: tuple[int, int] = (4, 6)) -> np.ndarray:
    """The box of (columns, rows) around a pixel, of the whole frame; NaN beyond it."""
    whole = np.pad(tiny_flux(cadence, SHAPE), 20, constant_values=np.nan)
    top, left = (int(np.rint(place - n / 2)) + 20 for place, n in zip((row, column), size[::-1], strict=True))
    return whole[top : top + size[1], left : left + size[0]]


PLACES = {"plain": (82.0, -30.0), "across RA 0": (0.0, -30.0), "at the pole": (120.0, 90.0)}


@pytest.fixture(scope="module", params=list(PLACES.values()), ids=list(PLACES))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, WCS]:
    return make_cube(tmp_path_factory.mktemp("cubes"), frame_cards(*request.param)), image_wcs(*request.param)


@pytest.mark.parametrize("with_wcs", [True, False])
def test_the_target_is_followed_through_a_cutout(made: tuple[Path, WCS], with_wcs: bool, tmp_path: Path) -> None:
    cube, wcs = made
    cutout = cut(cube, 30, 25, (40, 40), tmp_path)
    places = slice(None) if with_wcs else slice(0, N, 4)  # a few places are enough
    path = path_of(wcs, chosen=places)[::-1]
    hdus = read(center_on_path(path, [4, 6], [cutout], None, wcs if with_wcs else None, None, tmp_path / "out", False))
    table = hdus[1].data
    assert len(hdus) == 2 + with_wcs
    assert len(table) == (N if with_wcs else 9)
    for cadence, entry in enumerate(table):
        np.testing.assert_array_equal(entry["FLUX"], true_box(cadence, ROWS[cadence], COLUMNS[cadence]))
        np.testing.assert_array_equal(entry["FLUX_ERR"], entry["FLUX"] + 0.5)
    assert np.abs(table["TGT_X"] - 2).max() <= 0.51
    assert np.abs(table["TGT_Y"] - 3).max() <= 0.51
    if with_wcs:
        on_path = {(int(row), int(column)) for row, column in np.argwhere(hdus[2].data)}
        rows, columns = np.rint(ROWS).astype(int), np.rint(COLUMNS).astype(int)
        assert set(zip(rows.tolist(), columns.tolist(), strict=True)) <= on_path
        assert hdus[2].data.shape == SHAPE


def test_one_frame_in_several_cutouts_is_one_cadence_with_the_pixels_of_all(
    made: tuple[Path, WCS], tmp_path: Path
) -> None:
    cube, wcs = made
    cutouts = [
        cut(cube, 20, 12, (25, 30), tmp_path / "a"),
        cut(cube, 40, 36, (25, 34), tmp_path / "b"),
    ]
    hdus = read(center_on_path(path_of(wcs), (4, 6), cutouts, None, wcs, "both.fits", tmp_path, False))
    assert hdus[1].header["NPARTIAL"] == 0
    assert len(hdus[1].data) == N
    for cadence, entry in enumerate(hdus[1].data):
        np.testing.assert_array_equal(entry["FLUX"], true_box(cadence, ROWS[cadence], COLUMNS[cadence]))


def test_what_is_in_no_cutout_is_filled_and_said(made: tuple[Path, WCS], tmp_path: Path) -> None:
    cube, wcs = made
    cutout = cut(cube, 28, 22, (17, 40), tmp_path)
    with pytest.warns(DataWarning, match="of 11 cadences have pixels that are in no cutout"):
        name = center_on_path(path_of(wcs), (4, 6), [cutout], "C/2020 A1", wcs, None, tmp_path, False)
    assert Path(name).name.startswith("C-2020_A1_1325.")
    assert name.endswith("_4-x-6_astrocut.fits")
    table = read(name)[1].data
    last = table[-1]["FLUX"]
    whole = true_box(10, ROWS[10], COLUMNS[10])
    assert 0 < np.isnan(last).sum() < last.size
    np.testing.assert_array_equal(last[np.isfinite(last)], whole[np.isfinite(last)])
    assert (table[-1]["RAW_CNTS"] == -1).all()
    for rows in ("whole", "points"):
        options = FocusOptions(rows=rows)
        fewer = read(
            center_on_path(path_of(wcs), (4, 6), [cutout], None, wcs, f"{rows}.fits", tmp_path, options=options)
        )
        assert 0 < len(fewer[1].data) < 11
        assert np.isfinite(fewer[1].data["FLUX"]).all()


@pytest.mark.filterwarnings("ignore:ERFA function")  # the peer dates its file with Time, which doubts 2031
def test_where_the_peer_is_right_ours_is_the_same(tmp_path: Path) -> None:
    cube = make_cube(tmp_path, frame_cards(82.0, -30.0))
    cutout = cut(cube, 30, 25, (40, 40), tmp_path)
    with fits.open(cutout) as hdus:
        time, wcs = Time(hdus[1].data["TIME"] + 2457000, format="jd", scale="tdb"), WCS(hdus[2].header)
    path = path_of(image_wcs())
    path["time"] = time  # the peer's clock
    theirs = peer.center_on_path(path, [4, 6], [str(cutout)], output_path=str(tmp_path), verbose=False)
    ours = center_on_path(
        path, [4, 6], [cutout], target_pixel_file="ours.fits", output_path=tmp_path, clock="barycentre", verbose=False
    )
    with fits.open(theirs) as peers:
        expected, made = peers[1].data, read(ours)[1].data
        assert made.names == expected.names
        for name in ("TIME", "TIMECORR", "FLUX", "FLUX_ERR", "FLUX_BKG", "RAW_CNTS", "QUALITY", "FFI_FILE"):
            np.testing.assert_array_equal(made[name], expected[name])
        for name in ("TGT_X", "TGT_Y", "TGT_RA", "TGT_DEC"):
            np.testing.assert_allclose(made[name], expected[name], rtol=0, atol=2e-4)
        assert made.columns.formats[:11] == expected.columns.formats[:11]
    assert wcs.array_shape == (40, 40)


def test_a_target_that_goes_from_one_ccd_to_another_is_followed_on_both(tmp_path: Path) -> None:
    here, there = frame_cards(82.0, -30.0), frame_cards(82.0, -30.0)
    there["CRPIX1"] -= 24  # its column 0 is column 24 of the other
    cubes = [make_cube(tmp_path, here), make_cube(tmp_path, there, ccd=3)]
    wcs = image_wcs()
    path = path_of(wcs, columns=np.linspace(20, 60, N), chosen=slice(None))
    cutouts = [cut(cubes[0], 30, 35, (40, 29), tmp_path), cut(cubes[1], 30, 35, (40, 29), tmp_path)]
    with pytest.warns(DataWarning, match="filled"):
        hdus = read(center_on_path(path, (4, 6), cutouts, None, wcs, "two.fits", tmp_path, False))
    ccds = np.array([name.split("-")[3] for name in hdus[1].data["FFI_FILE"]])
    assert {"2", "3"} == set(ccds)
    for entry, ccd in zip(hdus[1].data, ccds, strict=True):
        if np.isfinite(entry["FLUX"]).all():
            cadence = int(np.argmin(np.abs([np.mean(tiny_times(n)) - entry["TIME"] for n in range(N)])))
            column = np.linspace(20, 60, N)[cadence] - 24 * (ccd == "3")
            np.testing.assert_array_equal(entry["FLUX"], true_box(cadence, ROWS[cadence], column))
    assert (np.argwhere(hdus[2].data)[:, 1] >= 18).all()  # the other detector's boxes are not on this image


def test_files_without_their_place_are_found_by_the_wcs(made: tuple[Path, WCS], tmp_path: Path) -> None:
    cube, wcs = made
    cutout = cut(cube, 30, 25, (40, 40), tmp_path)
    with fits.open(cutout, mode="update") as hdus:
        header = hdus[1].header
        for keyword in [key for key in header if key.endswith("P") and key[1:4] in ("CRV", "CTY")]:
            del header[keyword]
    hdus = read(center_on_path(path_of(wcs), (4, 6), [cutout], None, wcs, "x.fits", tmp_path, False))
    np.testing.assert_array_equal(hdus[1].data["FLUX"][3], true_box(3, ROWS[3], COLUMNS[3]))
    assert hdus[2].data.any()
    focused, _ = follow_path_of(path_of(wcs), cutout)
    assert len(focused.columns[0].values) == N


def follow_path_of(path: Table, cutout: Path) -> Any:
    from tessera.moving.ephemeris import Ephemeris  # noqa: PLC0415 - here only

    return follow_path(Ephemeris.from_table(path), (4, 6), [cutout])


def test_what_cannot_be_followed_is_refused(
    made: tuple[Path, WCS], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cube, wcs = made
    cutout = cut(cube, 30, 25, (20, 20), tmp_path)
    path = path_of(wcs)
    other = tmp_path / "other.fits"
    fits.HDUList([fits.PrimaryHDU()]).writeto(other)
    bad: tuple[Any, Any, Any]
    for bad in (
        (path, 0, [cutout]),
        (path, (1, 2, 3), [cutout]),
        (path, 2.5, [cutout]),
        (path, 5, []),
        (path, 5, [other]),
    ):
        with pytest.raises(InvalidInputError):
            center_on_path(bad[0], bad[1], bad[2], verbose=False)
    with pytest.raises(InvalidInputError, match="rows"):
        FocusOptions(rows="some")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="NAXIS1"):
        center_on_path(path, 5, [cutout], img_wcs=WCS(centred_wcs(SHAPE)), verbose=False)
    later = Table({"time": path["time"] + 10 * u.day, "position": path["position"]})
    with pytest.raises(InvalidQueryError, match="No cutout contains the path"):
        center_on_path(later, 5, [cutout], verbose=False)


def test_a_path_is_on_the_image_by_its_columns_and_its_rows() -> None:
    wcs = image_wcs()
    for row, column in ((58.0, 10.0), (10.0, 48.0), (-0.4, -0.4)):
        (found,) = path_to_footprints(wcs.pixel_to_world([column], [row]), [4, 6], wcs)
        assert found["size"] == (6, 4)
    for row, column in ((60.0, 10.0), (10.0, 50.0), (-0.6, 5.0)):
        with pytest.raises(InvalidQueryError, match="not on the image"):
            path_to_footprints(wcs.pixel_to_world(column, row), [4, 6], wcs)


def test_places_behind_the_observer_are_not_on_the_image() -> None:
    wcs = image_wcs()
    here, there = wcs.pixel_to_world(20, 20), SkyCoord(wcs.wcs.crval[0] + 180, 30, unit="deg")
    (found,) = path_to_footprints(SkyCoord([here, there]).galactic, 5, wcs)
    assert found["size"] == (5, 5)


def test_footprints_are_divided_where_they_would_be_too_large() -> None:
    wcs = image_wcs()
    path = wcs.pixel_to_world([5, 10, 15, 20, 40], [5, 6, 7, 8, 40])
    found = path_to_footprints(path, 4, wcs, max_pixels=80)
    assert [item["size"] for item in found] == [(5, 9), (5, 9), (4, 4)]
