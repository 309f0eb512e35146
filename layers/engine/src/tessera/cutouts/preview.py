"""Preview of a cutout: median frame, aperture, light curve and difference frame.

The last axis of pixel arrays is the cadence, as in a cube.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.cubes.read_plan import RowRead
from tessera.cubes.window_pixels import read_floats
from tessera.errors import InvalidValueError
from tessera.windows import Window

Floats: TypeAlias = NDArray[np.floating[Any]]
Mask: TypeAlias = NDArray[np.bool_]

SIGMAS = 3.0
"""Pixels that are more than this number of standard deviations above the median belong to a star."""
PERCENTILES = (0.5, 99.5)
"""Percentiles of the values that become black and white in a picture."""
_EXTREME_SHARE = 0.1
"""Share of the cadences in the bright side, and in the faint side, of a difference frame."""
_MAD_TO_SIGMA = 1.4826
_FULL_FRAME = (2078, 2136)
_SCIENCE = (0, 2048, 44, 2092)
"""Science pixels of a full frame: first row, stop row, first column, stop column. The stops are excluded."""


@dataclass(frozen=True)
class PixelSeries:
    """Pixels of a window in all cadences.

    Parameters
    ----------
    window : Window
        Rows and columns on the frame; the window may reach beyond the frame.
    planes : ndarray of float32, shape (n_planes, n_rows, n_columns, n_cadences)
        Pixels; NaN beyond the frame.
    known : ndarray of bool, shape (n_rows, n_columns)
        True for pixels on the frame.
    """

    window: Window
    planes: NDArray[np.float32]
    known: Mask

    @property
    def flux(self) -> NDArray[np.float32]:
        """Flux (plane 0), shape (n_rows, n_columns, n_cadences)."""
        return np.asarray(self.planes[0])


@dataclass(frozen=True)
class LightCurve:
    """Brightness over time. All arrays have the shape (n_points,).

    Parameters
    ----------
    time : ndarray of float64
        Middle of each exposure, BTJD.
    flux, error : ndarray of float64
        Flux and its error, in the unit of the pixels; NaN where unknown.
    quality : ndarray of int
        Quality flags; 0 is good.
    binned : int
        Largest number of cadences in one point.
    """

    time: Floats
    flux: Floats
    error: Floats
    quality: NDArray[np.integer[Any]]
    binned: int = 1


def assemble_series(layout: CubeLayout, window: Window, rows: Iterable[tuple[RowRead, Any]]) -> PixelSeries:
    """Assemble pixels from the bytes that the range requests of `plan_reads` returned; see `assemble_cutout`."""
    overlap = window.overlap(layout.n_rows, layout.n_columns)
    planes = np.full((layout.n_planes, window.n_rows, window.n_columns, layout.n_cadences), np.nan, np.float32)
    known = np.zeros((window.n_rows, window.n_columns), np.bool_)
    inside, columns = overlap.inside
    for read, data in rows:
        pixels = read_floats(layout, data).reshape(read.n_rows, overlap.shape[1], layout.n_cadences, layout.n_planes)
        first = inside.start + read.first_row
        some = slice(first, first + read.n_rows)
        planes[:, some, columns] = pixels.transpose(3, 0, 1, 2)
        known[some, columns] = True
    return PixelSeries(window, planes, known)


def _median(values: Floats) -> Floats:
    """Median along the last axis; NaN values are ignored."""
    if not np.isnan(values).any():
        return np.asarray(np.median(values, axis=-1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a pixel may be NaN in all cadences
        return np.asarray(np.nanmedian(values, axis=-1))


def _good(quality: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
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
    good, flux = _good(quality), series.flux
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
    limit = middle + sigmas * _MAD_TO_SIGMA * np.median(np.abs(values - middle))
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


def parse_aperture(text: str, n_rows: int, n_columns: int) -> Mask:
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
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(text + "0" * (len(text) % 2)), np.uint8))
    except ValueError as error:
        raise InvalidValueError("aperture", text, allowed) from error
    if len(text) != digits or bits[size:].any() or not bits.any():
        raise InvalidValueError("aperture", text, allowed)
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
) -> LightCurve:
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
    LightCurve
        One point per cadence. Flux and error are NaN if the aperture has no pixel on the frame.
    """
    inside = aperture & series.known
    nothing = np.full(len(times), np.nan)
    if not inside.any():
        return LightCurve(times, nothing, nothing, quality)
    flux = series.flux[inside].sum(axis=0, dtype=np.float64)
    if background is not None:
        flux -= np.count_nonzero(inside) * np.asarray(background, np.float64)
    error = nothing
    if len(series.planes) > 1:
        error = np.sqrt(np.square(series.planes[1][inside], dtype=np.float64).sum(axis=0))
    return LightCurve(times, flux, error, quality)


def difference_frame(series: PixelSeries, curve: LightCurve, background: Floats | None = None) -> Floats:
    """Difference frame: the mean of the brightest tenth of the good cadences minus the mean of the faintest tenth.

    Parameters
    ----------
    series : PixelSeries
        Pixels.
    curve : LightCurve
        Light curve of an aperture, not binned. It defines the brightest and the faintest cadences.
    background : ndarray, shape (n_cadences,), optional
        Value to subtract from each pixel.

    Returns
    -------
    ndarray, shape (n_rows, n_columns)
        Difference in the unit of the pixels. All pixels are NaN if fewer than two good cadences have a flux.
    """
    good = _good(curve.quality)
    good = good[np.isfinite(curve.flux[good])]
    if len(good) < 2:
        return np.full(series.known.shape, np.nan)
    by_flux = good[np.argsort(curve.flux[good], kind="stable")]
    count = max(1, int(len(good) * _EXTREME_SHARE))
    sides = []
    for cadences in (by_flux[-count:], by_flux[:count]):
        pixels = series.flux[..., cadences].astype(np.float64)
        if background is not None:
            pixels -= background[cadences]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # pixels beyond the frame are NaN
            sides.append(np.nanmean(pixels, axis=-1))
    return np.asarray(sides[0] - sides[1])


def _groups(time: Floats, flagged: Mask, per_bin: int) -> NDArray[np.intp]:
    """Number of the point that each cadence belongs to. A flag, or a gap longer than a point, starts another point."""
    steps = np.diff(time)
    finite = steps[np.isfinite(steps)]
    longest = per_bin * float(np.median(finite)) if finite.size else math.inf
    with np.errstate(invalid="ignore"):
        starts = np.concatenate([[True], steps > max(longest, 0.0)])
    segments = np.cumsum(starts) - 1
    bins = (np.arange(len(time)) - np.flatnonzero(starts)[segments]) // per_bin
    keys = (segments * (int(bins.max()) + 1) + bins) * 2 + flagged
    return np.asarray(np.unique(keys, return_inverse=True)[1], np.intp)


def bin_light_curve(curve: LightCurve, points: int) -> LightCurve:
    """Average adjacent cadences until there are at most `points` points.

    Cadences with flags are averaged separately, so that they do not change the good points and stay visible. The flags
    of a point are combined with OR. Cadences without a flux are left out of a point that has other cadences.
    """
    n = len(curve.time)
    if n <= points:
        return curve
    per_bin = math.ceil(n / points)
    while True:
        groups = _groups(curve.time, curve.quality != 0, per_bin)
        count = int(groups.max()) + 1
        if count <= points or per_bin >= n:
            break
        per_bin = max(per_bin + 1, per_bin * count // points)
    counts = np.isfinite(curve.flux) & np.isfinite(curve.time)
    counts |= (np.bincount(groups, counts) == 0)[groups]
    weight = np.bincount(groups, counts)

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(groups, np.where(counts, values, 0.0)), np.float64)

    time, flux = total(curve.time) / weight, total(curve.flux) / weight
    error = np.sqrt(total(np.square(curve.error))) / weight
    quality = np.zeros(count, curve.quality.dtype)
    np.bitwise_or.at(quality, groups, curve.quality)
    order = np.argsort(time, kind="stable")
    return LightCurve(time[order], flux[order], error[order], quality[order], per_bin)


def picture_limits(frame: Floats) -> tuple[float, float] | None:
    """Values that become black and white: percentiles 0.5 and 99.5; None if no pixel has a value."""
    values = frame[np.isfinite(frame)]
    if values.size == 0:
        return None
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(high)


def edge_distance(layout: CubeLayout, row: float, column: float) -> float:
    """Distance in pixels from a position to the nearest edge of the science pixels; negative outside them.

    The science pixels are the pixels that see the sky. A full frame has them in rows 0 to 2047 and columns 44 to 2091.
    In frames of other shapes, all pixels count as science pixels.
    """
    first_row, stop_row, first_column, stop_column = (
        _SCIENCE if (layout.n_rows, layout.n_columns) == _FULL_FRAME else (0, layout.n_rows, 0, layout.n_columns)
    )
    return min(row + 0.5 - first_row, stop_row - 0.5 - row, column + 0.5 - first_column, stop_column - 0.5 - column)
