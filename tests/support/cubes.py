"""Positions on cubes."""

from __future__ import annotations

from pathlib import Path

from astropy.coordinates import SkyCoord

from tessera.cutouts.open_cube import open_cube


def target_of(cube: Path) -> SkyCoord:
    """Sky position of row 20, column 15 of a cube, counted from 0."""
    with open_cube(cube) as file:
        return SkyCoord(*file.cube.wcs.all_pix2world([[15, 20]], 0)[0], unit="deg")
