"""Writes SPOC full-frame files in memory, with the cards of real ones.

The science cards are those of `tess2018215002943-s0001-4-2-0120-s_ffic.fits`, without its WCS cards (order and values
from eleanor's `ffi.guide`). The primary cards are those that TESSCut's products of the same CCD have kept. Comments
follow the SPOC target pixel files; keywords that those do not have get a descriptive comment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera.fits.checksum import encode_checksum, ones_complement_add, ones_complement_sum

BLOCK = 2880
LONG_SIP_ORDER = 7
ExtraCard = tuple[str, object] | tuple[str, object, str]
_TDB_MINUS_UTC = dt.timedelta(seconds=69.184)
_TJD_ZERO = dt.datetime(2014, 12, 8, 12, tzinfo=dt.UTC)
_WCS_FOLLOWS = "EQUINOX"


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """Values that differ from frame to frame of a CCD.

    Parameters
    ----------
    sector, camera, ccd : int
        Sector, camera and CCD of the frame.
    ffi_index : int
        Cadence number of the spacecraft.
    tstart, tstop : float
        Start and end, as barycentric TJD (BJD - 2457000, TDB).
    barycorr : float
        Barycentric correction in days; `tstart` and `tstop` include it.
    dquality : int
        Quality bits.
    simulated : bool
        Value of SIMDATA.
    """

    sector: int
    camera: int
    ccd: int
    ffi_index: int
    tstart: float
    tstop: float
    barycorr: float = 0.00075
    dquality: int = 0
    simulated: bool = False


@lru_cache
def _template(name: str) -> fits.Header:
    text = resources.files(__package__).joinpath(name).read_text(encoding="ascii")
    return fits.Header.fromstring(text, sep="\n")


def read_cards(name: str) -> fits.Header:
    """A fresh copy of the header in a card file beside this module."""
    return _template(name).copy()


def tjd_to_utc(tjd: float) -> dt.datetime:
    """UTC of a TJD in TDB, for dates after 2017-01-01 (there has been no leap second since)."""
    return _TJD_ZERO + dt.timedelta(days=tjd) - _TDB_MINUS_UTC


def frame_name(facts: FrameFacts) -> str:
    """MAST's file name. The time in it is the start at the spacecraft in UTC, without the barycentric correction."""
    start = tjd_to_utc(facts.tstart - facts.barycorr) + dt.timedelta(seconds=0.5)
    configuration = read_cards("spoc_primary.cards.txt")["SCCONFIG"]
    where = f"s{facts.sector:04d}-{facts.camera}-{facts.ccd}-{configuration:04d}"
    return f"tess{start:%Y%j%H%M%S}-{where}-s_ffic.fits"


def _iso(tjd: float) -> str:
    return tjd_to_utc(tjd).replace(tzinfo=None).isoformat(timespec="milliseconds")


def _set_times(header: fits.Header, facts: FrameFacts) -> None:
    header["TSTART"] = facts.tstart
    header["TSTOP"] = facts.tstop
    header["DATE-OBS"] = _iso(facts.tstart)
    header["DATE-END"] = _iso(facts.tstop)


def _primary_header(facts: FrameFacts, extra: Iterable[ExtraCard]) -> fits.Header:
    header = read_cards("spoc_primary.cards.txt")
    _set_times(header, facts)
    header["SIMDATA"] = facts.simulated
    header["FFIINDEX"] = facts.ffi_index
    for keyword, *rest in extra:
        header[keyword] = tuple(rest)
    return header


def _science_header(facts: FrameFacts, shape: tuple[int, ...], wcs: fits.Header | None) -> fits.Header:
    header = read_cards("spoc_science.cards.txt")
    header["NAXIS2"], header["NAXIS1"] = shape
    header["EXTNAME"] = f"CAMERA.CCD {facts.camera}.{facts.ccd} cal"
    header["SIMDATA"] = facts.simulated
    header["CAMERA"], header["CCD"] = facts.camera, facts.ccd
    header.rename_keyword("TMOFST", f"TMOFST{facts.camera}{facts.ccd}")
    _set_times(header, facts)
    elapsed = facts.tstop - facts.tstart
    header["TELAPSE"] = round(elapsed, 12)
    header["LIVETIME"] = elapsed * header["DEADC"]
    header["EXPOSURE"] = round(elapsed * header["DEADC"], 12)
    header["BARYCORR"] = facts.barycorr
    header["DQUALITY"] = facts.dquality
    if wcs is not None:
        position = header.index(_WCS_FOLLOWS)
        for card in reversed(wcs.cards):
            header.insert(position, card, after=True)
    return header


def lengthened(wcs: fits.Header) -> fits.Header:
    """Write the same SIP polynomials with a higher order. In real sectors, such frames have longer headers."""
    longer = wcs.copy()
    for prefix, least in (("A", 2), ("B", 2), ("AP", 1), ("BP", 1)):
        order = longer[f"{prefix}_ORDER"]
        last = f"{prefix}_0_{order}"
        for degree in range(max(order + 1, least), LONG_SIP_ORDER + 1):
            for power in range(degree, -1, -1):
                keyword = f"{prefix}_{power}_{degree - power}"
                longer.set(keyword, 0.0, "distortion coefficient", after=last)
                last = keyword
        longer[f"{prefix}_ORDER"] = LONG_SIP_ORDER
    return longer


def _uncertainty_header(science: fits.Header, facts: FrameFacts) -> fits.Header:
    """Header with the structural cards only. The cube takes no other card of this extension."""
    header = fits.Header(science[: science.index("INT_TIME")].cards, copy=True)
    header["EXTNAME"] = f"CAMERA.CCD {facts.camera}.{facts.ccd} uncertainty"
    header["IMAGTYPE"] = ("uncertainty", "FFI image type")
    return header


def _card_bytes(header: fits.Header) -> bytes:
    text: str = header.tostring()
    return text.encode("ascii")


def _hdu_bytes(header: fits.Header, data: NDArray[np.float32] | None) -> bytes:
    """One HDU with a CHECKSUM over cards and data, and without a DATASUM, as in files of the SPOC."""
    body = b"" if data is None else data.astype(">f4", copy=False).tobytes()
    body += b"\0" * (-len(body) % BLOCK)
    header["CHECKSUM"] = ("0" * 16, "HDU checksum")
    total = ones_complement_add(ones_complement_sum(_card_bytes(header)), ones_complement_sum(body))
    header["CHECKSUM"] = encode_checksum(total)
    return _card_bytes(header) + body


def frame_bytes(
    facts: FrameFacts,
    flux: NDArray[np.float32],
    error: NDArray[np.float32],
    wcs: fits.Header | None,
    *,
    primary_cards: Iterable[ExtraCard] = (),
    science_cards: Iterable[ExtraCard] = (),
) -> bytes:
    """Write one SPOC full-frame file.

    Parameters
    ----------
    facts : FrameFacts
        Times, CCD and quality of the frame.
    flux, error : ndarray, shape (rows, columns)
        Pixels in electrons per second.
    wcs : fits.Header or None
        WCS cards of the frame in their order; None for a frame without a WCS.
    primary_cards, science_cards : iterable of (keyword, value) or (keyword, value, comment)
        Further cards. They replace existing cards with the same keyword.

    Returns
    -------
    bytes
        The whole file: empty primary HDU, flux image, uncertainty image.
    """
    science = _science_header(facts, flux.shape, wcs)
    for keyword, *rest in science_cards:
        science[keyword] = tuple(rest)
    uncertainty = _uncertainty_header(science, facts)
    return b"".join(
        (
            _hdu_bytes(_primary_header(facts, primary_cards), None),
            _hdu_bytes(science, flux),
            _hdu_bytes(uncertainty, error),
        )
    )
