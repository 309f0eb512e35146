"""Check the headers of a file before astropy reads them: absurd values would cost time or memory without limit."""

from __future__ import annotations

import math
from collections.abc import Callable

from astropy.io import fits

from tessera.errors import ImageFormatError, shown
from tessera.fits.headers import BLOCK, header_end, padded

MOST_HEADER_BYTES = 8 << 20
"""Largest header, in bytes. The longest real ones have HISTORY of 10,000 lines."""
MOST_TILE_BYTES = 256 << 20
"""Largest unpacked tile of a compressed image, in bytes."""
_BITPIX = (8, 16, 32, 64, -32, -64)
_MOST_AXES = 999
_MOST_BYTES = 1 << 62


def check_header(
    read: Callable[[int, int], bytes], start: int, size: int
) -> tuple[int | None, ImageFormatError | None]:
    """Check the header that begins at a position.

    Parameters
    ----------
    read : callable
        Function that reads the file: ``read(start, length)`` returns bytes.
    start : int
        Position of the header's first byte in the file.
    size : int
        Size of the file in bytes.

    Returns
    -------
    (int or None, ImageFormatError or None)
        Position of the next header, or None if there is no header at `start`; and why this image cannot be cut.

    Raises
    ------
    ImageFormatError
        When the header has no end or an absurd structure, so that nothing can be read from here on.
    """
    if size - start < BLOCK:
        return None, None
    text = bytearray(read(start, BLOCK))
    if not text.startswith((b"SIMPLE  ", b"XTENSION")):
        return None, None
    while header_end(bytes(text[-BLOCK:])) is None:
        if len(text) >= MOST_HEADER_BYTES:
            raise ImageFormatError(f"its header at byte {start:,} has more than {MOST_HEADER_BYTES:,} bytes")
        if start + len(text) + BLOCK > size:
            raise ImageFormatError(f"its header at byte {start:,} has no END card")
        text += read(start + len(text), BLOCK)
    header = fits.Header.fromstring(bytes(text))
    n_bytes = _check_structure(header)
    following = start + len(text) + padded(n_bytes)
    try:
        if header.get("ZIMAGE") is True:
            _check_tiles(header)
        if header.get("ZIMAGE") is True or "TABLE" not in str(header.get("XTENSION", "")):
            _check_scaling(header)
    except ImageFormatError as error:
        return following, error
    return following, None


def _integer(header: fits.Header, keyword: str, low: int, high: int, default: int | None = None) -> int:
    value = header.get(keyword, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        found = "missing" if value is None else shown(value)
        limit = f"up to {high:,}" if high < _MOST_BYTES else "or more"
        raise ImageFormatError(f"{keyword} is {found}; allowed: an integer from {low} {limit}")
    return value


def _bits(header: fits.Header, keyword: str) -> int:
    value = header.get(keyword)
    if value not in _BITPIX or isinstance(value, bool):
        raise ImageFormatError(f"{keyword} is {shown(value)}; allowed: {', '.join(map(str, _BITPIX))}")
    return abs(int(value)) // 8


def _check_structure(header: fits.Header) -> int:
    """Check the mandatory cards, and return the number of bytes of the data."""
    item, n_axes = _bits(header, "BITPIX"), _integer(header, "NAXIS", 0, _MOST_AXES)
    axes = [_integer(header, f"NAXIS{axis}", 0, _MOST_BYTES) for axis in range(1, n_axes + 1)]
    more, groups = _integer(header, "PCOUNT", 0, _MOST_BYTES, 0), _integer(header, "GCOUNT", 0, _MOST_BYTES, 1)
    if "TABLE" in str(header.get("XTENSION", "")):
        _integer(header, "TFIELDS", 0, 999)
    if header.get("GROUPS") is True and axes and axes[0] == 0:
        axes = axes[1:]
    n_bytes = item * groups * (more + math.prod(axes)) if axes else 0
    if n_bytes > _MOST_BYTES:
        raise ImageFormatError(f"its axes are {shown(axes)}; no file has so many pixels")
    return n_bytes


def _check_tiles(header: fits.Header) -> None:
    """Check the axes and the tiles of a compressed image."""
    item, n_axes = _bits(header, "ZBITPIX"), _integer(header, "ZNAXIS", 1, _MOST_AXES)
    axes = [_integer(header, f"ZNAXIS{axis}", 1, _MOST_BYTES) for axis in range(1, n_axes + 1)]
    defaults = [axes[0], *(1 for _ in axes[1:])]
    tile = [
        _integer(header, f"ZTILE{axis}", 1, _MOST_BYTES, default)
        for axis, default in zip(range(1, n_axes + 1), defaults, strict=True)
    ]
    n_tiles = math.prod(-(-n // side) for n, side in zip(axes, tile, strict=True))
    if n_tiles != header["NAXIS2"]:
        raise ImageFormatError(f"its axes {shown(axes)} have {n_tiles:,} tiles, but it has {header['NAXIS2']:,}")
    n_bytes = item * math.prod(min(n, side) for n, side in zip(axes, tile, strict=True))
    if n_bytes > MOST_TILE_BYTES:
        raise ImageFormatError(f"its tiles have {n_bytes:,} bytes; allowed: {MOST_TILE_BYTES:,}")


def _check_scaling(header: fits.Header) -> None:
    """Check the cards that convert stored integers to values."""
    for keyword in ("BSCALE", "BZERO"):
        value = header.get(keyword, 1)
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not number or (keyword == "BSCALE" and value == 0):
            allowed = "a number other than 0" if keyword == "BSCALE" else "a number"
            raise ImageFormatError(f"{keyword} is {shown(value)}; allowed: {allowed}")
