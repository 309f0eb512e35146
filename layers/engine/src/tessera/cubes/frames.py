"""Read the headers of frames: all that a build needs before it reads pixels.

A SPOC frame is an empty primary HDU, an image of flux and an image of its uncertainty (TESS Science Data Products
Description Document, section 4); a TICA frame is one image in the primary HDU. The size of the headers differs from
frame to frame inside one CCD, so the offsets of the pixels are read from every file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tessera.cubes.layout import WORD
from tessera.errors import InconsistentFramesError, UnreadableFrameError
from tessera.fits.headers import BLOCK, Header, HeaderSyntaxError, padded, read_header
from tessera.tess.products import PRODUCTS, Product

ReadBytes: TypeAlias = Callable[[int, int], bytes]
"""Function that reads a file: ``read(start, length)`` returns bytes."""

_FIRST_READ = 12 * BLOCK
"""Size of the first request in bytes. It contains the headers before the flux; longer headers need another request."""
_PLANES = (("the flux image", BLOCK), ("the uncertainty image", 4 * BLOCK))
"""Name of an image in errors, and number of bytes of its header that a request reads."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Headers and pixel offsets of one frame.

    Parameters
    ----------
    name : str
        File name, without folders.
    product : Product
        Kind of frame.
    primary, science : Header
        Headers of the primary HDU and of the flux image; the same for TICA.
    offsets : tuple of int
        Position in the file of the first byte of the pixels of every plane.
    shape : tuple of int
        (rows, columns).
    """

    name: str
    product: Product
    primary: Header
    science: Header
    offsets: tuple[int, ...]
    shape: tuple[int, int]

    def number(self, keyword: str) -> float:
        """Value of a card as a number; NaN when it is missing or something else."""
        value = self.science.get(keyword)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan

    @property
    def start(self) -> float:
        """Beginning of the exposure: BTJD for SPOC, TJD for TICA."""
        return self.number(self.product.start)

    @property
    def stop(self) -> float:
        """End of the exposure, like `start`."""
        return self.number(self.product.stop)

    @property
    def detector(self) -> tuple[object, ...]:
        """Camera and CCD as the cards say."""
        return tuple(self.science.get(keyword) for keyword in self.product.detector)

    @property
    def sector(self) -> int | None:
        """Sector from the file name, since SPOC frames have no card for it; None when the name has none."""
        match = self.product.frame_sector.search(self.name)
        return int(match[1]) if match else None

    @property
    def is_template(self) -> bool:
        """Whether the frame can give the info table its columns."""
        keyword, value = self.product.template
        return self.science.get(keyword) == value

    @property
    def has_wcs(self) -> bool:
        """Whether the frame carries a celestial WCS."""
        return str(self.science.get("CTYPE2", "")).startswith("DEC--TAN")


def _check_image(header: Header, what: str) -> None:
    bitpix, bscale, bzero = header.get("BITPIX"), header.get("BSCALE", 1), header.get("BZERO", 0)
    if bitpix != -32:
        raise HeaderSyntaxError(f"BITPIX of {what} is {bitpix!r}; 32-bit floats (-32) are needed")
    if header.integer("NAXIS") != 2:
        raise HeaderSyntaxError(f"NAXIS of {what} is {header.get('NAXIS')!r}; a two-dimensional image is needed")
    if bscale != 1 or bzero != 0:
        raise HeaderSyntaxError(f"BSCALE, BZERO of {what} are {bscale!r}, {bzero!r}; unscaled pixels (1, 0) are needed")


def _shape(header: Header) -> tuple[int, int]:
    return header.integer("NAXIS2"), header.integer("NAXIS1")


def _check_product(product: Product, primary: Header) -> None:
    """Check that the primary HDU is empty where the product has its images in extensions, and only there."""
    empty = primary.get("NAXIS") == 0
    if empty != product.in_extensions:
        others = " or ".join(item.name for item in PRODUCTS.values() if item.in_extensions == empty)
        raise HeaderSyntaxError(
            f"One or more incorrect file types were input. Please input only {product.name} FFI files when using "
            f"``{product.factory}``. This is a {others} frame."
        )


def _read_images(product: Product, primary: Header, file_size: int, read: ReadBytes) -> list[tuple[Header, int]]:
    """Header of each plane, and first byte of its pixels."""
    if not product.in_extensions:
        _check_image(primary, "the image")
        return [(primary, primary.n_bytes)]
    if primary.n_bytes >= file_size:
        message = f"the file ends behind its primary header; a {product.name} frame has its image in extension 1"
        raise HeaderSyntaxError(message)
    images, offset = [], primary.n_bytes
    for what, step in _PLANES[: product.n_planes]:
        header = read_header(read, offset, file_size, step)
        _check_image(header, what)
        images.append((header, offset + header.n_bytes))
        offset += header.n_bytes + padded(header.data_bytes)
    if _shape(images[-1][0]) != _shape(images[0][0]):
        message = f"the uncertainty image is {_shape(images[-1][0])}, the flux image {_shape(images[0][0])}"
        raise HeaderSyntaxError(message)
    return images


def read_frame(name: str, product: Product, file_size: int, read: ReadBytes) -> Frame:
    """Read the headers of a frame, and nothing else.

    Parameters
    ----------
    name : str
        File name, for the frame and for errors.
    product : Product
        Kind that the frame must have.
    file_size : int
        Size of the file in bytes.
    read : callable
        Function that reads the file: ``read(start, length)`` returns bytes.

    Raises
    ------
    UnreadableFrameError
        When the file is truncated, damaged, or another kind of frame; the message names the file and the card.
    """
    start = read(0, min(file_size, _FIRST_READ))

    def read_again(offset: int, length: int) -> bytes:
        known = start[offset : offset + length]
        return known if len(known) == length else read(offset, length)

    try:
        primary = read_header(read_again, 0, file_size, BLOCK)
        _check_product(product, primary)
        images = _read_images(product, primary, file_size, read_again)
        offsets = tuple(offset for _, offset in images)
        frame = Frame(name, product, primary, images[0][0], offsets, _shape(images[0][0]))
    except HeaderSyntaxError as reason:
        raise UnreadableFrameError(name, str(reason)) from reason
    if file_size < frame.offsets[-1] + frame.shape[0] * frame.shape[1] * WORD:
        raise UnreadableFrameError(name, f"truncated: {file_size:,} bytes, but its pixels end later")
    return frame


def check_frames(frames: Sequence[Frame]) -> None:
    """Check that frames belong to one cube.

    Raises
    ------
    InconsistentFramesError
        When a frame differs from the first one in shape, sector, camera or CCD, has no start time, or is the same
        exposure as another. The error names it.
    """
    first = frames[0]
    seen: dict[float, str] = {}
    for frame in frames:
        camera, ccd = frame.product.detector
        if frame.shape != first.shape:
            reason = f"NAXIS2, NAXIS1 are {frame.shape}, in {first.name} {first.shape}"
            raise InconsistentFramesError(frame.name, reason)
        if frame.detector != first.detector:
            reason = f"{camera}, {ccd} are {frame.detector}, in {first.name} {first.detector}"
            raise InconsistentFramesError(frame.name, reason)
        if None not in (frame.sector, first.sector) and frame.sector != first.sector:
            raise InconsistentFramesError(frame.name, f"its sector is {frame.sector}, in {first.name} {first.sector}")
        if math.isnan(frame.start):
            raise InconsistentFramesError(frame.name, f"{frame.product.start} is missing: its place in time is unknown")
        if frame.start in seen:
            reason = f"{frame.product.start} {frame.start} is also that of {seen[frame.start]}"
            raise InconsistentFramesError(frame.name, reason)
        seen[frame.start] = frame.name


def sort_by_time(frames: Sequence[Frame]) -> list[Frame]:
    """Order frames by the beginning of their exposure."""
    return sorted(frames, key=lambda frame: frame.start)
