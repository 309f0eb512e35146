"""Stitched light curves: what they have beside points."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from tessera.lightcurves.curve_files import electron_unit, write_curve
from tessera.lightcurves.facts import target_text
from tessera.lightcurves.html import curve_html
from tessera.lightcurves.light_curve import LightCurve
from tessera.lightcurves.pixel_files.opening import TpfSource
from tessera.stitching.levels import Gap

if TYPE_CHECKING:
    from astropy.table import Table


@dataclass(frozen=True)
class StitchedSector:
    """A sector of a stitched light curve.

    Parameters
    ----------
    sector, camera, ccd : int
        Where its pixels are from.
    n_points : int
        Number of its points.
    start, stop : float
        Times of its first and last point.
    level, scatter : float
        Median of its flux without quality bits, and 1.4826 times the median distance from it, before it was scaled.
    factor, offset : float
        What was done to its flux: ``flux * factor + offset``.
    unit : str
        Unit of `level` and `scatter`.
    n_pixels : int
        Number of pixels in its aperture; 0 if it is not known.
    cube : str
        Path, address or name of its cube; empty if it is not known.
    row, column : float
        Pixel of the target on the frame; the centre of the first is 0. NaN if it is not known.
    edge : float
        Pixels from the target to the nearest edge of the pixels that see the sky; NaN if it is not known.
    detrended : str
        What was removed from its flux, as `LightCurve.detrended` says it; empty for nothing.
    """

    sector: int
    camera: int
    ccd: int
    n_points: int
    start: float
    stop: float
    level: float
    scatter: float
    factor: float
    offset: float
    unit: str = "e-/s"
    n_pixels: int = 0
    cube: str = ""
    row: float = np.nan
    column: float = np.nan
    edge: float = np.nan
    detrended: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A CCD that has the target and is not in a stitched light curve.

    Parameters
    ----------
    sector, camera, ccd : int
        The CCD; 0 where it is not known.
    cube : str
        Path, address or name of its cube.
    reason : str
        Why it is left out.
    failed : bool
        Whether it was chosen and cannot be used.
    """

    sector: int
    camera: int
    ccd: int
    cube: str
    reason: str
    failed: bool = False

    @property
    def name(self) -> str:
        """The CCD in short: ``s0002-4-3``."""
        return f"s{self.sector:04d}-{self.camera}-{self.ccd}"


@dataclass(frozen=True, eq=False, repr=False)
class StitchedCurve(LightCurve):
    """The light curves of a target in several sectors as one. `stitch` and `SearchResult.stitch` make it.

    It has all that a `LightCurve` has. `flux` is that of the sectors at one level, and `flux_unit` is empty if it was
    divided by the level of each sector.

    Parameters
    ----------
    sector : ndarray of int32, shape (n_points,)
        Sector of each point.
    level : {'divide', 'shift', 'none'}
        Rule that brought the sectors to one level.
    sectors : tuple of StitchedSector
        The sectors, with their levels and what was done to them.
    gaps : tuple of Gap
        Times without points.
    left_out : tuple of LeftOut
        CCDs that have the target and are not used, and why.
    curves : tuple of LightCurve
        The light curves of the sectors, as they were.
    """

    sector: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    level: str = "divide"
    sectors: tuple[StitchedSector, ...] = ()
    gaps: tuple[Gap, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    curves: tuple[LightCurve, ...] = ()

    @classmethod
    def read(cls, source: TpfSource) -> Self:
        """Read a file that `write` made with the ending ``.fits``, or the answer of ``/v1/lightcurve.fits``.

        Parameters
        ----------
        source : str, Path, bytes or HDUList
            Path or URL of the file, its bytes, or an HDUList of astropy.

        Raises
        ------
        InvalidInputError
            When `source` is something else.
        UnreadableFileError
            When the file cannot be read.
        TpfFormatError
            When the file is no stitched light curve, or is damaged.
        """
        from tessera.stitching.reading import read_stitched  # noqa: PLC0415 - few programs read them

        return cls(**read_stitched(source))

    @property
    def measured(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Flux and error of the points as they were measured: before sectors were brought to one level or detrended."""
        order = point_order(self.curves)
        flux = np.concatenate([curve.flux + known_trend(curve) for curve in self.curves])
        return flux[order], np.concatenate([curve.flux_err for curve in self.curves])[order]

    def places(self, name: str) -> NDArray[np.int32]:
        """Camera or CCD of each point."""
        known = {one.sector: getattr(one, name) for one in self.sectors}
        return np.array([known[number] for number in self.sector.tolist()], np.int32)

    def to_table(self) -> Table:
        """Return the light curve as a table of astropy, with units.

        Returns
        -------
        Table
            The columns of `LightCurve.to_table`, then ``sector``, ``camera`` and ``ccd``, and the flux as it was in
            ``sap_flux`` and ``sap_flux_err``. Its meta has the sectors, the gaps, and what is left out.
        """
        table = super().to_table()
        table["sector"] = self.sector
        table["camera"], table["ccd"] = self.places("camera"), self.places("ccd")
        unit = electron_unit(self.sectors[0].unit) if self.sectors else None
        for name, values in zip(("sap_flux", "sap_flux_err"), self.measured, strict=True):
            table[name] = values
            table[name].unit = unit
        table.meta |= {"level": self.level, **stitching_facts(self)}
        return table

    def to_json(self) -> str:
        """Text of a JSON document: the target, the sectors, the gaps, what is left out, and the points.

        It is the answer of ``/v1/lightcurve``. Unknown values are null.
        """
        from tessera.stitching.files import stitched_json  # noqa: PLC0415 - that module imports this one

        return stitched_json(self)

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the light curve to a file. The end of the name says the format.

        Parameters
        ----------
        path : str or Path
            ``.csv`` has a row for each point. ``.ecsv`` is the table of `to_table`. ``.fits`` has the joined light
            curve, which ``lightkurve.read`` reads, the light curve and the aperture of each sector, and tables of the
            sectors, the gaps, and what is left out. ``.png`` is the picture of `plot`. A file that exists is replaced
            only if it is a light curve of Tessera.

        Returns
        -------
        Path
            Path of the complete file.

        Raises
        ------
        InvalidInputError
            When the name has another end, or the path cannot be written.
        KeptFileError
            When the path has something else.
        MissingPackageError
            When a picture is wanted and matplotlib is not installed.
        OSError
            When not every byte can be written. Then there is no new file.
        """
        from tessera.stitching.files import stitched_csv, stitched_fits  # noqa: PLC0415 - see `to_json`

        makers = {".csv": lambda curve: stitched_csv(curve).encode(), ".fits": stitched_fits}
        return write_curve(self, path, makers)

    def to_lightkurve(self) -> Any:
        """Return the light curve as a ``TessLightCurve`` of lightkurve, with all its points and their sectors.

        Raises
        ------
        MissingPackageError
            When lightkurve is not installed.
        """
        found = super().to_lightkurve()
        found["sector"] = self.sector
        found.meta |= {"SECTORS": [one.sector for one in self.sectors], "NORMALIZED": self.level == "divide"}
        return found

    @property
    def _numbers(self) -> str:
        return ", ".join(str(one.sector) for one in self.sectors)

    def __repr__(self) -> str:
        word = "sector" if len(self.sectors) == 1 else "sectors"
        name = target_text(self.facts)
        about = [f"{len(self)} points of {word} {self._numbers}", *([name] if name else [])]
        if self.left_out:
            about.append(f"CCDs left out: {len(self.left_out)}")
        return f"<StitchedCurve: {', '.join(about)}>"

    def _repr_html_(self) -> str:
        longest = max((gap.days for gap in self.gaps), default=0.0)
        more = {"Sectors": self._numbers, "Gaps": f"{len(self.gaps)}, the longest of {longest:.2f} days"}
        if self.left_out:
            more["Left out"] = "; ".join(f"{one.name}: {one.reason}" for one in self.left_out)
        return curve_html(self, more)


def known_trend(curve: LightCurve) -> NDArray[np.float64]:
    """What detrending has removed from the flux; 0 if nothing was."""
    return np.zeros(len(curve)) if curve.trend is None else curve.trend


def point_order(curves: tuple[LightCurve, ...]) -> NDArray[np.intp]:
    """Order in time of the points of light curves that are put one after the other."""
    return np.argsort(np.concatenate([curve.time for curve in curves]), kind="stable")


def _records(items: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Dataclasses as dictionaries of values that JSON can have; unknown numbers are None."""
    return [{each.name: _known(getattr(item, each.name)) for each in fields(item)} for item in items]


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def stitching_facts(curve: StitchedCurve) -> dict[str, Any]:
    """What was done to the sectors, as values that JSON can have."""
    return {
        "sectors": _records(curve.sectors),
        "gaps": [one | {"days": gap.days} for one, gap in zip(_records(curve.gaps), curve.gaps, strict=True)],
        "left_out": _records(curve.left_out),
    }
