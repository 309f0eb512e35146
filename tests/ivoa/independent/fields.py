"""Small images for the independent server: a few fields on the sky, two of them at the same place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

SHAPE = (50, 60)
DEGREES_PER_PIXEL = 0.01
BAND = (5 * 2**-23, 2**-20)
"""Wavelengths in metres that four bytes hold exactly, because the server's table has four."""
FIELDS = {
    "north": (10.0, 41.0, 58849.0),
    "south": (84.0, -80.0, 58900.0),
    "south-later": (84.0, -80.0, 58950.0),
    "zero": (0.0, 5.0, 59000.0),
    "west": (200.0, 20.0, 59100.0),
}
"""Name to right ascension and declination of the middle in degrees, and the first day as a modified Julian date."""


def write_fields(folder: Path) -> None:
    """Write one FITS file per field. A pixel is 1000 times its row plus its column."""
    folder.mkdir(parents=True)
    pixels = (np.arange(SHAPE[0])[:, None] * 1000 + np.arange(SHAPE[1])).astype(np.float32)
    for name, (ra, dec, day) in FIELDS.items():
        header = fits.Header(
            {
                "CTYPE1": "RA---TAN",
                "CTYPE2": "DEC--TAN",
                "CRVAL1": ra,
                "CRVAL2": dec,
                "CRPIX1": SHAPE[1] / 2 + 0.5,
                "CRPIX2": SHAPE[0] / 2 + 0.5,
                "CDELT1": -DEGREES_PER_PIXEL,
                "CDELT2": DEGREES_PER_PIXEL,
                "CUNIT1": "deg",
                "CUNIT2": "deg",
                "RADESYS": "ICRS",
                "EQUINOX": 2000.0,
                "OBJECT": name,
                "EXPTIME": 1200.0,
                "MJD_BEG": day,
                "MJD_END": day + 0.5,
                "WAVE_LO": BAND[0],
                "WAVE_HI": BAND[1],
            }
        )
        fits.PrimaryHDU(pixels, header).writeto(folder / f"{name}.fits")
