"""The demonstration's pixels around its three stars, made once."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pytest
from astropy.io import fits
from numpy.typing import NDArray

from tessera_local.demo import demonstration

RADIUS = 5


@dataclass(frozen=True, slots=True)
class Series:
    """Arrays (cadence, ...); pixels (cadence, star, row, column)."""

    time: NDArray[np.float64]
    quality: NDArray[np.int32]
    flux: NDArray[np.float32]
    error: NDArray[np.float32]


def stamp(image: NDArray[np.float32], row: int, column: int) -> NDArray[np.float32]:
    return image[row - RADIUS : row + RADIUS + 1, column - RADIUS : column + RADIUS + 1].copy()


@pytest.fixture(scope="session")
def series() -> Series:
    times, quality, planes = [], [], []
    for _, content in demonstration.frames():
        with fits.open(io.BytesIO(content)) as hdus:
            header = hdus[1].header
            times.append((header["TSTART"] + header["TSTOP"]) / 2)
            quality.append(header["DQUALITY"])
            planes.append(
                [
                    [stamp(hdus[plane].data, star.row, star.column) for star in demonstration.EXAMPLES]
                    for plane in (1, 2)
                ]
            )
    pixels = np.array(planes)
    return Series(np.array(times), np.array(quality, dtype=np.int32), pixels[:, 0], pixels[:, 1])
