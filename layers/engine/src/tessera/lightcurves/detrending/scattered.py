"""Scattered light: cadences in which the background of a target is unusual, and matters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.lightcurves.photometry import MAD_TO_SIGMA, Floats, good_cadences

SIGMAS = 5.0
"""Standard deviations above its median at which a background is unusual."""
SHARE = 0.01
"""Share of the flux of a target from which on an unusual background matters."""


def scattered_light(
    background: Floats, flux: Floats, n_pixels: int, quality: NDArray[np.integer[Any]]
) -> NDArray[np.bool_]:
    """Find the cadences with scattered light at a target.

    The background of the aperture exceeds its median by more than five standard deviations (1.4826 times the median
    distance from the median), and by more than a hundredth of the median flux of the target.

    Parameters
    ----------
    background : ndarray, shape (n_cadences,)
        Background of a pixel.
    flux : ndarray, shape (n_cadences,)
        Flux of the target without background.
    n_pixels : int
        Pixels of the aperture.
    quality : ndarray of int, shape (n_cadences,)
        Quality flags; the medians are those of the cadences with 0.

    Returns
    -------
    ndarray of bool, shape (n_cadences,)
        True for cadences with scattered light. A cadence whose background is not known is False.
    """
    good = good_cadences(quality)
    good = good[np.isfinite(background[good]) & np.isfinite(flux[good])]
    if not len(good):
        return np.zeros(len(quality), np.bool_)
    excess = n_pixels * (np.asarray(background, np.float64) - np.median(background[good]))
    sigma = MAD_TO_SIGMA * np.median(np.abs(excess[good]))
    with np.errstate(invalid="ignore"):
        return np.asarray((excess > SIGMAS * sigma) & (excess > SHARE * np.median(flux[good])))
