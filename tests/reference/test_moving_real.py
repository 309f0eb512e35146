"""Real paths: the worked example of the service, with the numbers that it printed, and a comet in sector 1751."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from astropy.wcs import WCS

from tessera import __version__, center_on_path, path_to_footprints
from tessera.compat.moving.path_focus import FocusOptions
from tessera.cubes.layout import CubeLayout
from tessera.cubes.reader import Cube, read_cube
from tessera.cutouts.open_cube import CubeFile
from tessera.cutouts.placing import find_window
from tessera.moving.batch import read_track
from tessera.moving.ephemeris import Ephemeris
from tessera.moving.read_plan import plan_track_reads
from tessera.moving.track import MovingOptions, follow_target
from tessera.sky.sphere import unit_vectors
from tessera.tpf.fixed import TpfRequest, build_tpf, tpf_name
from tests.support.builds import build_cube
from tests.support.checks import checksums_hold, fitsverify_complaints
from tests.support.frames import tiny_sector
from tests.support.infos import one_wcs
from tests.support.paths import DATA
from tests.support.wcs import FRAME_SHAPE, ffi_wcs_header

EXAMPLE = json.loads((DATA / "moving_targets/eleonora_s0006_example.json").read_text(encoding="utf-8"))
COMET = DATA / "moving_targets/3iatlas_ephem_sector1751_20260128.csv"
FIRST_TIME = 1468.9120483398438
"""TIME of the first cadence that the service printed, in single precision."""
BARYCORR = 0.0055


class PatternSource:
    """A cube of full-size frames of which every flux is the number of its pixel, and every error its cadence's."""

    name, remote, version, key = "tess-s0006-1-1-cube.fits", False, "1", None

    def __init__(self, cube: Cube) -> None:
        self.cube, self.n_bytes = cube, 0
        self.size = cube.data_offset + cube.layout.data_bytes

    def read_buffer(self, start: int, length: int) -> bytes:
        self.n_bytes += length
        first, n = divmod(start - self.cube.data_offset, 8)
        cells = first + np.arange(length // 8)
        assert n == length % 8 == 0
        return np.stack(np.divmod(cells, self.cube.layout.n_cadences), axis=1).astype(">f4").tobytes()

    read = read_buffer

    def read_pieces(self, start: int, length: int, at_least: int) -> Iterator[bytes]:
        assert at_least > 0
        yield self.read_buffer(start, length)

    def check_unchanged(self) -> None:
        """It never changes."""

    confirm = check_unchanged

    def expect(self, ranges: object, pool: object) -> None:
        """Nothing is far away."""

    def read_into(self, start: int, out: Any) -> None:
        memoryview(out).cast("B")[:] = self.read_buffer(start, len(out))

    def close(self) -> None:
        """Nothing is held."""


def full_cube(name: str, ccd: tuple[int, int, int], times: np.ndarray) -> Cube:
    """A cube of full-size frames with a CCD's real WCS and some mid-times at the barycentre."""
    data = build_cube(tiny_sector(3))
    tiny = read_cube(name, len(data), lambda start, length: data[start : start + length])
    n, half = len(times), 1 / 96
    series = {
        "start": times - half,
        "stop": times + half,
        "barycorr": np.full(n, BARYCORR),
        "quality": np.zeros(n, np.int32),
        "cadence_number": np.arange(n, dtype=np.int32),
        "file": np.array(
            [f"tess-{cadence:04d}-s{ccd[0]:04d}-{ccd[1]}-{ccd[2]}_ffic.fits".encode() for cadence in range(n)]
        ),
    }
    cards = tiny.wcs_cards | {card.keyword: card.value for card in ffi_wcs_header(*ccd).cards}
    layout = CubeLayout(*FRAME_SHAPE, n, 2)
    return dataclasses.replace(tiny, name=name, layout=layout, series=series, wcs_cards=cards)


@pytest.fixture(scope="module")
def example() -> tuple[CubeFile, Table, WCS]:
    """The cube, the path, and the WCS of the frames, with their size."""
    times = FIRST_TIME + np.arange(-40, 120) / 48
    cube = full_cube("tess-s0006-1-1-cube.fits", (6, 1, 1), times)
    header = ffi_wcs_header(6, 1, 1)
    header["NAXIS"], header["NAXIS1"], header["NAXIS2"] = 2, FRAME_SHAPE[1], FRAME_SHAPE[0]
    sky = SkyCoord(EXAMPLE["path"]["ra"], EXAMPLE["path"]["dec"], unit="deg")
    path = Table({"time": Time(EXAMPLE["path"]["time_jd"], format="jd"), "position": sky})
    return CubeFile(PatternSource(cube), cube), path, WCS(header)


def test_the_example_has_the_footprint_that_was_printed(example: tuple[CubeFile, Table, WCS]) -> None:
    _, path, wcs = example
    (found,) = path_to_footprints(path["position"], EXAMPLE["size"], wcs)
    printed = SkyCoord(EXAMPLE["footprint"]["ra"], EXAMPLE["footprint"]["dec"], unit="deg")
    assert found["size"] == tuple(EXAMPLE["footprint"]["size_ny_nx"]) == (37, 125)
    assert found["coordinates"].separation(printed).arcsec < 1  # a twentieth of a pixel


@pytest.fixture(scope="module")
def cutout(example: tuple[CubeFile, Table, WCS], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was asked for next: the cutout of that footprint."""
    file, _, _ = example
    ra, dec = EXAMPLE["footprint"]["ra"], EXAMPLE["footprint"]["dec"]
    window = find_window(file.cube, ra, dec, (37, 125), "tesscut")
    made = file.read_window(window)
    assert tpf_name(file.cube, ra, dec, window.shape) == EXAMPLE["file"]
    path: Path = tmp_path_factory.mktemp("example") / EXAMPLE["file"]
    path.write_bytes(build_tpf(TpfRequest(file.cube, made, ra, dec, __version__)))
    return path


def follow(example: tuple[CubeFile, Table, WCS], cutout: Path, **options: Any) -> tuple[str, fits.HDUList]:
    _, path, wcs = example
    made = center_on_path(
        path, EXAMPLE["size"], [cutout], "my_asteroid", wcs, None, cutout.parent, False, options=FocusOptions(**options)
    )
    data = Path(made).read_bytes()
    assert checksums_hold(data)
    assert not [line for line in fitsverify_complaints(Path(made)) if "Error" in line]
    return Path(made).name, fits.open(io.BytesIO(data))


def test_the_example_has_the_rows_and_columns_that_were_printed(
    example: tuple[CubeFile, Table, WCS], cutout: Path
) -> None:
    name, hdus = follow(example, cutout, rows="points")
    table = hdus[1].data
    assert len(table) == 60
    assert table.columns.formats == ["D", "E", "J", *["225J"], *["225E"] * 4, "J", "E", "E", "32A", *["D"] * 4]
    assert hdus[2].shape == tuple(EXAMPLE["moving_product"]["aperture_shape_nx_ny"])[::-1]
    assert hdus[2].data.dtype == np.dtype(">i4")
    printed = EXAMPLE["moving_product"]["file"].split("_")
    assert name.split("_")[:2] + name.split("_")[3:] == printed[:2] + printed[3:]
    days = [float(text) for text in name.split("_")[2].split("-")]
    assert days == pytest.approx([float(text) for text in printed[2].split("-")], abs=1e-3)


def test_all_of_the_path_is_followed_and_every_pixel_is_its_own(
    example: tuple[CubeFile, Table, WCS], cutout: Path
) -> None:
    file, path, wcs = example
    _, hdus = follow(example, cutout)
    table = hdus[1].data
    assert len(table) == 120  # two and a half days
    assert hdus[1].header["NPARTIAL"] == 0
    columns, rows = wcs.all_world2pix(np.column_stack([table["TGT_RA"], table["TGT_DEC"]]), 0).T
    there = np.zeros(FRAME_SHAPE, bool)
    for entry, row, column in zip(table, rows, columns, strict=True):
        box = (slice(round(row - 7.5), round(row - 7.5) + 15), slice(round(column - 7.5), round(column - 7.5) + 15))
        there[box] = True
        numbers = np.arange(there.size, dtype=np.float32).reshape(FRAME_SHAPE)[box]
        np.testing.assert_array_equal(entry["FLUX"], numbers)
        assert entry["TGT_X"] == pytest.approx(column - box[1].start, abs=1e-3)
        assert entry["TGT_Y"] == pytest.approx(row - box[0].start, abs=1e-3)
    np.testing.assert_array_equal(hdus[2].data != 0, there)
    ephemeris = Ephemeris.from_table(path)
    track = follow_target(file.cube, one_wcs(file.cube), ephemeris, (15, 15), MovingOptions(placement="round_lower"))
    planes = read_track(file, track.boxes, plan_track_reads(file.cube.layout, file.cube.data_offset, track.boxes))
    np.testing.assert_array_equal(planes[0], table["FLUX"])
    np.testing.assert_array_equal(planes[1], table["FLUX_ERR"])


def comet() -> tuple[Ephemeris, np.ndarray, np.ndarray]:
    """The comet with its sky turned so that it moves over the detector of sector 98, and its rows and columns there.

    The detector is the same in all sectors, and so is its distortion; only the pointing differs.
    """
    with COMET.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = {name: np.array([float(row[name]) for row in rows]) for name in ("ra", "dec", "time", "row", "column")}
    wcs = WCS(ffi_wcs_header(98, 2, 3))
    there = unit_vectors(*wcs.all_pix2world(np.column_stack([table["column"], table["row"]]), 1).T)
    here = unit_vectors(table["ra"], table["dec"])
    left, _, right = np.linalg.svd(here.T @ there)
    turned = here @ left @ right
    ra, dec = np.degrees(np.arctan2(turned[:, 1], turned[:, 0])), np.degrees(np.arcsin(turned[:, 2]))
    some = slice(None, None, 50)  # half a day
    time = Time(2457000, table["time"][some], format="jd", scale="tdb")
    ephemeris = Ephemeris(time, ra[some], dec[some], name="3I/ATLAS")
    return ephemeris, table["time"], np.stack([table["row"], table["column"]]) - 1


def test_a_comet_in_a_sector_of_four_digits_is_where_its_table_has_it() -> None:
    ephemeris, times, places = comet()
    cube = dataclasses.replace(
        full_cube("tess-s1751-2-3-cube.fits", (98, 2, 3), times + BARYCORR), name="tess-s1751-2-3-cube.fits"
    )
    track = follow_target(cube, one_wcs(cube), ephemeris, (11, 11))
    at = track.boxes.cadences
    assert len(at) == 751  # up to the last position that was kept
    assert np.abs(track.row - places[0][at]).max() < 0.05
    assert np.abs(track.column - places[1][at]).max() < 0.05
    source = PatternSource(cube)
    source.remote = True  # as one that is read by many threads
    file = CubeFile(source, cube)
    planes = read_track(file, track.boxes, plan_track_reads(cube.layout, cube.data_offset, track.boxes))
    middle = np.rint(places[0][at]) * FRAME_SHAPE[1] + np.rint(places[1][at])
    same = planes[0][:, 5, 5] == middle.astype(np.float32)
    assert same.mean() > 0.95  # the others are where a coordinate is within 0.05 of the border of two pixels
    np.testing.assert_array_equal(planes[1][:, 5, 5], at)
    whole_track = np.ptp(track.boxes.first_row) + 11, np.ptp(track.boxes.first_column) + 11
    assert source.n_bytes < 0.6 * whole_track[0] * whole_track[1] * cube.layout.pixel_bytes
