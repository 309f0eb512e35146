"""The rows of a list of targets, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row of a list that cannot be understood.

    Parameters
    ----------
    row : int
        Number of the row in the list, from 1. The names of the columns are no row.
    name : str
        Name or position as the user wrote it; empty if there is none.
    reason : str
        What is wrong: the column, the value, and what is allowed.
    """

    row: int
    name: str
    reason: str


@dataclass(frozen=True)
class TargetRows:
    """Targets of a list whose rows were understood. Arrays have the shape (n_targets,), in the order of the list.

    Parameters
    ----------
    row : ndarray of int64
        Number of the row in the list, from 1.
    name : tuple of str
        Name, or position as the user wrote it.
    tic : ndarray of int64
        Number in the TESS Input Catalog; 0 where it is not known.
    ra, dec : ndarray of float64
        Position at `epoch`, ICRS degrees.
    pm_ra, pm_dec : ndarray of float64
        Proper motion in mas per year, in right ascension times cos(dec), and in declination; NaN where not known.
    epoch : ndarray of float64
        Julian year of the position; NaN where there is no proper motion.
    n_rows, n_columns : ndarray of int32
        Size of the window in pixels.
    sector_set : ndarray of int32
        Place in `sector_sets`.
    aperture : ndarray of int32
        Place in `apertures`.
    sector_sets : tuple of (tuple of int or None)
        The different choices of sectors; None for all sectors.
    apertures : tuple of str
        The different apertures.
    problems : tuple of RowProblem
        The other rows, in the order of the list.
    """

    row: Ints
    name: tuple[str, ...]
    tic: Ints
    ra: Floats
    dec: Floats
    pm_ra: Floats
    pm_dec: Floats
    epoch: Floats
    n_rows: NDArray[np.int32]
    n_columns: NDArray[np.int32]
    sector_set: NDArray[np.int32]
    aperture: NDArray[np.int32]
    sector_sets: tuple[tuple[int, ...] | None, ...] = (None,)
    apertures: tuple[str, ...] = ("default",)
    problems: tuple[RowProblem, ...] = ()

    def __len__(self) -> int:
        """Number of rows that were understood."""
        return len(self.row)

    @property
    def n_given(self) -> int:
        """Number of rows of the list."""
        return len(self.row) + len(self.problems)
