"""Arithmetic of FITS blocks, and reading headers without reading files.

Source: FITS Standard 4.0, sections 3 and 4. Pixels are never touched here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

BLOCK = 2880
CARD = 80

CardValue: TypeAlias = "str | int | float | bool | None"
"""Value of a card; None where the card has no value (undefined)."""

_END_CARD = b"END" + b" " * (CARD - 3)
_KEYWORD = re.compile(r"[A-Z0-9_-]+")
_STRING = re.compile(r" *'((?:[^']|'')*)' *(?:/(.*))?$")
_OTHER = re.compile(r" *([^/ ]*) *(?:/(.*))?$")
_INTEGER = re.compile(r"[+-]?\d+")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[ED][+-]?\d+)?")


class HeaderSyntaxError(ValueError):
    """The bytes are not a FITS header."""


def padded(n_bytes: int) -> int:
    """Size of `n_bytes` when filled up to whole FITS blocks."""
    return -(-n_bytes // BLOCK) * BLOCK


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a header.

    Parameters
    ----------
    keyword : str
        Upper case; empty for a blank card.
    value : str, int, float, bool or None
        Strings without their trailing blanks.
    comment : str
        Text after the slash; for COMMENT and HISTORY cards the value holds the text.
    """

    keyword: str
    value: CardValue
    comment: str


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header and where it stood.

    Parameters
    ----------
    cards : tuple of Card
        In file order, without END.
    n_bytes : int
        Size of the header with its padding.
    text : bytes
        The header as it stands in the file, `n_bytes` long.
    """

    cards: tuple[Card, ...]
    n_bytes: int
    text: bytes

    def get(self, keyword: str, default: CardValue = None) -> CardValue:
        """Value of the first card with that keyword."""
        return next((card.value for card in self.cards if card.keyword == keyword), default)

    def comment(self, keyword: str) -> str:
        """Comment of the first card with that keyword; empty when there is none."""
        return next((card.comment for card in self.cards if card.keyword == keyword), "")

    def integer(self, keyword: str) -> int:
        """Value of a card that must be an integer.

        Raises
        ------
        HeaderSyntaxError
            When the card is missing or not an integer.
        """
        value = self.get(keyword)
        if isinstance(value, bool) or not isinstance(value, int):
            raise HeaderSyntaxError(f"{keyword} is {value!r}; an integer is needed")
        return value

    @property
    def data_bytes(self) -> int:
        """Size of the data unit that follows, without padding."""
        n_axes = self.integer("NAXIS")
        if n_axes == 0:
            return 0
        n_elements = 1
        for axis in range(1, n_axes + 1):
            n_elements *= self.integer(f"NAXIS{axis}")
        pcount, gcount = self.get("PCOUNT", 0), self.get("GCOUNT", 1)
        return abs(self.integer("BITPIX")) // 8 * int(gcount or 1) * (int(pcount or 0) + n_elements)


def _parse_number(text: str) -> CardValue:
    if text == "":
        return None
    if text in ("T", "F"):
        return text == "T"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text.replace("D", "E"))
    raise HeaderSyntaxError(f"{text!r} is not a value of a FITS card")


@lru_cache(8192)  # the frames of a sector, and the cubes, repeat most of their cards
def parse_card(image: str) -> Card:
    """Read one 80-character card.

    Fixed-format cards, which are all that SPOC and TICA write, are read directly; anything else (HIERARCH, complex
    values) is left to astropy.
    """
    keyword = image[:8].rstrip()
    if image[8:10] != "= ":
        return Card(keyword, image[8:].rstrip(), "")
    if not _KEYWORD.fullmatch(keyword):
        raise HeaderSyntaxError(f"{keyword!r} is not a FITS keyword")
    body = image[10:]
    if string := _STRING.match(body):
        return Card(keyword, string[1].replace("''", "'").rstrip(), (string[2] or "").strip())
    if other := _OTHER.match(body):
        try:
            return Card(keyword, _parse_number(other[1]), (other[2] or "").strip())
        except HeaderSyntaxError:
            pass
    return _read_unusual(keyword, image)


def _read_unusual(keyword: str, image: str) -> Card:
    from astropy.io import fits  # noqa: PLC0415 - takes longer to import than all that a function may need else

    card = fits.Card.fromstring(image)
    try:
        value = card.value
    except fits.VerifyError as error:
        raise HeaderSyntaxError(f"card {image.strip()!r} cannot be read") from error
    if not isinstance(value, (str, int, float, bool, type(None))):
        raise HeaderSyntaxError(f"card {image.strip()!r} has a value of type {type(value).__name__}")
    return Card(keyword, value, card.comment)


def header_end(data: bytes, start: int = 0) -> int | None:
    """Offset just behind the header that begins at `start`, or None when its END card is not in `data`."""
    for block in range(start, len(data) - BLOCK + 1, BLOCK):
        for card in range(block, block + BLOCK, CARD):
            if data[card : card + CARD] == _END_CARD:
                return block + BLOCK
    return None


def parse_header(text: bytes) -> Header:
    """Parse a whole header, `text` being its blocks and nothing else.

    Raises
    ------
    HeaderSyntaxError
        When it is not ASCII, does not begin like a header or has a card that cannot be read.
    """
    try:
        decoded = text.decode("ascii")
    except UnicodeDecodeError as error:
        raise HeaderSyntaxError(f"byte {error.start} of the header is not ASCII") from error
    if not decoded.startswith(("SIMPLE  =", "XTENSION=")):
        raise HeaderSyntaxError(f"a FITS header begins with SIMPLE or XTENSION, not {decoded[:8]!r}")
    cards = []
    for start in range(0, len(decoded), CARD):
        image = decoded[start : start + CARD]
        if image.rstrip() == "END":
            break
        if image.strip():
            cards.append(parse_card(image))
    return Header(tuple(cards), len(text), text)


def read_header(read: Callable[[int, int], bytes], offset: int, file_size: int, step: int = 12 * BLOCK) -> Header:
    """Read the header that begins at `offset`, asking for more blocks until its END card is found.

    Parameters
    ----------
    read : callable
        ``read(start, length)`` returns those bytes of the file.
    offset : int
        Where the header begins.
    file_size : int
        Size of the file, so that nothing behind its end is asked for.
    step : int, optional
        Bytes per request, a multiple of 2,880.

    Raises
    ------
    HeaderSyntaxError
        When the file ends before the header does, or the header cannot be parsed.
    """
    data = b""
    while (end := header_end(data)) is None:
        position = offset + len(data)
        wanted = min(step, (file_size - position) // BLOCK * BLOCK)
        if wanted <= 0:
            raise HeaderSyntaxError(f"the file ends inside the header that begins at byte {offset}")
        data += read(position, wanted)
        if not data.startswith((b"SIMPLE  =", b"XTENSION=")):
            raise HeaderSyntaxError(f"no FITS header begins at byte {offset}")
    return parse_header(data[:end])
