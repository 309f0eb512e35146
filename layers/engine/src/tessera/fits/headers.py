"""Read FITS headers without reading the pixels of a file.

Source: FITS Standard 4.0, sections 3 and 4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

BLOCK = 2880
CARD = 80

CardValue: TypeAlias = "str | int | float | bool | None"
"""Value of a card; None for a card without a value (undefined)."""

LARGEST_HEADER = 1000 * BLOCK
"""Largest size in bytes of a header that is read. Headers of frames have 10 to 30 kB."""

_LARGEST_READ = 360 * BLOCK
_END_CARD = b"END" + b" " * (CARD - 3)
_KEYWORD = re.compile(r"[A-Z0-9_-]+")
_HIERARCH = re.compile(r"HIERARCH +([^=]*[^= ]) *=(.*)")
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
        Bytes of the header in the file, with its padding; empty where nobody needs them.
    """

    cards: tuple[Card, ...]
    n_bytes: int
    text: bytes

    def get(self, keyword: str, default: CardValue = None) -> CardValue:
        """Value of the first card with a keyword, or `default` if there is no such card."""
        return next((card.value for card in self.cards if card.keyword == keyword), default)

    @property
    def first_values(self) -> dict[str, CardValue]:
        """Values by keyword. If a keyword occurs twice, the first value counts."""
        return {card.keyword: card.value for card in reversed(self.cards)}

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
    """Parse one card of 80 characters, or a card with the CONTINUE cards that its text goes on in.

    The keyword of a HIERARCH card is what follows HIERARCH, as it is written. A complex value becomes a text.

    Raises
    ------
    HeaderSyntaxError
        When the card cannot be parsed.
    """
    keyword = image[:8].rstrip()
    if len(image) > CARD:
        return _read_unusual(keyword, image)
    if keyword == "HIERARCH" and (match := _HIERARCH.match(image)):
        return _parse_value(match[1], match[2], image)
    if image[8:10] != "= ":
        return Card(keyword, image[8:].rstrip(), "")
    if not _KEYWORD.fullmatch(keyword):
        raise HeaderSyntaxError(f"{keyword!r} is not a FITS keyword")
    return _parse_value(keyword, image[10:], image)


def _parse_value(keyword: str, body: str, image: str) -> Card:
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
    shown = repr(image[:CARD].strip())
    try:
        value, comment = card.value, card.comment
    except (fits.VerifyError, ValueError) as error:
        raise HeaderSyntaxError(f"card {shown} cannot be read") from error
    if isinstance(value, complex):
        value = f"({value.real!r}, {value.imag!r})"
    if keyword == "HIERARCH":
        keyword = card.keyword
    if not isinstance(value, (str, int, float, bool, type(None))):
        raise HeaderSyntaxError(f"card {shown} has a value of type {type(value).__name__}")
    return Card(keyword, value, comment)


def header_end(data: bytes | bytearray, start: int = 0, searched: int = 0) -> int | None:
    """Position after the header that begins at `start`, or None if `data` does not contain its END card.

    The first `searched` bytes of the header are known to contain no END card.
    """
    place = data.find(_END_CARD, start + searched)
    while place >= 0:
        if (place - start) % CARD == 0:
            end = start + padded(place - start + CARD)
            return end if end <= len(data) else None
        place = data.find(_END_CARD, place + 1)
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
    if not decoded.isprintable():
        place = next(place for place, letter in enumerate(decoded) if not letter.isprintable())
        raise HeaderSyntaxError(f"byte {place} of the header is no printable character")
    if not decoded.startswith(("SIMPLE  =", "XTENSION=")):
        raise HeaderSyntaxError(f"a FITS header begins with SIMPLE or XTENSION, not {decoded[:8]!r}")
    return Header(tuple(parse_card(image) for image in _card_images(decoded)), len(text), text)


def _card_images(header: str) -> Iterator[str]:
    """Images of the cards of a header up to END, without blank cards. CONTINUE cards follow in the same image."""
    images: list[str] = []
    for start in range(0, len(header), CARD):
        image = header[start : start + CARD]
        if images and image.startswith("CONTINUE ") and (images[0][8:10] == "= " or images[0].startswith("HIERARCH ")):
            images.append(image)
            continue
        if images:
            yield "".join(images)
        images = [image] if image.strip() else []
        if image.rstrip() == "END":
            return
    if images:
        yield "".join(images)


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
        Number of bytes of the first read, a multiple of 2,880. Each further read is twice as long.

    Raises
    ------
    HeaderSyntaxError
        When the file ends before the header does, or the header cannot be parsed or is larger than `LARGEST_HEADER`.
    """
    data = bytearray()
    end = None
    while end is None:
        searched, position = len(data), offset + len(data)
        if searched >= LARGEST_HEADER:
            where = f"the header that begins at byte {offset}"
            raise HeaderSyntaxError(f"{where} has no END card in its first {searched:,} bytes")
        wanted = min(step, (file_size - position) // BLOCK * BLOCK, LARGEST_HEADER - searched)
        if wanted <= 0:
            raise HeaderSyntaxError(f"the file ends inside the header that begins at byte {offset}")
        data += read(position, wanted)
        if not data.startswith((b"SIMPLE  =", b"XTENSION=")):
            raise HeaderSyntaxError(f"no FITS header begins at byte {offset}")
        end = header_end(data, searched=searched)
        step = max(step, min(2 * step, _LARGEST_READ))
    return parse_header(bytes(data[:end]))
