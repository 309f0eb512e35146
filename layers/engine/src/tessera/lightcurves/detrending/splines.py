"""Splines in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tessera.lightcurves.detrending.regression import Cadences
from tessera.lightcurves.photometry import Floats


def spline_basis(time: Floats, fitted: Cadences, count: int, degree: int) -> NDArray[np.float64]:
    """B-splines in time whose sum is 1, by the recursion of de Boor.

    Parameters
    ----------
    time : ndarray, shape (n_cadences,)
        Times. Splines keep their value beyond the fitted cadences; they are NaN where the time is.
    fitted : ndarray of int
        Cadences with a time. Between the inner knots, there are equally many of them.
    count : int
        Number of splines, more than the degree.
    degree : int
        Degree of the polynomials.

    Returns
    -------
    ndarray of float64, shape (n_cadences, count)
        Value of each spline.
    """
    known = np.asarray(time[fitted], np.float64)
    inner = np.percentile(known, 100 * np.linspace(0, 1, count - degree + 1)[1:-1])
    ends = np.full(degree + 1, known.min()), np.full(degree + 1, known.max())
    knots = np.concatenate([ends[0], inner, ends[1]])
    places = np.clip(np.asarray(time, np.float64), knots[0], knots[-1])[:, np.newaxis]
    last = np.searchsorted(knots, knots[-1])  # the last interval has its right end
    steps = ((knots[:-1] <= places) & (places < knots[1:])).astype(np.float64)
    steps[places[:, 0] == knots[-1], last - 1] = 1
    for order in range(1, degree + 1):
        rising, falling = knots[order:-1] - knots[: -order - 1], knots[order + 1 :] - knots[1:-order]
        left = np.divide(places - knots[: -order - 1], rising, out=np.zeros_like(steps[:, 1:]), where=rising > 0)
        right = np.divide(knots[order + 1 :] - places, falling, out=np.zeros_like(steps[:, 1:]), where=falling > 0)
        steps = left * steps[:, :-1] + right * steps[:, 1:]
    steps[~np.isfinite(places[:, 0])] = np.nan
    return steps
