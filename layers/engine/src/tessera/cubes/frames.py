"""Read the headers of frames: all that a build needs before it reads pixels.

A SPOC frame is an empty primary HDU, an image of flux and an image of its uncertainty (TESS Science Data Products
Description Document, section 4); a TICA frame is one image in the primary HDU. The size of the headers differs from
frame to frame inside one CCD, so the offsets of the pixels are read from every file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from tessera.cubes.frame_checks import TAN_SIP, PixelFormat, check_cards, check_image
from tessera.errors import InconsistentFramesError, PackedFrameError, UnreadableFrameError
from tessera.fits.headers import BLOCK, Header, HeaderSyntaxError, padded, read_header
from tessera.tess.products import PRODUCTS, Product

ReadBytes: TypeAlias = Callable[[int, int], bytes]
"""Function that reads a file: ``read(start, length)`` returns bytes."""

_FIRST_READ = 12 * BLOCK
"""Size of the first request in bytes. It contains the headers before the flux; longer headers need another request."""
_PLANES = (("the flux image", BLOCK), ("the uncertainty image", 4 * BLOCK))
"""Name of an image in errors, and number of bytes of its header that a request reads."""
_PACKINGS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x1f\x9d": "compress", b"PK\x03\x04": "zip"}
"""First bytes of packed files."""


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
        Headers of the primary HDU and of the flux image; the same for TICA. The header of an image in an extension is
        without its text, which is half of what the headers of many frames take.
    offsets : tuple of int
        Position in the file of the first byte of the pixels of every plane.
    shape : tuple of int
        (rows, columns).
    formats : tuple of PixelFormat, optional
        How the pixels of every plane are stored. By default, all are 32-bit floats without scaling.
    """

    name: str
    product: Product
    primary: Header
    science: Header
    offsets: tuple[int, ...]
    shape: tuple[int, int]
    formats: tuple[PixelFormat, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether the bytes of all its pixels are those of a cube."""
        return all(item.plain for item in self.formats)

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
    def named_detector(self) -> tuple[object, ...] | None:
        """Camera and CCD from the file name; None when the name has none."""
        match = self.product.frame_detector.search(self.name)
        return tuple(map(int, match.groups())) if match else None

    @property
    def is_template(self) -> bool:
        """Whether the frame can give the info table its columns."""
        keyword, value = self.product.template
        return self.science.get(keyword) == value

    @property
    def has_wcs(self) -> bool:
        """Whether the frame carries a celestial WCS."""
        return self.science.get("CTYPE2") == TAN_SIP


def _shape(header: Header) -> tuple[int, int]:
    return header.integer("NAXIS2"), header.integer("NAXIS1")


def _check_product(product: Product, primary: Header) -> None:
    """Check that the file is FITS, and that its primary HDU is empty only if the product has images in extensions."""
    if primary.get("SIMPLE") is not True:
        raise HeaderSyntaxError(f"SIMPLE is {primary.get('SIMPLE')!r}; T is needed, as in all FITS files")
    empty = primary.get("NAXIS") == 0
    if empty != product.in_extensions:
        others = " or ".join(item.name for item in PRODUCTS.values() if item.in_extensions == empty)
        raise HeaderSyntaxError(
            f"One or more incorrect file types were input. Please input only {product.name} FFI files when using "
            f"``{product.factory}``. This is a {others} frame."
        )


def _read_images(
    product: Product, primary: Header, file_size: int, read: ReadBytes
) -> list[tuple[Header, int, PixelFormat]]:
    """Header of each plane, first byte of its pixels, and how they are stored."""
    if not product.in_extensions:
        return [(primary, primary.n_bytes, check_image(primary, "the image"))]
    if primary.n_bytes >= file_size:
        message = f"the file ends behind its primary header; a {product.name} frame has its image in extension 1"
        raise HeaderSyntaxError(message)
    images, offset = [], primary.n_bytes
    for what, step in _PLANES[: product.n_planes]:
        if offset >= file_size:
            raise HeaderSyntaxError(f"truncated: {file_size:,} bytes, but {what} would begin at byte {offset:,}")
        header = read_header(read, offset, file_size, step)
        images.append((header, offset + header.n_bytes, check_image(header, what)))
        offset += header.n_bytes + padded(header.data_bytes)
    if _shape(images[-1][0]) != _shape(images[0][0]):
        message = f"the uncertainty image is {_shape(images[-1][0])}, the flux image {_shape(images[0][0])}"
        raise HeaderSyntaxError(message)
    return images


def _check_packing(name: str, start: bytes) -> None:
    for first_bytes, packing in _PACKINGS.items():
        if start.startswith(first_bytes):
            raise PackedFrameError(name, f"the file is packed with {packing}", packing)


def _check_tiles(name: str, primary: Header, file_size: int, read: ReadBytes) -> None:
    """Find out whether the images of a frame are compressed tile by tile (FITS Standard 4.0, section 10)."""
    if primary.get("NAXIS") == 0 and file_size >= primary.n_bytes + BLOCK:
        first = read_header(read, primary.n_bytes, file_size, BLOCK)
        if first.get("ZIMAGE") is True:
            raise PackedFrameError(name, "its images are compressed tile by tile (ZIMAGE = T)", "tiles")


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
    PackedFrameError
        When the file must be unpacked before it can be read.
    UnreadableFrameError
        When the file is truncated, damaged, or another kind of frame; the message names the file and the card.
    """
    if file_size < BLOCK:
        raise UnreadableFrameError(name, f"the file has {file_size:,} bytes; a FITS header has at least {BLOCK:,}")
    start = read(0, min(file_size, _FIRST_READ))
    _check_packing(name, start)

    def read_again(offset: int, length: int) -> bytes:
        known = start[offset : offset + length]
        return known if len(known) == length else read(offset, length)

    try:
        primary = read_header(read_again, 0, file_size, BLOCK)
        _check_tiles(name, primary, file_size, read_again)
        _check_product(product, primary)
        images = _read_images(product, primary, file_size, read_again)
        headers, offsets, formats = zip(*images, strict=True)
        check_cards(product, headers[0])
        science = headers[0] if headers[0] is primary else replace(headers[0], text=b"")
        frame = Frame(name, product, primary, science, offsets, _shape(science), formats)
    except HeaderSyntaxError as reason:
        raise UnreadableFrameError(name, str(reason)) from reason
    if file_size < offsets[-1] + frame.shape[0] * frame.shape[1] * formats[-1].word:
        raise UnreadableFrameError(name, f"truncated: {file_size:,} bytes, but its pixels end later")
    return frame


def check_frames(frames: Sequence[Frame]) -> None:
    """Check that frames belong to one cube.

    Raises
    ------
    InconsistentFramesError
        When a frame differs from the others in shape, sector, camera or CCD, is the same exposure as another, or has
        another camera or CCD in its name. The error names it.
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
        if None not in frame.detector and frame.named_detector not in (None, frame.detector):
            reason = f"{camera}, {ccd} are {frame.detector}, in its name {frame.named_detector}"
            raise InconsistentFramesError(frame.name, reason)
        if frame.start in seen:
            reason = f"{frame.product.start} {frame.start} is also that of {seen[frame.start]}"
            raise InconsistentFramesError(frame.name, reason)
        seen[frame.start] = frame.name
    find_sector(frames)


def check_wcs(frames: Sequence[Frame]) -> None:
    """Check that a cube of some frames can be cut: at least one frame has a WCS.

    Raises
    ------
    InconsistentFramesError
        When no frame has a WCS. The error names the first one.
    """
    if not any(frame.has_wcs for frame in frames):
        reason = f"neither this frame nor any other has CTYPE2 = {TAN_SIP} (a WCS)"
        raise InconsistentFramesError(frames[0].name, reason)


def find_sector(frames: Sequence[Frame]) -> int | None:
    """Sector of frames by their file names; None if no name tells it.

    Raises
    ------
    InconsistentFramesError
        When the names tell different sectors.
    """
    told = [frame for frame in frames if frame.sector is not None]
    for frame in told:
        if frame.sector != told[0].sector:
            reason = f"its sector is {frame.sector}, in {told[0].name} {told[0].sector}"
            raise InconsistentFramesError(frame.name, reason)
    return told[0].sector if told else None


def sort_by_time(frames: Sequence[Frame]) -> list[Frame]:
    """Order frames by the beginning of their exposure."""
    return sorted(frames, key=lambda frame: frame.start)
