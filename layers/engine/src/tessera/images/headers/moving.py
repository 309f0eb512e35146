"""Move the origin of a header, and of the lookup tables that it refers to, to a window."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from astropy.io import fits

from tessera.windows import Window

_PHYSICAL = "PHYSICAL"


def move_origin(header: fits.Header, window: Window) -> fits.Header:
    """Change the header of an image to the header of a window, in place, and return it.

    The reference pixels, the corners of plate solutions (CNPIX) and IRAF's LTV cards are moved. An alternate WCS gives
    the pixels of the source.

    Parameters
    ----------
    header : Header
        Header of the image, from `tessera.images.headers.clean.clean_header`.
    window : Window
        Window on the image. Its first pixel becomes the first pixel of the cutout.
    """
    offsets = {1: window.first_column, 2: window.first_row}
    kinds = re.compile(r"(?:CTYPE|CRVAL|CRPIX)[12]([A-Z]?)")
    for alternate in sorted({match[1] for match in map(kinds.fullmatch, list(header)) if match}):
        for axis, offset in offsets.items():
            header[f"CRPIX{axis}{alternate}"] = float(header.get(f"CRPIX{axis}{alternate}", 0.0)) - offset
    for axis, offset in offsets.items():
        if isinstance(header.get(f"LTV{axis}"), int | float):
            header[f"LTV{axis}"] -= offset
        if isinstance(header.get(f"CNPIX{axis}"), int | float):
            header[f"CNPIX{axis}"] += offset
    _add_physical(header, offsets)
    return header


def _add_physical(header: fits.Header, offsets: dict[int, int]) -> None:
    """Add an alternate WCS that gives the pixels of the source. If the source has one, it was already moved."""
    used = {
        match[1] for match in map(re.compile(r"(?:CTYPE|CRPIX|WCSNAME)\d?([A-Z])").fullmatch, list(header)) if match
    }
    if any(header.get(f"WCSNAME{letter}") == _PHYSICAL for letter in used):
        return
    free = [letter for letter in "PQRSTUVWXYZABCDEFGHIJKLMNO" if letter not in used]
    if not free:
        return
    letter = free[0]
    header[f"WCSNAME{letter}"] = (_PHYSICAL, "pixels of the original image")
    header[f"WCSAXES{letter}"] = (2, "number of physical axes")
    for axis, (offset, name) in zip((1, 2), zip(offsets.values(), ("X", "Y"), strict=True), strict=True):
        header[f"CTYPE{axis}{letter}"] = (f"RAW{name}", f"original {'column' if axis == 1 else 'row'}")
        header[f"CUNIT{axis}{letter}"] = "pixel"
        header[f"CRPIX{axis}{letter}"] = (1.0, "reference pixel")
        header[f"CRVAL{axis}{letter}"] = (float(offset + 1), "value there")
        header[f"CDELT{axis}{letter}"] = (1.0, "step")


def table_records(header: fits.Header) -> list[tuple[str, str, int]]:
    """Lookup tables that a header refers to: (EXTNAME, prefix of its record cards, EXTVER)."""
    found = []
    for name, card, prefix in (("WCSDVARR", "CPDIS", "DP"), ("D2IMARR", "D2IMDIS", "D2IM")):
        for axis in (1, 2):
            if str(header.get(f"{card}{axis}", "")).strip().upper() == "LOOKUP":
                version = header.get(f"{prefix}{axis}.EXTVER", axis)
                found.append((name, f"{prefix}{axis}", int(version)))
    return found


def axis_records(header: fits.Header) -> list[tuple[int, str, int]]:
    """Tables with coordinates (-TAB) that a header refers to: (axis, EXTNAME, EXTVER)."""
    axes = [int(match[1]) for match in map(re.compile(r"CTYPE(\d+)").fullmatch, list(header)) if match]
    return [
        (axis, str(header[f"PS{axis}_0"]), int(header.get(f"PV{axis}_1", 1)))
        for axis in axes
        if str(header[f"CTYPE{axis}"]).endswith("-TAB") and f"PS{axis}_0" in header
    ]


def move_tables(hdus: Iterable[fits.ImageHDU], window: Window) -> list[fits.ImageHDU]:
    """Copy lookup tables and move them to the pixels of a window. The tables keep their full size."""
    moved = []
    for hdu in hdus:
        header = hdu.header.copy()
        for axis, offset in ((1, window.first_column), (2, window.first_row)):
            header[f"CRVAL{axis}"] = float(header.get(f"CRVAL{axis}", 0.0)) - offset
        moved.append(fits.ImageHDU(np.array(hdu.data), header))
    return moved
