"""Find the pixels of sky positions on a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.sky.sphere import chord_degrees, unit_vectors

if TYPE_CHECKING:
    from astropy.wcs import WCS

Floats: TypeAlias = NDArray[np.float64]

FAR = 30.0
"""Distance in degrees from the reference point of a WCS; positions that are farther away are not on its frame."""
_AGREE = 1e-5
"""Largest distance in degrees between a position and the sky position of the pixel that was found for it."""
_FARTHEST = 1e9
"""Number of a pixel that is not on any frame, nor in a message about it."""


def path_pixels(wcs: WCS, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
    """Find the pixels of many sky positions.

    Parameters
    ----------
    wcs : WCS
        WCS of a frame, with distortion.
    ra, dec : ndarray, shape (n,)
        Positions, ICRS degrees; NaN for an unknown position.

    Returns
    -------
    tuple of ndarray, shape (n,)
        Rows and columns; the centre of the first pixel is 0. NaN when the WCS has no solution, or when the solution
        does not convert back to the position.
    """
    rows, columns = np.full(ra.shape, np.nan), np.full(ra.shape, np.nan)
    sky = unit_vectors(ra, dec)
    reference = unit_vectors(np.array([wcs.wcs.crval[0]]), np.array([wcs.wcs.crval[1]]))[0]
    near = np.flatnonzero(sky @ reference > np.cos(np.radians(FAR)))
    if len(near) == 0:
        return rows, columns
    with np.errstate(all="ignore"):
        pixels = wcs.all_world2pix(np.column_stack([ra[near], dec[near]]), 0, quiet=True)
        finite = np.isfinite(pixels).all(axis=1)
        near, pixels = near[finite], pixels[finite]
        back = unit_vectors(*wcs.all_pix2world(pixels, 0).T)
    good = (chord_degrees(back, sky[near]) < _AGREE) & (np.abs(pixels) < _FARTHEST).all(axis=1)
    columns[near[good]], rows[near[good]] = pixels[good].T
    return rows, columns


def sky_to_pixel(wcs: WCS, ra: float, dec: float) -> tuple[float, float] | None:
    """Find the pixel of one sky position; see `path_pixels`.

    Parameters
    ----------
    wcs : WCS
        WCS of a frame, with distortion.
    ra, dec : float
        Position, ICRS degrees.

    Returns
    -------
    (float, float) or None
        Row and column; None where `path_pixels` returns NaN.
    """
    rows, columns = path_pixels(wcs, np.array([ra], np.float64), np.array([dec], np.float64))
    return None if np.isnan(rows[0]) else (float(rows[0]), float(columns[0]))
