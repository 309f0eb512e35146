"""Format headers and HDUs as bytes, with valid checksums."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tessera.fits.checksum import encode_checksum, ones_complement_add, ones_complement_sum
from tessera.fits.headers import CARD, padded

if TYPE_CHECKING:
    from astropy.io import fits

CardTuple: TypeAlias = tuple[str, Any, str]
"""Keyword, value and comment of a card."""

_ZEROS = "0" * 16
_PLAIN_STRING = CARD - len("KEYWORD = ''")
_COMMENTARY = frozenset({"COMMENT", "HISTORY", ""})
_STANDARD = re.compile(r"[A-Z0-9_-]{1,8}")
_ZERO_IS_ZERO = frozenset({str, int, bool, type(None)})
"""Types whose equal values are the same text; 0.0 and -0.0 are equal, too."""


def _format_float(value: float) -> str:
    text = repr(float(value)).replace("e", "E")
    if len(text) <= 20:
        return text
    mantissa, exponent = text.partition("E")[0], "".join(text.partition("E")[1:])
    return mantissa[: 20 - len(exponent)] + exponent


def _format_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        quoted = "'" + value.replace("'", "''").ljust(8) + "'" if value else "''"
        return quoted.ljust(20) if value else quoted
    if isinstance(value, (bool, np.bool_)):
        return f"{'T' if value else 'F':>20}"
    if isinstance(value, (int, np.integer)):
        return f"{int(value):>20}"
    return f"{_format_float(value):>20}"


def format_card(keyword: str, value: Any, comment: str = "") -> str:
    """Format a card of 80 characters. The result is that of astropy, in a tenth of the time.

    A comment that does not fit is cut, as is usual in target pixel files (WCS_FFI). astropy formats commentary cards
    and values that need more than one card.
    """
    if value or type(value) in _ZERO_IS_ZERO:
        return _format_known(keyword, value, comment)
    return _format_known.__wrapped__(keyword, value, comment)


@lru_cache(4096, typed=True)  # files of one cube, and HDUs of one file, have most cards in common
def _format_known(keyword: str, value: Any, comment: str) -> str:
    text = _format_value(value)
    if not _STANDARD.fullmatch(keyword) or keyword in _COMMENTARY or len(text) > _PLAIN_STRING + 2:
        return _format_unusual(keyword, value)
    card = f"{keyword:8}= {text}"
    if comment.strip():
        card += f" / {comment}"
    return card[:CARD].ljust(CARD)


def _format_unusual(keyword: str, value: Any) -> str:
    from astropy.io import fits  # noqa: PLC0415 - slow to import, and rarely needed

    standard = keyword in _COMMENTARY or _STANDARD.fullmatch(keyword)
    image: str = fits.Card(keyword if standard else f"HIERARCH {keyword}", value).image
    return image


def format_cards(cards: Iterable[CardTuple] | fits.Header) -> str:
    """Format the cards of a header, without its checksums and its end; see `seal_header`."""
    if hasattr(cards, "tostring"):
        text: str = cards.tostring(endcard=False, padding=False)
        return text
    return "".join(format_card(*card) for card in cards)


def format_header(cards: Iterable[CardTuple] | fits.Header, data_sum: int) -> bytes:
    """Format a header with CHECKSUM and DATASUM at its end.

    Parameters
    ----------
    cards : iterable of (keyword, value, comment), or astropy.io.fits.Header
        Cards of the header, without checksums.
    data_sum : int
        Ones-complement sum of the data unit.

    Returns
    -------
    bytes
        The header, padded to whole FITS blocks.
    """
    return seal_header(format_cards(cards), data_sum)


def header_bytes(body: str) -> int:
    """Size in bytes of the header that `seal_header` makes of these cards."""
    return padded(len(body) + len(("CHECKSUM", "DATASUM", "END")) * CARD)


def seal_header(body: str, data_sum: int) -> bytes:
    """Add CHECKSUM, DATASUM and END to formatted cards.

    Parameters
    ----------
    body : str
        Cards of `format_cards`.
    data_sum : int
        Ones-complement sum of the data unit.

    Returns
    -------
    bytes
        The header, padded to whole FITS blocks: `header_bytes` of `body`.
    """
    sums = format_card("CHECKSUM", _ZEROS, "HDU checksum") + format_card("DATASUM", str(data_sum), "data unit checksum")
    text = (body + sums + "END").encode("ascii")
    text = text.ljust(padded(len(text)))
    total = ones_complement_add(ones_complement_sum(text), data_sum)
    place = len(body) + len("CHECKSUM= '")
    return text[:place] + encode_checksum(total).encode("ascii") + text[place + len(_ZEROS) :]


def format_hdu(cards: Iterable[CardTuple] | fits.Header, data: bytes = b"") -> bytes:
    """Format a header and its data, both padded to whole FITS blocks; see `format_header`."""
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


def image_cards(bitpix: int, shape: Sequence[int]) -> list[CardTuple]:
    """Mandatory cards of an image extension, for an array of a shape in the order of NumPy."""
    axes = [(f"NAXIS{number}", length, "") for number, length in enumerate(reversed(shape), 1)]
    return [
        ("XTENSION", "IMAGE", "Image extension"),
        ("BITPIX", bitpix, "array data type"),
        ("NAXIS", len(shape), "number of array dimensions"),
        *axes,
        ("PCOUNT", 0, "number of parameters"),
        ("GCOUNT", 1, "number of groups"),
    ]
