"""Light curves: the flux of a target over time."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera.checks import check_number
from tessera.errors import InvalidInputError
from tessera.extras import import_extra
from tessera.lightcurves.curve_files import electron_unit, write_curve
from tessera.lightcurves.facts import facts_of, place_texts
from tessera.lightcurves.html import curve_html
from tessera.lightcurves.made import MadeOf
from tessera.lightcurves.photometry import Mask

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.axes import Axes

_PLACES = {"BTJD": "at the barycentre of the solar system", "TJD": "at the spacecraft"}


@dataclass(frozen=True, eq=False, repr=False)
class LightCurve:
    """The flux of a target over time. `TargetPixels.to_lightcurve` makes it. Arrays have the shape (n_points,).

    Parameters
    ----------
    time : ndarray of float64
        Middle of each exposure in days since JD 2457000, TDB.
    flux : ndarray of float64
        Sum of the pixels of the aperture, without the background, in `flux_unit`; NaN where unknown.
    flux_err : ndarray of float64
        Error of the flux; NaN where unknown, as for TICA frames.
    quality : ndarray of int32
        Quality bits; 0 is good.
    time_system : {'BTJD', 'TJD'}
        Where the times are taken: BTJD at the barycentre of the solar system, TJD at the spacecraft.
    flux_unit : str, optional
        Unit of the flux.
    background : ndarray of float64, optional
        Background that Tessera subtracted from the flux: its value for one pixel times the number of pixels. None if
        Tessera subtracted nothing.
    cadence_numbers : ndarray of int32, optional
        The spacecraft's count of exposures; None if it is not known, as for SPOC frames.
    mask : ndarray of bool, shape (n_rows, n_columns), optional
        The aperture.
    background_subtracted : bool, optional
        Whether the flux is without background, also if it was subtracted from the pixels before.
    header : astropy.io.fits.Header, optional
        Cards about the target and the observation: the primary header of the target pixel file.
    name : str, optional
        Name of the target pixel file.
    trend : ndarray of float64, optional
        What detrending removed from the flux: the sum of both is the flux before. None if nothing was removed.
    detrended : str, optional
        What the trend is made of, such as "cbv: 8 cotrending vectors"; empty if nothing was removed.
    made : MadeOf, optional
        What decides it; None if that is not known. Files then have no record.

    Examples
    --------
    >>> import numpy as np
    >>> from tessera import LightCurve
    >>> time, flux = np.array([1325.0, 1325.02]), np.array([500.0, 510.0])
    >>> curve = LightCurve(time, flux, np.full(2, 1.5), np.zeros(2, np.int32), "BTJD")
    >>> curve
    <LightCurve: 2 points, BTJD 1325.000 to 1325.020>
    >>> curve.to_table().colnames
    ['time_btjd', 'flux', 'flux_err', 'quality']
    """

    time: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    quality: NDArray[np.int32]
    time_system: str
    flux_unit: str = "e-/s"
    background: NDArray[np.float64] | None = None
    cadence_numbers: NDArray[np.int32] | None = None
    mask: Mask | None = None
    background_subtracted: bool = False
    header: fits.Header = field(default_factory=fits.Header)
    name: str = ""
    trend: NDArray[np.float64] | None = None
    detrended: str = ""
    made: MadeOf | None = None

    def __len__(self) -> int:
        return len(self.time)

    @property
    def facts(self) -> dict[str, Any]:
        """What the header says about the target and the observation: ra, dec, sector, camera, ccd and so on.

        Files have 0 and empty texts in place of facts that are not known.
        """
        return facts_of(self.header)

    def to_table(self) -> Table:
        """Return the light curve as a table of astropy, with units.

        Returns
        -------
        Table
            Columns ``time_btjd`` or ``time_tjd``, ``flux``, ``flux_err`` and ``quality``, and if they are known
            ``background``, ``trend`` and ``cadence_number``. Its meta says what the times are, what was detrended, and
            has the facts about the target.
        """
        from astropy.table import Table  # noqa: PLC0415 - slow to import

        unit = electron_unit(self.flux_unit)
        columns: dict[str, Any] = {
            f"time_{self.time_system.lower()}": self.time,
            "flux": self.flux,
            "flux_err": self.flux_err,
            "quality": self.quality,
        }
        units = {f"time_{self.time_system.lower()}": "d", "flux": unit, "flux_err": unit}
        if self.background is not None:
            columns["background"], units["background"] = self.background, unit
        if self.trend is not None:
            columns["trend"], units["trend"] = self.trend, unit
        if self.cadence_numbers is not None:
            columns["cadence_number"] = self.cadence_numbers
        times = f"middle of each exposure, days since JD 2457000, TDB, {_PLACES[self.time_system]}"
        detrended = {"detrended": self.detrended} if self.detrended else {}
        return Table(columns, units=units, meta={"time": times, **detrended, **self.facts})

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the light curve to a file. The end of the name says the format.

        Parameters
        ----------
        path : str or Path
            ``.csv`` has the columns of ``/v1/preview.csv``, and ``trend`` if one was removed. ``.ecsv`` is the table of
            `to_table` with units and meta. ``.fits`` is a file like the mission's light curves, for ``lightkurve.read``
            and others: its ``SAP_FLUX`` has the trend, its ``FLUX`` has not. ``.png`` is the picture of `plot`. ECSV
            and FITS files say what they were made of, if the target pixel file did; see
            docs/explanation/provenance.md. A file that exists is replaced only if it is such a file of Tessera.

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
        return write_curve(self, path)

    def phase(self, period: float, epoch: float | None = None) -> NDArray[np.float64]:
        """Return the phase of each point, for a plot of a folded light curve.

        Parameters
        ----------
        period : float
            Period in days, above 0.
        epoch : float, optional
            Time of phase 0; by default the first time of the light curve.

        Returns
        -------
        ndarray of float64, shape (n_points,)
            Phases from -0.5 to 0.5.

        Raises
        ------
        InvalidInputError
            When the period is not a number above 0, or the epoch is not a number.
        """
        days, start = check_number("period", period), self.time[:1] if epoch is None else check_number("epoch", epoch)
        if not 0 < days < math.inf:
            raise InvalidInputError("period", period, "a number of days above 0")
        cycles = (self.time - start) / days
        return np.asarray(cycles - np.floor(cycles + 0.5), np.float64)

    def plot(self, ax: Axes | None = None, period: float | None = None) -> Axes:
        """Draw the light curve. Points with quality bits are grey.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        period : float, optional
            Period in days. With it, the light curve is folded: drawn over the phase.

        Returns
        -------
        matplotlib Axes
            The axes.

        Raises
        ------
        MissingPackageError
            When matplotlib is not installed.
        """
        from tessera.lightcurves.plots import draw_curve  # noqa: PLC0415 - imports what only pictures need

        return draw_curve(self, ax, period)

    def to_lightkurve(self) -> Any:
        """Return the light curve as a ``TessLightCurve`` of lightkurve, with all its points.

        Its times are called BTJD also if they are taken at the spacecraft: lightkurve knows no other name.

        Raises
        ------
        MissingPackageError
            When lightkurve is not installed.
        """
        lightkurve = import_extra("lightkurve", "objects of lightkurve")
        from astropy import units as u  # noqa: PLC0415 - slow to import

        from tessera.tess.clock import Time  # noqa: PLC0415 - slow to import

        unit = u.Unit(electron_unit(self.flux_unit))
        columns = {"flux": self.flux * unit, "flux_err": self.flux_err * unit, "quality": self.quality}
        if self.cadence_numbers is not None:
            columns["cadenceno"] = self.cadence_numbers
        facts = self.facts
        meta = {name.upper(): value for name, value in facts.items()}
        meta |= {"MISSION": "TESS", "TARGETID": facts.get("tic"), "LABEL": facts.get("target"), "FILENAME": self.name}
        time = Time(self.time, format="btjd", scale="tdb")
        return lightkurve.TessLightCurve(data={"time": time, **columns}, meta=meta)

    def __repr__(self) -> str:
        about = [f"{len(self)} points"]
        if len(self):
            about.append(f"{self.time_system} {self.time.min():.3f} to {self.time.max():.3f}")
        return f"<LightCurve: {', '.join([*about, *place_texts(self.facts)])}>"

    def _repr_html_(self) -> str:
        return curve_html(self)
