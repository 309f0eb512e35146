"""Footprints (polygons of frames on the sky), and the footprints that a position or a box touches.

All computation is on the sphere. Polygons are smaller than a hemisphere, need not be convex, and their edges are great
circles. So a polygon may cross right ascension 0 or contain a pole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.errors import InvalidValueError
from tessera.sky.sphere import chord_degrees, unit_vectors

if TYPE_CHECKING:
    from astropy.wcs import WCS

Floats: TypeAlias = NDArray[np.float64]

MOST_ERROR = 0.5
"""Largest distance in pixels between an edge of a frame's footprint and the edge of the frame."""
_EDGE_STEPS = 512
"""Largest number of steps in which an edge is followed."""
_TOUCH = 1e-12
"""Distance in radians at which two things touch."""


@dataclass(frozen=True)
class Footprint:
    """A polygon on the sky.

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


def frame_footprint(wcs: WCS, n_rows: int, n_columns: int, most_error: float = MOST_ERROR) -> Footprint:
    """Footprint of a whole frame: the polygon through the centres of its four corner pixels, as at MAST.

    The edges of a distorted frame are no great circles. The polygon has more vertices, on pixels of the edge, where an
    edge would otherwise be too far from the frame's.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        WCS of the frame, with distortion.
    n_rows, n_columns : int
        Shape of the frame.
    most_error : float, optional
        Largest distance in pixels between an edge of the polygon and the edge of the frame. An infinite distance gives
        MAST's polygon of four vertices.
    """
    last_column, last_row = n_columns - 1, n_rows - 1
    corners = np.array([[0, 0], [0, last_row], [last_column, last_row], [last_column, 0]], np.float64)
    sky = [
        _frame_edge(wcs, first, last, most_error) for first, last in zip(corners, np.roll(corners, -1, 0), strict=True)
    ]
    vertices = np.concatenate(sky)
    vertices[:, 0] %= 360.0
    return Footprint(vertices)


def _frame_edge(wcs: WCS, first: Floats, last: Floats, most_error: float) -> Floats:
    """Positions of the vertices on an edge from one corner to the next, without the last; shape (n, 2)."""
    n_pixels = float(np.abs(last - first).max())
    steps = np.linspace(0.0, 1.0, int(min(n_pixels, _EDGE_STEPS)) + 1)[:, None]
    sky = np.asarray(wcs.all_pix2world(first + steps * (last - first), 0), np.float64)
    vectors = unit_vectors(*sky.T)
    scale = float(chord_degrees(vectors[:1], vectors[-1:])[0]) / max(n_pixels, 1.0)
    return sky[_split(vectors, 0, len(sky) - 1, np.radians(most_error * scale))]


def _split(vectors: Floats, first: int, last: int, most: float) -> list[int]:
    """Numbers of the directions that a line of great circles needs, without the last (Ramer, Douglas and Peucker)."""
    normal = np.cross(vectors[first], vectors[last])
    distances = np.abs(vectors[first : last + 1] @ normal) / max(float(np.linalg.norm(normal)), _TOUCH)
    farthest = int(np.argmax(distances))
    if last - first < 2 or not distances[farthest] > most:
        return [first]
    return _split(vectors, first, first + farthest, most) + _split(vectors, first + farthest, last, most)


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


def _distances(polygons: Floats, points: Floats) -> Floats:
    """Distance of each point to the nearest edge of its polygon, in radians; negative outside the polygon.

    Parameters
    ----------
    polygons : ndarray of float64, shape (n, vertices, 3)
        Vertices as unit vectors.
    points : ndarray of float64, shape (n, 3)
        Directions in the same hemisphere as their polygons, as unit vectors.
    """
    following = np.roll(polygons, -1, axis=1)
    normals = np.cross(polygons, following)
    lengths = np.linalg.norm(normals, axis=2)
    units = normals / np.where(lengths, lengths, 1.0)[:, :, None]
    is_beside = (_dots(np.cross(units, polygons), points) >= 0) & (_dots(np.cross(following, units), points) >= 0)
    to_edges = np.arcsin(np.minimum(np.abs(_dots(units, points)), 1.0))
    to_vertices = 2 * np.arcsin(np.minimum(np.linalg.norm(polygons - points[:, None], axis=2) / 2, 1.0))
    nearest = np.where(is_beside & (lengths > 0), to_edges, to_vertices).min(axis=1)
    cosines = np.einsum("nek,nek->ne", polygons, following) - _dots(polygons, points) * _dots(following, points)
    turns = np.arctan2(_dots(normals, points), cosines).sum(axis=1)  # 2 pi around a point inside, else 0
    return np.asarray(np.where(np.abs(turns) > np.pi, nearest, -nearest))


def _dots(vectors: Floats, points: Floats) -> Floats:
    """Dot products of vectors, shape (n, vertices, 3), with points, shape (n, 3)."""
    return np.asarray(np.einsum("nek,nk->ne", vectors, points))


def grow(footprints: Floats, margin: float) -> Floats:
    """Move the edges of footprints outward.

    Parameters
    ----------
    footprints : ndarray of float64, shape (n, vertices, 3)
        Vertices as unit vectors, from `footprint_vectors`.
    margin : float
        Least distance in degrees by which an edge is moved.

    Returns
    -------
    ndarray of float64, shape (n, vertices, 3)
        Vertices as unit vectors. A footprint is scaled in the plane that touches the sphere in its middle.
    """
    if not len(footprints):
        return footprints
    middles, _ = caps(footprints)
    by = np.radians(margin)
    nearest = np.maximum(_distances(footprints, middles), by)
    factors = np.tan(nearest + by) / np.tan(nearest)
    plane = footprints / _dots(footprints, middles)[..., None] - middles[:, None]
    grown = middles[:, None] + factors[:, None, None] * plane
    return np.asarray(grown / np.linalg.norm(grown, axis=2, keepdims=True))


def caps(polygons: Floats) -> tuple[Floats, Floats]:
    """Find circles around polygons.

    Parameters
    ----------
    polygons : ndarray of float64, shape (n, vertices, 3)
        Vertices as unit vectors.

    Returns
    -------
    tuple of ndarray of float64
        Middles as unit vectors, shape (n, 3), and radii in radians, shape (n,).
    """
    middles = polygons.sum(axis=1)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    return middles, np.arccos(np.clip(_dots(polygons, middles), -1.0, 1.0)).max(axis=1)


def find_distances(footprints: Floats, directions: Floats, margin: float = 0.0) -> Floats:
    """Find how far each of some directions is inside footprints.

    Parameters
    ----------
    footprints : ndarray of float64, shape (n, vertices, 3)
        Vertices as unit vectors, from `footprint_vectors`.
    directions : ndarray of float64, shape (m, 3)
        Directions as unit vectors.
    margin : float, optional
        Largest distance in degrees outside a footprint that is of interest.

    Returns
    -------
    ndarray of float64, shape (n, m)
        Distance to the nearest edge in degrees, negative outside; minus infinity where it is beyond the margin.
    """
    found = np.full((len(footprints), len(directions)), -np.inf)
    if not found.size:
        return found
    middles, radii = caps(footprints)
    reach = np.minimum(radii + np.radians(margin) + _TOUCH, np.pi / 2)
    n, m = np.nonzero(middles @ directions.T >= np.cos(reach)[:, None] - _TOUCH)
    found[n, m] = np.degrees(_distances(footprints[n], directions[m]))
    found[found < -margin - np.degrees(_TOUCH)] = -np.inf
    return found


def find_points(footprints: Floats, directions: Floats, margin: float = 0.0) -> NDArray[np.bool_]:
    """Find the footprints that contain each of some directions; see `find_distances` for the parameters.

    Returns
    -------
    ndarray of bool, shape (n, m)
        True where a footprint contains a direction, or is at most `margin` degrees away from it.
    """
    return np.asarray(find_distances(footprints, directions, margin) > -np.inf)


def find_overlaps(footprints: Floats, region: Footprint) -> NDArray[np.bool_]:
    """Find the footprints that share at least one point with a region.

    Two polygons share a point if one of them contains a vertex of the other, or if two of their edges cross.

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
    hits = np.zeros(len(footprints), dtype=bool)
    if not hits.size:
        return hits
    box = unit_vectors(*region.vertices.T)
    middles, radii = caps(footprints)
    (middle,), (radius,) = caps(box[None])
    near = np.flatnonzero(middles @ middle >= np.cos(np.minimum(radii + radius + _TOUCH, np.pi)) - _TOUCH)
    close = footprints[near]
    inside = find_points(box[None], close.reshape(-1, 3)).reshape(close.shape[:2]).any(axis=1)
    hits[near] = inside | find_points(close, box).any(axis=1) | edges_cross(close, box)
    return hits


def edges_cross(polygons: Floats, region: Floats) -> NDArray[np.bool_]:
    """Find the polygons that have an edge that crosses an edge of a region, not at a vertex.

    Parameters
    ----------
    polygons : ndarray of float64, shape (n, vertices, 3)
        Vertices as unit vectors.
    region : ndarray of float64, shape (m, 3)
        Vertices of the region as unit vectors.

    Returns
    -------
    ndarray of bool, shape (n,)
        True where edges cross.
    """
    following, after = np.roll(polygons, -1, axis=1), np.roll(region, -1, axis=0)
    normals, others = np.cross(polygons, following), np.cross(region, after)
    starts, ends = normals @ region.T, normals @ after.T
    begins, stops = polygons @ others.T, following @ others.T
    crosses = (starts * ends < 0) & (begins * stops < 0) & (ends * begins > 0)
    return np.asarray(crosses.any(axis=(1, 2)))


def footprint_vectors(s_regions: Sequence[str]) -> Floats:
    """Vertices of s_regions as unit vectors; shape (n, vertices, 3). Polygons with few vertices repeat the last one."""
    polygons = [unit_vectors(*Footprint.parse_s_region(text).vertices.T) for text in s_regions]
    most = max(map(len, polygons), default=4)
    padded = [np.concatenate([polygon, np.repeat(polygon[-1:], most - len(polygon), 0)]) for polygon in polygons]
    return np.array(padded).reshape(len(polygons), most, 3)
