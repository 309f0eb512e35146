"""A star that pulsates, on the frames of a small cube, and its cutout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from tessera import CutoutOptions, TargetPixels, make_cutouts
from tessera.cutouts.open_cube import open_cube
from tests.support.builds import build_cube
from tests.support.frames import centred_wcs, spoc_frame, tiny_times

SHAPE = (40, 30)
ROW, COLUMN = 22, 13
PERIOD = 0.27
N = 60
FLAGS = {5: 32, 6: 4096}
"""Quality bits of two cadences: a desaturation, which readers leave out, and scattered light, which they keep."""


def brightness() -> np.ndarray:
    """Flux of the star in each cadence, e-/s."""
    middles = np.array([np.mean(tiny_times(cadence)) for cadence in range(N)])
    return np.asarray(2000 + 500 * np.sin(2 * np.pi * middles / PERIOD))


def sky_level() -> np.ndarray:
    """Background of each pixel in each cadence, e-/s."""
    return np.asarray(100 + 20 * np.cos(np.arange(N) / 9))


@pytest.fixture(scope="session")
def star_cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows, columns = np.indices(SHAPE)
    profile = np.exp(-((rows - ROW) ** 2 + (columns - COLUMN) ** 2) / (2 * 0.8**2))
    profile /= profile.sum()
    noise = np.random.default_rng(7).normal(0, 1, (N, *SHAPE))
    pixels = brightness()[:, None, None] * profile + sky_level()[:, None, None] + noise
    frames = [
        spoc_frame(
            cadence_index=cadence,
            flux=pixels[cadence].astype(np.float32),
            error=np.sqrt(pixels[cadence] / 1000).astype(np.float32),
            wcs_cards=centred_wcs(SHAPE),
            tstart=tiny_times(cadence)[0],
            tstop=tiny_times(cadence)[1],
            dquality=FLAGS.get(cadence, 0),
        )
        for cadence in range(N)
    ]
    path = tmp_path_factory.mktemp("star") / "tess-s0001-4-2-cube.fits"
    path.write_bytes(build_cube(frames))
    return path


@pytest.fixture(scope="session")
def star(star_cube: Path) -> SkyCoord:
    """Position of the star."""
    with open_cube(star_cube) as file:
        return SkyCoord(*file.cube.wcs.all_pix2world([[COLUMN, ROW]], 0)[0], unit="deg")


@pytest.fixture(scope="session")
def star_tpf(star_cube: Path, star: SkyCoord) -> bytes:
    """Target pixel file of 9 rows and 11 columns around the star."""
    [result] = make_cutouts([star_cube], star, (9, 11), options=CutoutOptions())
    assert result.data is not None
    return bytes(result.data)


@pytest.fixture(scope="session")
def star_pixels(star_tpf: bytes) -> TargetPixels:
    return TargetPixels.read(star_tpf)
