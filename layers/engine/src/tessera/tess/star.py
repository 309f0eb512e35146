"""What is known about the star of a target pixel file."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_TIC_NAME = re.compile(r"TIC\s*0*(\d{1,18})", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Star:
    """A star. Values that are not known are None.

    The columns of the TESS Input Catalog (TIC) in parentheses have the same values.

    Parameters
    ----------
    name : str, optional
        Name; empty for the name in the TIC.
    tic : int, optional
        Number in the TIC (ID).
    tmag : float, optional
        TESS magnitude (Tmag).
    pm_ra, pm_dec : float, optional
        Proper motion in mas a year, along right ascension with cos(dec), and along declination (pmRA, pmDEC).
    teff : float, optional
        Effective temperature in K (Teff).
    logg : float, optional
        Decimal logarithm of the surface gravity in cm/s2 (logg).
    mh : float, optional
        Metallicity [M/H] in dex (MH).
    radius : float, optional
        Radius in solar radii (rad).
    ticver : int, optional
        Version of the TIC, such as 8. The column `version` of the TIC is the date of an entry instead.
    """

    name: str = ""
    tic: int | None = None
    tmag: float | None = None
    pm_ra: float | None = None
    pm_dec: float | None = None
    teff: float | None = None
    logg: float | None = None
    mh: float | None = None
    radius: float | None = None
    ticver: int | None = None

    @property
    def title(self) -> str:
        """Name, or name in the TIC; empty if neither is known."""
        return self.name or ("" if self.tic is None else f"TIC {self.tic}")

    @property
    def pm_total(self) -> float | None:
        """Total proper motion in mas a year."""
        return None if self.pm_ra is None or self.pm_dec is None else math.hypot(self.pm_ra, self.pm_dec)


def tic_number(name: str) -> int | None:
    """Number of a star in the TIC by its name, such as ``TIC 261136679``; None for other names."""
    match = _TIC_NAME.fullmatch(name.strip())
    return int(match[1]) if match else None
