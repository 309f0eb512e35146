"""Writes TICA full-frame files in memory, with the cards that readers of TICA frames need.

Names, units and order of the cards are those of `hlsp_tica_tess_ffi_s0027-o1-00117591-cam1-ccd4_tess_v01_img.fits`.
"""

from __future__ import annotations

import io

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera_local.demo.spoc_files import FrameFacts

_MJD_OF_TJD_ZERO = 56999.5


def frame_name(facts: FrameFacts) -> str:
    """MAST's file name. It has the cadence number of the spacecraft."""
    where = f"s{facts.sector:04d}-o1-{facts.ffi_index:08d}-cam{facts.camera}-ccd{facts.ccd}"
    return f"hlsp_tica_tess_ffi_{where}_tess_v01_img.fits"


def frame_bytes(facts: FrameFacts, electrons: NDArray[np.float32], live_seconds: float, wcs: fits.Header) -> bytes:
    """Write one TICA full-frame file.

    Parameters
    ----------
    facts : FrameFacts
        Times, CCD and quality of the frame. The file has times of the spacecraft, without the correction `barycorr`.
    electrons : ndarray, shape (rows, columns)
        Pixels in electrons.
    live_seconds : float
        Time in which the electrons were collected.
    wcs : fits.Header
        WCS cards of the frame in their order.

    Returns
    -------
    bytes
        The whole file: the image in the primary HDU, and an empty table of reference stars.
    """
    header = fits.Header(_cards(facts, live_seconds))
    header.extend(wcs.cards)
    header["COMMENT"] = "All pixels are simulated: this is not a TESS observation."
    columns = [fits.Column(name, "E", array=np.zeros(0)) for name in ("COLUMN", "ROW", "TESSMAG")]
    content = io.BytesIO()
    hdus = [fits.PrimaryHDU(electrons, header), fits.BinTableHDU.from_columns(columns)]
    fits.HDUList(hdus).writeto(content, checksum=True)
    return content.getvalue()


def _cards(facts: FrameFacts, live_seconds: float) -> list[tuple[str, object, str]]:
    start, stop = facts.tstart - facts.barycorr, facts.tstop - facts.barycorr
    return [
        ("SIMDATA", facts.simulated, "file is based on simulated data"),
        ("TJD_ZERO", 2457000.0, "JD-TDB epoch for which TJD = 0"),
        ("STARTTJD", start, "Beginning of integration in TJD (days)"),
        ("MIDTJD", (start + stop) / 2, "Mid TJD of exposures"),
        ("ENDTJD", stop, "End of integration in TJD"),
        ("EXPTIME", live_seconds, "Effective exposures corrected for CRM"),
        ("INT_TIME", round((stop - start) * 86400), "Seconds of integration"),
        ("QUAL_BIT", facts.dquality, "Quality flags"),
        ("CADENCE", facts.ffi_index, "Cadence number since start of data collection"),
        ("CRM", True, "Whether or not cosmic ray were mitigated"),
        ("CAMNUM", facts.camera, "Camera Number"),
        ("CCDNUM", facts.ccd, "CCD number"),
        ("SCIPIXS", "[45:2092,1:2048]", ""),
        ("UNITS", "electrons", "Units (ADU or electrons)"),
        ("TICAVER", "0.2.1", "tica software version"),
        ("EQUINOX", 2000.0, ""),
        ("INSTRUME", "TESS Photometer", ""),
        ("TELESCOP", "TESS", ""),
        ("FILTER", "TESS", ""),
        ("MJD-BEG", start + _MJD_OF_TJD_ZERO, ""),
        ("MJD-END", stop + _MJD_OF_TJD_ZERO, ""),
    ]
