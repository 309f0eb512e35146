"""Comparison of large files. A failure is one line with the place of the first difference."""

from __future__ import annotations

import io
import warnings
from typing import TypeAlias

import numpy as np
from astropy.io import fits

from tessera.provenance.fits_files import read_provenance

CARD = 80

Bytes: TypeAlias = bytes | bytearray


def without_record(product: bytes) -> bytes:
    """A file without its last HDU, which names what it was made of."""
    found = read_provenance(product)
    assert found is not None
    return product[: found.n_bytes]


def assert_same_bytes(actual: Bytes | None, expected: Bytes) -> None:
    """Fail with the sizes and the first byte that differs; in a FITS file also with its card, pixel or row."""
    __tracebackhide__ = True
    if actual != expected:
        raise AssertionError(_difference(actual, expected))


def _difference(actual: Bytes | None, expected: Bytes) -> str:
    if actual is None:
        return f"there is nothing, not {len(expected)} bytes"
    sizes = f"{len(actual)} bytes, not {len(expected)}" if len(actual) != len(expected) else f"{len(actual)} bytes"
    common = min(len(actual), len(expected))
    differs = np.frombuffer(actual, np.uint8, common) != np.frombuffer(expected, np.uint8, common)
    if not differs.any():
        return f"{sizes}; the first {common} bytes are the same"
    place = int(differs.argmax())
    return f"{sizes}; byte {place} is {actual[place]:#04x}, not {expected[place]:#04x}{_part(actual, expected, place)}"


def _part(actual: Bytes, expected: Bytes, place: int) -> str:
    """Part of the expected FITS file at a byte; empty if the file is not FITS."""
    if not expected.startswith(b"SIMPLE  ="):
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file may be damaged
        with fits.open(io.BytesIO(expected), disable_image_compression=True) as hdus:
            for number, hdu in enumerate(hdus):
                where = hdu.fileinfo()
                if place < where["datLoc"]:
                    first = place - (place - where["hdrLoc"]) % CARD
                    card, other = (file[first : first + CARD].decode("ascii", "replace") for file in (actual, expected))
                    return f": HDU {number}, card {card.rstrip()!r}, not {other.rstrip()!r}"
                if place < where["datLoc"] + where["datSpan"]:
                    return f": HDU {number}, {_element(hdu, place - where['datLoc'])}"
    return ""


def _element(hdu: fits.PrimaryHDU | fits.ImageHDU | fits.BinTableHDU, place: int) -> str:
    """Pixel, or row and column, at a byte of the data."""
    if place >= hdu.size:
        return "padding after the data"
    if isinstance(hdu, fits.BinTableHDU):
        row, byte = divmod(place, hdu.header["NAXIS1"])
        if row >= hdu.header["NAXIS2"]:
            return "heap of the table"
        starts = {offset: name for name, (_, offset) in hdu.columns.dtype.fields.items() if offset <= byte}
        return f"row {row}, column {starts[max(starts)]}"
    pixel = np.unravel_index(place // (abs(hdu.header["BITPIX"]) // 8), hdu.shape)
    return f"pixel {[int(index) for index in pixel]}"
