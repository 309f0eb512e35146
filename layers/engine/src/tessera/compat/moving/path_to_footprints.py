"""`path_to_footprints`: astrocut's function that finds cutouts which together contain a path.

A size is (columns, rows), as in astrocut's code. astrocut's documentation has the other order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from astropy.wcs.utils import wcs_to_celestial_frame
from numpy.typing import NDArray

from tessera.errors import InvalidInputError, InvalidQueryError
from tessera.sky.positions import path_pixels
from tessera.windows import MAX_WINDOW, Placement, place_axes

Bounds: TypeAlias = NDArray[np.int64]
"""[[first column, stop column], [first row, stop row]]; the stop column and the stop row are excluded."""


def box_shape(size: Any) -> tuple[int, int]:
    """Columns and rows of a box. A single number is used for both axes.

    Raises
    ------
    InvalidInputError
        When `size` is not a size.
    """
    try:
        values = np.asarray(size, np.float64).ravel()
        columns, rows = (float(side) for side in (values if len(values) == 2 else values.repeat(2)))
    except (TypeError, ValueError):
        columns = rows = 0.0
    if not all(side.is_integer() and 1 <= side <= MAX_WINDOW for side in (columns, rows)):
        raise InvalidInputError("size", size, f"1 to {MAX_WINDOW} whole pixels: one number, or (columns, rows)")
    return int(columns), int(rows)


def image_shape(img_wcs: WCS) -> tuple[int, int]:
    """Rows and columns of the image of a WCS.

    Raises
    ------
    InvalidInputError
        When the WCS does not have the size of its image.
    """
    shape = getattr(img_wcs, "array_shape", None)
    if shape is None or len(shape) != 2:
        raise InvalidInputError("img_wcs", img_wcs, "a WCS with the size of its image (NAXIS1 and NAXIS2)")
    return int(shape[0]), int(shape[1])


def pixels_of(path: SkyCoord, img_wcs: WCS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows and columns of sky positions on an image; NaN where the WCS has no solution."""
    sky = path.transform_to(wcs_to_celestial_frame(img_wcs)).spherical
    return path_pixels(img_wcs, np.atleast_1d(sky.lon.deg).ravel(), np.atleast_1d(sky.lat.deg).ravel())


def round_bounds(x: Any, y: Any, size: Any) -> Bounds:
    """Place boxes around pixels by astrocut's rule for moving targets; shape (n, 2, 2), see `Bounds`."""
    sides = []
    for positions, size_of_axis in zip((x, y), box_shape(size), strict=True):
        centres = np.atleast_1d(np.asarray(positions, np.float64))
        first, n = place_axes(centres, size_of_axis, Placement.ROUND_LOWER)
        sides.append(np.stack([first, first + n], axis=1))
    return np.stack(sides, axis=1)


def join_bounds(first: Bounds, second: Bounds) -> Bounds:
    """The smallest box that contains two boxes."""
    return np.stack([np.minimum(first[:, 0], second[:, 0]), np.maximum(first[:, 1], second[:, 1])], axis=1)


def bounds_area(bounds: Bounds) -> int:
    """Number of pixels of a box."""
    return int(np.diff(bounds, axis=1).prod())


def join_while(boxes: Iterable[Bounds], max_pixels: int) -> list[Bounds]:
    """Join boxes in order, as long as a joined box has at most `max_pixels` pixels."""
    joined: list[Bounds] = []
    for box in boxes:
        both = join_bounds(joined[-1], box) if joined else box
        if joined and bounds_area(both) <= max_pixels:
            joined[-1] = both
        else:
            joined.append(box)
    return joined


def cutout_arguments(bounds: Bounds, img_wcs: WCS) -> dict[str, Any]:
    """Arguments of a cutout that equals a box: its centre, and its size as (rows, columns)."""
    columns, rows = (int(side[1] - side[0]) for side in bounds)
    x, y = columns / 2 + int(bounds[0, 0]), rows / 2 + int(bounds[1, 0])
    return {"coordinates": img_wcs.pixel_to_world(x, y), "size": (rows, columns)}


def path_to_footprints(path: SkyCoord, size: Any, img_wcs: WCS, max_pixels: int = 10000) -> list[dict[str, Any]]:
    """Find cutouts that together contain the boxes around all positions of a path.

    Parameters
    ----------
    path : SkyCoord
        Positions, in the order in which the target reaches them. Positions outside the image are left out.
    size : int, or (int, int)
        Size of the box around each position in pixels: one number for both axes, or (columns, rows).
    img_wcs : WCS
        WCS of the image, with the size of the image.
    max_pixels : int, optional
        Largest number of pixels of a cutout. A single box that has more pixels still becomes a cutout.

    Returns
    -------
    list of dict
        Cutouts, each with ``coordinates`` (SkyCoord) and ``size`` (rows, columns). If two positions are far apart, the
        target may be outside all cutouts between them.

    Raises
    ------
    InvalidInputError
        When an argument has a value that is not allowed.
    InvalidQueryError
        When no position is on the image.
    """
    n_rows, n_columns = image_shape(img_wcs)
    rows, columns = pixels_of(path, img_wcs)
    on_image = (rows >= -0.5) & (rows < n_rows - 0.5) & (columns >= -0.5) & (columns < n_columns - 0.5)
    if not on_image.any():
        raise InvalidQueryError("The path is not on the image.")
    boxes = round_bounds(columns[on_image], rows[on_image], size)
    return [cutout_arguments(bounds, img_wcs) for bounds in join_while(boxes, max_pixels)]
