"""Times of frames as MAST's catalogues give them."""

from __future__ import annotations

from tessera.tess.products import Product

TJD_TO_MJD = 56999.5
"""MJD of TJD 0 (JD 2457000), and of BTJD 0."""
TDB_MINUS_UTC = 69.184
"""Difference in seconds: 32.184 plus 37 leap seconds, their number since 2017. TESS has flown since 2018."""

_CADENCES = ((56, 200), (27, 600), (1, 1800))
"""First sector with frames of 200 s, 10 min and 30 min, and the seconds between two frames."""


def to_mast_mjd(product: Product, days: float) -> float:
    """Convert the time in a frame's header to the MJD in MAST's footprint file.

    For SPOC frames, MAST takes DATE-OBS and DATE-END. These are TSTART and TSTOP in UTC, and still have the barycentric
    correction of the frame's centre. For TICA frames, MAST takes MJD-BEG and MJD-END, which are STARTTJD and ENDTJD in
    TDB.

    Parameters
    ----------
    product : Product
        Kind of the frame.
    days : float
        Value of the frame's card `product.start` or `product.stop`: BTJD or TJD.
    """
    return days + TJD_TO_MJD - (TDB_MINUS_UTC / 86400 if product.mast_times == "utc" else 0.0)


def to_utc_mjd(product: Product, mjd: float) -> float:
    """Convert the MJD in MAST's footprint file to UTC; see `to_mast_mjd`."""
    return mjd - (TDB_MINUS_UTC / 86400 if product.mast_times == "tdb" else 0.0)


def sector_cadence(sector: int) -> int:
    """Seconds between two full-frame images in a sector of the mission."""
    return next(seconds for first, seconds in _CADENCES if sector >= first)
