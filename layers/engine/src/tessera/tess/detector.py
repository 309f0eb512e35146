"""What is known about the CCDs: which pixels of a frame see the sky, and how much light a pixel holds.

Source: TESS Instrument Handbook. A frame has 2,078 rows and 2,136 columns. Rows 0 to 2047 of columns 44 to 2091 are
science pixels. Around them are the collateral pixels, which see no sky: leading and trailing columns, and buffer, smear
and virtual rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tessera.tess.products import Product

FULL_FRAME = (2078, 2136)
_SCIENCE = (0, 2048, 44, 2092)
FULL_WELL = 200_000
"""Electrons that fill a pixel, about."""
_WELL = 0.9 * FULL_WELL
"""Electrons of a pixel near its full well."""
_READ_SECONDS = 1.98
"""Seconds in which a pixel gathers light before it is read."""


def science_area(n_rows: int, n_columns: int) -> tuple[int, int, int, int]:
    """First row, stop row, first column and stop column of the science pixels; the stops are excluded.

    In frames of other shapes than the full frame's, all pixels count as science pixels.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of the frame.
    """
    return _SCIENCE if (n_rows, n_columns) == FULL_FRAME else (0, n_rows, 0, n_columns)


def science_pixels(
    frame: tuple[int, int], first_row: object, first_column: object, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Mark the science pixels of windows.

    Parameters
    ----------
    frame : (int, int)
        Shape of the frame.
    first_row, first_column : int, or ndarray of int, shape (n,)
        First pixel of each window on the frame.
    shape : (int, int)
        Rows and columns of a window.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_columns) or (n, n_rows, n_columns)
        False for collateral pixels, and for pixels beyond the frame.
    """
    row, stop_row, column, stop_column = science_area(*frame)
    rows = np.asarray(first_row)[..., None] + np.arange(shape[0])
    columns = np.asarray(first_column)[..., None] + np.arange(shape[1])
    by_row, by_column = (rows >= row) & (rows < stop_row), (columns >= column) & (columns < stop_column)
    return np.asarray(by_row[..., :, None] & by_column[..., None, :])


def saturation_level(product: Product, cards: Mapping[str, Any]) -> float | None:
    """Flux of a pixel that is near its full well in every read of an exposure, in the unit of the product's pixels.

    Parameters
    ----------
    product : Product
        Kind of the frames.
    cards : mapping
        Cards of a frame, with the length of its exposure.

    Returns
    -------
    float or None
        None if the cards do not say how long the exposure is.
    """
    seconds = cards.get(product.exposure)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < np.inf:
        return None
    return _WELL / seconds if product.flux_unit == "e-/s" else _WELL / _READ_SECONDS * seconds
