"""Pixel level decorrelation (PLD): the trend that the pixels of a light curve themselves show."""

from __future__ import annotations

import numpy as np

from tessera.lightcurves.detrending.regression import (
    Cadences,
    Trend,
    finite_pixels,
    fit_without_events,
    principal_components,
)
from tessera.lightcurves.detrending.splines import spline_basis
from tessera.lightcurves.photometry import CurvePoints, Floats

N_COMPONENTS = 3
"""Number of principal components of each group of pixels, as in lightkurve for TESS."""
MAX_PIXELS = 500
"""Largest number of pixels of a group; of more pixels, evenly spaced ones are taken."""
_CADENCES_PER_SPLINE, _DEGREE = 50, 5
_PRIOR = 10.0
"""Width of the priors in standard deviations of the light curve. With the splines, a default of lightkurve."""


def pld_groups(curve: CurvePoints, inside: Floats, outside: Floats, fitted: Cadences) -> list[Floats]:
    """Principal components of the pixels of an aperture, as shares of the flux, and of pixels outside.

    Parameters
    ----------
    curve : CurvePoints
        Sum of the aperture.
    inside, outside : ndarray, shape (n_pixels, n_cadences)
        Pixels that were summed, and pixels outside.
    fitted : ndarray of int
        Cadences with a flux.

    Returns
    -------
    list of ndarray, shape (n_cadences, n_components)
        Components of both groups. There are none of an aperture whose flux is not positive in all fitted cadences.
    """
    background = _components(outside, fitted)
    if not (curve.flux[fitted] > 0).all():
        return [background[:, :0], background]
    with np.errstate(divide="ignore", invalid="ignore"):
        return [_components(inside / curve.flux, fitted), background]


def _components(pixels: Floats, fitted: Cadences) -> Floats:
    known = finite_pixels(pixels, fitted, MAX_PIXELS)
    if not len(fitted) or not known.shape[1]:
        return known[:, :0]
    return principal_components(known, fitted, N_COMPONENTS)


def pld_trend(curve: CurvePoints, groups: list[Floats], fitted: Cadences) -> Trend | None:
    """Part of a light curve that components of pixels explain beside slow changes, which stay: splines in time.

    The fit is that of lightkurve's ``PLDCorrector`` with the trend restored: components, splines of degree 5, one for
    every 50 cadences, and priors.

    Parameters
    ----------
    curve : CurvePoints
        Light curve.
    groups : list of ndarray
        See `pld_groups`.
    fitted : ndarray of int
        Cadences with a flux.

    Returns
    -------
    Trend or None
        What is to be subtracted; None if there are too few cadences, or no components.
    """
    inside, outside = groups
    n_components = inside.shape[1] + outside.shape[1]
    n_splines = max(len(fitted) // _CADENCES_PER_SPLINE, _DEGREE + 1)
    if n_components == 0 or len(fitted) <= n_components + n_splines + 1:
        return None
    splines = spline_basis(curve.time, fitted, n_splines, _DEGREE)
    design = np.column_stack([inside, outside, splines, np.ones(len(splines))])
    prior = np.full(design.shape[1], _PRIOR * curve.flux[fitted].std())
    prior[: inside.shape[1]] /= N_COMPONENTS
    coefficients, used = fit_without_events(design, curve.flux, curve.error, fitted, prior)
    if coefficients is None:
        return None
    model = design @ coefficients
    slow = design[:, n_components:] @ coefficients[n_components:]
    middle = np.median(model[fitted]) - np.median(slow[fitted])
    return Trend(np.asarray(model - slow - middle, np.float64), used)
