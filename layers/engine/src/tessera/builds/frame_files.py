"""Open files of frames, and hash them. Images that are compressed tile by tile are unpacked to a temporary file."""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from astropy.io import fits

from tessera.cubes.frames import Frame, read_frame
from tessera.errors import DataWarning, PackedFrameError, TesseraError, UnreadableFrameError
from tessera.fits.headers import BLOCK, Header, HeaderSyntaxError, padded, read_header
from tessera.io.file_objects import SourceFile
from tessera.io.sources import Location, Source, open_source
from tessera.io.temporary import spool
from tessera.tess.products import Product

LARGEST_IMAGE = 1 << 27
"""Largest number of pixels of a compressed image. A frame has 4.4 million."""

_SUFFIX = ".fz"
_PIECE = 4 << 20
_ALGORITHMS = ("RICE_1", "RICE_ONE", "GZIP_1", "GZIP_2", "PLIO_1", "HCOMPRESS_1", "NOCOMPRESS")
_UNPACKING = threading.BoundedSemaphore(2)
"""Images that are unpacked at the same time. Each takes up to ten times the memory of its pixels."""


@dataclass(frozen=True)
class FrameFile:
    """An open frame.

    Parameters
    ----------
    frame : Frame
        Its headers.
    source : Source
        File that its offsets are for.
    location : str or Path
        The file, as it was given.
    """

    frame: Frame
    source: Source
    location: Location


def open_frame(location: Location, product: Product) -> FrameFile:
    """Open a frame, packed or not, and read its headers.

    Parameters
    ----------
    location : str or Path
        Local path or URL.
    product : Product
        Kind that the frame must have.

    Raises
    ------
    OSError
        When the file cannot be read.
    UnreadableFrameError
        When it is not a frame of this kind.
    """
    source = open_source(location)
    try:
        try:
            frame = read_frame(source.name, product, source.size, source.read)
        except PackedFrameError as error:
            if error.packing != "tiles":
                raise
            packed, source = source, _unpack_tiles(source, product)
            packed.close()
            frame = read_frame(source.name, product, source.size, source.read)
    except BaseException:
        source.close()
        raise
    return FrameFile(frame, source, location)


def warn_of_temporary(files: Sequence[FrameFile]) -> None:
    """Warn once of all frames that are in temporary files."""
    temporary = [item.source.size for item in files if not getattr(item.source, "on_disk", True)]
    if temporary:
        some = "All frames" if len(temporary) == len(files) else f"{len(temporary):,} of {len(files):,} frames"
        reason = "are packed, or cannot be read in parts, and are kept in temporary files while they are used"
        warnings.warn(f"{some} {reason}: {-(-sum(temporary) // 10**6):,} MB.", DataWarning, stacklevel=5)


def _unpack_tiles(source: Source, product: Product) -> Source:
    """Unpack the images of a file to a temporary file, which has the name without ``.fz``, as funpack would."""
    name, version = source.name, source.version
    if source.remote:
        starts = range(0, source.size, _PIECE)
        source = spool(name, (source.read(start, min(_PIECE, source.size - start)) for start in starts))
    try:
        _check_sizes(source)
        with _UNPACKING:
            unpacked = spool(name, _unpacked_pieces(source, product))
        source.check_unchanged()
    except TesseraError:
        raise
    except HeaderSyntaxError as reason:
        raise UnreadableFrameError(name, str(reason)) from reason
    except Exception as error:  # astropy raises many kinds of errors for damaged tiles
        reason_text = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise UnreadableFrameError(name, f"its compressed images cannot be unpacked: {reason_text}") from error
    unpacked.name, unpacked.version = name.removesuffix(_SUFFIX), version
    return unpacked


def _check_sizes(source: Source) -> None:
    """Check the sizes of compressed images before memory is taken for them."""
    offset = 0
    while offset < source.size - BLOCK:
        header = read_header(source.read, offset, source.size)
        _check_image(header)
        after = offset + header.n_bytes + padded(header.data_bytes)
        if header.data_bytes < 0 or after > padded(source.size):
            raise HeaderSyntaxError(f"truncated: {source.size:,} bytes, but the HDU at byte {offset:,} ends later")
        offset = after


def _check_image(header: Header) -> None:
    if header.get("ZIMAGE") is not True:
        return
    if header.get("ZCMPTYPE") not in _ALGORITHMS:
        raise HeaderSyntaxError(f"ZCMPTYPE is {header.get('ZCMPTYPE')!r}; allowed are {', '.join(_ALGORITHMS)}")
    n_axes = header.integer("ZNAXIS")
    if n_axes != 2:
        raise HeaderSyntaxError(f"ZNAXIS is {n_axes}; a two-dimensional image is needed")
    shape = [header.integer(f"ZNAXIS{axis}") for axis in (1, 2)]
    if min(shape) < 1 or shape[0] * shape[1] > LARGEST_IMAGE:
        raise HeaderSyntaxError(f"ZNAXIS1, ZNAXIS2 are {shape}; allowed are up to {LARGEST_IMAGE:,} pixels")
    for axis, size in enumerate(shape, 1):
        tile = header.get(f"ZTILE{axis}", 1)
        if isinstance(tile, bool) or not isinstance(tile, int) or not 1 <= tile <= size:
            raise HeaderSyntaxError(f"ZTILE{axis} is {tile!r}; an integer from 1 to {size} is needed")
    fields = header.get("TFIELDS")
    if isinstance(fields, bool) or not isinstance(fields, int) or not 1 <= fields <= 999:
        raise HeaderSyntaxError(f"TFIELDS is {fields!r}; an integer from 1 to 999 is needed")


def _unpacked_pieces(source: Source, product: Product) -> Iterator[bytes]:
    with fits.open(SourceFile(source), memmap=False, do_not_scale_image_data=True) as hdus:
        if product.in_extensions:
            yield hdus[0].header.tostring().encode("ascii")
        for hdu in hdus[1 : 1 + product.n_planes]:
            header = hdu.header.copy()
            if not product.in_extensions:
                for keyword in ("SIMPLE", "XTENSION", "PCOUNT", "GCOUNT"):
                    header.remove(keyword, ignore_missing=True)
                header.insert(0, ("SIMPLE", True, "conforms to FITS standard"))
            data = hdu.data
            data = data.astype(data.dtype.newbyteorder(">"), copy=False).tobytes()
            yield header.tostring().encode("ascii")
            yield data.ljust(padded(len(data)), b"\0")
            del hdu.data


def hash_frame(location: Location, kind: str = "") -> dict[str, str]:
    """Hash of a frame.

    Parameters
    ----------
    location : str or Path
        The frame.
    kind : {'', 'etag', 'sha256'}, optional
        Kind of hash. By default, it is the ETag if the frame's place has one, and else the SHA-256 of the file.

    Returns
    -------
    dict
        Kind to hash; empty if the place has no ETag and `kind` asks for one.
    """
    with closing(open_source(location)) as source:
        etag = getattr(source, "etag", "").strip('"')
        if kind != "sha256" and (etag or kind == "etag"):
            return {"etag": etag} if etag else {}
        digest = hashlib.sha256()
        for start in range(0, source.size, _PIECE):
            digest.update(source.read(start, min(_PIECE, source.size - start)))
        source.check_unchanged()
        return {"sha256": digest.hexdigest()}
