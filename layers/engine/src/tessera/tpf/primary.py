"""Primary header of a target pixel file, from the cube's."""

from __future__ import annotations

from typing import Any

from astropy.time import Time

from tessera.cubes.reader import Cube
from tessera.errors import CubeFormatError
from tessera.fits.hdus import CardTuple
from tessera.tpf.cards import (
    BJDREFI,
    OBJECT_CARDS,
    SPOC_COMMENTS,
    TICA_CARDS,
    TIME_CARDS,
    TIME_REFERENCE_CARDS,
    WILDCARD_DELETIONS,
)

CREATOR = "tessera"
_HISTORY = ("HISTORY",)


class _Cards:
    """Cards by keyword: a known one keeps its place, a new one goes to the end."""

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


def _tica_cards(cards: _Cards) -> None:
    """Give a TICA header the cards that the mission's have."""
    for keyword, value, source, comment in TICA_CARDS:
        cards.set(keyword, cards.get(source) if source else value, comment)
    for keyword, source, comment in (
        ("DATE-OBS", "TSTART", "TSTART as UTC calendar date of first FFI"),
        ("DATE-END", "TSTOP", "TSTOP as UTC calendar date of last FFI"),
    ):
        cards.set(keyword, Time(cards.get(source) + BJDREFI, format="jd").iso, comment)
    for keyword, comment in (
        ("FILEVER", "file format version"),
        ("RADESYS", "reference frame of celestial coordinates"),
        ("SCCONFIG", "spacecraft configuration ID"),
        ("TIMVERSN", "OGIP memo number for file format"),
    ):
        cards.set(keyword, None, comment)


def primary_cards(cube: Cube, ra: float, dec: float, version: str, creator: str = CREATOR) -> list[CardTuple]:
    """Cards of the primary header, without checksums.

    Raises
    ------
    CubeFormatError
        When the cube's primary header does not say when it begins and ends.
    """
    cards = _Cards([(card.keyword, card.value, card.comment) for card in cube.primary.cards])
    tica = cube.product.name == "TICA"
    for keyword in ("CHECKSUM", "DATASUM"):
        cards.delete(keyword)
    cards.set("CREATOR", creator, "software used to produce this file")
    cards.set("PROCVER", version, "software version")
    cards.set("FFI_TYPE", cube.product.name, "the FFI type used to make the cutouts")
    cards.set("RA_OBJ", ra, "[deg] right ascension")
    cards.set("DEC_OBJ", dec, "[deg] declination")
    for keyword, value, comment in TIME_REFERENCE_CARDS:
        cards.set(keyword, None if tica else value, comment)
    for keyword, value, comment in TIME_CARDS:
        cards.set(keyword, value, comment)
    if tica:
        _tica_cards(cards)
    for pattern in WILDCARD_DELETIONS:
        cards.delete(pattern)
    start, stop = cards.get("TSTART"), cards.get("TSTOP")
    if not (isinstance(start, (int, float)) and isinstance(stop, (int, float))):
        raise CubeFormatError(f"{cube.name}: the exposures begin and end at {start!r}, {stop!r} in the primary header")
    cards.set("TELAPSE", stop - start, "[d] TSTOP - TSTART")
    cards.comment("DATE", "FFI cube creation date")
    if not tica:
        for keyword, comment in SPOC_COMMENTS.items():
            cards.comment(keyword, comment)
    for keyword, value, comment in OBJECT_CARDS:
        cards.set(keyword, value, comment)
    return cards.all()
