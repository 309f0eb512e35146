"""Primary header of a target pixel file, from the cube's."""

from __future__ import annotations

from typing import Any

from astropy.time import Time

from tessera.cubes.reader import Cube
from tessera.errors import CubeFormatError
from tessera.fits.hdus import CardTuple
from tessera.tess.products import HeaderCard
from tessera.tpf.cards import (
    BJDREFI,
    FIRST_AND_LAST_COMMENTS,
    OBJECT_CARDS,
    TIME_CARDS,
    TIME_REFERENCE_CARDS,
    WILDCARD_DELETIONS,
)

CREATOR = "tessera"
_HISTORY = ("HISTORY",)


class _Cards:
    """Cards by keyword. A card that is set again keeps its place; a new card goes to the end."""

    def __init__(self, cards: list[CardTuple]) -> None:
        self._history = [card for card in cards if card[0] in _HISTORY]
        self._cards = {card[0]: card for card in cards if card[0] not in _HISTORY}

    def get(self, keyword: str) -> Any:
        return self._cards[keyword][1] if keyword in self._cards else None

    def set(self, keyword: str, value: Any, comment: str) -> None:
        self._cards[keyword] = (keyword, value, comment)

    def comment(self, keyword: str, comment: str) -> None:
        if keyword in self._cards:
            self.set(keyword, self.get(keyword), comment)

    def delete(self, pattern: str) -> None:
        if pattern.endswith("*"):
            self._cards = {key: card for key, card in self._cards.items() if not key.startswith(pattern[:-1])}
        else:
            self._cards.pop(pattern, None)

    def all(self) -> list[CardTuple]:
        return [*self._cards.values(), *self._history]


def _value(card: HeaderCard, frames: _Cards) -> Any:
    value = frames.get(card.source) if card.source else card.value
    return Time(value + BJDREFI, format="jd").iso if card.as_date else value


def primary_cards(cube: Cube, ra: float, dec: float, version: str, creator: str = CREATOR) -> list[CardTuple]:
    """Cards of the primary header, without checksums.

    Raises
    ------
    CubeFormatError
        When the cube's primary header does not say when the exposures begin and end.
    """
    cards = _Cards([(card.keyword, card.value, card.comment) for card in cube.primary.cards])
    product = cube.product
    start, stop = cards.get(product.start), cards.get(product.stop)
    if not (isinstance(start, (int, float)) and isinstance(stop, (int, float))):
        raise CubeFormatError(f"{cube.name}: the exposures begin and end at {start!r}, {stop!r} in the primary header")
    for keyword in ("CHECKSUM", "DATASUM"):
        cards.delete(keyword)
    cards.set("CREATOR", creator, "software used to produce this file")
    cards.set("PROCVER", version, "software version")
    cards.set("FFI_TYPE", product.name, "the FFI type used to make the cutouts")
    cards.set("RA_OBJ", ra, "[deg] right ascension")
    cards.set("DEC_OBJ", dec, "[deg] declination")
    for keyword, value, comment in TIME_REFERENCE_CARDS:
        cards.set(keyword, value if product.barycentric else None, comment)
    for keyword, value, comment in TIME_CARDS:
        cards.set(keyword, value, comment)
    for card in product.tpf_cards:
        cards.set(card.keyword, _value(card, cards), card.comment)
    for pattern in WILDCARD_DELETIONS:
        cards.delete(pattern)
    cards.set("TELAPSE", stop - start, "[d] TSTOP - TSTART")
    cards.comment("DATE", "FFI cube creation date")
    for keyword, comment in FIRST_AND_LAST_COMMENTS.items():
        cards.comment(keyword, comment)
    for keyword, value, comment in OBJECT_CARDS:
        cards.set(keyword, value, comment)
    return cards.all()
