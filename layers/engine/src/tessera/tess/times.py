"""Times of frames as MAST's catalogues give them."""

from __future__ import annotations

from tessera.tess.products import Product

TJD_TO_MJD = 56999.5
"""MJD of TJD 0 (JD 2457000), and of BTJD 0."""
TDB_MINUS_UTC = 69.184
"""Difference in seconds: 32.184 plus 37 leap seconds, their number since 2017. TESS has flown since 2018."""

_CADENCES = ((56, 200, 158.4), (27, 600, 475.2), (1, 1800, 1425.6))
"""First sector with frames of 200 s, 10 min and 30 min, seconds between two frames, and seconds of exposure."""


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


def utc_to_btjd(mjd: float) -> float:
    """Convert an MJD in UTC to the days of cubes: BTJD for SPOC frames, TJD for TICA frames, both in TDB.

    The result is exact to 2 ms, the largest difference between TDB and TT, since 2017, when the last leap second was
    added. It has no light travel time. So for SPOC cubes, whose times are those at the barycentre of the solar system,
    the MJD is that at the barycentre, as in the t_min and t_max of MAST's footprint file. A clock at the spacecraft
    differs from it by up to 8.4 minutes. For TICA cubes, the MJD is that of a clock at the spacecraft.

    Parameters
    ----------
    mjd : float
        Modified Julian date, UTC. It may be infinite.
    """
    return mjd - TJD_TO_MJD + TDB_MINUS_UTC / 86400


def sector_cadence(sector: int) -> int:
    """Seconds between two full-frame images in a sector of the mission."""
    return next(seconds for first, seconds, _ in _CADENCES if sector >= first)


def frame_exposure(sector: int) -> float:
    """Seconds of exposure of a full-frame image in a sector, without what is lost to cosmic rays and reading."""
    return next(seconds for first, _, seconds in _CADENCES if sector >= first)
