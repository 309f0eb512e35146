"""Builds TICA frames with the cards of a real one."""

from __future__ import annotations

import io

import numpy as np
from astropy.io import fits

from tests.support.frames import NamedFrame, Pixels, tiny_flux
from tests.support.paths import DATA

REAL_HEADER = DATA / "tica" / "hlsp_tica_tess_ffi_s0027-o1-00117591-cam1-ccd4_tess_v01_img.primary_header.txt"
FIRST_START = 2044.062795019605
CADENCE_DAYS = 600 / 86400
FIRST_CADENCE = 117591


def real_header() -> fits.Header:
    lines = REAL_HEADER.read_text(encoding="utf-8").splitlines()
    return fits.Header.fromstring("".join(line.ljust(80) for line in lines))


def tica_times(cadence: int) -> tuple[float, float]:
    """STARTTJD and ENDTJD of a frame of `tiny_tica_sector`, in days."""
    start = FIRST_START + cadence * CADENCE_DAYS
    return start, start + CADENCE_DAYS


def tica_frame(cadence: int, flux: Pixels, *, camera: int = 1, ccd: int = 4, sector: int = 27) -> NamedFrame:
    """A TICA frame: the image in the primary HDU, and a small table after it."""
    header = real_header()
    for keyword in ("CHECKSUM", "DATASUM"):
        del header[keyword]
    rows, columns = flux.shape
    start, stop = tica_times(cadence)
    header["CRPIX1"], header["CRPIX2"] = columns / 2 + 0.5, rows / 2 + 0.5
    header["STARTTJD"], header["MIDTJD"], header["ENDTJD"] = start, (start + stop) / 2, stop
    header["CADENCE"], header["CAMNUM"], header["CCDNUM"] = FIRST_CADENCE + cadence, camera, ccd
    table = fits.BinTableHDU.from_columns([fits.Column("STARID", "K", array=np.arange(3))])
    content = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(flux, header), table]).writeto(content, checksum=True)
    name = f"hlsp_tica_tess_ffi_s{sector:04d}-o1-{FIRST_CADENCE + cadence:08d}-cam{camera}-ccd{ccd}_tess_v01_img.fits"
    return name, content.getvalue()


def tiny_tica_sector(n_frames: int = 5, shape: tuple[int, int] = (40, 30)) -> list[NamedFrame]:
    """Small TICA frames with the pixels of `tiny_flux`."""
    return [tica_frame(cadence, tiny_flux(cadence, shape)) for cadence in range(n_frames)]
