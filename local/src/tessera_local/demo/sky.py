"""A simulated star field on one CCD: positions on the sky, magnitudes, and pixels.

Arrays have axes (row, column). Pixels count from 0. Rates are in electrons per second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

FRAME_SHAPE = (2078, 2136)
SCIENCE_ROWS = slice(0, 2048)
SCIENCE_COLUMNS = slice(44, 2092)
ZERO_POINT = 20.44
"""Magnitude of a star that gives one electron per second (TESS Instrument Handbook)."""
PSF_SIGMA = 1.0
_STAMP_RADIUS = 7
_BRIGHTEST, _FAINTEST, _SLOPE = 6.8, 15.5, 0.30

Image = NDArray[np.float32]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stars:
    """A catalogue: ICRS positions in degrees, and TESS magnitudes."""

    ra: Vector
    dec: Vector
    magnitude: Vector


def rate_of(magnitude: Vector) -> Vector:
    """Rates of stars of these magnitudes, in electrons per second."""
    rates: Vector = 10.0 ** (-0.4 * (magnitude - ZERO_POINT))
    return rates


def field_stars(wcs_cards: fits.Header, n_stars: int, generator: np.random.Generator) -> Stars:
    """Draw stars evenly over the science pixels. Each magnitude step has twice as many, as in the real sky."""
    rows = generator.uniform(SCIENCE_ROWS.start, SCIENCE_ROWS.stop, n_stars)
    columns = generator.uniform(SCIENCE_COLUMNS.start, SCIENCE_COLUMNS.stop, n_stars)
    ra, dec = WCS(wcs_cards).all_pix2world(columns, rows, 0)
    least, most = 10 ** (_SLOPE * _BRIGHTEST), 10 ** (_SLOPE * _FAINTEST)
    magnitude = np.log10(generator.uniform(least, most, n_stars)) / _SLOPE
    return Stars(np.round(ra, 6), np.round(dec, 6), magnitude)


def to_pixels(wcs_cards: fits.Header, ra: Vector, dec: Vector) -> tuple[Vector, Vector]:
    """Rows and columns of positions on the sky."""
    columns, rows = WCS(wcs_cards).all_world2pix(ra, dec, 0)
    return rows, columns


def _share_per_pixel(centre: float, first: int, n_pixels: int) -> Vector:
    """Fraction of a Gaussian star's light in each pixel along one axis, integrated over the pixels."""
    edges = [(first + step - 0.5 - centre) / (PSF_SIGMA * math.sqrt(2)) for step in range(n_pixels + 1)]
    return 0.5 * np.diff([math.erf(edge) for edge in edges])


def add_star(image: Image, row: float, column: float, rate: float) -> None:
    """Add a star's light to the image. Light outside the science pixels is lost."""
    slices, shares = [], []
    for centre, limits in ((row, SCIENCE_ROWS), (column, SCIENCE_COLUMNS)):
        first = max(limits.start, round(centre) - _STAMP_RADIUS)
        stop = min(limits.stop, round(centre) + _STAMP_RADIUS + 1)
        slices.append(slice(first, stop))
        shares.append(_share_per_pixel(centre, first, max(0, stop - first)))
    image[tuple(slices)] += (rate * np.outer(*shares)).astype(np.float32)


def render(wcs_cards: fits.Header, stars: Stars) -> Image:
    """Draw an image of the light of all stars, without background or noise."""
    image = np.zeros(FRAME_SHAPE, dtype=np.float32)
    rows, columns = to_pixels(wcs_cards, stars.ra, stars.dec)
    for row, column, rate in zip(rows, columns, rate_of(stars.magnitude), strict=True):
        add_star(image, float(row), float(column), float(rate))
    return image


def without_neighbours(
    stars: Stars, wcs_cards: fits.Header, places: tuple[tuple[float, float], ...], pixels: float
) -> Stars:
    """Remove the stars that are closer than `pixels` pixels to one of the places (RA, Dec in degrees)."""
    rows, columns = to_pixels(wcs_cards, stars.ra, stars.dec)
    keep = np.ones(len(rows), dtype=bool)
    for ra, dec in places:
        row, column = to_pixels(wcs_cards, np.array([ra]), np.array([dec]))
        keep &= np.hypot(rows - row, columns - column) > pixels
    return Stars(stars.ra[keep], stars.dec[keep], stars.magnitude[keep])
