"""What a user wants to be cut out, whichever way it was asked for."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, TypeAlias

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
_PIXEL = ARCSEC_PER_PIXEL / 3600
EDGE_MARGIN = 0.12
"""Degrees by which the edge of a distorted frame may lie outside the polygon through its corners (13 pixels, measured
on six sectors), with something to spare: what is found is decided by each cube's WCS."""

Finite = Annotated[float, Field(allow_inf_nan=False)]


def separation(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Degrees between two positions, each right ascension and declination in degrees."""
    first, second = (unit_vectors(np.array([ra]), np.array([dec]))[0] for ra, dec in (one, other))
    return math.degrees(2 * math.asin(min(1.0, float(np.linalg.norm(first - second)) / 2)))


class Size(Wire):
    """Size of a cutout.

    Parameters
    ----------
    rows, columns : float
        Size, in `unit`.
    unit : {'px', 'd'}
        Pixels or degrees.
    """

    rows: Finite
    columns: Finite
    unit: Literal["px", "d"] = "px"

    def pixels(self, degrees_per_row: float = _PIXEL, degrees_per_column: float = _PIXEL) -> tuple[int, int]:
        """Size in whole pixels, at least one: (rows, columns); without scales, about."""
        scales = (1.0, 1.0) if self.unit == "px" else (degrees_per_row, degrees_per_column)
        rows, columns = (
            max(1, round(size / scale)) for size, scale in zip((self.rows, self.columns), scales, strict=True)
        )
        return rows, columns

    def degrees(self) -> tuple[float, float]:
        """Size on the sky: (height, width)."""
        scale = _PIXEL if self.unit == "px" else 1.0
        return self.rows * scale, self.columns * scale


def _area(ra: float, dec: float, height: float, width: float) -> Footprint:
    """Where on the sky cubes are looked for: the cutout and the bulge of the frames' edges."""
    return sky_box(ra, dec, width + 2 * EDGE_MARGIN, height + 2 * EDGE_MARGIN)


def check_pixels(rows: int, columns: int, most: int, parameter: str) -> None:
    """Refuse a window that is never cut.

    Raises
    ------
    TooLargeError
        When it has more pixels than `most`; it names `parameter`.
    """
    if rows * columns > most:
        shown, allowed = f"{rows} * {columns}", f"at most {most:,}"
        message = f"{parameter} is {shown} pixels; allowed: {allowed}"
        raise TooLargeError(message, parameter=parameter, value=shown, allowed=allowed)


class _Sized(Wire):
    """A target that is cut in a size of its own."""

    sized_by: ClassVar[str] = "y * x"
    size: Size

    def about_shape(self) -> tuple[int, int]:
        """Rows and columns of a window before any frame's WCS is known."""
        return self.size.pixels()

    def least_shape(self) -> tuple[int, int]:
        """Rows and columns that a window surely has, about."""
        return self.size.pixels()


class Position(_Sized):
    """A window around a position.

    Parameters
    ----------
    ra, dec : float
        ICRS degrees.
    size : Size
        Of the window.
    """

    kind: Literal["position"] = "position"
    ra: Finite
    dec: Finite

    def search_area(self) -> Footprint:
        """Where on the sky cubes are looked for."""
        return _area(self.ra, self.dec, *self.size.degrees())


class Region(Wire):
    """The box of pixels that holds the corners of a region.

    Parameters
    ----------
    ra, dec : float
        Middle of the region, ICRS degrees.
    corners : tuple of (float, float)
        Right ascension and declination in degrees.
    """

    sized_by: ClassVar[str] = "region"
    kind: Literal["region"] = "region"
    ra: Finite
    dec: Finite
    corners: Annotated[tuple[tuple[Finite, Finite], ...], Field(min_length=3)]

    def _degrees(self) -> float:
        return 2 * max(separation((self.ra, self.dec), corner) for corner in self.corners)

    def about_shape(self) -> tuple[int, int]:
        """Rows and columns of a window before any frame's WCS is known: an upper limit."""
        side = max(1, round(self._degrees() / _PIXEL))
        return side, side

    def least_shape(self) -> tuple[int, int]:
        """Rows and columns that a window surely has, about; each cube's WCS decides."""
        rows, columns = self.about_shape()
        return rows // 2, columns // 2

    def search_area(self) -> Footprint:
        """Where on the sky cubes are looked for."""
        side = self._degrees()
        return _area(self.ra, self.dec, side, side)


class Moving(_Sized):
    """Boxes that follow a target.

    Parameters
    ----------
    path : Path
        Where it is.
    size : Size
        Of the boxes.
    """

    kind: Literal["moving"] = "moving"
    path: Path


Target: TypeAlias = Position | Region | Moving


class CutoutOptions(Wire):
    """Which cubes are cut, and what of them is kept.

    Parameters
    ----------
    sectors : tuple of int, or None
        In order; None means all.
    product : {'SPOC', 'TICA'}
        Kind of frames.
    placement : {'tesscut', 'centre'}
        Where the TESSCut service puts the target, or in the centre pixel; see `tessera.windows.Placement`. A region has
        no placement.
    layout : {'full', 'slim'}
        'slim' leaves out the columns that are constant; boxes that follow a target have the full layout only.
    time : (float, float), optional
        Range of BTJD to keep, ends included.
    cadences : (int, int), optional
        Range of cadences to keep, ends included.
    quality_mask : int
        Cadences with one of these quality bits are left out.
    """

    sectors: tuple[int, ...] | None = None
    product: ProductName = "SPOC"
    placement: CubePlacement = "tesscut"
    layout: Literal["full", "slim"] = "full"
    time: tuple[Finite, Finite] | None = None
    cadences: tuple[int, int] | None = None
    quality_mask: int = 0


class CutoutRequest(Wire):
    """Cutouts of one target out of all cubes that see it.

    Parameters
    ----------
    target : Position, Region or Moving
        What is cut.
    options : CutoutOptions
        Out of which cubes, and what of them.
    """

    target: Annotated[Target, Field(discriminator="kind")]
    options: CutoutOptions = CutoutOptions()

    def about_pixels(self) -> int:
        """Pixels of a window before any frame's WCS is known; of a region, an upper limit."""
        rows, columns = self.target.about_shape()
        return rows * columns
