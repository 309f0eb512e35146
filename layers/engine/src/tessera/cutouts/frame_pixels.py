"""The frames of cubes as `tessera.sky.shapes.boxes` needs them: with their WCS, or with their footprint alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.sky.positions import path_pixels
from tessera.sky.shapes.boxes import PixelFrame
from tessera.sky.sphere import unit_vectors
from tessera.sky.wcs import frame_wcs

if TYPE_CHECKING:
    from astropy.wcs import WCS

Floats: TypeAlias = NDArray[np.float64]


def wcs_frame(wcs: WCS, n_rows: int, n_columns: int) -> PixelFrame:
    """Describe a frame by its WCS, with distortion.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        WCS of the frame.
    n_rows, n_columns : int
        Shape of the frame.
    """

    def to_pixels(directions: Floats) -> Floats:
        return np.stack(path_pixels(wcs, *_positions(directions)), axis=-1)

    def to_directions(pixels: Floats) -> Floats:
        return unit_vectors(*np.asarray(wcs.all_pix2world(pixels[:, ::-1], 0), np.float64).T)

    return PixelFrame(to_pixels, to_directions, n_rows, n_columns)


def _positions(directions: Floats) -> tuple[Floats, Floats]:
    """Right ascension and declination of unit vectors, shape (n, 3), in degrees."""
    x, y, z = directions.T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


def about_frame(footprint: Floats, degrees_per_pixel: float) -> PixelFrame:
    """Describe a frame of which only the footprint is known, about.

    It is the smallest rectangle around the footprint, in the plane that touches the sphere in its middle. Rows and
    columns may be exchanged. Distortion moves pixels by some tens.

    Parameters
    ----------
    footprint : ndarray of float64, shape (vertices, 3)
        Vertices as unit vectors.
    degrees_per_pixel : float
        Size of a pixel.
    """
    (x, y, z), (ra, dec) = footprint.sum(axis=0), _positions(footprint)
    middle = math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y)))
    plane = np.stack(path_pixels(_tan(middle, np.eye(2) * degrees_per_pixel, np.zeros(2)), ra, dec)[::-1], axis=-1)
    edges = np.roll(plane, -1, axis=0) - plane
    turns = [np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) for a in np.arctan2(edges[:, 1], edges[:, 0])]
    turn = min(turns, key=lambda turn: float(np.prod(np.ptp(plane @ turn.T, axis=0))))
    turned = plane @ turn.T
    n_columns, n_rows = (np.ceil(np.ptp(turned, axis=0)).astype(int) + 1).tolist()
    return wcs_frame(_tan(middle, turn.T * degrees_per_pixel, -turned.min(axis=0)), n_rows, n_columns)


def _tan(middle: tuple[float, float], matrix: Floats, reference: Floats) -> WCS:
    """WCS with a matrix and a reference pixel, column and row from 0, at a position."""
    cards: dict[str, object] = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "LONPOLE": 180.0}
    for axis in (1, 2):
        cards |= {f"CRVAL{axis}": middle[axis - 1], f"CRPIX{axis}": float(reference[axis - 1]) + 1.0}
        cards |= {f"CD{axis}_{column}": float(matrix[axis - 1, column - 1]) for column in (1, 2)}
    return frame_wcs(cards)
