"""HDUs as bytes, each with valid checksums."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from astropy.io import fits

from tessera.checksum import encode_checksum, ones_complement_add, ones_complement_sum
from tessera.fits_layout import CARD, padded

CardTuple: TypeAlias = tuple[str, Any, str]
"""Keyword, value, comment."""

_ZEROS = "0" * 16
_VALUE_COLUMNS = 30
"""Columns up to which a fixed-format value reaches."""


def _card(keyword: str, value: Any, comment: str) -> fits.Card:
    """A card whose comment is cut to what fits, as is customary in TPFs (WCS_FFI)."""
    bare = len(fits.Card(keyword, value).image.rstrip())
    room = CARD - max(bare, _VALUE_COLUMNS) - len(" / ")
    return fits.Card(keyword, value, comment[: max(room, 0)])


def format_header(cards: Iterable[CardTuple] | fits.Header, data_sum: int) -> bytes:
    """Format a header with CHECKSUM and DATASUM at its end.

    Parameters
    ----------
    cards : iterable of (keyword, value, comment), or astropy.io.fits.Header
        Without checksums.
    data_sum : int
        Ones-complement sum of the data unit.

    Returns
    -------
    bytes
        Whole FITS blocks.
    """
    header = cards.copy() if isinstance(cards, fits.Header) else fits.Header([_card(*card) for card in cards])
    header.append(("CHECKSUM", _ZEROS, "HDU checksum"), end=True)
    header.append(("DATASUM", str(data_sum), "data unit checksum"), end=True)
    text: bytes = header.tostring().encode("ascii")
    total = ones_complement_add(ones_complement_sum(text), data_sum)
    return text.replace(f"CHECKSUM= '{_ZEROS}'".encode(), f"CHECKSUM= '{encode_checksum(total)}'".encode(), 1)


def format_hdu(cards: Iterable[CardTuple] | fits.Header, data: bytes = b"") -> bytes:
    """Format a header and its data, both filled up to whole blocks; see `format_header`."""
    body = data.ljust(padded(len(data)), b"\0")
    return format_header(cards, ones_complement_sum(body)) + body


def table_cards(row_bytes: int, n_rows: int, n_columns: int) -> list[CardTuple]:
    """Mandatory cards of a binary table."""
    return [
        ("XTENSION", "BINTABLE", "binary table extension"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", row_bytes, "length of dimension 1"),
        ("NAXIS2", n_rows, "length of dimension 2"),
        ("PCOUNT", 0, "number of group parameters"),
        ("GCOUNT", 1, "number of groups"),
        ("TFIELDS", n_columns, "number of table fields"),
    ]
