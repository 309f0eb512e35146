"""Cubes of 64-bit floats, which astrocut's `update_cube` writes, are used like all others."""

from __future__ import annotations

import io
import shutil
import warnings
from pathlib import Path
from typing import Any

import astrocut
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time

from tessera import CubeFactory, DataWarning
from tessera.builds.report import describe_cube, verify_cube
from tessera.cubes.read_plan import plan_reads
from tessera.cubes.reader import Cube
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.open_cube import open_cube
from tessera.io.sources import open_source
from tessera.lightcurves.preview import assemble_series
from tessera.moving.batch import make_moving_cutouts
from tessera.moving.ephemeris import Ephemeris
from tessera.windows import Window
from tests.support.builds import build_cube, peer_cube
from tests.support.frames import NamedFrame, tiny_sector

SHAPE = (40, 30)
FRAMES = tiny_sector(6, SHAPE)


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cube of 64-bit floats by astrocut."""
    folder = tmp_path_factory.mktemp("double")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = peer_cube(FRAMES[:4], folder)
        for name, data in FRAMES[4:]:
            (folder / name).write_bytes(data)
        new = [str(folder / name) for name, _ in FRAMES[4:]]
        astrocut.CubeFactory().update_cube(new, str(peer), sector=1, verbose=False)
    assert fits.getheader(peer, 1)["BITPIX"] == -64
    return peer.rename(folder / "tess-s0001-4-2-cube.fits")


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cube of 32-bit floats with the same frames."""
    path = tmp_path_factory.mktemp("single") / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(FRAMES))
    return path


def test_a_window_has_the_same_pixels(double: Path, single: Path) -> None:
    for window in (Window(3, 5, 11, 7), Window(-2, -3, 50, 40), Window(0, 0, 40, 30)):
        with open_cube(double) as one, open_cube(single) as other:
            found, expected = one.read_window(window), other.read_window(window)
        assert found.planes.dtype == expected.planes.dtype == ">f4"
        np.testing.assert_array_equal(found.planes, expected.planes)


def test_a_preview_has_the_same_pixels(double: Path, single: Path) -> None:
    window, series = Window(3, 5, 11, 7), []
    for path in (double, single):
        with open_cube(path) as file:
            layout = file.cube.layout
            reads = plan_reads(layout, file.cube.data_offset, window.overlap(*SHAPE))
            series.append(assemble_series(layout, window, file.read_rows(reads)))
    np.testing.assert_array_equal(series[0].flux, series[1].flux)
    np.testing.assert_array_equal(series[0].error, series[1].error)


def test_a_target_pixel_file_has_the_same_columns(double: Path, single: Path) -> None:
    target = pixel_to_sky(single, 15, 20)
    found, expected = (cutout_of(path, target) for path in (double, single))
    for name in ("TIME", "FLUX", "FLUX_ERR", "QUALITY", "FFI_FILE"):
        np.testing.assert_array_equal(found[name], expected[name])


def pixel_to_sky(path: Path, column: float, row: float) -> SkyCoord:
    with open_cube(path) as file:
        return file.cube.wcs.pixel_to_world(column, row)


def cutout_of(path: Path, target: SkyCoord) -> Any:
    data = make_cutouts([path], target, 5)[0].data
    assert data is not None
    return fits.getdata(io.BytesIO(bytes(data)), 1)


def test_a_sidecar_knows_the_type(double: Path) -> None:
    with open_cube(double) as file:
        again = Cube.from_sidecar(file.cube.to_sidecar())
        assert again.layout == file.cube.layout
        assert again.layout.word == 8


def test_it_is_described_and_verified(double: Path, tmp_path: Path) -> None:
    paths = lay(tmp_path, FRAMES)
    assert "axes        40 rows, 30 columns, 6 cadences, 2 planes, 64-bit floats" in describe_cube(open_source(double))
    assert [problem for problem in verify_cube(double, paths) if "checksums" not in problem] == []
    paths[2].write_bytes(FRAMES[2][1][:-5000] + b"\1" * 4000 + FRAMES[2][1][-1000:])
    assert any("pixels differ" in problem for problem in verify_cube(double, paths))


def lay(folder: Path, frames: list[NamedFrame]) -> list[Path]:
    for name, data in frames:
        (folder / name).write_bytes(data)
    return [folder / name for name, _ in frames]


def test_an_update_makes_a_cube_of_32_bit_floats_and_says_so(double: Path, tmp_path: Path) -> None:
    cube = Path(shutil.copy(double, tmp_path))
    more = tiny_sector(8, SHAPE)
    with pytest.warns(DataWarning, match=r"cube.fits has 64-bit floats; the new cube has 32-bit floats"):
        CubeFactory().update_cube(lay(tmp_path, more[6:]), cube)
    expected = tmp_path / "expected.fits"
    expected.write_bytes(build_cube(more))
    assert fits.getheader(cube, 1)["BITPIX"] == -32
    np.testing.assert_array_equal(fits.getdata(cube, 1), fits.getdata(expected, 1))
    assert verify_cube(cube, lay(tmp_path, more)) == []


def test_a_moving_target_has_the_same_pixels(double: Path, single: Path) -> None:
    positions = [pixel_to_sky(single, column, row) for column, row in ((8, 8), (20, 30))]
    days = Time(2457000 + np.array([1325.0, 1326.0]), format="jd", scale="tdb")
    sky = SkyCoord(positions)
    path = Ephemeris(days, sky.ra.deg, sky.dec.deg)
    found, expected = (make_moving_cutouts([cube], path, 5)[0] for cube in (double, single))
    assert (found.status, expected.status) == ("ok", "ok")
    pixels = [fits.getdata(io.BytesIO(item.data or b""), 1)["FLUX"] for item in (found, expected)]
    assert len(pixels[0]) == len(FRAMES)
    np.testing.assert_array_equal(*pixels)
