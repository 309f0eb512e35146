"""Detrend the light curve of an aperture: the one place that all light curves go through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.errors import UnknownTrendError
from tessera.lightcurves.background import Background
from tessera.lightcurves.detrending.pld import MAX_PIXELS, pld_groups, pld_trend
from tessera.lightcurves.detrending.regression import Cadences, Trend
from tessera.lightcurves.detrending.scattered import scattered_light
from tessera.lightcurves.detrending.vectors import NO_VECTORS, AlignedVectors, cotrending_trend
from tessera.lightcurves.detrending.words import NO_BACKGROUND
from tessera.lightcurves.photometry import (
    CurvePoints,
    Mask,
    PixelSeries,
    background_series,
    good_cadences,
    median_frame,
)
from tessera.tess.quality import SCATTERED_LIGHT


@dataclass(frozen=True, eq=False)
class DetrendedCurve:
    """A light curve, and what was removed.

    Parameters
    ----------
    points : CurvePoints
        Light curve without the trend, and the trend. Its quality has the bit of scattered light.
    removed : str
        What it is made of, for users.
    fitted : ndarray of int
        Cadences that were fitted: good ones without transits, eclipses and flares.
    """

    points: CurvePoints
    removed: str
    fitted: Cadences


def detrend_curve(
    method: str,
    points: CurvePoints,
    series: PixelSeries,
    aperture: Mask,
    background: Background | None,
    *,
    vectors: AlignedVectors | None = None,
    clean: bool = False,
) -> DetrendedCurve:
    """Take the trend from the light curve of an aperture.

    Parameters
    ----------
    method : {'pld', 'cbv'}
        'pld' is pixel level decorrelation with first order, see `tessera.lightcurves.detrending.pld`. The pixels are
        without background. 'cbv' fits cotrending vectors of the CCD.
    points : CurvePoints
        Sum of the aperture without background: all cadences.
    series : PixelSeries
        Pixels, with background.
    aperture : ndarray of bool, shape (n_rows, n_columns)
        Pixels that were summed.
    background : Background or None
        What was subtracted.
    vectors : AlignedVectors, optional
        Cotrending vectors, for 'cbv'.
    clean : bool, optional
        Whether the pixels came without background, as in the mission's own files.

    Returns
    -------
    DetrendedCurve
        The light curve without trend.

    Raises
    ------
    UnknownTrendError
        When these pixels or vectors cannot show a trend, or pixels for 'pld' have their background.
    """
    fitted = good_cadences(points.quality)
    fitted = fitted[np.isfinite(points.flux[fitted]) & np.isfinite(points.time[fitted])]
    if method == "cbv":
        if vectors is None:
            raise UnknownTrendError("detrend", method, NO_VECTORS)
        trend, removed = cotrending_trend(points, vectors, fitted), f"{len(vectors.values)} cotrending vectors"
    elif background is None and not clean:
        raise UnknownTrendError("detrend", method, NO_BACKGROUND)
    else:
        trend, removed = _by_pixels(points, series, aperture, background, fitted)
    if trend is None:
        allowed = f"none for this light curve, because {len(fitted)} good cadences and {removed} are too few to fit"
        raise UnknownTrendError("detrend", method, allowed)
    quality = points.quality | _scattered(points, series, aperture)
    detrended = replace(points, flux=points.flux - trend.values, quality=quality, trend=trend.values)
    return DetrendedCurve(detrended, f"{method}: {removed}", trend.fitted)


def _by_pixels(
    points: CurvePoints, series: PixelSeries, aperture: Mask, background: Background | None, fitted: Cadences
) -> tuple[Trend | None, str]:
    masks = aperture & series.known, _faint_pixels(series, points.quality) & ~aperture
    pixels = [_pixels(series, background, mask) for mask in masks]
    groups = pld_groups(points, pixels[0], pixels[1], fitted)
    parts = [f"{group.shape[1]} of {mask.sum()}" for group, mask in zip(groups, masks, strict=True)]
    return pld_trend(points, groups, fitted), f"{parts[0]} components in, {parts[1]} outside the aperture"


def _pixels(series: PixelSeries, background: Background | None, mask: Mask) -> NDArray[np.float64]:
    """Pixels of a mask without background, shape (n_pixels, n_cadences); evenly spaced ones of too many."""
    rows, columns = np.nonzero(mask)
    step = max(1, -(-len(rows) // MAX_PIXELS))
    rows, columns = rows[::step], columns[::step]
    pixels = series.flux[rows, columns].astype(np.float64)
    if background is not None:
        pixels -= np.broadcast_to(background.pixels, series.flux.shape)[rows, columns]
    return pixels


def _faint_pixels(series: PixelSeries, quality: NDArray[np.integer[Any]]) -> Mask:
    """Pixels below the median of the median frame, which have little light of stars: lightkurve's background."""
    frame = median_frame(series, quality)
    values = frame[series.known & np.isfinite(frame)]
    with np.errstate(invalid="ignore"):
        return np.asarray(series.known & (frame < np.median(values) if values.size else False))


def _scattered(points: CurvePoints, series: PixelSeries, aperture: Mask) -> NDArray[np.int32]:
    """The bit of scattered light in the cadences that have it."""
    level = background_series(series, aperture)
    if level is None:
        return np.zeros(len(points.flux), np.int32)
    found = scattered_light(level, points.flux, int(np.count_nonzero(aperture & series.known)), points.quality)
    return np.where(found, np.int32(SCATTERED_LIGHT), np.int32(0))
