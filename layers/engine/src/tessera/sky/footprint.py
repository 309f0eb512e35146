"""Footprints (polygons of frames on the sky), and the footprints that a position or a box touches.

All computation is on the sphere. Polygons are convex and smaller than a hemisphere, and their edges are great circles.
So a polygon may cross right ascension 0 or contain a pole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tessera.errors import InvalidValueError
from tessera.sky.sphere import unit_vectors

if TYPE_CHECKING:
    from astropy.wcs import WCS


@dataclass(frozen=True)
class Footprint:
    """A convex polygon on the sky.

    Parameters
    ----------
    vertices : ndarray of float64, shape (n, 2)
        Right ascension and declination in degrees, ICRS. The first vertex is not repeated at the end.
    """

    vertices: NDArray[np.float64]

    def format_s_region(self) -> str:
        """Format as IVOA text: ``POLYGON ra dec ... ra dec``. The first vertex is repeated, as in MAST's texts."""
        closed = np.vstack([self.vertices, self.vertices[:1]])
        return "POLYGON " + " ".join(f"{value:.6f}" for value in closed.ravel())

    @classmethod
    def parse_s_region(cls, text: str) -> Footprint:
        """Parse an s_region. It may have the name of a frame (ICRS or J2000) and a repeated first vertex.

        Raises
        ------
        InvalidValueError
            When the text is not a polygon.
        ValueError
            When a coordinate is not a number.
        """
        words = [word for word in text.split() if word.upper() not in ("ICRS", "J2000")]
        if not words or words[0].upper() != "POLYGON" or len(words) < 7 or len(words) % 2 == 0:
            raise InvalidValueError("s_region", text[:60], "POLYGON ra dec ra dec ra dec ...")
        vertices = np.array([float(word) for word in words[1:]]).reshape(-1, 2)
        if np.array_equal(vertices[0], vertices[-1]):
            vertices = vertices[:-1]
        return cls(vertices)


def frame_footprint(wcs: WCS, n_rows: int, n_columns: int) -> Footprint:
    """Footprint of a whole frame: the polygon through the centres of its four corner pixels, as at MAST.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        WCS of the frame, with distortion.
    n_rows, n_columns : int
        Shape of the frame.
    """
    last_column, last_row = n_columns - 1, n_rows - 1
    corners = [[0, 0], [0, last_row], [last_column, last_row], [last_column, 0]]
    sky = np.asarray(wcs.all_pix2world(corners, 0), dtype=np.float64)
    sky[:, 0] %= 360.0
    return Footprint(sky)


def sky_box(ra: float, dec: float, width: float, height: float) -> Footprint:
    """Box around a position, with sides along right ascension and declination.

    Parameters
    ----------
    ra, dec : float
        Centre of the box, degrees.
    width, height : float
        Sides on the sky in degrees, in the plane tangent at the centre. Sides below a thousandth of an arcsecond are
        enlarged to it. Sides above 179.8 degrees are reduced to it, because a box of 180 degrees has no corners.
    """
    centre = unit_vectors(np.array([ra]), np.array([dec]))[0]
    east = np.array([-np.sin(np.radians(ra)), np.cos(np.radians(ra)), 0.0])
    north = np.cross(centre, east)
    x, y = (np.tan(np.radians(min(max(side, 3e-7), 179.8) / 2)) for side in (width, height))
    corners = np.array([centre + sx * x * east + sy * y * north for sx, sy in ((-1, -1), (-1, 1), (1, 1), (1, -1))])
    corners /= np.linalg.norm(corners, axis=1, keepdims=True)
    lon = np.degrees(np.arctan2(corners[:, 1], corners[:, 0])) % 360.0
    return Footprint(np.column_stack([lon, np.degrees(np.arcsin(corners[:, 2]))]))


def _inward_normals(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normals of the great circles of edges, pointing into the polygon; polygons have the shape (..., n, 3)."""
    normals = np.cross(vectors, np.roll(vectors, -1, axis=-2))
    centre = vectors.sum(axis=-2, keepdims=True)
    return np.asarray(normals * np.sign((normals * centre).sum(axis=-1, keepdims=True)))


def find_overlaps(footprints: NDArray[np.float64], region: Footprint) -> NDArray[np.bool_]:
    """Find the footprints that share at least one point with a region.

    Two convex polygons do not touch exactly when one of them is completely outside an edge of the other. This holds
    within a hemisphere. Polygons that share a point have a pair of corners less than 90 degrees apart. Without such a
    pair, they are on opposite sides of the sky.

    Parameters
    ----------
    footprints : ndarray of float64, shape (n, vertices, 3)
        Vertices as unit vectors, from `footprint_vectors`.
    region : Footprint
        The region.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for footprints that touch the region.
    """
    box = unit_vectors(*region.vertices.T)
    if len(footprints) == 0:
        return np.zeros(0, dtype=bool)
    beyond_footprint = (np.einsum("nek,bk->neb", _inward_normals(footprints), box) < 0).all(axis=2).any(axis=1)
    beyond_region = (np.einsum("ek,nvk->nev", _inward_normals(box), footprints) < 0).all(axis=2).any(axis=1)
    opposite = (np.einsum("nvk,bk->nvb", footprints, box) <= 0).all(axis=(1, 2))
    return np.asarray(~(beyond_footprint | beyond_region | opposite))


def find_points(
    footprints: NDArray[np.float64], directions: NDArray[np.float64], margin: float = 0.0
) -> NDArray[np.bool_]:
    """Find the footprints that contain each of some directions.

    Parameters
    ----------
    footprints : ndarray of float64, shape (n, vertices, 3)
        Vertices as unit vectors, from `footprint_vectors`.
    directions : ndarray of float64, shape (m, 3)
        Directions as unit vectors.
    margin : float, optional
        Largest distance in degrees outside an edge at which a direction still counts as inside.

    Returns
    -------
    ndarray of bool, shape (n, m)
        True where a footprint contains a direction.
    """
    normals = _inward_normals(footprints)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    heights = np.einsum("nek,mk->nem", normals, directions)
    return np.asarray((heights >= -np.sin(np.radians(margin))).all(axis=1))


def footprint_vectors(s_regions: list[str]) -> NDArray[np.float64]:
    """Vertices of s_regions with four vertices each, as unit vectors; shape (n, 4, 3)."""
    vertices = [Footprint.parse_s_region(text).vertices for text in s_regions]
    return np.array([unit_vectors(*polygon.T) for polygon in vertices]).reshape(len(s_regions), 4, 3)
