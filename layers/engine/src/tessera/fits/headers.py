"""Read FITS headers without reading the pixels of a file.

Source: FITS Standard 4.0, sections 3 and 4.
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
"""Value of a card; None for a card without a value (undefined)."""

_END_CARD = b"END" + b" " * (CARD - 3)
_KEYWORD = re.compile(r"[A-Z0-9_-]+")
_STRING = re.compile(r" *'((?:[^']|'')*)' *(?:/(.*))?$")
_OTHER = re.compile(r" *([^/ ]*) *(?:/(.*))?$")
_INTEGER = re.compile(r"[+-]?\d+")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[ED][+-]?\d+)?")


class HeaderSyntaxError(ValueError):
    """The bytes are not a FITS header."""


def padded(n_bytes: int) -> int:
    """Number of bytes after padding `n_bytes` to whole FITS blocks."""
    return -(-n_bytes // BLOCK) * BLOCK


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a header.

    Parameters
    ----------
    keyword : str
        Keyword in upper case; empty for a blank card.
    value : str, int, float, bool or None
        Value of the card. Strings are without trailing blanks. For COMMENT and HISTORY cards, the value is the text.
    comment : str
        Text after the slash; empty for COMMENT and HISTORY cards.
    """

    keyword: str
    value: CardValue
    comment: str


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header.

    Parameters
    ----------
    cards : tuple of Card
        Cards in the order of the file, without END.
    n_bytes : int
        Size of the header with its padding, in bytes.
    text : bytes
        Bytes of the header in the file, with its padding.
    """

    cards: tuple[Card, ...]
    n_bytes: int
    text: bytes

    def get(self, keyword: str, default: CardValue = None) -> CardValue:
        """Value of the first card with a keyword, or `default` if there is no such card."""
        return next((card.value for card in self.cards if card.keyword == keyword), default)

    def comment(self, keyword: str) -> str:
        """Comment of the first card with a keyword; empty if there is no such card."""
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
        """Size in bytes of the data unit that follows the header, without padding."""
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


@lru_cache(8192)  # frames of a sector, and cubes, have most cards in common
def parse_card(image: str) -> Card:
    """Parse one card of 80 characters.

    This function parses fixed-format cards, the only kind that SPOC and TICA write. astropy parses other cards
    (HIERARCH, complex values).

    Raises
    ------
    HeaderSyntaxError
        When the card cannot be parsed.
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
    from astropy.io import fits  # noqa: PLC0415 - slow to import, and rarely needed

    card = fits.Card.fromstring(image)
    try:
        value = card.value
    except fits.VerifyError as error:
        raise HeaderSyntaxError(f"card {image.strip()!r} cannot be read") from error
    if not isinstance(value, (str, int, float, bool, type(None))):
        raise HeaderSyntaxError(f"card {image.strip()!r} has a value of type {type(value).__name__}")
    return Card(keyword, value, card.comment)


def header_end(data: bytes, start: int = 0) -> int | None:
    """Position after the header that begins at `start`, or None if `data` does not contain its END card."""
    for block in range(start, len(data) - BLOCK + 1, BLOCK):
        for card in range(block, block + BLOCK, CARD):
            if data[card : card + CARD] == _END_CARD:
                return block + BLOCK
    return None


def parse_header(text: bytes) -> Header:
    """Parse a header from its bytes, which are whole FITS blocks.

    Raises
    ------
    HeaderSyntaxError
        When the bytes are not ASCII, do not begin like a header, or contain a card that cannot be parsed.
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
    """Read the header that begins at `offset`. Blocks are read until the END card is found.

    Parameters
    ----------
    read : callable
        Function that reads the file: ``read(start, length)`` returns bytes.
    offset : int
        Position of the header's first byte in the file.
    file_size : int
        Size of the file in bytes. No bytes after its end are read.
    step : int, optional
        Number of bytes per read, a multiple of 2,880.

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
