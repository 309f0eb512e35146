"""What a user wants to be cut out, whichever way it was asked for."""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field

from tessera.sky.footprint import Footprint, sky_box
from tessera.sky.sphere import unit_vectors
from tessera.windows import CubePlacement
from tessera_cloud.application.targets.path import Path
from tessera_cloud.contracts import ProductName, Wire
from tessera_cloud.errors import TooLargeError

ARCSEC_PER_PIXEL = 21.0
"""What ``px`` means where no frame is known yet."""
Position: TypeAlias = tuple[float, float]
"""Right ascension and declination in degrees, ICRS."""
_PIXEL = ARCSEC_PER_PIXEL / 3600
EDGE_MARGIN = 0.12
"""Degrees by which the edge of a distorted frame may lie outside the polygon through its corners (13 pixels, measured
on six sectors), with something to spare: what is found is decided by each cube's WCS."""

Finite = Annotated[float, Field(allow_inf_nan=False)]


def separation(one: Position, other: Position) -> float:
    """Degrees between two positions."""
    first, second = (unit_vectors(np.array([ra]), np.array([dec]))[0] for ra, dec in (one, other))
    return math.degrees(2 * math.asin(min(1.0, float(np.linalg.norm(first - second)) / 2)))


class CutoutRequest(Wire):
    """Cutouts around a position, or of a region.

    Parameters
    ----------
    ra, dec : float
        ICRS degrees; of a region, its middle.
    rows, columns : float
        Size, in `unit`; ignored where there is a region.
    unit : {'px', 'd'}
        Pixels or degrees.
    sectors : tuple of int, or None
        In order; None means all.
    product : {'SPOC', 'TICA'}
        Kind of frames.
    region : tuple of (float, float)
        Corners whose box of pixels is cut; empty where there is a position.
    placement : {'tesscut', 'centre'}
        Where the TESSCut service puts the target, or in the centre pixel; see `tessera.windows.Placement`.
    layout : {'full', 'slim'}
        'slim' leaves out the columns that are constant.
    time : (float, float), optional
        Range of BTJD to keep, ends included.
    cadences : (int, int), optional
        Range of cadences to keep, ends included.
    quality_mask : int
        Cadences with one of these quality bits are left out.
    """

    ra: Finite
    dec: Finite
    rows: Finite = 0.0
    columns: Finite = 0.0
    unit: Literal["px", "d"] = "px"
    sectors: tuple[int, ...] | None = None
    product: ProductName = "SPOC"
    region: tuple[tuple[Finite, Finite], ...] = ()
    placement: CubePlacement = "tesscut"
    layout: Literal["full", "slim"] = "full"
    time: tuple[Finite, Finite] | None = None
    cadences: tuple[int, int] | None = None
    quality_mask: int = 0

    def pixels(self, degrees_per_row: float, degrees_per_column: float) -> tuple[int, int]:
        """Size in whole pixels, at least one: (rows, columns)."""
        scales = (1.0, 1.0) if self.unit == "px" else (degrees_per_row, degrees_per_column)
        rows, columns = (
            max(1, round(size / scale)) for size, scale in zip((self.rows, self.columns), scales, strict=True)
        )
        return rows, columns

    def degrees(self) -> tuple[float, float]:
        """Size on the sky: (height, width)."""
        if self.region:
            reach = 2 * max(separation((self.ra, self.dec), corner) for corner in self.region)
            return reach, reach
        scale = _PIXEL if self.unit == "px" else 1.0
        return self.rows * scale, self.columns * scale

    def about_shape(self) -> tuple[int, int]:
        """Rows and columns of a window before any frame's WCS is known; of a region, an upper limit."""
        if self.region:
            height, width = self.degrees()
            return max(1, round(height / _PIXEL)), max(1, round(width / _PIXEL))
        return self.pixels(_PIXEL, _PIXEL)

    def about_pixels(self) -> int:
        """Pixels of a window, like `about_shape`."""
        rows, columns = self.about_shape()
        return rows * columns

    def search_area(self) -> Footprint:
        """Where on the sky cubes are looked for: the cutout and the bulge of the frames' edges."""
        height, width = self.degrees()
        return sky_box(self.ra, self.dec, width + 2 * EDGE_MARGIN, height + 2 * EDGE_MARGIN)

    def check_pixels(self, rows: int, columns: int, most: int) -> None:
        """Refuse a window that is never cut.

        Raises
        ------
        TooLargeError
            When it has more pixels than `most`.
        """
        if rows * columns > most:
            names, allowed = ("region" if self.region else "y * x"), f"at most {most:,}"
            shown = f"{rows} * {columns}"
            raise TooLargeError(
                f"{names} is {shown} pixels; allowed: {allowed}", parameter=names, value=shown, allowed=allowed
            )


class MovingRequest(CutoutRequest):
    """Cutouts that follow a target; `ra` and `dec` are its first place.

    Parameters
    ----------
    path : Path
        Where it is.
    """

    path: Path
