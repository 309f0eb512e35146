"""A quick test of which positions a cube may see. It loses none that the WCS of the cube puts on the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tessera.bulk.plan.sightings import Floats
from tessera.sky.positions import FAR
from tessera.sky.sphere import unit_vectors

if TYPE_CHECKING:
    from astropy.wcs import WCS

_STEPS = 32
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Region:
    """A box in the plane that is tangent at the middle of a frame.

    Parameters
    ----------
    middle : ndarray, shape (3,)
        Unit vector to the middle of the box.
    axes : ndarray, shape (3, 2)
        Unit vectors along columns and rows of the plane.
    low, high : ndarray, shape (2,)
        Smallest and largest coordinates in the plane.
    reach : float
        Largest angle in radians from the middle to a position of the box.
    """

    middle: Floats
    axes: Floats
    low: Floats
    high: Floats
    reach: float

    def contains(self, directions: Floats) -> Floats:
        """Whether unit vectors, shape (n, 3), are in the box; shape (n,)."""
        height = directions @ self.middle
        across = directions @ self.axes
        box = (across >= self.low * height[:, None]) & (across <= self.high * height[:, None])
        return np.asarray(box.all(axis=1) & (height > 0))


def frame_region(wcs: WCS, n_rows: int, n_columns: int, border: float, margin: float) -> Region | None:
    """Box around a frame with its distortion.

    Positions of a grid of pixels give the box. Between them, a coordinate of the plane bends by less than its second
    difference, by which the box is larger.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        WCS of the frame.
    n_rows, n_columns : int
        Shape of the frame.
    border : float
        Pixels beyond the frame that belong to it.
    margin : float
        Degrees by which the box is larger.

    Returns
    -------
    Region or None
        None if the grid or the margin is so large that there is no such box.
    """
    columns, rows = (np.linspace(-border, n - 1 + border, _STEPS + 1) for n in (n_columns, n_rows))
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    with np.errstate(all="ignore"):
        sky = unit_vectors(*np.asarray(wcs.all_pix2world(grid, 0), np.float64).T)
    if not np.isfinite(sky).all() or margin > FAR:
        return None
    middle = sky.mean(axis=0)
    middle /= np.linalg.norm(middle)
    right = sky.reshape(_STEPS + 1, _STEPS + 1, 3)
    first = right[_STEPS // 2, -1] - right[_STEPS // 2, 0]
    first -= (first @ middle) * middle
    if not (sky @ middle > np.cos(np.radians(FAR))).all() or not first.any():
        return None
    first /= np.linalg.norm(first)
    axes = np.stack([first, np.cross(middle, first)], axis=1)
    plane = (sky @ axes) / (sky @ middle)[:, None]
    lines = plane.reshape(_STEPS + 1, _STEPS + 1, 2)
    bend = max(float(np.abs(np.diff(lines, 2, axis=axis)).max()) for axis in (0, 1))
    edge = np.hypot(np.abs(plane).max(axis=0)[0], np.abs(plane).max(axis=0)[1])
    wide = bend + _ROUNDING + np.radians(margin) * (1 + edge * edge) * 1.01
    low, high = plane.min(axis=0) - wide, plane.max(axis=0) + wide
    reach = float(np.arctan(np.hypot(*np.maximum(np.abs(low), np.abs(high)))))
    return Region(middle, axes, low, high, reach)
