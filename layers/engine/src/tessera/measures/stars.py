"""Bright stars of a cube, for what the light curves of a CCD have in common.

A frame is divided into cells of 64 by 64 pixels. Each cell gives its brightest pixel that is a star: brighter than the
eight pixels around it, well above its surroundings, and not near saturation. Its light curve is the sum of these nine
pixels minus nine times the background, the mean of the faintest quarter of the pixels in the three rows of the cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.tess.detector import FULL_WELL

CELL = 64
"""Rows and columns of a cell."""
_ABOVE = 10.0
"""A star is above its surroundings by so many times the scatter of its pixel."""
_FULL_RATE = FULL_WELL / 2 / 2
"""Electrons per second in a pixel up to which a star is taken: half of what fills it in an exposure of 2 s."""
_EXPOSED = 0.8
"""Part of a cadence in which electrons are collected; cosmic ray mitigation takes the rest."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """One row of a cube: the flux of all cadences, and what was measured of it.

    Parameters
    ----------
    flux : ndarray, shape (n_columns, n_cadences)
        Flux.
    reference, rms : ndarray, shape (n_columns,)
        See `tessera.cubes.reference.ReferenceFrame`.
    """

    flux: Floats
    reference: Floats
    rms: Floats


@dataclass(frozen=True)
class BrightStar:
    """A bright star.

    Parameters
    ----------
    row, column : int
        Its pixel, counted from 0.
    peak : float
        Value of the reference frame there.
    curve : ndarray of float32, shape (n_cadences,)
        Its light curve, without background.
    """

    row: int
    column: int
    peak: float
    curve: Floats

    @property
    def cell(self) -> tuple[int, int]:
        """Row and column of its cell."""
        return self.row // CELL, self.column // CELL


def brightest_allowed(cube: Cube) -> float:
    """Largest value of a pixel of the reference frame that is not near saturation."""
    if cube.product.flux_unit == "e-/s":
        return _FULL_RATE
    length = float(np.nanmedian(cube.series["stop"] - cube.series["start"])) * 86400
    return _FULL_RATE * _EXPOSED * length


def find_stars(row: int, below: Row, middle: Row, above: Row, most: float) -> list[BrightStar]:
    """The brightest star of each cell whose pixel is in a row, given the row and those beside it.

    Parameters
    ----------
    row : int
        Number of the row.
    below, middle, above : Row
        The row before it, itself, and the row after it.
    most : float
        See `brightest_allowed`.
    """
    three = np.stack([below.reference, middle.reference, above.reference])
    around = np.stack([np.roll(three, shift, axis=1) for shift in (-1, 0, 1)])
    others = around.reshape(9, -1)[[0, 1, 2, 3, 5, 6, 7, 8]]
    with np.errstate(invalid="ignore"):
        is_peak = (middle.reference > others).all(axis=0) & (middle.reference <= most)
    is_peak[[0, -1]] = False
    stars: list[BrightStar] = []
    if not is_peak.any():
        return stars
    for first in range(0, len(is_peak), CELL):
        columns = np.arange(first, min(first + CELL, len(is_peak)))
        peaks = columns[is_peak[columns]]
        if len(peaks):
            best = int(peaks[np.argmax(middle.reference[peaks])])
            star = _star(row, best, columns, (below, middle, above), three)
            stars += [] if star is None else [star]
    return stars


def _star(
    row: int, column: int, columns: NDArray[np.intp], rows: tuple[Row, Row, Row], three: Floats
) -> BrightStar | None:
    here, peak = three[:, columns], float(three[1, column])
    usual = float(np.nanmedian(here))
    if not peak - usual > _ABOVE * float(rows[1].rms[column]):
        return None
    total = sum(item.flux[column - 1 : column + 2].sum(axis=0, dtype=np.float64) for item in rows)
    faint = here <= np.nanquantile(here, 0.25)
    background = sum(item.flux[columns[chosen]].sum(axis=0) for item, chosen in zip(rows, faint, strict=True))
    curve = total - 9 * np.asarray(background, np.float64) / faint.sum()
    return BrightStar(row, column, peak, np.asarray(curve, np.float32))


def brightest_of_cells(stars: list[BrightStar]) -> list[BrightStar]:
    """The brightest star of each cell, in the order of the cells."""
    best: dict[tuple[int, int], BrightStar] = {}
    for star in stars:
        known = best.get(star.cell)
        if known is None or (star.peak, -star.row, -star.column) > (known.peak, -known.row, -known.column):
            best[star.cell] = star
    return [best[cell] for cell in sorted(best)]
