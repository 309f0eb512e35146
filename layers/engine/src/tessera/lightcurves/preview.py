"""What a preview of a cutout has beside the photometry: pixels from a cube, a difference frame, bins and limits.

The last axis of pixel arrays is the cadence, as in a cube.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.cubes.read_plan import RowRead
from tessera.cubes.window_pixels import Cutout, read_floats
from tessera.lightcurves.photometry import CurvePoints, Floats, Mask, PixelSeries, good_cadences
from tessera.tess.detector import science_area
from tessera.windows import Window

PERCENTILES = (0.5, 99.5)
"""Percentiles of the values that become black and white in a picture."""
_EXTREME_SHARE = 0.1
"""Share of the cadences in the bright side, and in the faint side, of a difference frame."""


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
    return PixelSeries(planes[0], planes[1] if layout.n_planes > 1 else None, known)


def series_of(cutout: Cutout) -> PixelSeries:
    """The pixels of a cutout as `assemble_series` gives them."""
    planes = np.ascontiguousarray(np.moveaxis(cutout.planes, 1, -1), np.float32)
    return PixelSeries(planes[0], planes[1] if len(planes) > 1 else None, cutout.aperture.astype(np.bool_))


def difference_frame(series: PixelSeries, curve: CurvePoints, background: Floats | None = None) -> Floats:
    """Difference frame: the mean of the brightest tenth of the good cadences minus the mean of the faintest tenth.

    Parameters
    ----------
    series : PixelSeries
        Pixels.
    curve : CurvePoints
        Light curve of an aperture, not binned. It defines the brightest and the faintest cadences.
    background : ndarray, optional
        Value to subtract from each pixel. Its shape broadcasts to (n_rows, n_columns, n_cadences).

    Returns
    -------
    ndarray, shape (n_rows, n_columns)
        Difference in the unit of the pixels. All pixels are NaN if fewer than two good cadences have a flux.
    """
    good = good_cadences(curve.quality)
    good = good[np.isfinite(curve.flux[good])]
    if len(good) < 2:
        return np.full(series.known.shape, np.nan)
    by_flux = good[np.argsort(curve.flux[good], kind="stable")]
    count = max(1, int(len(good) * _EXTREME_SHARE))
    sides = []
    for cadences in (by_flux[-count:], by_flux[:count]):
        pixels = series.flux[..., cadences].astype(np.float64)
        if background is not None:
            pixels -= background[..., cadences]
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


def bin_light_curve(curve: CurvePoints, points: int) -> CurvePoints:
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
    trend = None if curve.trend is None else (total(curve.trend) / weight)[order]
    return CurvePoints(time[order], flux[order], error[order], quality[order], per_bin, trend)


def picture_limits(frame: Floats) -> tuple[float, float] | None:
    """Values that become black and white: percentiles 0.5 and 99.5; None if no pixel has a value."""
    values = frame[np.isfinite(frame)]
    if values.size == 0:
        return None
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(high)


def edge_distances(layout: CubeLayout, rows: Floats, columns: Floats) -> NDArray[np.float64]:
    """Distance in pixels from each position to the nearest edge of the science pixels; negative outside them.

    The science pixels are the pixels that see the sky; see `tessera.tess.detector.science_area`.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    rows, columns : ndarray
        Positions; the centre of the first pixel is 0.
    """
    first_row, stop_row, first_column, stop_column = science_area(layout.n_rows, layout.n_columns)
    by_row = np.minimum(rows + 0.5 - first_row, stop_row - 0.5 - rows)
    by_column = np.minimum(columns + 0.5 - first_column, stop_column - 0.5 - columns)
    return np.asarray(np.minimum(by_row, by_column), np.float64)


def count_science_pixels(layout: CubeLayout, window: Window) -> int:
    """Count the science pixels of a window; see `tessera.tess.detector`."""
    row, stop_row, column, stop_column = science_area(layout.n_rows, layout.n_columns)
    rows = min(window.first_row + window.n_rows, stop_row) - max(window.first_row, row)
    columns = min(window.first_column + window.n_columns, stop_column) - max(window.first_column, column)
    return max(rows, 0) * max(columns, 0)


def edge_distance(layout: CubeLayout, row: float, column: float) -> float:
    """`edge_distances` of one position."""
    return float(edge_distances(layout, np.array([row]), np.array([column]))[0])
