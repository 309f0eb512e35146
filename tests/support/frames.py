"""Builds SPOC frames: tiny ones with known pixels, and full-size ones with the pixels of a real TPF."""

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
    """Build one SPOC frame: its MAST file name and the bytes of the file.

    Parameters
    ----------
    cadence_index : int
        Cadence, from 0. It is also FFIINDEX unless `ffi_index` is given.
    flux, error : ndarray, shape (rows, columns)
        Pixels of any shape.
    wcs_cards : fits.Header or None
        Cards for the science header, such as those of `ffi_wcs_header`. None or `drop_wcs` gives a frame without a WCS.
    tstart, tstop, barycorr : float
        Times in days. The file name follows from them.
    extra_cards, primary_cards : iterable of (keyword, value[, comment])
        Further cards of the science and the primary header. They replace existing cards with the same keyword.
    longer_header : bool
        Whether the SIP polynomials have order 7, which moves the data offset from 20,160 to 25,920.
    name : str, optional
        Another file name.
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
    """Flux of a frame of `tiny_sector`: 1 + column + columns * (row + rows * cadence), so that all pixels differ."""
    rows, columns = shape
    first = 1 + rows * columns * cadence
    return np.arange(first, first + rows * columns, dtype=np.float32).reshape(shape)


def tiny_error(cadence: int, shape: tuple[int, int]) -> Pixels:
    """Error of a frame of `tiny_sector`: the flux plus half an electron, so that the planes differ."""
    return tiny_flux(cadence, shape) + np.float32(0.5)


def tiny_times(cadence: int) -> tuple[float, float]:
    """TSTART and TSTOP of a frame of `tiny_sector`, in days."""
    return FIRST_TSTART + cadence * CADENCE_DAYS, FIRST_TSTART + (cadence + 1) * CADENCE_DAYS


def centred_wcs(shape: tuple[int, int], sector: int = 1, camera: int = 4, ccd: int = 2) -> fits.Header:
    """Real WCS of a CCD, moved so that its reference point is the middle of a small frame."""
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
    """Build a few small frames of one CCD, in order of time.

    Parameters
    ----------
    n_frames : int
        Number of cadences. Pixel values are exact up to 2**23 pixels in all frames together.
    shape : (rows, columns)
        Shape of the frames.
    seed : int
        Seed of the random order.
    without_wcs, longer_header : iterable of int
        Cadences whose science header is shorter or longer than the others'.
    dquality : mapping of cadence to quality bits, optional
        Cadences with quality bits; the others have 0.
    shuffled : bool
        Whether the frames are in random order instead of the order of time.
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
    """Start and end whose mean is exactly `mid`: `half` is rounded to the spacing of floats near `mid`."""
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
    """Build frames that have a TESSCut TPF's pixels at their place on the CCD, and zeros elsewhere.

    A cutout with the TPF's coordinates and size has exactly its FLUX, FLUX_ERR, TIME, TIMECORR, QUALITY and FFI_FILE.

    Parameters
    ----------
    path : Path
        Path of a TPF with column WCS cards (1CRV4P and 2CRV4P).
    sector, camera, ccd : int
        CCD whose WCS the frames get.
    n_frames : int, optional
        Number of frames, from the first cadence on; all by default.
    shape : (rows, columns)
        Shape of the frames, which must include the TPF's window. Smaller frames lack rows at the top and columns at the
        right, so the other pixels keep their numbers.
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
    """List of the frames of `iter_frames_around_tpf`. A full-size frame has 35 MB."""
    return list(iter_frames_around_tpf(path, sector=sector, camera=camera, ccd=ccd, n_frames=n_frames, shape=shape))
