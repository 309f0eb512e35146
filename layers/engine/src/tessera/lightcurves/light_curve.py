"""Light curves: the flux of a target over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera.lightcurves.photometry import Mask

if TYPE_CHECKING:
    from astropy.table import Table

_FACTS = {
    "OBJECT": "target",
    "TICID": "tic",
    "RA_OBJ": "ra",
    "DEC_OBJ": "dec",
    "TESSMAG": "tess_magnitude",
    "SECTOR": "sector",
    "CAMERA": "camera",
    "CCD": "ccd",
    "FFI_TYPE": "product",
}
"""Card of the primary header, and its name in the meta of a table."""
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
        Background that was subtracted from the flux: its value for one pixel times the number of pixels. None if
        nothing was subtracted.
    cadence_numbers : ndarray of int32, optional
        The spacecraft's count of exposures.
    mask : ndarray of bool, shape (n_rows, n_columns), optional
        The aperture.
    header : astropy.io.fits.Header, optional
        Cards about the target and the observation: the primary header of the target pixel file.
    name : str, optional
        Name of the target pixel file.

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
    header: fits.Header = field(default_factory=fits.Header)
    name: str = ""

    def __len__(self) -> int:
        return len(self.time)

    @property
    def facts(self) -> dict[str, Any]:
        """What the header says about the target and the observation: ra, dec, sector, camera, ccd and so on.

        Files have 0 and empty texts in place of facts that are not known.
        """
        values = {name: self.header.get(card) for card, name in _FACTS.items()}
        return {name: value for name, value in values.items() if isinstance(value, (str, int, float)) and value}

    def to_table(self) -> Table:
        """Return the light curve as a table of astropy, with units.

        Returns
        -------
        Table
            Columns ``time_btjd`` or ``time_tjd``, ``flux``, ``flux_err`` and ``quality``, and if they are known
            ``background`` and ``cadence_number``. Its meta says what the times are, and has the facts about the target.
        """
        from astropy.table import Table  # noqa: PLC0415 - slow to import

        unit = self.flux_unit.replace("e-", "electron")
        columns: dict[str, Any] = {
            f"time_{self.time_system.lower()}": self.time,
            "flux": self.flux,
            "flux_err": self.flux_err,
            "quality": self.quality,
        }
        units = {f"time_{self.time_system.lower()}": "d", "flux": unit, "flux_err": unit}
        if self.background is not None:
            columns["background"], units["background"] = self.background, unit
        if self.cadence_numbers is not None:
            columns["cadence_number"] = self.cadence_numbers
        times = f"middle of each exposure, days since JD 2457000, TDB, {_PLACES[self.time_system]}"
        return Table(columns, units=units, meta={"time": times, **self.facts})

    def __repr__(self) -> str:
        about = [f"{len(self)} points"]
        if len(self):
            about.append(f"{self.time_system} {self.time.min():.3f} to {self.time.max():.3f}")
        about += [f"{word} {self.header[key]}" for word, key in _WORDS if self.header.get(key)]
        return f"<LightCurve: {', '.join(about)}>"


_WORDS = (("sector", "SECTOR"), ("camera", "CAMERA"), ("CCD", "CCD"))
