"""Cubes are opened from any place, closed, copied, sent, used by threads, and never mixed with another version."""

from __future__ import annotations

import copy
import os
import pickle
import shutil
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import astrocut
import fsspec
import numpy as np
import pytest
import xarray as xr
from astropy.io import fits
from numpy.typing import NDArray

import tessera
from tessera.errors import CubeFormatError, InvalidInputError, UnreadableFileError
from tessera.io.sources import ReplacedError
from tests.support.builds import build_cube
from tests.support.frames import tiny_sector
from tests.support.web import Site, serve

NAME = "tess-s0001-4-2-cube.fits"


@pytest.fixture
def own(path: Path, tmp_path: Path) -> Path:
    """A copy of the cube that a test may damage."""
    return Path(shutil.copy(path, tmp_path / NAME))


def test_coordinates_have_units_and_attributes_name_the_observation(path: Path) -> None:
    with tessera.open_cube(path) as cube:
        assert cube.time.attrs == {
            "long_name": "middle of the exposure at the barycentre",
            "units": "d",
            "time_system": "BTJD",
            "time_scale": "TDB",
            "reference": "JD 2457000",
        }
        assert {name: cube[name].attrs["units"] for name in ("flux", "error", "ra", "dec")} == {
            "flux": "e-/s",
            "error": "e-/s",
            "ra": "deg",
            "dec": "deg",
        }
        named = {name: cube.attrs[name] for name in ("sector", "camera", "ccd", "product", "telescope", "cube")}
        assert named == {"sector": 1, "camera": 4, "ccd": 2, "product": "SPOC", "telescope": "TESS", "cube": NAME}
        assert cube.quality.values.tolist() == [0, 0, 4096, 0, 0, 1]


def test_a_cube_of_64_bit_floats_keeps_them(tmp_path: Path) -> None:
    frames = tiny_sector(3)
    for name, data in frames:
        (tmp_path / name).write_bytes(data)
    paths = [str(tmp_path / name) for name, _ in frames]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = astrocut.CubeFactory().make_cube(paths[:2], str(tmp_path / NAME), sector=1, verbose=False)
        astrocut.CubeFactory().update_cube(paths[2:], made, sector=1, verbose=False)
    data = fits.getdata(made, 1)
    with tessera.open_cube(made) as cube:
        assert cube.flux.dtype == np.float64
        np.testing.assert_array_equal(cube.flux.transpose("row", "column", "time"), data[..., 0])
        assert cube.isel(row=slice(3), column=slice(3)).tessera.to_target_pixels().flux.dtype == np.float32


def test_a_cube_is_read_through_a_file_system_of_fsspec(path: Path, pixels: NDArray[np.float32]) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file(f"/arrays/{NAME}", path.read_bytes())
    for location, filesystem in ((f"/arrays/{NAME}", memory), (f"memory://arrays/{NAME}", None)):
        with tessera.open_cube(location, filesystem=filesystem) as cube:
            np.testing.assert_array_equal(cube.flux[3, 5], pixels[5, :, 3, 0])
            again = pickle.loads(pickle.dumps(cube))
            np.testing.assert_array_equal(again.flux[3, 5], pixels[5, :, 3, 0])


def test_a_cube_that_is_replaced_on_its_server_is_not_mixed_with_the_new_one(path: Path) -> None:
    with serve(Site({f"/{NAME}": path.read_bytes()})) as site, tessera.open_cube(f"{site.base}/{NAME}") as cube:
        assert float(cube.flux[0, 39, 29]) == 1200
        changed = bytearray(path.read_bytes())
        changed[-3000] ^= 1
        site.files[f"/{NAME}"] = bytes(changed)
        with pytest.raises(ReplacedError, match="was replaced while it was read"):
            _ = cube.flux[0, 38].values


HARM: list[Callable[[Any], Any]] = [lambda file: file.truncate(20_000), lambda file: file.write(b"SIMPLE")]


@pytest.mark.parametrize("harm", HARM, ids=["shorter", "written"])
def test_a_local_cube_that_is_changed_is_not_read_any_more(own: Path, harm: Callable[[Any], None]) -> None:
    with tessera.open_cube(own) as cube:
        assert float(cube.flux[0, 0, 0]) == 1
        with own.open("r+b") as file:
            harm(file)
        os.utime(own, (1, 1))
        with pytest.raises(ReplacedError, match="was changed while it was read"):
            _ = cube.flux[0, 39].values


def test_a_cube_that_was_sent_elsewhere_is_the_same_version_or_none(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own.parent)
    with tessera.open_cube(NAME) as cube:
        sent = pickle.dumps(cube)
        monkeypatch.chdir("/")
        assert float(pickle.loads(sent).flux[5, 39, 29]) == 7200
        own.rename(own.with_suffix(".old"))
        own.write_bytes(build_cube(tiny_sector(7)))
        with pytest.raises(ReplacedError, match=f"{NAME} was replaced"):
            _ = pickle.loads(sent).flux[0, 0].values
        assert float(cube.flux[5, 39, 29]) == 7200, "the open file is still the old one"


def test_copies_share_the_file_and_read_the_same(path: Path) -> None:
    with tessera.open_cube(path) as cube:
        for other in (cube.copy(), cube.copy(deep=True), copy.deepcopy(cube)):
            xr.testing.assert_identical(other, cube)


def test_threads_read_at_the_same_time(path: Path, pixels: NDArray[np.float32]) -> None:
    with tessera.open_cube(path) as cube, ThreadPoolExecutor(8) as pool:

        def read(number: int) -> bool:
            row, plane = number % 40, number // 40
            window = cube.isel(row=slice(row, row + 3), column=slice(3, 9)).copy()
            found = window[("flux", "error")[plane]].values.transpose(1, 2, 0)
            np.testing.assert_array_equal(found, pixels[row : row + 3, 3:9, :, plane])
            return bool(np.isfinite(window.ra).all())

        assert all(pool.map(read, range(80)))


def test_dask_reads_in_blocks(path: Path, pixels: NDArray[np.float32]) -> None:
    pytest.importorskip("dask")
    with tessera.open_cube(path) as cube:
        blocks = cube.chunk({"row": 16, "column": 7})
        np.testing.assert_array_equal(blocks.flux.mean("time"), pixels[..., 0].mean(axis=2, dtype=np.float32))


def test_what_is_kept_for_the_other_plane_is_bounded_and_given_back(full: Path) -> None:
    with tessera.open_cube(full) as cube:
        reader = cube.flux.variable._data.array.array.array.pixels
        for row in range(0, 66, 11):
            _ = cube.flux.isel(row=slice(row, row + 11), column=slice(11)).values
        kept = [sum(read.data.length for read, _ in pieces) for pieces in reader._kept.values()]
        assert len(kept) == 5
        assert sum(kept) <= 64e6
        cube.isel(row=slice(55, 66), column=slice(11)).load()
        assert len(reader._kept) < 6


def test_a_closed_cube_says_so_and_keeps_what_was_read(own: Path) -> None:
    cube = tessera.open_cube(own)
    row, other = cube.isel(row=3), cube.isel(row=4)
    row.load()
    cube.close()
    cube.close()
    assert float(row.flux[0, 0]) == 91
    with pytest.raises(UnreadableFileError, match=f"{NAME} cannot be read: it was closed; open it again"):
        other.load()
    own.unlink()


def test_an_image_and_other_files_are_no_cubes(tmp_path: Path) -> None:
    name, frame = tiny_sector(1)[0]
    (tmp_path / name).write_bytes(frame)
    (tmp_path / "text.fits").write_text("SIMPLE", encoding="utf-8")
    for bad, sentence in ((name, "not a cube"), ("text.fits", "ends inside the header")):
        with pytest.raises(CubeFormatError, match=sentence) as caught:
            tessera.open_cube(tmp_path / bad)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"location": ""}, InvalidInputError, "location is ''; allowed: a path or URL"),
        ({"location": 5}, InvalidInputError, "location is 5; allowed: a path or URL"),
        ({"location": None}, InvalidInputError, "location is None; allowed: a path or URL"),
        ({"location": "missing.fits"}, FileNotFoundError, "missing.fits cannot be read: there is no such file"),
        ({"location": "/"}, UnreadableFileError, "it is a folder, not a file"),
        ({"location": "s3://bucket"}, UnreadableFileError, "names no object"),
        ({"location": NAME, "filesystem": "s3"}, InvalidInputError, "filesystem is 's3'; allowed: a file system of"),
        ({"location": NAME, "check": "no"}, InvalidInputError, "check is 'no'; allowed: True or False"),
        ({"location": NAME, "max_read": 0}, InvalidInputError, "max_read is 0; allowed: a number above 0"),
        ({"location": NAME, "max_read": "1 GB"}, InvalidInputError, "max_read is '1 GB'; allowed: a number above 0"),
        ({"location": NAME, "max_read": np.nan}, InvalidInputError, "max_read is nan; allowed: a number above 0"),
    ],
)
def test_bad_input_is_one_sentence(arguments: dict[str, Any], error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence) as caught:
        tessera.open_cube(**arguments)
    assert "\n" not in str(caught.value)


def test_a_damaged_cube_is_opened_only_without_checks(own: Path) -> None:
    with fits.open(own) as hdus:
        place = hdus[2]._data_offset
    data = bytearray(own.read_bytes())
    data[place + 200] ^= 1
    own.write_bytes(data)
    with pytest.raises(CubeFormatError, match="the info table is damaged"):
        tessera.open_cube(own)
    with tessera.open_cube(own, check=False) as cube:
        assert float(cube.flux[0, 0, 0]) == 1
