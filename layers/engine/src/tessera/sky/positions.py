"""Pixels of sky positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.sky.sphere import chord_degrees, unit_vectors

if TYPE_CHECKING:
    from astropy.wcs import WCS

Floats: TypeAlias = NDArray[np.float64]

_FAR = 30.0
"""Degrees from a WCS's reference point beyond which nothing is on its frame."""
_AGREE = 1e-5
"""Degrees by which the sky of a pixel may differ from the sky that the pixel was sought for."""


def path_pixels(wcs: WCS, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
    """Pixels of many sky positions.

    Parameters
    ----------
    wcs : WCS
        Of a frame, distortion included.
    ra, dec : ndarray
        ICRS degrees; NaN for nowhere.

    Returns
    -------
    tuple of ndarray
        (rows, columns), the centre of the first pixel being 0; NaN for positions for which the WCS has no answer that
        leads back to them.
    """
    rows, columns = np.full(ra.shape, np.nan), np.full(ra.shape, np.nan)
    sky = unit_vectors(ra, dec)
    reference = unit_vectors(np.array([wcs.wcs.crval[0]]), np.array([wcs.wcs.crval[1]]))[0]
    near = np.flatnonzero(sky @ reference > np.cos(np.radians(_FAR)))
    if len(near) == 0:
        return rows, columns
    with np.errstate(all="ignore"):
        pixels = wcs.all_world2pix(np.column_stack([ra[near], dec[near]]), 0, quiet=True)
        finite = np.isfinite(pixels).all(axis=1)
        near, pixels = near[finite], pixels[finite]
        back = unit_vectors(*wcs.all_pix2world(pixels, 0).T)
    good = chord_degrees(back, sky[near]) < _AGREE
    columns[near[good]], rows[near[good]] = pixels[good].T
    return rows, columns


def sky_to_pixel(wcs: WCS, ra: float, dec: float) -> tuple[float, float] | None:
    """Pixel of one sky position; see `path_pixels`.

    Parameters
    ----------
    wcs : WCS
        Of a frame, distortion included.
    ra, dec : float
        ICRS degrees.

    Returns
    -------
    (float, float) or None
        (row, column); None where the WCS has no answer that leads back to the position.
    """
    rows, columns = path_pixels(wcs, np.array([ra], np.float64), np.array([dec], np.float64))
    return None if np.isnan(rows[0]) else (float(rows[0]), float(columns[0]))
