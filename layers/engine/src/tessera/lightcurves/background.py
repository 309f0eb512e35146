"""Backgrounds of a window: what is subtracted from its pixels and from the sum of an aperture.

The last axis of pixel arrays is the cadence, as in a cube.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from tessera.checks import check_switch, did_you_mean
from tessera.errors import InvalidInputError
from tessera.lightcurves.detrending.regression import finite_pixels, fit_regressors, principal_components
from tessera.lightcurves.photometry import (
    CurvePoints,
    Floats,
    Mask,
    PixelSeries,
    background_series,
    good_cadences,
    sum_aperture,
)

BackgroundModel: TypeAlias = Literal["median", "rows", "components"]
MODELS: tuple[str, ...] = get_args(BackgroundModel)

N_COMPONENTS = 5
"""Number of principal components, as in lightkurve's tutorials."""
MAX_PIXELS = 500
"""Largest number of pixels whose components are found; of more pixels, evenly spaced ones are taken."""


@dataclass(frozen=True)
class Background:
    """What is subtracted.

    Parameters
    ----------
    pixels : ndarray of float64
        Background of each pixel. Its shape broadcasts to (n_rows, n_columns, n_cadences).
    total : ndarray of float64, shape (n_cadences,)
        Background of the sum of the aperture.
    """

    pixels: Floats
    total: Floats


def check_background(value: object, argument: str = "background") -> str | None:
    """Return the name of a model, None for no background. True is the median.

    Raises
    ------
    InvalidInputError
        When the value is neither True, False nor the name of a model.
    """
    if isinstance(value, str):
        if value in MODELS:
            return value
        allowed = f"True or False, {', '.join(map(repr, MODELS))}{did_you_mean(value, MODELS)}"
        raise InvalidInputError(argument, value, allowed)
    return "median" if check_switch(argument, value) else None


def find_background(
    series: PixelSeries, aperture: Mask, quality: NDArray[np.integer[Any]], model: str = "median"
) -> Background | None:
    """Find the background of an aperture from the pixels outside it; None if there are no such pixels.

    Parameters
    ----------
    series : PixelSeries
        Pixels.
    aperture : ndarray of bool, shape (n_rows, n_columns)
        Pixels that are summed.
    quality : ndarray of int, shape (n_cadences,)
        Quality flags; 0 is good.
    model : {'median', 'rows', 'components'}
        'median' is the median of the pixels outside the aperture in each cadence. 'rows' is this median for each row;
        a row without such pixels has the median of all. 'components' is, in the shape of its variation, the linear
        combination of the first principal components of these pixels that fits the sum of the aperture best, as in
        lightkurve's ``RegressionCorrector``; its level, and the background of single pixels, is that of 'median'.

    Returns
    -------
    Background or None
        What is to be subtracted.
    """
    level = background_series(series, aperture)
    if level is None:
        return None
    inside = aperture & series.known
    if model == "rows":
        return _by_row(series, aperture, inside, np.asarray(level, np.float64))
    total: Floats = np.count_nonzero(inside) * np.asarray(level, np.float64)
    if model == "components" and inside.any():
        total = _regressed(series, aperture, quality, total)
    return Background(np.asarray(level), total)


def subtract_background(curve: CurvePoints, background: Background | None) -> CurvePoints:
    """Light curve of an aperture without its background; as it is if there is none."""
    return curve if background is None else replace(curve, flux=curve.flux - background.total)


def _by_row(series: PixelSeries, aperture: Mask, inside: Mask, level: Floats) -> Background:
    levels = np.repeat(level[np.newaxis], len(aperture), axis=0)
    for row in range(len(aperture)):
        part = slice(row, row + 1)
        own = background_series(PixelSeries(series.flux[part], None, series.known[part]), aperture[part])
        if own is not None:
            levels[row] = own
    counts = inside.sum(axis=1)
    used = counts > 0  # a row that is not summed may be unknown
    return Background(levels[:, np.newaxis], np.asarray(counts[used] @ levels[used], np.float64))


def _regressed(series: PixelSeries, aperture: Mask, quality: NDArray[np.integer[Any]], total: Floats) -> Floats:
    """Background of the sum: the variation that the components explain, around the median of `total`."""
    curve = sum_aperture(series, aperture, np.zeros(len(total)), quality)
    fitted = good_cadences(quality)
    fitted = fitted[np.isfinite(curve.flux[fitted]) & np.isfinite(total[fitted])]
    pixels = finite_pixels(series.flux[series.known & ~aperture], fitted, MAX_PIXELS)
    if len(fitted) <= N_COMPONENTS + 1 or pixels.shape[1] == 0:
        return total
    components = principal_components(pixels, fitted, N_COMPONENTS)
    design = np.column_stack([components, np.ones(len(total))])
    coefficients = fit_regressors(design, curve.flux, curve.error, fitted)
    if coefficients is None:
        return total
    model = design @ coefficients
    return np.asarray(model - np.median(model[fitted]) + np.median(total[fitted]), np.float64)
