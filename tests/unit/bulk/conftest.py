from pathlib import Path

import pytest

from tessera.cubes.reader import Cube
from tessera.cutouts.open_cube import open_cube
from tests.support.bands import N_CADENCES
from tests.support.builds import build_cube
from tests.support.frames import tiny_sector


@pytest.fixture(scope="session")
def cube_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bulk") / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(tiny_sector(N_CADENCES)))
    return path


@pytest.fixture(scope="session")
def cube(cube_path: Path) -> Cube:
    with open_cube(cube_path) as file:
        return file.cube
