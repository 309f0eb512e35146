"""What of a target is cut out, and out of which cubes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from tessera.windows import CubePlacement
from tessera_cloud.contracts import Asked, ProductName

ARCSEC_PER_PIXEL = 21.0
"""What ``px`` means where no frame is known yet."""
DEGREES_PER_PIXEL = ARCSEC_PER_PIXEL / 3600
WORDS = ("default", "all")
"""Apertures that have names; see `tessera.lightcurves.masks.cutout_mask`."""

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Size(Asked):
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

    def sides(self, degrees_per_row: float, degrees_per_column: float) -> tuple[float, float]:
        """Size in pixels: (rows, columns); an angle is not rounded, because the placement rounds it."""
        if self.unit == "px":
            return max(1, round(self.rows)), max(1, round(self.columns))
        return self.rows / degrees_per_row, self.columns / degrees_per_column

    def pixels(
        self, degrees_per_row: float = DEGREES_PER_PIXEL, degrees_per_column: float = DEGREES_PER_PIXEL
    ) -> tuple[int, int]:
        """Size in whole pixels, at least one: (rows, columns); without scales, about."""
        rows, columns = (max(1, round(side)) for side in self.sides(degrees_per_row, degrees_per_column))
        return rows, columns

    def degrees(self) -> tuple[float, float]:
        """Size on the sky: (height, width)."""
        scale = DEGREES_PER_PIXEL if self.unit == "px" else 1.0
        return self.rows * scale, self.columns * scale


class CutoutOptions(Asked):
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
    touched : bool, optional
        Whether a `time` in which no exposure has its middle keeps the exposures that share a moment with it.
    cadences : (int, int), optional
        Range of cadences to keep, ends included.
    quality_mask : int
        Cadences with one of these quality bits are left out.
    flags : bool
        Whether collateral pixels and cadences without a new picture are marked; see `tessera.tpf.flags`.
    provenance : bool
        Whether files have a record of what they were made of; see docs/explanation/provenance.md. The order writes it,
        and not the request, because a release that does not know it may still make the files.
    crate : bool
        Whether an archive has a description of its files, `tessera.provenance.crate.CRATE`. The order writes it, too.
    difference : bool
        Whether FLUX is the difference from the reference frame of the cube.
    frames : bool
        Whether CCDs that have no cube yet are cut straight from their frames.
    """

    sectors: tuple[int, ...] | None = None
    product: ProductName = "SPOC"
    placement: CubePlacement = "tesscut"
    layout: Literal["full", "slim"] = "full"
    time: tuple[Finite, Finite] | None = None
    touched: bool = False
    cadences: tuple[int, int] | None = None
    quality_mask: int = 0
    flags: bool = False
    provenance: Annotated[bool, Field(exclude=True)] = False
    crate: Annotated[bool, Field(exclude=True)] = False
    difference: bool = False
    frames: bool = False


@dataclass(frozen=True)
class Apertures:
    """Apertures that the files of a request mark: one for all cubes, and others for single cubes.

    They are written in one text, with commas between them: ``default,tess-s0001-4-2:0e38e0``. Each is one of `WORDS`,
    or hexadecimal digits as `tessera.lightcurves.photometry.parse_aperture` reads them.

    Parameters
    ----------
    common : str
        Aperture of the cubes that have none of their own; empty for none.
    own : mapping
        Apertures of single cubes, by name.
    """

    common: str
    own: Mapping[str, str]

    def of(self, obs_id: str) -> str | None:
        """Aperture of a cube; None if it has none."""
        return self.own.get(obs_id, self.common) or None

    @property
    def digits(self) -> list[str]:
        """Apertures that are digits."""
        return [aperture for aperture in (self.common, *self.own.values()) if aperture and aperture not in WORDS]

    def __str__(self) -> str:
        """The same text for the same apertures."""
        own = (f"{cube}:{aperture}" for cube, aperture in sorted(self.own.items()))
        return ",".join([*([self.common] if self.common else []), *own])


def read_apertures(text: str) -> Apertures:
    """Read the apertures of a request.

    Raises
    ------
    ValueError
        When there are two for the same cubes.
    """
    own: dict[str, str] = {}
    for item in text.lower().split(",") if text else ():
        cube, _, aperture = item.rpartition(":")
        if cube in own:
            raise ValueError(f"there are two apertures for {cube or 'all cubes'}")
        own[cube] = aperture
    return Apertures(own.pop("", ""), own)
