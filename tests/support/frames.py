"""Builders of SPOC frames: tiny ones whose every pixel is known, and full-geometry ones around a real TPF."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from tessera_local.demo.spoc_files import ExtraCard, FrameFacts, frame_bytes, frame_name, lengthened
from tests.support.wcs import FRAME_SHAPE, ffi_wcs_header

NamedFrame = tuple[str, bytes]
Pixels = NDArray[np.float32]
FIRST_TSTART = 1325.31384463669
CADENCE_DAYS = 1 / 48
FIRST_FFI_INDEX = 4697
DATA_OFFSET_NORMAL = 20160
DATA_OFFSET_WITHOUT_WCS = 14400
DATA_OFFSET_LONGER = 25920


def spoc_frame(
    *,
    cadence_index: int,
    flux: Pixels,
    error: Pixels,
    wcs_cards: fits.Header | None,
    tstart: float,
    tstop: float,
    sector: int = 1,
    camera: int = 4,
    ccd: int = 2,
    dquality: int = 0,
    barycorr: float = 0.00075,
    extra_cards: Iterable[ExtraCard] = (),
    primary_cards: Iterable[ExtraCard] = (),
    drop_wcs: bool = False,
    longer_header: bool = False,
    ffi_index: int | None = None,
    simulated: bool = False,
    name: str | None = None,
) -> NamedFrame:
    """One SPOC frame: its MAST file name and the bytes of the file.

    Parameters
    ----------
    cadence_index : int
        From 0; gives FFIINDEX unless `ffi_index` says otherwise.
    flux, error : ndarray (rows, columns)
        Any shape.
    wcs_cards : fits.Header or None
        Cards for the science header, e.g. of `ffi_wcs_header`; None or `drop_wcs` for a frame without a WCS.
    tstart, tstop, barycorr : float
        Days; the file name is derived from them.
    extra_cards, primary_cards : iterable of (keyword, value[, comment])
        Set in the science header and in the primary header; a card that is there already is replaced.
    longer_header : bool
        Write the SIP polynomials with order 7: data offset 25,920 instead of 20,160.
    name : str, optional
        A file name of one's own.
    """
    facts = FrameFacts(
        sector=sector,
        camera=camera,
        ccd=ccd,
        ffi_index=FIRST_FFI_INDEX + cadence_index if ffi_index is None else ffi_index,
        tstart=tstart,
        tstop=tstop,
        barycorr=barycorr,
        dquality=dquality,
        simulated=simulated,
    )
    wcs = None if drop_wcs or wcs_cards is None else wcs_cards
    if wcs is not None and longer_header:
        wcs = lengthened(wcs)
    content = frame_bytes(facts, flux, error, wcs, primary_cards=primary_cards, science_cards=extra_cards)
    return name or frame_name(facts), content


def tiny_flux(cadence: int, shape: tuple[int, int]) -> Pixels:
    """Flux of a frame of `tiny_sector`: 1 + column + columns * (row + rows * cadence), so no two pixels are alike."""
    rows, columns = shape
    first = 1 + rows * columns * cadence
    return np.arange(first, first + rows * columns, dtype=np.float32).reshape(shape)


def tiny_error(cadence: int, shape: tuple[int, int]) -> Pixels:
    """Error of a frame of `tiny_sector`: half an electron more than the flux, so the planes cannot be confused."""
    return tiny_flux(cadence, shape) + np.float32(0.5)


def tiny_times(cadence: int) -> tuple[float, float]:
    """TSTART and TSTOP of a frame of `tiny_sector`."""
    return FIRST_TSTART + cadence * CADENCE_DAYS, FIRST_TSTART + (cadence + 1) * CADENCE_DAYS


def centred_wcs(shape: tuple[int, int], sector: int = 1, camera: int = 4, ccd: int = 2) -> fits.Header:
    """A CCD's real WCS moved so that its reference point is the middle of a small frame."""
    header = ffi_wcs_header(sector, camera, ccd)
    header["CRPIX1"] = shape[1] / 2 + 0.5
    header["CRPIX2"] = shape[0] / 2 + 0.5
    return header


def tiny_sector(
    n_frames: int = 5,
    shape: tuple[int, int] = (40, 30),
    *,
    seed: int = 0,
    sector: int = 1,
    camera: int = 4,
    ccd: int = 2,
    without_wcs: Iterable[int] = (),
    longer_header: Iterable[int] = (),
    dquality: Mapping[int, int] | None = None,
    shuffled: bool = False,
) -> list[NamedFrame]:
    """A few small frames of one CCD, in order of time.

    Parameters
    ----------
    n_frames : int
        Number of cadences. Pixel values stay exact up to 2**23 pixels in all frames together.
    shape : (rows, columns)
    seed : int
        Of the shuffling.
    without_wcs, longer_header : iterable of int
        Cadences whose science header is shorter or longer than the others'.
    dquality : mapping of cadence to quality bits, optional
    shuffled : bool
        Give the frames in another order than that of time.
    """
    bare, longer, flags = set(without_wcs), set(longer_header), dquality or {}
    wcs = centred_wcs(shape, sector, camera, ccd)
    frames = [
        spoc_frame(
            sector=sector,
            camera=camera,
            ccd=ccd,
            cadence_index=cadence,
            flux=tiny_flux(cadence, shape),
            error=tiny_error(cadence, shape),
            wcs_cards=wcs,
            tstart=tiny_times(cadence)[0],
            tstop=tiny_times(cadence)[1],
            dquality=flags.get(cadence, 0),
            barycorr=0.00075 - 2e-7 * cadence,
            drop_wcs=cadence in bare,
            longer_header=cadence in longer,
        )
        for cadence in range(n_frames)
    ]
    if shuffled:
        random.Random(seed).shuffle(frames)
    return frames


def _exact_times(mid: float, half: float) -> tuple[float, float]:
    """Start and end whose mean is `mid` bit for bit: `half` is rounded to the grid that `mid` lies on."""
    grid = float(np.spacing(mid))
    half = round(half / grid) * grid
    start, stop = mid - half, mid + half
    assert (start + stop) / 2 == mid
    return start, stop


def _around(window: NDArray[np.float32], row: int, column: int, shape: tuple[int, int]) -> Pixels:
    frame = np.zeros(shape, dtype=np.float32)
    frame[row : row + window.shape[0], column : column + window.shape[1]] = window
    return frame


def iter_frames_around_tpf(
    path: Path,
    *,
    sector: int,
    camera: int,
    ccd: int,
    n_frames: int | None = None,
    shape: tuple[int, int] = FRAME_SHAPE,
    without_wcs: Iterable[int] = (),
    longer_header: Iterable[int] = (),
) -> Iterator[NamedFrame]:
    """Frames that hold a TESSCut TPF's pixels where the TPF says they were; zeros elsewhere.

    A cutout of the TPF's own coordinates and size gives its FLUX, FLUX_ERR, TIME, TIMECORR, QUALITY and FFI_FILE
    back exactly.

    Parameters
    ----------
    path : Path
        A TPF with column WCS cards (1CRV4P and 2CRV4P).
    sector, camera, ccd : int
        Whose WCS to put in.
    n_frames : int, optional
        Only so many of the first cadences.
    shape : (rows, columns)
        Of the frames. A smaller one cuts rows from the top and columns from the right: the numbers of the pixels
        that stay do not change. It must hold the TPF's window.
    without_wcs, longer_header : iterable of int
        Cadences whose science header is shorter or longer than the others'.
    """
    bare, longer = set(without_wcs), set(longer_header)
    with fits.open(path) as hdus:
        table, first_tstart = hdus["PIXELS"].data, float(hdus[0].header["TSTART"])
        column, row = hdus["PIXELS"].header["1CRV4P"] - 1, hdus["PIXELS"].header["2CRV4P"] - 1
        wcs = ffi_wcs_header(sector, camera, ccd)
        half = float(table["TIME"][0]) - first_tstart
        for cadence, entry in enumerate(table[:n_frames]):
            tstart, tstop = _exact_times(float(entry["TIME"]), half)
            built, content = spoc_frame(
                sector=sector,
                camera=camera,
                ccd=ccd,
                cadence_index=cadence,
                flux=_around(entry["FLUX"], row, column, shape),
                error=_around(entry["FLUX_ERR"], row, column, shape),
                wcs_cards=wcs,
                tstart=tstart,
                tstop=tstop,
                dquality=int(entry["QUALITY"]),
                barycorr=float(entry["TIMECORR"]),
                drop_wcs=cadence in bare,
                longer_header=cadence in longer,
                name=f"{entry['FFI_FILE'][:38]}c.fits",
            )
            yield built, content


def frames_around_tpf(
    path: Path,
    *,
    sector: int = 1,
    camera: int = 4,
    ccd: int = 2,
    n_frames: int | None = 8,
    shape: tuple[int, int] = FRAME_SHAPE,
) -> list[NamedFrame]:
    """`iter_frames_around_tpf` as a list; 35 MB a frame at full size."""
    return list(iter_frames_around_tpf(path, sector=sector, camera=camera, ccd=ccd, n_frames=n_frames, shape=shape))
