"""Where, when and at which wavelengths a cube or a file of images has pixels, for clients that choose what to cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tessera.sky.footprint import Footprint
from tessera.sky.shapes.polygon import Polygon
from tessera.sky.sphere import unit_vectors
from tessera.tess.times import to_utc_mjd
from tessera_cloud.application.vo.identifiers import Published
from tessera_cloud.contracts import PublishedCube

TESS_BAND = (6e-7, 1e-6)
"""Wavelengths in metres that the cameras of TESS see."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """What a cube or a file of images covers.

    Parameters
    ----------
    circle : tuple of (float, float, float)
        Middle and radius of a circle around all of it, ICRS degrees.
    polygon : tuple of (float, float)
        Vertices of its outline, ICRS degrees; empty if it has several outlines.
    times : tuple of (float, float) or None
        Start and end, MJD in UTC; None if they are not known.
    band : tuple of (float, float) or None
        Wavelengths in metres; None if they are not known.
    """

    circle: tuple[float, float, float]
    polygon: tuple[tuple[float, float], ...]
    times: tuple[float, float] | None
    band: tuple[float, float] | None

    @property
    def middle(self) -> tuple[float, float]:
        """A position with pixels, if there is one outline: its centroid. Otherwise the middle of the circle."""
        return Polygon(self.polygon).middle if self.polygon else self.circle[:2]


def find_ranges(of: Published) -> Ranges | None:
    """Find what a cube or a file covers, from its row of the index alone; None if no image of the file has a WCS."""
    if isinstance(of, PublishedCube):
        kind = of.cube_id.kind
        times = (to_utc_mjd(kind, of.t_min), to_utc_mjd(kind, of.t_max))
        return _ranges([of.s_region], times, TESS_BAND)
    outlines = list(dict.fromkeys(image.s_region for image in of.row.images))
    return _ranges(outlines, None, None) if outlines else None


def _ranges(s_regions: list[str], times: tuple[float, float] | None, band: tuple[float, float] | None) -> Ranges:
    outlines = [Footprint.parse_s_region(text).vertices for text in s_regions]
    vectors = unit_vectors(*np.concatenate(outlines).T)
    middle = vectors.sum(axis=0)
    middle /= np.linalg.norm(middle)
    radius = float(np.degrees(np.arccos(np.clip(vectors @ middle, -1.0, 1.0)).max()))
    ra, dec = np.degrees(np.arctan2(middle[1], middle[0])) % 360.0, np.degrees(np.arcsin(middle[2]))
    polygon = tuple((float(one), float(other)) for one, other in outlines[0]) if len(outlines) == 1 else ()
    return Ranges((float(ra), float(dec), radius), polygon, times, band)
