"""A cube on a web server for tests of what is known of cubes: where it is, its cutouts, and what was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from astropy.coordinates import SkyCoord

from tessera import CubeFactory, CutoutOptions, make_cutouts
from tessera.cutouts.results import CutoutResult
from tests.support.frames import tiny_sector
from tests.support.web import Site, wait_for_ends

NAME = "tess-s0001-4-2-cube.fits"
PATH = f"/folder/{NAME}"
ROWS = 5
END_BYTES = 60_000
"""Bytes that are asked for at the end of a cube: the info table, and less than the array."""


def make_cube(place: Path, n_frames: int) -> Path:
    place.mkdir()
    for name, data in tiny_sector(n_frames, (80, 100)):
        (place / name).write_bytes(data)
    CubeFactory().make_cube(sorted(place.iterdir()), place / NAME, verbose=False)
    return place / NAME


def cut(location: object, target: SkyCoord, **options: Any) -> CutoutResult:
    (result,) = make_cutouts(str(location), target, ROWS, options=CutoutOptions(provenance=False, **options))
    return result


def header(heads: dict[str, str], wanted: str) -> str:
    return next((value for name, value in heads.items() if name.lower() == wanted), "")


def asked(site: Site) -> list[str]:
    """Ranges that were asked for since the last call of this function."""
    wait_for_ends()
    ranges = [header(heads, "range").removeprefix("bytes=") for _, _, heads in site.requests]
    site.requests.clear()
    return ranges
