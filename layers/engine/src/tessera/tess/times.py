"""Times of frames as MAST's catalogues give them."""

from __future__ import annotations

from tessera.tess.products import Product

TJD_TO_MJD = 56999.5
"""MJD of TJD 0 (JD 2457000), and of BTJD 0."""
TDB_MINUS_UTC = 69.184
"""Seconds, in all of the mission's time: 32.184 and the 37 leap seconds since 2017."""


def to_mast_mjd(product: Product, days: float) -> float:
    """MJD that MAST's footprint file has for the time in a frame's header.

    For SPOC frames that is DATE-OBS or DATE-END: TSTART or TSTOP in UTC, still with the barycentric correction of the
    frame's centre. For TICA frames it is MJD-BEG or MJD-END: STARTTJD or ENDTJD, in TDB.

    Parameters
    ----------
    product : Product
        Kind of the frame.
    days : float
        Its `product.start` or `product.stop`: BTJD or TJD.
    """
    return days + TJD_TO_MJD - (TDB_MINUS_UTC / 86400 if product.mast_times == "utc" else 0.0)
