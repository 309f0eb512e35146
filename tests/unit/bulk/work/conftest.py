"""A field of stars on the frames of a small cube, and targets all over it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.builds import build_cube
from tests.support.frames import centred_wcs, spoc_frame, tiny_times

SHAPE, N_CADENCES = (64, 48), 30
STARS = ((20.3, 17.8), (21.7, 30.1), (40.0, 25.4), (50.2, 8.6), (3.1, 44.0))
"""Rows and columns of stars."""
QUALITY = {4: 32, 9: 4096, 10: 4096}


def field_flux() -> np.ndarray:
    """Pixels of all frames: stars that vary, a background that changes, and noise."""
    rows, columns = np.indices(SHAPE)
    rng = np.random.default_rng(11)
    pixels = rng.normal(100, 1, (N_CADENCES, *SHAPE))
    pixels += 10 * np.cos(np.arange(N_CADENCES) / 5)[:, None, None]
    for number, (row, column) in enumerate(STARS):
        profile = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 0.9**2))
        pixels += (800 + 50 * np.sin(np.arange(N_CADENCES) / (number + 2)))[:, None, None] * profile
    return pixels.astype(np.float32)


@pytest.fixture(scope="session")
def field_cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    flux, wcs = field_flux(), centred_wcs(SHAPE)
    frames = [
        spoc_frame(
            cadence_index=cadence,
            flux=flux[cadence],
            error=np.sqrt(flux[cadence]),
            wcs_cards=wcs,
            tstart=tiny_times(cadence)[0],
            tstop=tiny_times(cadence)[1],
            dquality=QUALITY.get(cadence, 0),
        )
        for cadence in range(N_CADENCES)
    ]
    path = tmp_path_factory.mktemp("field") / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(frames))
    return path


@pytest.fixture(scope="session")
def everywhere() -> np.ndarray:
    """Rows and columns of 40 targets: at random, at the edges and corners, and beyond them."""
    rng = np.random.default_rng(5)
    edges = [(0.2, 0.1), (63.4, 47.3), (-1.8, 20.1), (30.2, 49.2), (63.1, 0.3), (0.0, 47.0), (65.9, 3.2)]
    return np.concatenate([rng.uniform((1, 1), (62, 46), (33, 2)), edges])
