"""Small cubes of three CCDs."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.coordinates import SkyCoord

from tests.support.cubes import target_of
from tests.support.sources import small_cube, small_tica_cube


@pytest.fixture(scope="session")
def cubes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Cubes of sectors 1 and 2, and one of TICA frames of sector 27, by obs_id."""
    folder = tmp_path_factory.mktemp("cubes")
    content = {
        "tess-s0001-4-2": small_cube(),
        "tess-s0002-4-2": small_cube(sector=2),
        "tica-s0027-1-4": small_tica_cube(),
    }
    for name, data in content.items():
        (folder / f"{name}-cube.fits").write_bytes(data)
    return {name: folder / f"{name}-cube.fits" for name in content}


@pytest.fixture(scope="session")
def stars(cubes: dict[str, Path]) -> dict[str, SkyCoord]:
    """Position of row 20, column 15 of each cube."""
    return {name: target_of(path) for name, path in cubes.items()}
