"""Linear regression of light curves, as lightkurve's ``RegressionCorrector`` does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.lightcurves.photometry import MAD_TO_SIGMA, Floats

Cadences = NDArray[np.intp]
_CLIP, _TURNS = 5.0, 5
"""Standard deviations at which cadences leave the fit, and the number of fits: the defaults of lightkurve."""
_EVENT = 4.0


def fit_regressors(
    design: Floats, flux: Floats, error: Floats, fitted: Cadences, prior: Floats | None = None
) -> NDArray[np.float64] | None:
    """Least squares of a light curve by regressors. Cadences far from the fit leave it, and it is made again.

    Parameters
    ----------
    design : ndarray, shape (n_cadences, n_regressors)
        Regressors.
    flux, error : ndarray, shape (n_cadences,)
        Light curve. NaN errors mean that the error is not known: all cadences have the same weight then.
    fitted : ndarray of int
        Cadences to fit. Their regressors and flux are finite.
    prior : ndarray, shape (n_regressors,), optional
        Standard deviation of each coefficient around 0, infinite for none.

    Returns
    -------
    ndarray of float64, shape (n_regressors,), or None
        Coefficients; None if there are not more cadences than regressors.
    """
    known = np.isfinite(error[fitted]).all() and (error[fitted] > 0).all()
    sigma = np.asarray(error if known else np.ones_like(flux), np.float64)
    kept, coefficients = fitted, None
    for _ in range(_TURNS):
        if len(kept) <= design.shape[1]:
            break
        coefficients = _solve(design[kept], flux[kept], sigma[kept], prior)
        kept = _within(flux - design @ coefficients, kept)
    return coefficients


@dataclass(frozen=True, eq=False)
class Trend:
    """Part of a light curve that a fit explains.

    Parameters
    ----------
    values : ndarray of float64, shape (n_cadences,)
        What is to be subtracted.
    fitted : ndarray of int
        Cadences that were fitted.
    """

    values: NDArray[np.float64]
    fitted: Cadences


def fit_without_events(
    design: Floats, flux: Floats, error: Floats, fitted: Cadences, prior: Floats | None = None
) -> tuple[NDArray[np.float64] | None, Cadences]:
    """`fit_regressors` of the cadences that no transit, eclipse or flare has, so that the fit does not take these away.

    Cadences with such an event are four standard deviations (1.4826 times the median distance from the median) away
    from the fit.

    Returns
    -------
    coefficients : ndarray of float64, shape (n_regressors,), or None
        See `fit_regressors`.
    used : ndarray of int
        Cadences that were given to the last fit.
    """
    kept, used, coefficients = fitted, fitted, None
    for _ in range(_TURNS):
        found = fit_regressors(design, flux, error, kept, prior)
        if found is None:
            break
        coefficients, used, rest = found, kept, (flux - design @ found)[fitted]
        distances = np.abs(rest - np.median(rest))
        kept = fitted[distances <= _EVENT * MAD_TO_SIGMA * np.median(distances)]
        if np.array_equal(kept, used):
            break
    return coefficients, used


def _solve(design: Floats, flux: Floats, sigma: Floats, prior: Floats | None) -> NDArray[np.float64]:
    """Coefficients by the normal equations, which take a tenth of the time of a decomposition of the regressors."""
    weighted = design / sigma[:, np.newaxis]
    matrix = weighted.T @ weighted
    if prior is not None:
        matrix += np.diag(1 / np.square(prior))
    return np.asarray(np.linalg.lstsq(matrix, weighted.T @ (flux / sigma), rcond=None)[0], np.float64)


def _within(rest: Floats, kept: Cadences) -> Cadences:
    """Cadences whose rest is near the median of all, after up to five clippings."""
    for _ in range(_TURNS):
        values = rest[kept]
        near = np.abs(values - np.median(values)) <= _CLIP * values.std()
        if near.all():
            break
        kept = kept[near]
    return kept


def principal_components(values: Floats, fitted: Cadences, count: int) -> NDArray[np.float64]:
    """Principal components over time, found in the fitted cadences.

    Parameters
    ----------
    values : ndarray, shape (n_cadences, n_pixels)
        Pixels or other series.
    fitted : ndarray of int
        Cadences in which the components are orthonormal and have the mean 0. All values are finite there.
    count : int
        Largest number of components. Components that explain nothing are left out.

    Returns
    -------
    ndarray of float64, shape (n_cadences, n_components)
        The components, the weakest first.
    """
    centred = values - values[fitted].mean(axis=0)
    strength, directions = np.linalg.eigh(centred[fitted].T @ centred[fitted])  # from the weakest on
    kept = strength > strength[-1] * 1e-12
    kept[:-count] = False
    return np.asarray(centred @ (directions[:, kept] / np.sqrt(strength[kept])))


def finite_pixels(values: NDArray[np.floating[Any]], fitted: Cadences, most: int) -> NDArray[np.float64]:
    """Pixels with the axes (cadence, pixel) that are finite in the fitted cadences; evenly spaced ones of too many.

    Parameters
    ----------
    values : ndarray, shape (n_pixels, n_cadences)
        Pixels.
    fitted : ndarray of int
        Cadences.
    most : int
        Largest number of pixels.
    """
    thinned = np.asarray(values[:: -(-len(values) // most)].T, np.float64) if len(values) else values.T
    return np.asarray(thinned[:, np.isfinite(thinned[fitted]).all(axis=0)], np.float64)
