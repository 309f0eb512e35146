"""What a cutout looks like before it is downloaded: a median frame, an aperture, a light curve, where light varies.

Series are kept per pixel, the last axis being cadences, as they come out of a cube.
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
from tessera.errors import InvalidValueError
from tessera.windows import Window

Floats: TypeAlias = NDArray[np.floating[Any]]
Mask: TypeAlias = NDArray[np.bool_]

SIGMAS = 3.0
"""Standard deviations above the median from which a pixel belongs to a star."""
PERCENTILES = (0.5, 99.5)
"""What becomes black and white in a picture."""
_EXTREME_SHARE = 0.1
"""Share of the cadences that the two sides of a difference frame are each made of."""
_MAD_TO_SIGMA = 1.4826
_FULL_FRAME = (2078, 2136)
_SCIENCE = (0, 2048, 44, 2092)
"""First row, row behind the last, first column and column behind the last of the pixels that see the sky."""


@dataclass(frozen=True)
class PixelSeries:
    """Pixels of a window, each with all its cadences.

    Parameters
    ----------
    window : Window
        May reach beyond the frame.
    planes : ndarray of float32, shape (n_planes, n_rows, n_columns, n_cadences)
        NaN where the window has no pixels.
    known : ndarray of bool, shape (n_rows, n_columns)
        Where it has pixels.
    """

    window: Window
    planes: NDArray[np.float32]
    known: Mask

    @property
    def flux(self) -> NDArray[np.float32]:
        """Plane 0."""
        return np.asarray(self.planes[0])


@dataclass(frozen=True)
class LightCurve:
    """Brightness in the course of time; arrays of one length.

    Parameters
    ----------
    time : ndarray of float64
        Mid-exposures, BTJD.
    flux, error : ndarray of float64
        In the unit of the pixels; NaN where unknown.
    quality : ndarray of int
        Bits; 0 is good.
    binned : int
        Cadences of a point, at most.
    """

    time: Floats
    flux: Floats
    error: Floats
    quality: NDArray[np.integer[Any]]
    binned: int = 1


def assemble_series(layout: CubeLayout, window: Window, rows: Iterable[tuple[RowRead, Any]]) -> PixelSeries:
    """Put the answers to the range requests of `plan_reads` in their places; see `assemble_cutout`."""
    overlap = window.overlap(layout.n_rows, layout.n_columns)
    planes = np.full((layout.n_planes, window.n_rows, window.n_columns, layout.n_cadences), np.nan, np.float32)
    known = np.zeros((window.n_rows, window.n_columns), np.bool_)
    inside, columns = overlap.inside
    for read, data in rows:
        pixels = np.frombuffer(data, dtype=">f4")
        pixels = pixels.reshape(read.n_rows, overlap.shape[1], layout.n_cadences, layout.n_planes)
        first = inside.start + read.first_row
        some = slice(first, first + read.n_rows)
        planes[:, some, columns] = pixels.transpose(3, 0, 1, 2)
        known[some, columns] = True
    return PixelSeries(window, planes, known)


def _median(values: Floats) -> Floats:
    """Median along the last axis, without what is NaN."""
    if not np.isnan(values).any():
        return np.asarray(np.median(values, axis=-1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all of a pixel may be NaN
        return np.asarray(np.nanmedian(values, axis=-1))


def _good(quality: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Cadences without flags; all, where all are flagged."""
    good = np.flatnonzero(quality == 0)
    return good if len(good) else np.arange(len(quality))


def median_frame(series: PixelSeries, quality: NDArray[np.integer[Any]]) -> Floats:
    """Median of the good cadences, or of all where none is good; shape (n_rows, n_columns)."""
    good, flux = _good(quality), series.flux
    return _median(flux if len(good) == flux.shape[-1] else flux[..., good])


def threshold_aperture(frame: Floats, row: int, column: int, sigmas: float = SIGMAS) -> Mask:
    """Pixels that hang together with a target's pixel and are brighter than median + some standard deviations.

    The standard deviation is 1.4826 times the median distance from the median. The target's own pixel is always in the
    aperture; pixels hang together along their edges.

    Parameters
    ----------
    frame : ndarray, shape (n_rows, n_columns)
        From `median_frame`; NaN is in no aperture.
    row, column : int
        The target's pixel in the frame; brought to the nearest one that there is.
    sigmas : float, optional
        How far above.
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
    """Read an aperture from hexadecimal digits: row by row, the first pixel is the highest bit of the first digit.

    Raises
    ------
    InvalidValueError
        When it has another number of digits, something behind the last pixel, or no pixel.
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
    """Median of the pixels outside an aperture, per cadence; None where there are none."""
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
    """Light curve of an aperture; of its pixels, those count that are on the frame.

    Parameters
    ----------
    series : PixelSeries
        Pixels.
    aperture : ndarray of bool, shape (n_rows, n_columns)
        Which of them.
    times, quality : ndarray, shape (n_cadences,)
        Of the cadences.
    background : ndarray, shape (n_cadences,), optional
        What is subtracted from each pixel.
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
    """Where the light varies: mean of the brightest tenth of the good cadences less that of the faintest tenth.

    Parameters
    ----------
    series : PixelSeries
        Pixels.
    curve : LightCurve
        Of an aperture on them, not binned; tells which cadences are bright.
    background : ndarray, shape (n_cadences,), optional
        What is subtracted from each pixel.

    Returns
    -------
    ndarray, shape (n_rows, n_columns)
        NaN everywhere when fewer than two good cadences have a flux.
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
    """Number of the point that each cadence goes to; flags and gaps longer than a point keep cadences apart."""
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
    """Average adjacent cadences until there are at most so many points.

    Cadences with flags are averaged apart from those without, so that they spoil nothing and stay to be seen; their
    flags are joined. What has no flux is left out of a point unless nothing else is in it.
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
    """Values that become black and white: percentiles 0.5 and 99.5; None where nothing has a value."""
    values = frame[np.isfinite(frame)]
    if values.size == 0:
        return None
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(high)


def edge_distance(layout: CubeLayout, row: float, column: float) -> float:
    """Pixels from a position to the nearest edge of the pixels that see the sky; negative beyond them.

    Of a full frame those are rows 0 to 2047 and columns 44 to 2091; of other shapes, all.
    """
    first_row, stop_row, first_column, stop_column = (
        _SCIENCE if (layout.n_rows, layout.n_columns) == _FULL_FRAME else (0, layout.n_rows, 0, layout.n_columns)
    )
    return min(row + 0.5 - first_row, stop_row - 0.5 - row, column + 0.5 - first_column, stop_column - 0.5 - column)
