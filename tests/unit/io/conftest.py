"""A cube for the tests of locations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tessera import CubeFactory


@pytest.fixture(scope="module")
def cube(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cube of the frames `FRAMES` of the test module, which are in its folder."""
    folder = tmp_path_factory.mktemp("cube")
    for name, data in request.module.FRAMES.items():
        (folder / name).write_bytes(data)
    path = folder / "tess-s0001-4-2-cube.fits"
    CubeFactory().make_cube([folder / name for name in request.module.FRAMES], path, verbose=False)
    return path
