"""Cubes of a star in three sectors."""

from __future__ import annotations

from pathlib import Path

import pytest

import tessera
from tessera import SearchResult, StitchedCurve
from tests.support.builds import build_cube
from tests.support.sectors import SEEN, frames_of, star_place


@pytest.fixture(scope="session")
def sector_cubes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the cubes."""
    folder = tmp_path_factory.mktemp("sectors")
    for seen in SEEN:
        (folder / f"{seen.cube}-cube.fits").write_bytes(build_cube(list(frames_of(seen)), seen.request))
    return folder


@pytest.fixture(scope="session")
def found(sector_cubes: Path) -> SearchResult:
    return tessera.search(star_place(), cubes=sector_cubes)


@pytest.fixture(scope="session")
def stitched(found: SearchResult) -> StitchedCurve:
    return found.stitch((9, 11))
