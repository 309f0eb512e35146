"""Medians, scatter and binned differences of pixels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.lightcurves.photometry import MAD_TO_SIGMA
from tessera.measures.bins import TimeBins

Floats = NDArray[np.float32]

MEDIAN_NOISE = 1.2533
"""Standard deviation of the median of many normal values, divided by that of their mean."""
IMAGES = ("flux", "error", "rms", "n_good")
"""What there is one of for each pixel."""
_PIXELS = 4_000_000
"""Number of values that are measured at a time: they stay in the processor's cache, or nearly."""


@dataclass(frozen=True)
class PixelMeasures:
    """Measures of n pixels.

    Parameters
    ----------
    flux, error, rms, n_good : ndarray, shape (n,)
        See `tessera.cubes.reference.ReferenceFrame`.
    differences : ndarray of float32, shape (n_bins, n)
        Median difference from the reference in each bin.
    """

    flux: Floats
    error: Floats
    rms: Floats
    n_good: NDArray[np.int32]
    differences: Floats

    def take(self, place: slice) -> PixelMeasures:
        """Measures of some of the pixels."""
        images = {name: getattr(self, name)[place] for name in IMAGES}
        return PixelMeasures(**images, differences=self.differences[:, place])


def median(values: Floats) -> Floats:
    """Medians along the last axis, of what is finite."""
    if np.isfinite(values).all():
        return np.asarray(np.median(values, axis=-1), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels without a finite value
        return np.asarray(np.nanmedian(np.where(np.isfinite(values), values, np.nan), axis=-1), np.float32)


def measure_pixels(flux: Floats, error: Floats | None, bins: TimeBins) -> PixelMeasures:
    """Measure pixels.

    Parameters
    ----------
    flux : ndarray, shape (n, n_cadences)
        Flux of all cadences.
    error : ndarray, shape (n, n_cadences), optional
        Its error. Without it, the scatter of the flux gives the uncertainty of the reference.
    bins : TimeBins
        Good cadences and bins.
    """
    step = max(1, _PIXELS // len(bins.good))
    pieces = [
        _measure(flux[at : at + step][:, bins.good], None if error is None else error[at : at + step], bins)
        for at in range(0, len(flux), step)
    ]
    images = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in IMAGES}
    return PixelMeasures(**images, differences=np.concatenate([piece.differences for piece in pieces], axis=1))


def _measure(flux: Floats, error: Floats | None, bins: TimeBins) -> PixelMeasures:
    reference = median(flux)
    away = flux - reference[:, None]
    rms = np.float32(MAD_TO_SIGMA) * median(np.abs(away))
    n_good = np.isfinite(flux).sum(axis=1, dtype=np.int32)
    differences = np.empty((len(bins), len(flux)), np.float32)
    for number, (first, stop) in enumerate(zip(bins.first, bins.stop, strict=True)):
        differences[number] = median(away[:, first:stop])
    noise = rms if error is None else _typical(error[:, bins.good], rms)
    with np.errstate(divide="ignore", invalid="ignore"):
        uncertainty = np.float32(MEDIAN_NOISE) * noise / np.sqrt(n_good, dtype=np.float32)
    uncertainty[n_good == 0] = np.nan
    return PixelMeasures(reference, uncertainty, rms, n_good, differences)


def _typical(error: Floats, rms: Floats) -> Floats:
    """Error of a cadence; the scatter where the errors say nothing."""
    squares = np.square(error, dtype=np.float64)
    known = np.isfinite(squares) & (squares > 0)
    count = known.sum(axis=1)
    mean = np.where(known, squares, 0).sum(axis=1) / np.maximum(count, 1)
    return np.where(count > 0, np.sqrt(mean), rms).astype(np.float32)
