"""Cubes for the tests of datasets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from numpy.typing import NDArray

from tests.support.builds import build_cube
from tests.support.frames import tiny_sector
from tests.support.sparse import sparse_cube

SHAPE = (40, 30)
N = 6


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cube of six SPOC frames of 40 rows and 30 columns. 8 does not divide 30."""
    path = tmp_path_factory.mktemp("arrays") / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(tiny_sector(N, SHAPE, dquality={2: 4096, 5: 1})))
    return path


@pytest.fixture(scope="session")
def pixels(path: Path) -> NDArray[np.float32]:
    """Pixels of that cube as astropy reads them, with axes (row, column, cadence, plane)."""
    with fits.open(path) as hdus:
        return np.array(hdus[1].data, np.float32)


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cube of the largest size, 418 GB, whose pixels are not on the disk."""
    return sparse_cube(tmp_path_factory.mktemp("full"))
