"""Check the cards of a frame: values that a cube cannot have, or that would damage the cards of other frames."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from tessera.errors import shown
from tessera.fits.headers import CardValue, Header, HeaderSyntaxError
from tessera.tess.products import Product

TAN_SIP = "DEC--TAN-SIP"
"""Value of CTYPE2 in a frame with a WCS."""

_WORD_BYTES = {8: 1, 16: 2, 32: 4, 64: 8, -32: 4, -64: 8}
_WCS_NUMBER = re.compile(r"CR(?:VAL|PIX)[12]|CDELT[12]|(?:CD|PC)[12]_[12]|LONPOLE|LATPOLE|EQUINOX|[AB]P?_\d_\d")
_WCS_ORDER = re.compile(r"[AB]P?_ORDER")
_WCS_TEXT = re.compile(r"CTYPE[12]|CUNIT[12]|RADESYS")
_LARGEST = 1e9
"""Size that no number of a WCS has."""
_MATRICES = ("CD", "PC")


class PixelFormat(NamedTuple):
    """How the pixels of an image are stored. The defaults are those of the mission: 32-bit floats without scaling.

    Parameters
    ----------
    bitpix : {8, 16, 32, 64, -32, -64}
        Bits of a value; negative for floats.
    scale, zero : float
        BSCALE and BZERO: a pixel is ``zero + scale * value``.
    blank : int or None
        BLANK: the integer that marks a missing pixel.
    """

    bitpix: int = -32
    scale: float = 1.0
    zero: float = 0.0
    blank: int | None = None

    @property
    def word(self) -> int:
        """Bytes of a value."""
        return _WORD_BYTES[self.bitpix]

    @property
    def plain(self) -> bool:
        """Whether the bytes of the image are those of a cube."""
        return self == PixelFormat()

    def __str__(self) -> str:
        scaled = f" with BSCALE {self.scale:g} and BZERO {self.zero:g}" if (self.scale, self.zero) != (1, 0) else ""
        return f"BITPIX {self.bitpix}{scaled}"


def _refuse(keyword: str, value: object, allowed: str, what: str = "") -> HeaderSyntaxError:
    found = "missing" if value is None else shown(value)
    return HeaderSyntaxError(f"{keyword}{what} is {found}; {allowed}")


def is_number(value: CardValue) -> bool:
    """Whether the value of a card is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def check_image(header: Header, what: str) -> PixelFormat:
    """Check that a header describes a two-dimensional image.

    Parameters
    ----------
    header : Header
        Header of the image.
    what : str
        Name of the image in errors.

    Returns
    -------
    PixelFormat
        How its pixels are stored.

    Raises
    ------
    HeaderSyntaxError
        When it describes something else. The message names the card.
    """
    if header.cards[0].keyword == "XTENSION" and header.get("XTENSION") != "IMAGE":
        raise _refuse("XTENSION", header.get("XTENSION"), "'IMAGE' is needed", f" of {what}")
    bitpix, n_axes = header.get("BITPIX"), header.get("NAXIS")
    if isinstance(bitpix, bool) or not isinstance(bitpix, int) or bitpix not in _WORD_BYTES:
        raise _refuse("BITPIX", bitpix, "32-bit floats (-32), or -64, 8, 16, 32, 64 are needed", f" of {what}")
    if n_axes != 2:
        raise _refuse("NAXIS", n_axes, "a two-dimensional image is needed", f" of {what}")
    for keyword, only in (("PCOUNT", 0), ("GCOUNT", 1)):
        if header.get(keyword, only) != only:
            raise _refuse(keyword, header.get(keyword), f"{only} is needed", f" of {what}")
    for axis in ("NAXIS1", "NAXIS2"):
        if header.integer(axis) < 1:
            raise _refuse(axis, header.get(axis), "an integer from 1 is needed", f" of {what}")
    return _pixel_format(header, bitpix, what)


def _pixel_format(header: Header, bitpix: int, what: str) -> PixelFormat:
    scale, zero, blank = header.get("BSCALE", 1), header.get("BZERO", 0), header.get("BLANK")
    for keyword, value in (("BSCALE", scale), ("BZERO", zero)):
        if not is_number(value) or (keyword, value) == ("BSCALE", 0):
            raise _refuse(keyword, value, "a finite number (for BSCALE, not 0) is needed", f" of {what}")
    if bitpix < 0:
        blank = None  # BLANK has no meaning for floats
    elif blank is not None and (isinstance(blank, bool) or not isinstance(blank, int)):
        raise _refuse("BLANK", blank, "an integer is needed", f" of {what}")
    return PixelFormat(bitpix, float(scale or 0), float(zero or 0), blank)


def check_cards(product: Product, header: Header) -> None:
    """Check the cards of a frame that a cube, its cutouts or their times depend on.

    Parameters
    ----------
    product : Product
        Kind of the frame.
    header : Header
        Header of its flux.

    Raises
    ------
    HeaderSyntaxError
        When a card has a value that is not allowed. The message names the card.
    """
    cards = header.first_values
    for keyword in (product.start, product.stop):
        value = cards.get(keyword)
        if not is_number(value) or float(value or 0) < 0:
            raise _refuse(keyword, value, "a number of days from 0 is needed")
    start, stop = cards[product.start], cards[product.stop]
    if float(stop or 0) < float(start or 0):
        raise HeaderSyntaxError(f"{product.stop} is {stop}, before {product.start}, which is {start}")
    for keyword, value in cards.items():
        if value is not None and (kind := _kind(keyword, product.quality, product.cadence)):
            _check_card(kind, keyword, value)
    if cards.get("CTYPE2") == TAN_SIP:
        _check_matrix(cards)


@lru_cache(4096)  # the frames of a sector have the same keywords
def _kind(keyword: str, *flags: str) -> str:
    """Kind of the values that a card may have: 'flags', 'number', 'order' or 'text'; empty for any value."""
    if keyword in flags:
        return "flags"
    if keyword == "BARYCORR" or _WCS_NUMBER.fullmatch(keyword):
        return "number"
    if _WCS_ORDER.fullmatch(keyword):
        return "order"
    return "text" if _WCS_TEXT.fullmatch(keyword) else ""


def _check_card(kind: str, keyword: str, value: CardValue) -> None:
    whole = int(value) if isinstance(value, int) and not isinstance(value, bool) else None
    if kind == "flags" and (whole is None or not -(2**31) <= whole < 2**31):
        raise _refuse(keyword, value, "an integer of 32 bits is needed")
    if kind == "number" and not is_number(value):
        raise _refuse(keyword, value, "a finite number is needed")
    if kind == "number" and isinstance(value, (int, float)) and abs(value) > _LARGEST:
        raise _refuse(keyword, value, f"a number from -{_LARGEST:g} to {_LARGEST:g} is needed")
    if kind == "order" and (whole is None or not 0 <= whole <= 9):
        raise _refuse(keyword, value, "an integer from 0 to 9 is needed")
    if kind == "text" and not isinstance(value, str):
        raise _refuse(keyword, value, "a text is needed")


def _check_matrix(cards: Mapping[str, CardValue]) -> None:
    """Check that the pixels of a frame with a WCS have a size."""
    for axis in "12":
        if cards.get(f"CDELT{axis}") == 0:
            raise _refuse(f"CDELT{axis}", 0, "another number is needed")
    for name in _MATRICES:
        terms = [cards.get(f"{name}{row}_{column}") for row in "12" for column in "12"]
        if None not in terms:
            a, b, c, d = (float(term or 0) for term in terms)
            if a * d == b * c:
                raise HeaderSyntaxError(f"the matrix {name}i_j is {a:g}, {b:g}, {c:g}, {d:g}; its pixels have no area")
