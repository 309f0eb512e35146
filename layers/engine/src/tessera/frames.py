"""What a build must know of a frame before it touches a pixel.

A SPOC frame is an empty primary HDU, an image of flux and an image of its uncertainty (``reference``: TESS Science
Data Products Description Document, section 4). The size of the headers differs from frame to frame inside one CCD,
so the offsets of both images are read from every file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tessera.errors import InconsistentFramesError, UnreadableFrameError
from tessera.fits_layout import Header, HeaderSyntaxError, padded, read_header
from tessera.layout import WORD

FLUX, ERROR = 0, 1
PLANES = ("flux", "error")
_ERROR_HEADER_STEP = 4 * 2880


@dataclass(frozen=True, slots=True)
class Frame:
    """Headers and pixel offsets of one SPOC frame.

    Parameters
    ----------
    name : str
        File name, without folders.
    primary, science : Header
        Headers of the primary HDU and of the flux image.
    offsets : tuple of int
        First byte of the flux pixels and of the error pixels.
    shape : tuple of int
        (rows, columns).
    """

    name: str
    primary: Header
    science: Header
    offsets: tuple[int, int]
    shape: tuple[int, int]

    @property
    def start(self) -> float:
        """TSTART: beginning of the exposure, BTJD in TDB. NaN when the card is missing."""
        value = self.science.get("TSTART")
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else float("nan")

    @property
    def detector(self) -> tuple[object, object]:
        """Values of CAMERA and CCD."""
        return self.science.get("CAMERA"), self.science.get("CCD")

    @property
    def has_wcs(self) -> bool:
        """Whether the frame carries the two-axis WCS that makes it fit to be the info table's template."""
        return self.science.get("WCSAXES") == 2


def _image_header(read: Callable[[int, int], bytes], offset: int, file_size: int, step: int) -> Header:
    header = read_header(read, offset, file_size, step)
    bitpix, bscale, bzero = header.get("BITPIX"), header.get("BSCALE", 1), header.get("BZERO", 0)
    if bitpix != -32:
        raise HeaderSyntaxError(f"BITPIX is {bitpix!r}; an image of 32-bit floats (-32) is needed")
    if header.integer("NAXIS") != 2:
        raise HeaderSyntaxError(f"NAXIS is {header.get('NAXIS')!r}; a two-dimensional image is needed")
    if bscale != 1 or bzero != 0:
        raise HeaderSyntaxError(f"BSCALE, BZERO are {bscale!r}, {bzero!r}; unscaled pixels (1, 0) are needed")
    return header


def _empty_primary(read: Callable[[int, int], bytes], file_size: int) -> Header:
    header = read_header(read, 0, file_size)
    if header.get("NAXIS") != 0 or header.n_bytes >= file_size:
        raise HeaderSyntaxError("image in the primary HDU: not a SPOC frame (TICA frames have this form)")
    return header


def read_spoc_frame(name: str, file_size: int, read: Callable[[int, int], bytes]) -> Frame:
    """Read the headers of a SPOC frame, and nothing else.

    Parameters
    ----------
    name : str
        File name, for the frame and for errors.
    file_size : int
        Size of the file in bytes.
    read : callable
        ``read(start, length)`` returns those bytes of the file.

    Raises
    ------
    UnreadableFrameError
        When the file is truncated, damaged, or not a SPOC frame; the message names the file and the card.
    """
    try:
        primary = _empty_primary(read, file_size)
        science = _image_header(read, primary.n_bytes, file_size, 12 * 2880)
        flux_offset = primary.n_bytes + science.n_bytes
        error_header_offset = flux_offset + padded(science.data_bytes)
        error = _image_header(read, error_header_offset, file_size, _ERROR_HEADER_STEP)
    except HeaderSyntaxError as reason:
        raise UnreadableFrameError(name, str(reason)) from reason
    shape = (science.integer("NAXIS2"), science.integer("NAXIS1"))
    error_shape = (error.integer("NAXIS2"), error.integer("NAXIS1"))
    if error_shape != shape:
        raise UnreadableFrameError(
            name, f"the uncertainty image is {error_shape}, the flux image {shape} (rows, columns)"
        )
    error_offset = error_header_offset + error.n_bytes
    if file_size < error_offset + shape[0] * shape[1] * WORD:
        raise UnreadableFrameError(name, f"truncated: {file_size:,} bytes, but its pixels end later")
    return Frame(name, primary, science, (flux_offset, error_offset), shape)


def check_frames(frames: Sequence[Frame]) -> None:
    """Check that frames belong into one cube.

    Raises
    ------
    InconsistentFramesError
        Naming the first frame that differs from the first one in shape, camera or CCD, has no start time, or is
        the same exposure as another.
    """
    first = frames[0]
    seen: dict[float, str] = {}
    for frame in frames:
        if frame.shape != first.shape:
            raise InconsistentFramesError(
                frame.name, f"NAXIS2, NAXIS1 are {frame.shape}, in {first.name} {first.shape}"
            )
        if frame.detector != first.detector:
            raise InconsistentFramesError(
                frame.name, f"CAMERA, CCD are {frame.detector}, in {first.name} {first.detector}"
            )
        if np.isnan(frame.start):
            raise InconsistentFramesError(frame.name, "TSTART is missing, so its place in time is unknown")
        if frame.start in seen:
            raise InconsistentFramesError(frame.name, f"TSTART {frame.start} is also that of {seen[frame.start]}")
        seen[frame.start] = frame.name


def sort_by_time(frames: Sequence[Frame]) -> list[Frame]:
    """Order frames by TSTART, the earliest first."""
    return sorted(frames, key=lambda frame: frame.start)
