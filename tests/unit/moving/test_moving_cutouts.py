"""Cutouts that follow a target: it stays in the middle wherever and however fast it goes, and the files say how."""

from __future__ import annotations

import dataclasses
import io
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time, TimeDelta
from astropy.wcs import WCS

from tessera import TicaCubeFactory
from tessera.cutouts.open_cube import open_cube
from tessera.errors import InvalidInputError
from tessera.moving.batch import MovingResult, make_moving_cutouts, plan_track
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.read_plan import ReadCost
from tessera.moving.track import MovingOptions, moving_name
from tessera.tpf.moving import moving_cards
from tests.support.builds import build_cube
from tests.support.checks import checksums_hold
from tests.support.frames import centred_wcs, spoc_frame, tiny_flux, tiny_sector, tiny_times
from tests.support.tica import tica_times, tiny_tica_sector

SHAPE = (60, 50)
N = 24
BARYCORR = 0.0052
"""Seven and a half minutes: a third of a cadence."""


def spacecraft_days(n: int = N) -> np.ndarray:
    return np.array([np.mean(tiny_times(cadence)) for cadence in range(n)]) - BARYCORR


def to_time(days: np.ndarray, scale: str = "tdb") -> Time:
    return getattr(Time(2457000, days, format="jd", scale="tdb"), scale)


def star(row: float, column: float) -> np.ndarray:
    rows, columns = np.indices(SHAPE)
    return (1000 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 2)).astype(np.float32)


def rows_columns(days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the injected target is at a time of the spacecraft: a curve through a good part of the frame."""
    part = (days - spacecraft_days()[0]) / (spacecraft_days()[-1] - spacecraft_days()[0])
    return 12 + 34 * part + 3 * np.sin(3 * part), 40 - 26 * part - 5 * part**2


PLACES = {
    "plain": (82.0, -1.5),
    "across RA 0": (0.0, 20.0),
    "at the north pole": (120.0, 90.0),
    "south": (10.0, -89.97),
}


def wcs_at(ra: float, dec: float) -> fits.Header:
    header = centred_wcs(SHAPE)
    header["CRVAL1"], header["CRVAL2"] = ra, dec
    return header


def moving_cube(folder: Path, wcs: fits.Header, name: str = "tess-s0001-4-2-cube.fits") -> Path:
    frames = []
    for cadence, (row, column) in enumerate(zip(*rows_columns(spacecraft_days()), strict=True)):
        flux, (start, stop) = star(row, column), tiny_times(cadence)
        frames.append(
            spoc_frame(
                cadence_index=cadence,
                flux=flux,
                error=flux + 1,
                wcs_cards=wcs,
                tstart=start,
                tstop=stop,
                barycorr=BARYCORR,
            )
        )
    path = folder / name
    path.write_bytes(build_cube(frames))
    return path


def path_of(wcs: fits.Header, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = rows_columns(days)
    ra, dec = WCS(wcs).all_pix2world(np.column_stack([columns, rows]), 0).T
    return ra, dec


def table_of(result: MovingResult) -> tuple[fits.HDUList, fits.FITS_rec]:
    assert result.status == "ok", result.reason
    hdus = fits.open(io.BytesIO(result.data or b""))
    return hdus, hdus["PIXELS"].data


def centroids(flux: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.indices(flux.shape[1:])
    total = flux.sum(axis=(1, 2))
    return (flux * rows).sum(axis=(1, 2)) / total, (flux * columns).sum(axis=(1, 2)) / total


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_the_target_stays_where_the_table_says_and_in_the_middle_pixel(
    place: tuple[float, float], tmp_path: Path
) -> None:
    wcs = wcs_at(*place)
    path = moving_cube(tmp_path, wcs)
    days = np.linspace(spacecraft_days()[0] - 0.01, spacecraft_days()[-1] + 0.01, 12)
    ephemeris = Ephemeris(to_time(days, "utc"), *path_of(wcs, days))
    (result,) = make_moving_cutouts([path], ephemeris, 9)
    _, table = table_of(result)
    row, column = centroids(table["FLUX"])
    assert len(table) == N
    assert np.abs(row - table["TGT_Y"]).max() < 0.1
    assert np.abs(column - table["TGT_X"]).max() < 0.1
    assert np.abs(table["TGT_Y"] - 4).max() <= 0.5
    assert np.abs(table["TGT_X"] - 4).max() <= 0.5
    true = SkyCoord(*path_of(wcs, spacecraft_days()), unit="deg")
    found = SkyCoord(table["TGT_RA"], table["TGT_DEC"], unit="deg")
    assert true.separation(found).max() < 2 * u.arcsec


def test_clocks_scales_and_order_do_not_matter(tmp_path: Path) -> None:
    wcs = wcs_at(0.0, -60.0)
    path = moving_cube(tmp_path, wcs)
    days = np.linspace(spacecraft_days()[0], spacecraft_days()[-1], 15)
    ra, dec = path_of(wcs, days)
    mixed = np.random.default_rng(1).permutation(15)
    paths = [
        Ephemeris(to_time(days), ra, dec),
        Ephemeris(to_time(days, "utc"), ra, dec),
        Ephemeris(to_time(days, "tt")[mixed], ra[mixed], dec[mixed] + 0.0),
        Ephemeris(to_time(days) + TimeDelta(BARYCORR, format="jd"), ra - 360, dec, clock="barycentre"),
        Ephemeris(to_time(np.r_[days, days]), np.r_[ra, ra], np.r_[dec, dec]),
    ]
    with open_cube(path) as file:
        tracks = [plan_track(file, ephemeris, 5) for ephemeris in paths]
    for track in tracks[1:]:
        inner = np.isin(tracks[0].boxes.cadences, track.boxes.cadences)
        assert inner[1:-1].all()  # the first and the last time are cadences' own, to a rounding error
        both = np.isin(track.boxes.cadences, tracks[0].boxes.cadences)
        np.testing.assert_allclose(track.row[both], tracks[0].row[inner], atol=2e-4)
        np.testing.assert_allclose(track.column[both], tracks[0].column[inner], atol=2e-4)


def edge_path(rows: list[float], columns: list[float], n: int = 6) -> tuple[bytes, Ephemeris, WCS]:
    """A tiny cube, and a path that has these pixels in its cadences."""
    frames = tiny_sector(n, SHAPE)
    wcs = WCS(centred_wcs(SHAPE))
    days = np.array([np.mean(tiny_times(cadence)) - (0.00075 - 2e-7 * cadence) for cadence in range(n)])
    ra, dec = wcs.all_pix2world(np.column_stack([columns, rows]), 0).T
    far = np.array([days[0] - 0.001, *days, days[-1] + 0.001])
    ra, dec = (np.pad(angle, 1, mode="edge") for angle in (ra, dec))
    return build_cube(frames), Ephemeris(to_time(far), ra, dec), wcs


def test_a_target_leaves_and_comes_back_and_no_pixel_is_from_elsewhere(tmp_path: Path) -> None:
    rows, columns = [3.0, 1.0, -8.0, -8.0, 0.0, 5.0], [10.0, 11.0, 12.0, 13.0, 14.0, 48.0]
    data, ephemeris, _ = edge_path(rows, columns)
    path = tmp_path / "tess-s0001-4-2-cube.fits"
    path.write_bytes(data)
    (result,) = make_moving_cutouts([path], ephemeris, 5, options=MovingOptions(interpolation="linear"))
    hdus, table = table_of(result)
    assert [result.n_cadences, result.n_filled] == [4, 3]
    assert result.reason == "3 of 4 cadences reach beyond the frame and are filled there"
    assert hdus["PIXELS"].header["NPARTIAL"] == 3
    for entry, cadence in zip(table, (0, 1, 4, 5), strict=True):
        whole = np.pad(tiny_flux(cadence, SHAPE), 9, constant_values=np.nan)
        top, left = int(rows[cadence]) - 2 + 9, int(columns[cadence]) - 2 + 9
        np.testing.assert_array_equal(entry["FLUX"], whole[top : top + 5, left : left + 5])
        np.testing.assert_array_equal(entry["FLUX_ERR"], whole[top : top + 5, left : left + 5] + 0.5)
    options = MovingOptions(interpolation="linear", edges="drop", fill_value=0)
    (result,) = make_moving_cutouts([path], ephemeris, 5, options=options)
    assert len(table_of(result)[1]) == 1


def test_a_target_faster_than_a_pixel_a_cadence_is_followed(tmp_path: Path) -> None:
    rows, columns = [5.0, 14.0, 23.0, 32.0, 41.0, 50.0], [45.0, 36.0, 28.0, 20.0, 12.0, 4.0]
    data, ephemeris, _ = edge_path(rows, columns)
    path = tmp_path / "tess-s0001-4-2-cube.fits"
    path.write_bytes(data)
    (result,) = make_moving_cutouts([path], ephemeris, (3, 5), options=MovingOptions(cost=ReadCost(gap_bytes=0)))
    hdus, table = table_of(result)
    assert (result.n_cadences, result.n_filled, result.name) == (6, 0, "tess-s0001-4-2_path_5x3_astrocut.fits")
    assert result.n_bytes == 6 * 3 * 5 * 8
    for cadence, entry in enumerate(table):
        top, left = int(rows[cadence]) - 1, int(columns[cadence]) - 2
        np.testing.assert_array_equal(entry["FLUX"], tiny_flux(cadence, SHAPE)[top : top + 3, left : left + 5])
        assert (hdus["APERTURE"].data[top : top + 3, left : left + 5] == 1).all()
    assert hdus["APERTURE"].data.sum() == 6 * 15


def test_one_s_own_interpolation_is_used(tmp_path: Path) -> None:
    data, ephemeris, wcs = edge_path([20.0] * 6, [20.0] * 6)
    path = tmp_path / "tess-s0001-4-2-cube.fits"
    path.write_bytes(data)
    (elsewhere,) = wcs.all_pix2world([[30.0, 40.0]], 0)
    direction = SkyCoord(*elsewhere, unit="deg").cartesian.xyz.value

    def stay(days: np.ndarray, directions: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        assert directions.shape == (len(days), 3)
        return np.tile(direction, (len(wanted), 1))

    with open_cube(path) as file:
        track = plan_track(file, ephemeris, 5, MovingOptions(interpolation=stay))
    np.testing.assert_allclose(track.row, 40, atol=1e-4)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> MovingResult:
    wcs = wcs_at(*PLACES["plain"])
    path = moving_cube(tmp_path_factory.mktemp("cubes"), wcs, "tess-s1751-2-3-cube.fits")
    days = np.linspace(spacecraft_days()[4], spacecraft_days()[20] + 0.001, 9)
    ephemeris = Ephemeris(to_time(days), *path_of(wcs, days), name="C/2025 N1 (ATLAS) \u2604")
    (made,) = make_moving_cutouts([path], ephemeris, (5, 7))
    return made


def test_the_product_has_the_columns_and_cards_of_the_service(result: MovingResult) -> None:
    hdus, table = table_of(result)
    assert checksums_hold(result.data or b"")
    assert result.name == "tess-s1751-2-3_C_2025_N1_(ATLAS)_7x5_astrocut.fits"
    names = "TIME TIMECORR CADENCENO RAW_CNTS FLUX FLUX_ERR FLUX_BKG FLUX_BKG_ERR QUALITY POS_CORR1 POS_CORR2 FFI_FILE"
    assert table.names == [*names.split(), "TGT_X", "TGT_Y", "TGT_RA", "TGT_DEC"]
    assert table.columns.formats[:11] == ["D", "E", "J", "35J", "35E", "35E", "35E", "35E", "J", "E", "E"]
    assert table.columns.formats[12:] == ["D"] * 4
    assert table["FLUX"].shape[1:] == (5, 7)
    primary, pixels = hdus[0].header, hdus["PIXELS"].header
    assert {"RA_OBJ", "DEC_OBJ"}.isdisjoint(primary)
    assert primary["OBJECT"] == "C/2025 N1 (ATLAS) ?"
    assert (primary["TSTART"], primary["TSTOP"]) == (table["TIME"].min(), table["TIME"].max())
    assert not [keyword for keyword in pixels if keyword.startswith(("WCAX", "1CTYP", "1CRV", "WCS_FFI"))]
    assert (pixels["TUNIT13"], pixels["TUNIT15"]) == ("pixel", "deg")
    aperture = hdus["APERTURE"]
    assert (aperture.data.shape, aperture.data.dtype) == (SHAPE, np.dtype(">i4"))
    np.testing.assert_allclose(
        WCS(aperture.header).all_pix2world([[3.0, 4.0]], 0),
        WCS(wcs_at(*PLACES["plain"])).all_pix2world([[3.0, 4.0]], 0),
    )


@pytest.mark.slow
@pytest.mark.xdist_group("lightkurve")
def test_lightkurve_reads_it(result: MovingResult, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = tmp_path / result.name
    path.write_bytes(result.data or b"")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lightkurve  # noqa: PLC0415 - it warns of what is not installed

        file = lightkurve.read(path)
        request.addfinalizer(file.hdu.close)
        curve = file.to_lightcurve(aperture_mask="threshold")
    assert type(file) is lightkurve.TessTargetPixelFile
    assert file.shape == (17, 5, 7)
    assert (file.camera, file.ccd) == (4, 2)
    assert curve.flux.value.min() > 1000
    assert file.to_lightcurve(aperture_mask="all").flux.value == pytest.approx(
        table_of(result)[1]["FLUX"].sum(axis=(1, 2)), rel=1e-5
    )


def test_cubes_of_tica_frames_have_the_spacecrafts_times(tmp_path: Path) -> None:
    paths = [tmp_path / name for name, _ in tiny_tica_sector(5)]
    for path, (_, data) in zip(paths, tiny_tica_sector(5), strict=True):
        path.write_bytes(data)
    cube = tmp_path / "tica-s0027-1-4-cube.fits"
    TicaCubeFactory().make_cube(paths, cube, sector=27, verbose=False)
    with open_cube(cube) as file:
        wcs, flux = file.cube.wcs, file.source.read(file.cube.data_offset, file.cube.layout.data_bytes)
    frames = np.frombuffer(flux, ">f4").reshape(40, 30, 5)
    days = np.array([np.mean(tica_times(cadence)) for cadence in range(5)])
    columns, rows = [10.0, 12.0, 14.0, 16.0, 18.0], [20.0, 21.0, 22.0, 23.0, 24.0]
    ra, dec = wcs.all_pix2world(np.column_stack([columns, rows]), 0).T
    (result,) = make_moving_cutouts([cube], Ephemeris(to_time(days), ra, dec), 3)
    hdus, table = table_of(result)
    assert len(table.names) == 15
    assert hdus[0].header["FFI_TYPE"] == "TICA"
    np.testing.assert_array_equal(table["TIME"], days)
    for cadence, entry in enumerate(table):
        box = frames[int(rows[cadence]) - 1 :, int(columns[cadence]) - 1 :, cadence][:3, :3]
        np.testing.assert_array_equal(entry["FLUX"], box)


@pytest.mark.parametrize("without", [(2,), range(6)], ids=["one frame", "all frames"])
def test_frames_without_a_barycentric_correction_are_not_taken_for_minutes_later(without: Any, tmp_path: Path) -> None:
    rows, columns = [5.0, 14.0, 23.0, 32.0, 41.0, 50.0], [45.0, 36.0, 28.0, 20.0, 12.0, 4.0]
    _, ephemeris, _ = edge_path(rows, columns)
    frames = []
    for cadence, (name, data) in enumerate(tiny_sector(6, SHAPE)):
        with fits.open(io.BytesIO(data)) as hdus:
            if cadence in without:
                del hdus[1].header["BARYCORR"]
            out = io.BytesIO()
            hdus.writeto(out)
        frames.append((name, out.getvalue()))
    path = tmp_path / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(frames))
    (result,) = make_moving_cutouts([path], ephemeris, 3, options=MovingOptions(interpolation="linear"))
    if len(without) == 6:
        assert result.status == "error"
        assert "no frame has a BARYCORR" in result.reason
        (result,) = make_moving_cutouts([path], dataclasses.replace(ephemeris, clock="barycentre"), 3)
        assert result.status == "ok"
        return
    table = table_of(result)[1]
    assert len(table) == 6
    place = tiny_flux(2, SHAPE)[22:25, 27:30]
    np.testing.assert_array_equal(table["FLUX"][2], place)
    assert (table["TGT_X"][2], table["TGT_Y"][2]) == pytest.approx((1, 1), abs=1e-3)


def test_every_cube_has_its_own_result(tmp_path: Path) -> None:
    data, ephemeris, _ = edge_path([20.0] * 6, [20.0] * 6)
    path = tmp_path / "tess-s0001-4-2-cube.fits"
    path.write_bytes(data)
    results = make_moving_cutouts([path, tmp_path / "none.fits"], ephemeris, 5, output_dir=tmp_path / "out")
    assert [item.status for item in results] == ["ok", "error"]
    assert results[0].path is not None
    assert checksums_hold(results[0].path.read_bytes())
    later = Ephemeris(ephemeris.time + 100 * u.day, ephemeris.ra, ephemeris.dec)
    beside = Ephemeris(ephemeris.time, ephemeris.ra + 3, ephemeris.dec)
    opposite = Ephemeris(ephemeris.time, ephemeris.ra + 180, -ephemeris.dec)
    reasons = [make_moving_cutouts([path], other, 5)[0] for other in (later, beside, opposite)]
    assert [item.status for item in reasons] == ["no overlap"] * 3
    assert "the ephemeris covers TJD" in reasons[0].reason
    assert "never on the frames" in reasons[1].reason


def test_what_is_no_ephemeris_is_refused() -> None:
    time = Time([2458000.0, 2458001.0], format="jd")
    for bad in (
        (time[:1], [1.0], [2.0]),
        (time, [1.0], [2.0]),
        (time, [1.0, np.nan], [2.0, 3.0]),
        (time, [1.0, 2.0], [2.0, 93.0]),
        (time[[0, 0]], [1.0, 2.0], [2.0, 3.0]),
        (time, [1.0, 2.0], [2.0, 3.0], "sundial"),
    ):
        with pytest.raises(InvalidInputError):
            Ephemeris(*bad)
    with pytest.raises(InvalidInputError, match="time"):
        Ephemeris.from_table(Table({"when": [1, 2]}))
    for options in ({"edges": "wrap"}, {"placement": "left"}):
        with pytest.raises(InvalidInputError):
            MovingOptions(**options)  # type: ignore[arg-type]


def test_a_table_of_any_frame_is_an_ephemeris() -> None:
    time = Time([2458000.0, 2458001.0], format="jd")
    sky = SkyCoord([359.9, 0.2], [10, 11], unit="deg")
    made = Ephemeris.from_table(Table({"time": time, "position": sky.galactic}))
    ra, dec = made.at(np.array([*made.span, made.span[1] + 1]), "linear")
    np.testing.assert_allclose(np.array([ra[:2], dec[:2]]), np.array([[359.9, 0.2], [10.0, 11.0]]))
    assert np.isnan([ra[2], dec[2]]).all()


def test_a_name_in_any_script_is_a_card_and_a_file_name_of_ascii() -> None:
    cards = {card[0]: card[1] for card in moving_cards([("OBJECT", "", "")], "Čapek\n1", 1.0, 2.0)}
    assert cards["OBJECT"] == "?apek?1"
    assert (
        moving_name(SimpleNamespace(obs_id="tess-s0001-4-2"), "Čapek\n1", (5, 3))  # type: ignore[arg-type]
        == "tess-s0001-4-2_apek_1_3x5_astrocut.fits"
    )
