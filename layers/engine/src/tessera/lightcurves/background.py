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
_CLIP, _TURNS = 5.0, 5
"""Standard deviations at which cadences leave the fit, and the number of fits: the defaults of lightkurve."""


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
    pixels = series.flux[series.known & ~aperture]
    pixels = np.asarray(pixels[:: -(-len(pixels) // MAX_PIXELS)].T, np.float64)
    fitted = good_cadences(quality)
    fitted = fitted[np.isfinite(curve.flux[fitted]) & np.isfinite(total[fitted])]
    pixels = pixels[:, np.isfinite(pixels[fitted]).all(axis=0)]
    if len(fitted) <= N_COMPONENTS + 1 or pixels.shape[1] == 0:
        return total
    components = _components(pixels, fitted)
    error = curve.error if np.isfinite(curve.error[fitted]).all() and (curve.error[fitted] > 0).all() else None
    model = _fit(components, curve.flux, np.ones_like(total) if error is None else error, fitted)
    return np.asarray(model - np.median(model[fitted]) + np.median(total[fitted]), np.float64)


def _components(pixels: Floats, fitted: NDArray[np.intp]) -> Floats:
    """Principal components over time of pixels with the axes (cadence, pixel), found in the fitted cadences."""
    centred = pixels - pixels[fitted].mean(axis=0)
    strength, directions = np.linalg.eigh(centred[fitted].T @ centred[fitted])  # from the weakest on
    kept = strength > strength[-1] * 1e-12
    kept[:-N_COMPONENTS] = False
    return np.asarray(centred @ (directions[:, kept] / np.sqrt(strength[kept])))


def _fit(components: Floats, flux: Floats, error: Floats, fitted: NDArray[np.intp]) -> Floats:
    """Least squares of the flux by components and a constant. Cadences far from the fit leave it."""
    design = np.column_stack([components, np.ones(len(flux))])
    kept = fitted
    model = np.zeros_like(flux)
    for _ in range(_TURNS):
        if len(kept) <= design.shape[1]:
            break
        weighted = design[kept] / error[kept, np.newaxis]
        model = design @ np.linalg.lstsq(weighted, flux[kept] / error[kept], rcond=None)[0]
        kept = _within(flux - model, kept)
    return model


def _within(rest: Floats, kept: NDArray[np.intp]) -> NDArray[np.intp]:
    """Cadences whose rest is near the median of all, after up to five clippings."""
    for _ in range(_TURNS):
        values = rest[kept]
        near = np.abs(values - np.median(values)) <= _CLIP * values.std()
        if near.all():
            break
        kept = kept[near]
    return kept
