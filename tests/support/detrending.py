"""Pixels of a star that jitters in scattered light, with transits; and the same pixels as a file for lightkurve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.io import fits

from tessera.lightcurves.photometry import Floats, Mask, PixelSeries

N, SIDE = 460, 9
DEPTH = 0.01
TIMES = 1325.0 + np.arange(N) / 48
IN_TRANSIT = (np.arange(N) / 48) % 2.3 < 0.11
"""Transits of two and a half hours."""
FLAGS = {7: 32, 100: 4096, 101: 4096}
QUALITY = np.array([FLAGS.get(cadence, 0) for cadence in range(N)], np.int32)
GOOD = QUALITY == 0


@dataclass(frozen=True)
class Field:
    """Pixels, the aperture, and what is in them.

    Parameters
    ----------
    series : PixelSeries
        Pixels with background.
    aperture : ndarray of bool
        Pixels around the star.
    """

    series: PixelSeries
    aperture: Mask


def jittering_star(depth: float = DEPTH, seed: int = 3, noise: float = 1.0) -> Field:
    """A star of 8,000 e-/s beside a fainter one. Both move by some hundredths of a pixel, and light is scattered."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((SIDE, SIDE))[..., np.newaxis]
    day = np.arange(N) / 48
    drift = 0.03 * np.sin(2 * np.pi * day / 3.1) + 0.02 * rng.normal(size=N)
    shift = 0.02 * np.cos(2 * np.pi * day / 4.7) + 0.02 * rng.normal(size=N)

    def star(row: float, column: float) -> Floats:
        profile = np.exp(-((rows - row - drift) ** 2 + (columns - column - shift) ** 2) / (2 * 0.9**2))
        return np.asarray(profile / (2 * np.pi * 0.9**2))

    sky = 100 + 25 * np.sin(day / 2) + 3 * rows * np.cos(1.3 * day) + 2 * columns * np.exp(-day / 3)
    flux = sky + 8000 * (1 - depth * IN_TRANSIT) * star(4.1, 3.8) + 900 * star(2.2, 6.9)
    flux = flux + rng.normal(scale=noise, size=flux.shape)
    flux[..., 100:102] += 5000
    aperture = np.zeros((SIDE, SIDE), bool)
    aperture[3:6, 2:6] = True
    error = np.sqrt(np.full(flux.shape, noise**2))
    return Field(PixelSeries(flux.astype(np.float32), error.astype(np.float32), np.ones((SIDE, SIDE), bool)), aperture)


def lightkurve_file(pixels: Floats, errors: Floats, cadences: Any) -> fits.HDUList:
    """Target pixel file of some cadences, with the axes of `PixelSeries`, as lightkurve opens it."""
    count, shape = len(TIMES[cadences]), pixels.shape[:2]
    form = f"{shape[0] * shape[1]}D"
    columns = [fits.Column("TIME", "D", "BJD - 2457000, days", array=TIMES[cadences])]
    columns.append(fits.Column("CADENCENO", "J", array=np.arange(N)[cadences]))
    for name, values in (("FLUX", pixels), ("FLUX_ERR", errors)):
        cube = np.moveaxis(values[..., cadences], -1, 0).reshape(count, -1)
        columns.append(fits.Column(name, form, "e-/s", dim=str(shape[::-1]), array=cube))
    columns.append(fits.Column("QUALITY", "J", array=np.zeros(count, np.int32)))
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="TESS", CREATOR="astrocut", OBJECT="star", SECTOR=1, CAMERA=4, CCD=2)
    aperture = fits.ImageHDU(np.ones(shape, np.int32), name="APERTURE")
    return fits.HDUList([primary, fits.BinTableHDU.from_columns(columns, name="PIXELS"), aperture])
