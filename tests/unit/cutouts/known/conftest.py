"""Two cubes, one of them on a web server, for tests of what is known of cubes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from astropy.coordinates import SkyCoord

from tessera.cutouts import open_cube
from tessera.cutouts.known.cubes import forget_cubes
from tessera.io import buckets, remote
from tests.support.cubes import target_of
from tests.support.known_cubes import END_BYTES, PATH, make_cube
from tests.support.web import Site, serve


@pytest.fixture(scope="module")
def cubes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two cubes of one name, of 3 and of 4 cadences."""
    place = tmp_path_factory.mktemp("cubes")
    return make_cube(place / "old", 3), make_cube(place / "new", 4)


@pytest.fixture
def web(cubes: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    forget_cubes()
    monkeypatch.setattr(remote, "RETRIES", {"max_retries": 0})
    monkeypatch.setattr(open_cube, "END_BYTES", END_BYTES)
    with serve(Site({PATH: cubes[0].read_bytes()})) as site:
        yield site
    forget_cubes()


@pytest.fixture
def aws(web: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Place of a cube in S3, which is read with credentials of the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(buckets, "_VENDOR", tmp_path / "vendor")
    monkeypatch.setenv("AWS_ENDPOINT_URL", web.base)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FRIEND")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    return f"s3://some-bucket{PATH}"


@pytest.fixture(scope="module")
def target(cubes: tuple[Path, Path]) -> SkyCoord:
    return target_of(cubes[0])
