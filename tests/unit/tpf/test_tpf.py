"""Target pixel files: every pixel, time, flag and card, and the WCS."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS

from tessera import CubeFactory, TicaCubeFactory
from tessera.cubes.info_rows import parse_info_rows
from tessera.cubes.read_plan import plan_reads
from tessera.cubes.reader import Cube, read_cube
from tessera.cubes.window_pixels import assemble_cutout
from tessera.errors import CubeFormatError, NoOverlapError, NoWcsError
from tessera.sky.positions import sky_to_pixel
from tessera.sky.wcs import fit_linear_wcs, frame_wcs
from tessera.tpf.fixed import TpfRequest, build_tpf, tpf_name
from tessera.windows import Placement, Window, place_window
from tests.support.builds import build_cube
from tests.support.checks import checksums_hold, fitsverify_complaints
from tests.support.frames import tiny_error, tiny_flux, tiny_sector, tiny_times
from tests.support.paths import DATA, TPF_1X1, TPF_6X6
from tests.support.same_bytes import assert_same_bytes
from tests.support.tica import tiny_tica_sector
from tests.support.wcs import ffi_wcs_header

SHAPE = (40, 30)
N = 5


def open_cube(name: str, data: bytes, *, check: bool = True) -> Cube:
    return read_cube(name, len(data), lambda start, length: data[start : start + length], check=check)


@dataclass
class Source:
    data: bytes
    cube: Cube

    def tpf(self, window: Window) -> fits.HDUList:
        return fits.open(io.BytesIO(self.tpf_bytes(window)))

    def tpf_bytes(self, window: Window) -> bytearray:
        cube = self.cube
        reads = plan_reads(cube.layout, cube.data_offset, window.overlap(*SHAPE))
        rows = [(read, self.data[read.data.start : read.data.stop]) for read in reads]
        return build_tpf(TpfRequest(cube, assemble_cutout(cube.layout, window, rows), 1.5, -2.5, "1.2.3"))


@pytest.fixture(scope="module")
def source() -> Source:
    data = build_cube(tiny_sector(N, SHAPE, without_wcs=[0], longer_header=[3], dquality={1: 128, 4: 4096}))
    return Source(data, open_cube("tess-s0001-4-2-cube.fits", data))


WINDOWS = {
    "centre": Window(15, 10, 7, 5),
    "lower left corner": Window(-2, -3, 5, 6),
    "upper right corner": Window(37, 26, 6, 7),
    "wider than the frame": Window(10, -5, 3, 50),
    "one pixel": Window(39, 29, 1, 1),
    "whole rows": Window(5, 0, 4, 30),
}


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_pixels_are_the_frames_pixels_and_nan_beyond(source: Source, window: Window) -> None:
    table = source.tpf(window)["PIXELS"].data
    pad = 60
    for cadence in range(N):
        for name, pixels in (("FLUX", tiny_flux(cadence, SHAPE)), ("FLUX_ERR", tiny_error(cadence, SHAPE))):
            wide = np.pad(pixels, pad, constant_values=np.nan)
            rows = slice(window.first_row + pad, window.stop_row + pad)
            columns = slice(window.first_column + pad, window.stop_column + pad)
            np.testing.assert_array_equal(table[name][cadence], wide[rows, columns])


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_the_aperture_marks_the_pixels_that_exist(source: Source, window: Window) -> None:
    hdus = source.tpf(window)
    np.testing.assert_array_equal(hdus["APERTURE"].data, np.isfinite(hdus["PIXELS"].data["FLUX"][0]).astype(int))
    assert hdus["APERTURE"].data.dtype == np.dtype(">i4")


def test_times_flags_and_file_names_are_the_frames(source: Source) -> None:
    table = source.tpf(WINDOWS["centre"])["PIXELS"].data
    assert list(table["TIME"]) == [sum(tiny_times(cadence)) / 2 for cadence in range(N)]
    assert list(table["QUALITY"]) == [0, 128, 0, 0, 4096]
    assert list(table["TIMECORR"]) == list(np.array([0.00075 - 2e-7 * cadence for cadence in range(N)], np.float32))
    assert list(table["FFI_FILE"]) == [name for name, _ in tiny_sector(N, SHAPE)]
    assert (table["RAW_CNTS"] == -1).all()
    assert not table["FLUX_BKG"].any()


def test_the_corner_is_counted_from_one(source: Source) -> None:
    header = source.tpf(Window(15, 10, 7, 5))["PIXELS"].header
    for column in range(4, 9):
        assert (header[f"1CRV{column}P"], header[f"2CRV{column}P"]) == (11, 16)


def test_the_wcs_row_is_the_middle_one_and_is_named(source: Source) -> None:
    header = source.tpf(WINDOWS["centre"])["PIXELS"].header
    assert header["WCS_FFI"] == tiny_sector(N, SHAPE)[2][0]


def test_the_linear_wcs_says_how_far_it_is_from_the_truth(source: Source) -> None:
    window = Window(5, 5, 21, 21)
    hdus = source.tpf(window)
    linear = WCS(hdus["APERTURE"].header)
    truth = source.cube.wcs
    pixels = np.stack(np.meshgrid(np.arange(21), np.arange(21)), -1).reshape(-1, 2)
    there = SkyCoord(truth.all_pix2world(pixels + 5, 0), unit="deg")
    here = SkyCoord(linear.all_pix2world(pixels, 0), unit="deg")
    distances = there.separation(here)
    assert distances.max().deg == pytest.approx(hdus["APERTURE"].header["WCS_MSEP"], rel=1e-3)
    assert np.sqrt((distances.deg**2).sum()) == pytest.approx(hdus["APERTURE"].header["WCS_SIG"], rel=1e-3)
    assert 0 < distances.max().arcsec < 0.3


def test_frames_that_point_north_have_a_whole_matrix(source: Source) -> None:
    cards = {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": 50.0,
        "CRVAL2": -30.0,
        "CRPIX1": 13.0,
        "CRPIX2": 18.0,
    }
    north = {**cards, "CD1_1": -0.00577, "CD2_2": 0.00577, "FFI_FILE": "x_ffic.fits"}
    hdus = replace(source, cube=replace(source.cube, wcs_cards=north)).tpf(Window(15, 10, 5, 5))
    header = hdus[1].header
    matrix = [header[card] for card in ("11PC4", "12PC4", "21PC4", "22PC4")]
    assert matrix == pytest.approx([-0.00577, 0, 0, 0.00577], abs=1e-12)
    assert WCS(hdus["APERTURE"].header).pixel_to_world(2, 2).separation(SkyCoord(50, -30, unit="deg")).arcsec < 1e-3


@pytest.mark.parametrize("path", [TPF_6X6, TPF_1X1], ids=["6x6", "1x1"])
def test_the_layout_is_that_of_a_real_file(source: Source, path: Any) -> None:
    with fits.open(path) as real:
        ny, nx = real["APERTURE"].shape
        ours = source.tpf(Window(10, 10, ny, nx))
        assert ours["PIXELS"].columns.names == real["PIXELS"].columns.names
        for theirs, mine in zip(real["PIXELS"].columns, ours["PIXELS"].columns, strict=True):
            theirs_format = "44A" if theirs.name == "FFI_FILE" else theirs.format
            assert (theirs.name, theirs_format, theirs.unit, theirs.disp, theirs.dim, theirs.null) == (
                *(mine.name, mine.format, mine.unit, mine.disp, mine.dim, mine.null),
            )
        for name in ("PIXELS", "APERTURE"):
            known = set(real[0].header) | {"MJDREF"}
            theirs = [keyword for keyword in real[name].header if keyword not in known]
            mine = [keyword for keyword in ours[name].header if keyword not in known and keyword not in ours[0].header]
            assert sorted(theirs) == sorted(mine) if path == TPF_6X6 else theirs == mine  # the 6x6 file was rewritten


@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")  # real headers have dates without MJD
@pytest.mark.parametrize(
    ("path", "ccd", "ra", "dec"),
    [(TPF_6X6, (1, 4, 2), 84.29119, -80.46917), (TPF_1X1, (12, 2, 1), 217.4289380144204, -62.6794918941408)],
    ids=["6x6", "1x1"],
)
def test_windows_and_wcs_are_those_of_real_files(path: Any, ccd: tuple[int, int, int], ra: float, dec: float) -> None:
    wcs = frame_wcs(dict(ffi_wcs_header(*ccd)))
    with fits.open(path) as real:
        ny, nx = real["APERTURE"].shape
        pixel = sky_to_pixel(wcs, ra, dec)
        assert pixel is not None
        window = place_window(*pixel, ny, nx, Placement.TESSCUT)
        header = real["PIXELS"].header
        assert (window.first_column + 1, window.first_row + 1) == (header["1CRV4P"], header["2CRV4P"])
        mine = fit_linear_wcs(wcs, window).wcs.pixel_to_world((nx - 1) / 2, (ny - 1) / 2)
        theirs = WCS(real["APERTURE"].header).pixel_to_world((nx - 1) / 2, (ny - 1) / 2)
        assert mine.separation(theirs).arcsec < 3


def test_every_hdu_has_valid_checksums_and_fitsverify_finds_no_error(source: Source, tmp_path: Path) -> None:
    for number, window in enumerate(WINDOWS.values()):
        data = source.tpf_bytes(window)
        assert checksums_hold(data)
        path = tmp_path / f"{number}.fits"
        path.write_bytes(data)
        assert not [line for line in fitsverify_complaints(path) if "Error" in line]


def test_the_file_name_is_the_one_that_clients_look_for(source: Source) -> None:
    name = "tess-s0001-4-2_107.186960_-70.509190_5x7_astrocut.fits"
    assert tpf_name(source.cube, 107.18696, -70.50919, (7, 5)) == name


def test_a_window_beside_the_frame_is_an_error() -> None:
    for window in (Window(-5, 0, 5, 5), Window(40, 0, 5, 5), Window(0, -5, 5, 5), Window(0, 30, 5, 5)):
        with pytest.raises(NoOverlapError):
            window.overlap(*SHAPE)


def test_one_request_per_row_or_one_for_whole_rows(source: Source) -> None:
    layout = source.cube.layout
    assert len(plan_reads(layout, 5760, Window(5, 3, 7, 20).overlap(*SHAPE))) == 7
    assert len(plan_reads(layout, 5760, Window(5, 0, 7, 30).overlap(*SHAPE))) == 1


def test_a_cube_without_any_wcs_is_an_error(source: Source) -> None:
    bare = source.data.replace(b"DEC--TAN-SIP", b"            ")
    with pytest.raises(NoWcsError, match="no cadence of the info table has CTYPE2"):
        open_cube("bare-cube.fits", bare, check=False)


def test_a_sidecar_is_all_that_a_cutout_needs(source: Source) -> None:
    sidecar = source.cube.to_sidecar()
    again = Source(source.data, Cube.from_sidecar(sidecar))
    for window in WINDOWS.values():
        assert_same_bytes(again.tpf_bytes(window), source.tpf_bytes(window))
    assert len(sidecar) < 20_000
    with pytest.raises(CubeFormatError, match="not a sidecar"):
        Cube.from_sidecar(b"something else")


def test_missing_cards_stay_away_from_the_file(source: Source) -> None:
    assert "WCSAXES" in source.cube.wcs_cards
    first = open_cube("tess-s0001-4-2-cube.fits", build_cube(tiny_sector(3, SHAPE, without_wcs=[1])))
    assert first.wcs_cadence == 2


def test_a_slim_file_has_the_same_pixels_without_the_constants(source: Source) -> None:
    window = WINDOWS["centre"]
    reads = plan_reads(source.cube.layout, source.cube.data_offset, window.overlap(*SHAPE))
    rows = [(read, source.data[read.data.start : read.data.stop]) for read in reads]
    cutout = assemble_cutout(source.cube.layout, window, rows)
    data = build_tpf(TpfRequest(source.cube, cutout, 1.0, 2.0, "1", layout="slim"))
    assert checksums_hold(data)
    slim, full = fits.open(io.BytesIO(data)), source.tpf(window)
    assert set(full[1].columns.names) - set(slim[1].columns.names) == {"RAW_CNTS", "FLUX_BKG", "FLUX_BKG_ERR"}
    for name in slim[1].columns.names:
        np.testing.assert_array_equal(slim[1].data[name], full[1].data[name])
    assert slim[1].header["1CRV4P"] == full[1].header["1CRV4P"]


def test_some_cadences_with_other_times_are_what_was_asked_for(source: Source) -> None:
    window = WINDOWS["centre"]
    reads = plan_reads(source.cube.layout, source.cube.data_offset, window.overlap(*SHAPE))
    rows = [(read, source.data[read.data.start : read.data.stop]) for read in reads]
    cutout = assemble_cutout(source.cube.layout, window, rows)
    request = TpfRequest(
        *(source.cube, cutout, 1.0, 2.0, "1"), cadences=np.array([1, 4]), columns={"TIME": np.arange(N, dtype=float)}
    )
    data = build_tpf(request)
    assert checksums_hold(data)
    table = fits.open(io.BytesIO(data))[1].data
    assert list(table["TIME"]) == [1, 4]
    assert list(table["QUALITY"]) == [128, 4096]
    np.testing.assert_array_equal(table["FLUX"], source.tpf(window)[1].data["FLUX"][[1, 4]])


def test_a_file_in_many_blocks_is_the_same_file(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = source.tpf_bytes(WINDOWS["centre"])
    monkeypatch.setattr("tessera.tpf.rows._BLOCK_BYTES", 1500)
    assert_same_bytes(source.tpf_bytes(WINDOWS["centre"]), whole)


def test_a_tica_file_has_the_cards_and_columns_of_the_tutorial() -> None:
    frames = tiny_tica_sector(5, SHAPE)
    key = "tica-cube.fits"
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, content in frames:
            (Path(folder) / name).write_bytes(content)
            paths.append(Path(folder) / name)
        TicaCubeFactory().make_cube(paths, Path(folder) / key, verbose=False)
        data = (Path(folder) / key).read_bytes()
    source = Source(data, open_cube(key, data))
    hdus = source.tpf(WINDOWS["centre"])
    printed = (DATA / "tica/tica_cutout.primary_header.txt").read_text(encoding="utf-8").splitlines()
    truth = fits.Header.fromstring("".join(line.ljust(80) for line in printed))
    sums = {"CHECKSUM", "DATASUM"}
    assert [key for key in hdus[0].header if key not in sums] == [key for key in truth if key not in sums]
    for key in ("TSTART", "FFIINDEX", "CAMERA", "CCD", "TICAVER", "CRMITEN", "EQUINOX", "EXTVER"):
        assert hdus[0].header[key] == truth[key], key
    printed_date, date = (Time(header["DATE-OBS"].rstrip("Z")) for header in (truth, hdus[0].header))
    assert (printed_date - date).sec == pytest.approx(69.184, abs=2e-3)  # the service prints TDB and calls it UTC
    assert [column.format for column in hdus[1].columns][:6] == ["D", "J", "35J", "35E", "35E", "35E"]
    names = "TIME CADENCENO RAW_CNTS FLUX FLUX_ERR FLUX_BKG FLUX_BKG_ERR QUALITY POS_CORR1 POS_CORR2 FFI_FILE"
    assert hdus[1].columns.names == names.split()
    assert hdus[1].columns["FLUX"].unit == "e-"
    assert list(hdus[1].data["CADENCENO"]) == [117591 + cadence for cadence in range(5)]
    assert not hdus[1].data["FLUX_ERR"].any()
    np.testing.assert_array_equal(hdus[1].data["FLUX"][2], tiny_flux(2, SHAPE)[15:22, 10:15])


def test_positions_far_away_have_no_pixel(source: Source) -> None:
    assert sky_to_pixel(source.cube.wcs, 180.0, 80.0) is None


@pytest.mark.parametrize(("row", "column"), [(20.3, 14.2), (10.0, 10.0), (11.0, 11.0), (0.5, 0.5)])
@pytest.mark.parametrize("size", [1, 2, 5, 6])
def test_a_placed_window_has_its_size_and_holds_its_target(row: float, column: float, size: int) -> None:
    window = place_window(row, column, size, size, Placement.TESSCUT)
    assert (window.n_rows, window.n_columns) == (size, size)
    assert abs(window.first_row + (size - 1) / 2 - row) <= 1


@pytest.mark.parametrize("tica", [False, True])
def test_the_info_table_is_read_as_astropy_reads_it(tica: bool) -> None:
    frames = tiny_tica_sector(5, SHAPE) if tica else tiny_sector(5, SHAPE, without_wcs=[0], longer_header=[3])
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name, _ in frames]
        for path, (_, content) in zip(paths, frames, strict=True):
            path.write_bytes(content)
        factory = TicaCubeFactory() if tica else CubeFactory()
        data = Path(factory.make_cube(paths, Path(folder) / "cube.fits", verbose=False)).read_bytes()
    table = fits.open(io.BytesIO(data))[2]
    hdu = data[-(len(table.header.tostring()) + -(-table.data.nbytes // 2880) * 2880) :]
    info = parse_info_rows("cube.fits", hdu)
    assert list(info.rows.dtype.names or ()) == table.columns.names
    for cadence in range(5):
        cards = info.cards(cadence)
        for name, null in ((column.name, column.null) for column in table.columns):
            value = table.data[name][cadence]
            missing = (isinstance(value, float) and np.isnan(value)) or (null not in (None, "") and value == null)
            assert (name not in cards) if missing else (cards[name] == value), name


def test_an_info_table_that_is_cut_short_is_an_error(source: Source) -> None:
    with pytest.raises(CubeFormatError, match="the header of the info table does not end"):
        parse_info_rows("cube.fits", source.data[:2880].replace(b"END     ", b"        "))
    with pytest.raises(CubeFormatError, match=r"cube\.fits"):
        open_cube("cube.fits", source.data[:-2880])
