"""A small cube, and products of it that are made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.coordinates import SkyCoord

from tessera import make_cutouts
from tessera.cutouts.open_cube import open_cube
from tests.support.builds import build_cube
from tests.support.frames import tiny_sector


@pytest.fixture(scope="session")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made_of") / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(tiny_sector(6, (40, 30), dquality={2: 4096, 5: 1})))
    return path


@pytest.fixture(scope="session")
def sky(cube: Path) -> SkyCoord:
    with open_cube(cube) as file:
        return SkyCoord(*file.cube.wcs.all_pix2world([[13.2, 18.4]], 0)[0], unit="deg")


@pytest.fixture
def made(cube: Path, sky: SkyCoord, tmp_path: Path) -> Path:
    """A target pixel file of five by five pixels."""
    (made,) = make_cutouts(cube, sky, 5, output_dir=tmp_path)
    assert made.path is not None
    return made.path
