"""Aperture photometry: the one rule for the default aperture, the background and the sum of pixels.

Previews of the service and light curves of target pixel files use it. The last axis of pixel arrays is the cadence, as
in a cube.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.errors import InvalidValueError
from tessera.tpf.aperture import aperture_bits

Floats: TypeAlias = NDArray[np.floating[Any]]
Mask: TypeAlias = NDArray[np.bool_]

SIGMAS = 3.0
"""Pixels that are more than this number of standard deviations above the median belong to a star."""
MAD_TO_SIGMA = 1.4826
"""Standard deviation of normal values divided by their median distance from the median."""


@dataclass(frozen=True)
class PixelSeries:
    """Pixels of a window in all cadences.

    Parameters
    ----------
    flux : ndarray of float32, shape (n_rows, n_columns, n_cadences)
        Flux.
    error : ndarray of float32, shape (n_rows, n_columns, n_cadences), or None
        Error of the flux; None if it is not known.
    known : ndarray of bool, shape (n_rows, n_columns)
        True for pixels on the frame. The others are not used.
    """

    flux: NDArray[np.float32]
    error: NDArray[np.float32] | None
    known: Mask


@dataclass(frozen=True)
class CurvePoints:
    """The points of a light curve. All arrays have the shape (n_points,).

    Parameters
    ----------
    time : ndarray of float64
        Middle of each exposure, BTJD or TJD.
    flux, error : ndarray of float64
        Flux and its error, in the unit of the pixels; NaN where unknown.
    quality : ndarray of int
        Quality flags; 0 is good.
    binned : int
        Largest number of cadences in one point.
    trend : ndarray of float64 or None
        What detrending removed from the flux; None if nothing was removed.
    """

    time: Floats
    flux: Floats
    error: Floats
    quality: NDArray[np.integer[Any]]
    binned: int = 1
    trend: Floats | None = None


def _median(values: Floats) -> Floats:
    """Median along the last axis; NaN values are ignored."""
    if not np.isnan(values).any():  # the same as np.median, which takes three times as long
        n = values.shape[-1]
        return np.asarray(np.sort(values, axis=-1)[..., (n - 1) // 2 : n // 2 + 1].mean(axis=-1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a pixel may be NaN in all cadences
        return np.asarray(np.nanmedian(values, axis=-1))


def good_cadences(quality: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Cadences without flags, or all cadences if every cadence has a flag."""
    good = np.flatnonzero(quality == 0)
    return good if len(good) else np.arange(len(quality))


def median_frame(series: PixelSeries, quality: NDArray[np.integer[Any]]) -> Floats:
    """Median of the good cadences.

    Parameters
    ----------
    series : PixelSeries
        Pixels.
    quality : ndarray of int, shape (n_cadences,)
        Quality flags; cadences with 0 are good. If there are no good cadences, all are used.

    Returns
    -------
    ndarray, shape (n_rows, n_columns)
        Median of the flux of each pixel.
    """
    good, flux = good_cadences(quality), series.flux
    return _median(flux if len(good) == flux.shape[-1] else flux[..., good])


def threshold_aperture(frame: Floats, row: int, column: int, sigmas: float = SIGMAS) -> Mask:
    """Aperture of the bright pixels that are connected to the pixel of a target.

    A pixel is bright if it is more than `sigmas` standard deviations above the median. The standard deviation is
    1.4826 times the median distance from the median. Pixels are connected along their edges. The pixel of the target is
    always in the aperture.

    Parameters
    ----------
    frame : ndarray, shape (n_rows, n_columns)
        Median frame. Pixels that are NaN are not in the aperture.
    row, column : int
        Pixel of the target in the frame. Outside the frame, the nearest pixel of the frame is used.
    sigmas : float, optional
        Number of standard deviations.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_columns)
        True for pixels in the aperture.
    """
    mask = np.zeros(frame.shape, np.bool_)
    mask[min(max(row, 0), frame.shape[0] - 1), min(max(column, 0), frame.shape[1] - 1)] = True
    values = frame[np.isfinite(frame)]
    if values.size == 0:
        return mask
    middle = np.median(values)
    limit = middle + sigmas * MAD_TO_SIGMA * np.median(np.abs(values - middle))
    with np.errstate(invalid="ignore"):
        bright = frame > limit
    while True:
        grown = mask.copy()
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        grown[:, 1:] |= mask[:, :-1]
        grown[:, :-1] |= mask[:, 1:]
        grown = (grown & bright) | mask
        if np.array_equal(grown, mask):
            return mask
        mask = grown


def parse_aperture(text: str, n_rows: int, n_columns: int, argument: str = "aperture") -> Mask:
    """Read an aperture from hexadecimal digits, one bit per pixel.

    The bits are in row order. The first pixel is the highest bit of the first digit.

    Raises
    ------
    InvalidValueError
        When the number of digits is wrong, a bit after the last pixel is 1, or no bit is 1.
    """
    size = n_rows * n_columns
    digits = math.ceil(size / 4)
    allowed = f"{digits} hexadecimal digits, one bit for each of {n_rows} x {n_columns} pixels, at least one of them 1"
    try:
        bits = aperture_bits(text)
    except ValueError as error:
        raise InvalidValueError(argument, text, allowed) from error
    if len(text) != digits or bits[size:].any() or not bits.any():
        raise InvalidValueError(argument, text, allowed)
    return np.asarray(bits[:size].reshape(n_rows, n_columns), np.bool_)


def background_series(series: PixelSeries, aperture: Mask) -> Floats | None:
    """Background: median of the pixels outside an aperture, shape (n_cadences,); None if there are no such pixels."""
    outside = series.known & ~aperture
    if not outside.any():
        return None
    return _median(np.ascontiguousarray(series.flux[outside].T))


def sum_aperture(
    series: PixelSeries,
    aperture: Mask,
    times: Floats,
    quality: NDArray[np.integer[Any]],
    background: Floats | None = None,
) -> CurvePoints:
    """Sum the pixels of an aperture in every cadence. Pixels beyond the frame are ignored.

    Parameters
    ----------
    series : PixelSeries
        Pixels.
    aperture : ndarray of bool, shape (n_rows, n_columns)
        Pixels to sum.
    times, quality : ndarray, shape (n_cadences,)
        Middle of each exposure (BTJD), and quality flags.
    background : ndarray, shape (n_cadences,), optional
        Value to subtract from each pixel.

    Returns
    -------
    CurvePoints
        One point per cadence. Flux and error are NaN if the aperture has no pixel on the frame.
    """
    inside = aperture & series.known
    nothing = np.full(len(times), np.nan)
    if not inside.any():
        return CurvePoints(times, nothing, nothing, quality)
    flux = series.flux[inside].sum(axis=0, dtype=np.float64)
    if background is not None:
        flux -= np.count_nonzero(inside) * np.asarray(background, np.float64)
    error = nothing
    if series.error is not None:
        error = np.sqrt(np.square(series.error[inside], dtype=np.float64).sum(axis=0))
    return CurvePoints(times, flux, error, quality)


def centroids(
    series: PixelSeries, aperture: Mask, background: Floats | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean position of the flux in an aperture, in every cadence.

    Parameters
    ----------
    series, aperture, background
        See `sum_aperture`.

    Returns
    -------
    (ndarray, ndarray)
        Row and column, float64 of shape (n_cadences,); the centre of the first pixel of the window is 0. NaN where a
        pixel is NaN, and where the sum of the pixels is not positive.
    """
    inside = aperture & series.known
    flux = series.flux[inside].astype(np.float64)
    if background is not None:
        flux -= np.asarray(background, np.float64)
    total = flux.sum(axis=0)
    with np.errstate(invalid="ignore"):
        total = np.where(total > 0, total, np.nan)
    row, column = (np.asarray(places.astype(np.float64) @ flux / total, np.float64) for places in np.nonzero(inside))
    return row, column
