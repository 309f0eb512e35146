"""Files of fixed and of moving targets: the same columns, described by the same cards."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time

from tessera import CubeFactory, TicaCubeFactory
from tessera.cutouts.batch import make_cutouts
from tessera.cutouts.open_cube import open_cube
from tessera.moving.batch import make_moving_cutouts
from tessera.moving.ephemeris import Ephemeris
from tests.support.frames import tiny_sector
from tests.support.tica import tiny_tica_sector

SHAPE = (40, 30)
SIZE = (7, 5)
FILES = {
    "SPOC": (CubeFactory, tiny_sector(5, SHAPE, dquality={1: 128}), "tess-s0001-4-2-cube.fits"),
    "TICA": (TicaCubeFactory, tiny_tica_sector(5, SHAPE), "tica-s0027-1-4-cube.fits"),
}


@pytest.fixture(scope="module", params=list(FILES.values()), ids=list(FILES))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[fits.HDUList, fits.HDUList]:
    """The file of a position, and that of a moving target that stays there."""
    factory, frames, name = request.param
    folder = tmp_path_factory.mktemp("frames")
    for frame, data in frames:
        (folder / frame).write_bytes(data)
    cube = folder / name
    factory().make_cube([folder / frame for frame, _ in frames], cube, verbose=False)
    with open_cube(cube) as file:
        ra, dec = (float(value) for value in file.cube.wcs.all_pix2world([[14.0, 21.0]], 0)[0])
        middle = (file.cube.series["start"] + file.cube.series["stop"]) / 2
    days = Time(2457000, [middle[0] - 1, middle[-1] + 1], format="jd", scale="tdb")
    (fixed,) = make_cutouts([cube], SkyCoord(ra, dec, unit="deg"), SIZE)
    (moving,) = make_moving_cutouts([cube], Ephemeris(days, np.array([ra, ra]), np.array([dec, dec])), SIZE)
    return fits.open(io.BytesIO(fixed.data or b"")), fits.open(io.BytesIO(moving.data or b""))


def test_the_columns_of_a_moving_target_are_those_of_a_fixed_one_and_its_place(
    pair: tuple[fits.HDUList, fits.HDUList],
) -> None:
    fixed, moving = (hdus["PIXELS"].columns for hdus in pair)
    assert moving.names == [*fixed.names, "TGT_X", "TGT_Y", "TGT_RA", "TGT_DEC"]
    for mine, theirs in zip(fixed, moving, strict=False):
        for attribute in ("name", "format", "unit", "null", "disp", "dim"):
            assert getattr(mine, attribute) == getattr(theirs, attribute), (mine.name, attribute)


def test_a_moving_target_that_stays_has_the_rows_of_a_fixed_one(pair: tuple[fits.HDUList, fits.HDUList]) -> None:
    fixed, moving = (hdus["PIXELS"].data for hdus in pair)
    assert len(fixed) == len(moving) == 5
    for name in fixed.names:
        np.testing.assert_array_equal(fixed[name], moving[name])


def test_only_columns_of_pixels_have_a_wcs_and_only_those_of_fixed_targets(
    pair: tuple[fits.HDUList, fits.HDUList],
) -> None:
    fixed, moving = (hdus["PIXELS"] for hdus in pair)
    pixels = [number for number, column in enumerate(fixed.columns, 1) if column.dim]
    assert [int(keyword[4:]) for keyword in fixed.header if keyword.startswith("WCAX") and "P" not in keyword] == pixels
    assert not [keyword for keyword in moving.header if keyword.startswith("WCAX")]
