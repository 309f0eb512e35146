"""A small cube with one star, which is brighter for a while."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.builds import build_cube
from tests.support.frames import centred_wcs, spoc_frame, tiny_times

SHAPE, N = (36, 32), 24
ROW, COLUMN = 20, 15
FLARE = range(12, 18)
NAME = "tess-s0001-4-2-cube.fits"


@pytest.fixture(scope="session")
def flaring_content() -> bytes:
    random = np.random.default_rng(9)
    rows, columns = np.indices(SHAPE)
    profile = np.exp(-((rows - ROW) ** 2 + (columns - COLUMN) ** 2) / (2 * 0.8**2)) / 4
    wcs, frames = centred_wcs(SHAPE), []
    for cadence in range(N):
        flux = 50 + (2000 + 400 * (cadence in FLARE)) * profile + random.normal(0, 1, SHAPE)
        start, stop = tiny_times(cadence)
        frames.append(
            spoc_frame(
                cadence_index=cadence,
                flux=flux.astype(np.float32),
                error=np.full(SHAPE, 1 + cadence / 100, np.float32),
                wcs_cards=wcs,
                tstart=start,
                tstop=stop,
                dquality=32 if cadence == 2 else 0,
            )
        )
    return build_cube(frames)


@pytest.fixture
def cube(flaring_content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(flaring_content)
    return path
