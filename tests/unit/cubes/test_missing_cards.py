"""What target pixel files say where frames do not have DQUALITY or BARYCORR."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.time import Time

from tessera import CubeFactory
from tessera.cubes.reader import Cube
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.open_cube import open_cube
from tessera.errors import InconsistentFramesError
from tessera.moving.batch import make_moving_cutouts
from tessera.moving.ephemeris import Ephemeris
from tests.support.builds import build_cube
from tests.support.frames import tiny_sector
from tests.support.unusual import edited

SHAPE = (20, 16)
N = 4


def cube_without(folder: Path, keyword: str, cadences: range) -> Path:
    frames = tiny_sector(N, SHAPE, dquality={0: 4096, 3: -(2**31)})
    edits = [(name, edited(data, {keyword: None} if n in cadences else {})) for n, (name, data) in enumerate(frames)]
    path = folder / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(edits))
    return path


def table_of(path: Path) -> Any:
    with open_cube(path) as file:
        target = file.cube.wcs.pixel_to_world(8, 10)
        assert Cube.from_sidecar(file.cube.to_sidecar()).series["quality"].tolist() == quality_of(file.cube)
    data = make_cutouts([path], target, 3)[0].data
    assert data is not None
    return fits.getdata(io.BytesIO(bytes(data)), 1)


def quality_of(cube: Cube) -> list[int]:
    return [int(flags) for flags in cube.series["quality"]]


@pytest.mark.parametrize(
    ("cadences", "expected"),
    [(range(0), [4096, 0, 0, -(2**31)]), (range(1, 3), [4096, 0, 0, -(2**31)]), (range(4), [0, 0, 0, 0])],
)
def test_flags_that_are_missing_are_zero_and_all_others_stay(
    tmp_path: Path, cadences: range, expected: list[int]
) -> None:
    assert table_of(cube_without(tmp_path, "DQUALITY", cadences))["QUALITY"].tolist() == expected


def test_times_that_the_primary_header_lacks_are_those_of_the_frames(tmp_path: Path) -> None:
    frames = [(name, edited(data, {"TSTART": None, "TSTOP": None}, 0)) for name, data in tiny_sector(N, SHAPE)]
    path = tmp_path / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(frames))
    with open_cube(path) as file:
        target, series = file.cube.wcs.pixel_to_world(8, 10), file.cube.series
    (made,) = make_cutouts([path], target, 3)
    header = fits.getheader(io.BytesIO(bytes(made.data or b"")))
    assert (header["TSTART"], header["TSTOP"]) == (series["start"][0], series["stop"][-1])


@pytest.mark.parametrize("keyword", ["CRVAL1", "CRPIX2"])
def test_a_cube_whose_frame_does_not_say_where_it_is_is_not_made(tmp_path: Path, keyword: str) -> None:
    for name, data in tiny_sector(N, SHAPE):
        (tmp_path / name).write_bytes(edited(data, {keyword: None}))
    with pytest.raises(InconsistentFramesError, match=f"{keyword} is missing; the WCS of this frame is that of the"):
        CubeFactory().make_cube(sorted(tmp_path.glob("*ffic.fits")), tmp_path / "cube.fits")


@pytest.mark.parametrize("cadences", [range(2), range(4)])
def test_a_correction_that_is_missing_is_not_a_number(tmp_path: Path, cadences: range) -> None:
    table = table_of(cube_without(tmp_path, "BARYCORR", cadences))
    assert np.isnan(table["TIMECORR"]).tolist() == [n in cadences for n in range(N)]
    assert np.isfinite(table["TIME"]).all()


def test_a_moving_target_is_followed_where_the_correction_is_missing(tmp_path: Path) -> None:
    path = cube_without(tmp_path, "BARYCORR", range(1, 2))
    with open_cube(path) as file:
        sky = file.cube.wcs.pixel_to_world([6, 9], [8, 12])
    days = Time(2457000 + np.array([1325.0, 1326.0]), format="jd", scale="tdb")
    result = make_moving_cutouts([path], Ephemeris(days, sky.ra.deg, sky.dec.deg), 3)[0]
    assert result.status == "ok"
    right_ascension = fits.getdata(io.BytesIO(result.data or b""), 1)["TGT_RA"]
    np.testing.assert_allclose(np.diff(right_ascension), np.diff(right_ascension)[0], rtol=1e-3)
    assert len(right_ascension) == N
