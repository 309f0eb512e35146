"""What changed on a CCD: sources in the differences of bins of time.

A bin's difference loses its background first, the medians of boxes of 32 by 32 pixels, joined smoothly, and then the
median of all bins. The noise of a pixel is the largest of three: what the noise of a cadence leaves in a median of the
bin's cadences, the scatter of the steps from bin to bin, and the scatter of the pixels in its box.

A source is where the sum of 3 by 3 pixels is a peak of `n_sigma` times its noise or more, brighter or fainter, if it
has the form of a star: at least two of its pixels are above twice their noise, none has more than four fifths of the
sum, and no pixel nearby is as clearly of the other sign, as beside a star that moved. Sources of the same sign within
1.5 pixels in bins that follow each other, or nearly, are one change.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reference.frame import ReferenceFrame
from tessera.lightcurves.photometry import MAD_TO_SIGMA
from tessera.measures.bins import TimeBins
from tessera.measures.statistics import median
from tessera.measures.thresholds import N_SIGMA
from tessera.tess.detector import science_area

MOST_CHANGES = 10_000
"""Largest number of changes that are kept: the clearest ones."""
_BOX = 32
_FEWEST_BINS = 8
_CLEAR = 2.0
_LARGEST_SHARE = 0.8
_LARGEST_OPPOSITE = 0.5
_SAME_PLACE = 1.5
_SAME_TIME = 2
"""Sources are one change if their bins are at most so far apart."""

Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """A source in the difference of one bin."""

    bin: int
    row: float
    column: float
    difference: float
    error: float

    @property
    def sigma(self) -> float:
        """Difference divided by its error; negative for what became fainter."""
        return self.difference / self.error


@dataclass(frozen=True)
class Change:
    """A change on a CCD.

    Parameters
    ----------
    row, column : float
        Where it is clearest, in pixels; the centre of the first pixel is 0.
    start, end : float
        Beginning of the first bin in which it is seen, and end of the last one, BTJD or TJD.
    peak : float
        Middle of the bin in which it is clearest.
    difference, error : float
        Sum of 3 by 3 pixels in that bin minus the reference, in the unit of the frames, and its uncertainty.
    reference : float
        The same sum of the reference frame, with its background.
    n_bins : int
        Number of bins in which it is seen.
    """

    row: float
    column: float
    start: float
    end: float
    peak: float
    difference: float
    error: float
    reference: float
    n_bins: int

    @property
    def sigma(self) -> float:
        """Difference divided by its error; negative for what became fainter."""
        return self.difference / self.error


def _boxes(image: Floats) -> Floats:
    """Pixels by box: shape (boxes of rows, boxes of columns, pixels)."""
    rows, columns = (-(-side // _BOX) for side in image.shape)
    whole = np.full((rows * _BOX, columns * _BOX), np.nan, np.float32)
    whole[: image.shape[0], : image.shape[1]] = image
    return whole.reshape(rows, _BOX, columns, _BOX).transpose(0, 2, 1, 3).reshape(rows, columns, -1)


def _medians(boxes: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # boxes without a finite pixel
        return np.nan_to_num(np.nanmedian(boxes, axis=2)).astype(np.float32)


def _weights(side: int, n_boxes: int) -> Floats:
    """Weights that join the values of boxes linearly, by their middles: shape (side, n_boxes)."""
    first = np.arange(n_boxes) * _BOX
    middles = (first + np.minimum(first + _BOX, side) - 1) / 2
    return np.stack([np.interp(range(side), middles, unit) for unit in np.eye(n_boxes)], axis=1).astype("f4")


def subtract_background(image: Floats) -> Floats:
    """Subtract the background of a difference."""
    background = _medians(_boxes(image))
    rows, columns = (_weights(side, n) for side, n in zip(image.shape, background.shape, strict=True))
    return np.asarray(image - rows @ background @ columns.T, np.float32)


def _scatter(image: Floats) -> Floats:
    """Scatter of the pixels of each pixel's box."""
    scatter = np.float32(MAD_TO_SIGMA) * _medians(np.abs(_boxes(image)))
    spread = np.repeat(np.repeat(scatter, _BOX, axis=0), _BOX, axis=1)
    return spread[: image.shape[0], : image.shape[1]]


def _settle(differences: Floats) -> Floats:
    """Make the median of all bins zero, and return the scatter of the steps between bins that follow each other.

    The median of cadences with a variable background is not that of the same cadences without it. Nothing is done, and
    the scatter is 0, with few bins, of which a change is a large part.
    """
    jitter = np.zeros(differences.shape[1:], np.float32)
    if len(differences) >= _FEWEST_BINS:
        for first in range(0, len(jitter), _BOX):
            rows = differences[:, first : first + _BOX]
            rows -= median(np.moveaxis(rows, 0, -1))
            jitter[first : first + _BOX] = median(np.moveaxis(np.abs(np.diff(rows, axis=0)), 0, -1))
    return np.asarray(np.nan_to_num(np.float32(MAD_TO_SIGMA / np.sqrt(2)) * jitter), np.float32)


def _sum_of_nine(image: Floats) -> Floats:
    """Sum of the 3 by 3 pixels around each pixel; not a number at the edges."""
    total = np.full(image.shape, np.nan, np.float32)
    rows, columns = image.shape
    parts = (image[a : rows - 2 + a, b : columns - 2 + b] for a in range(3) for b in range(3))
    total[1:-1, 1:-1] = sum(parts)
    return total


def _largest_around(image: Floats) -> Floats:
    """Largest of the 5 by 5 pixels around each pixel."""
    largest = image
    for axis in (0, 1):
        pad = [(2, 2) if axis == number else (0, 0) for number in (0, 1)]
        wide = np.pad(largest, pad)
        pieces = (np.take(wide, range(at, at + image.shape[axis]), axis=axis) for at in range(5))
        largest = np.maximum.reduce(list(pieces))
    return largest


def find_sources(number: int, image: Floats, noise: Floats, n_sigma: float = N_SIGMA) -> list[Source]:
    """Find the sources in the difference of a bin.

    Parameters
    ----------
    number : int
        Number of the bin.
    image : ndarray, shape (n_rows, n_columns)
        The difference, without its background.
    noise : ndarray, shape (n_rows, n_columns)
        Noise of its pixels, without that of their boxes.
    n_sigma : float, optional
        See the module.
    """
    noise = np.maximum(noise, _scatter(image))
    error = np.sqrt(_sum_of_nine(np.square(noise)))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nan_to_num(_sum_of_nine(image) / error, nan=0.0, posinf=0.0, neginf=0.0)
    strength = np.abs(ratio)
    places = np.argwhere((strength >= n_sigma) & (strength == _largest_around(strength)))
    found = []
    for row, column in places.tolist():
        sign = 1.0 if ratio[row, column] > 0 else -1.0
        if _is_star(sign * image, noise, row, column):
            nine = np.s_[row - 1 : row + 2, column - 1 : column + 2]
            weights = np.maximum(sign * image[nine].astype(np.float64), 0)
            down, right = (float((weights * offset).sum() / weights.sum()) for offset in np.mgrid[-1:2, -1:2])
            total = float(image[nine].sum(dtype=np.float64))
            found.append(Source(number, row + down, column + right, total, float(error[row, column])))
    return found


def _is_star(image: Floats, noise: Floats, row: int, column: int) -> bool:
    nine = np.s_[row - 1 : row + 2, column - 1 : column + 2]
    near = image[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4]
    pixels, peak = image[nine], float(image[nine].max())
    clear = int((pixels > _CLEAR * noise[nine]).sum())
    return clear > 1 and peak <= _LARGEST_SHARE * pixels.sum() and -float(np.nanmin(near)) <= _LARGEST_OPPOSITE * peak


def join_sources(sources: list[Source]) -> list[list[Source]]:
    """Join sources of several bins, in the order of the bins, to changes."""
    changes: list[list[Source]] = []
    open_ones: dict[tuple[int, int], list[list[Source]]] = {}
    for source in sources:
        row, column = round(source.row), round(source.column)
        near = (open_ones.get((row + a, column + b), []) for a in (-2, -1, 0, 1, 2) for b in (-2, -1, 0, 1, 2))
        fits = [change for some in near for change in some if _belongs(change[-1], source)]
        if fits:
            best = min(fits, key=lambda change: _distance(change[-1], source))
            open_ones[round(best[-1].row), round(best[-1].column)].remove(best)
        else:
            best = []
            changes.append(best)
        best.append(source)
        open_ones.setdefault((row, column), []).append(best)
    return changes


def _distance(one: Source, other: Source) -> float:
    return float(np.hypot(one.row - other.row, one.column - other.column))


def _belongs(last: Source, source: Source) -> bool:
    in_time = 0 < source.bin - last.bin <= _SAME_TIME
    return in_time and last.difference * source.difference > 0 and _distance(last, source) <= _SAME_PLACE


def find_changes(frame: ReferenceFrame, bins: TimeBins, differences: Floats, n_sigma: float = N_SIGMA) -> list[Change]:
    """Find what changed on a CCD.

    Parameters
    ----------
    frame : ReferenceFrame
        The reference frame.
    bins : TimeBins
        Bins of time.
    differences : ndarray, shape (n_bins, n_rows, n_columns)
        Median difference from the reference in each bin. Science pixels lose their background here.
    n_sigma : float, optional
        Smallest number of standard deviations of a source.

    Returns
    -------
    list of Change
        All changes, the clearest first.
    """
    row, stop_row, column, stop_column = science_area(*frame.flux.shape)
    if min(stop_row - row, stop_column - column) < 3:
        return []
    area = np.s_[..., row:stop_row, column:stop_column]  # collateral pixels have other levels, and see no source
    differences, of_cadence = differences[area], (frame.error * np.sqrt(frame.n_good, dtype=np.float32))[area]
    for number, image in enumerate(differences):
        differences[number] = subtract_background(image)
    jitter = _settle(differences)
    sources: list[Source] = []
    for number, count in enumerate(bins.counts):
        noise = np.maximum(jitter, of_cadence / np.float32(np.sqrt(count)))
        found = find_sources(number, differences[number], noise, n_sigma)
        sources += [replace(one, row=one.row + row, column=one.column + column) for one in found]
    total = _sum_of_nine(frame.flux)
    changes = [_change(some, bins, total) for some in join_sources(sources)]
    return sorted(changes, key=lambda change: (-abs(change.sigma), change.row, change.column))


def _change(sources: list[Source], bins: TimeBins, total: Floats) -> Change:
    best = max(sources, key=lambda source: abs(source.sigma))
    return Change(
        row=best.row,
        column=best.column,
        start=float(bins.start[sources[0].bin]),
        end=float(bins.end[sources[-1].bin]),
        peak=float(bins.start[best.bin] + bins.end[best.bin]) / 2,
        difference=best.difference,
        error=best.error,
        reference=float(total[round(best.row), round(best.column)]),
        n_bins=len(sources),
    )
