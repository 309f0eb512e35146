"""What the work on a band yields for each target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BulkCurve:
    """Light curve of one target on one cube. Arrays have the shape (n_cadences,): a value for each cadence of the cube.

    Parameters
    ----------
    time : ndarray of float64
        Middle of each exposure for the position of the target: BTJD for SPOC, TJD for TICA frames.
    flux, flux_err : ndarray of float64
        Sum of the aperture without background, and its error; NaN where not known.
    background : ndarray of float64 or None
        Background that was subtracted, for the whole aperture; None if nothing was subtracted.
    centroid_row, centroid_column : ndarray of float64
        Centroid of the aperture without background, weighted by flux, in pixels of the frame; the centre of the first
        pixel is 0. NaN where there is none.
    quality : ndarray of int32
        Quality bits of the frames.
    cadence_number : ndarray of int32 or None
        The spacecraft's count of exposures; None if the frames have none.
    mask : ndarray of bool, shape (n_rows, n_columns)
        The aperture in the window.
    trend : ndarray of float64 or None
        What detrending removed from the flux; None if nothing was removed.
    detrended : str
        What the trend is made of; empty if nothing was removed.
    """

    time: Floats
    flux: Floats
    flux_err: Floats
    background: Floats | None
    centroid_row: Floats
    centroid_column: Floats
    quality: NDArray[np.int32]
    cadence_number: NDArray[np.int32] | None
    mask: NDArray[np.bool_]
    trend: Floats | None = None
    detrended: str = ""


@dataclass(frozen=True, eq=False)
class Made:
    """One target of a band, after its pixels were read.

    Parameters
    ----------
    sighting : int
        Place of the target among the sightings of the band, from 0.
    curve : BulkCurve or None
        Its light curve; None if no product needs it.
    file : iterable of bytes or None
        Its target pixel file, piece by piece, which can be read once; None if no product needs it.
    status : {'ok', 'no overlap', 'error'}
        Whether all that is wanted could be made. If not, and there is a file, only the light curve could not.
    reason : str
        Why something could not be made; empty otherwise.
    """

    sighting: int
    curve: BulkCurve | None = None
    file: Iterable[bytes] | None = None
    status: Literal["ok", "no overlap", "error"] = "ok"
    reason: str = ""
