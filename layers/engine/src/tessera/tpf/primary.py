"""Primary header of a target pixel file, from the cube's."""

from __future__ import annotations

import re
from typing import Any

from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.errors import CubeFormatError
from tessera.fits.hdus import CardTuple
from tessera.tess.clock import Time
from tessera.tess.products import HeaderCard
from tessera.tess.star import Star
from tessera.tpf.cards import (
    BARYCENTRIC_TIME_CARDS,
    BJDREFI,
    FIRST_AND_LAST_COMMENTS,
    OBJECT_CARDS,
    SPACECRAFT_TIME_CARDS,
    WILDCARD_DELETIONS,
)

CREATOR = "tessera"
_HISTORY = ("HISTORY",)
_NO_FITS = re.compile("[^ -~]")
_LONGEST_TEXT = 68
"""Number of characters that one card holds."""


class _Cards:
    """Cards by keyword. A card that is set again keeps its place; a new card goes to the end."""

    def __init__(self, cards: list[CardTuple]) -> None:
        self._history = [card for card in cards if card[0] in _HISTORY]
        self._cards = {card[0]: card for card in cards if card[0] not in _HISTORY}

    def get(self, keyword: str) -> Any:
        return self._cards[keyword][1] if keyword in self._cards else None

    def text(self, keyword: str) -> str:
        return self._cards[keyword][2]

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
    return format_utc(value) if card.as_date else value


def format_utc(day: float) -> str:
    """Calendar date in UTC of a time in days since JD 2457000, TDB."""
    text: str = Time(BJDREFI, day, format="jd", scale="tdb").utc.isot
    return f"{text}Z"


def object_text(target: str) -> str:
    """Value of OBJECT: the name of the target, with question marks for characters that FITS does not allow."""
    return _NO_FITS.sub("?", target)


def star_values(star: Star) -> dict[str, Any]:
    """Values of the cards about a star, by keyword.

    Where the number in the TIC is known, cards of what is not known have no value, as in the mission's files. Otherwise
    these cards are left out, and keep the values that TESSCut gives them.

    lightkurve takes PMRA and PMDEC for arcseconds if TICID has no value. So TICID is an empty text if only the motion
    is known.
    """
    values: dict[str, Any] = {
        "OBJECT": object_text(star.title)[:_LONGEST_TEXT] or None,
        "TCID": star.tic,
        "PMRA": star.pm_ra,
        "PMDEC": star.pm_dec,
        "PMTOTAL": star.pm_total,
        "TESSMAG": star.tmag,
        "TEFF": star.teff,
        "LOGG": star.logg,
        "MH": star.mh,
        "RADIUS": star.radius,
        "TICVER": star.ticver,
        "TICID": "" if star.tic is None and star.pm_total else star.tic,
    }
    return {keyword: value for keyword, value in values.items() if star.tic is not None or value is not None}


def primary_cards(
    cube: Cube, ra: float, dec: float, version: str, creator: str = CREATOR, *, star: Star | None = None
) -> list[CardTuple]:
    """Cards of the primary header, without checksums. Without a star, its cards are as empty as TESSCut's.

    Raises
    ------
    CubeFormatError
        When neither the cube's primary header nor its info table says when the exposures begin and end.
    """
    cards = _Cards([(card.keyword, card.value, card.comment) for card in cube.primary.cards])
    product = cube.product
    start, stop = cards.get(product.start), cards.get(product.stop)
    if not (isinstance(start, (int, float)) and isinstance(stop, (int, float))):
        start, stop = (float(values) for values in (cube.series["start"].min(), cube.series["stop"].max()))
        if not start <= stop:
            raise CubeFormatError(f"{cube.name}: neither its primary header nor its info table has all times")
        cards.set(product.start, start, "observation start time of the first frame")
        cards.set(product.stop, stop, "observation stop time of the last frame")
    for keyword in ("CHECKSUM", "DATASUM"):
        cards.delete(keyword)
    cards.set("CREATOR", creator, "software used to produce this file")
    cards.set("PROCVER", version, "software version")
    cards.set("FFI_TYPE", product.name, "the FFI type used to make the cutouts")
    cards.set("RA_OBJ", ra, "[deg] right ascension")
    cards.set("DEC_OBJ", dec, "[deg] declination")
    for keyword, value, comment in BARYCENTRIC_TIME_CARDS if product.barycentric else SPACECRAFT_TIME_CARDS:
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
    for keyword, value in ({} if star is None else star_values(star)).items():
        cards.set(keyword, value, cards.text(keyword))
    return cards.all()


def corrected_cards(primary: list[CardTuple], timecorr: NDArray[Any], error: float) -> list[CardTuple]:
    """Change the cards of a product whose times are the spacecraft's to those of corrected times.

    Parameters
    ----------
    primary : list of cards
        Cards of the primary header.
    timecorr : ndarray, shape (n_cadences,)
        Correction of each cadence in days.
    error : float
        Largest error of the corrected times in seconds.
    """
    cards = _Cards(primary)
    start, stop = cards.get("TSTART") + float(timecorr[0]), cards.get("TSTOP") + float(timecorr[-1])
    for keyword, value, comment in BARYCENTRIC_TIME_CARDS:
        cards.set(keyword, value, comment)
    cards.set("TSTART", start, "observation start time in BTJD of first FFI")
    cards.set("TSTOP", stop, "observation stop time in BTJD of last FFI")
    cards.set("DATE-OBS", format_utc(start), FIRST_AND_LAST_COMMENTS["DATE-OBS"])
    cards.set("DATE-END", format_utc(stop), FIRST_AND_LAST_COMMENTS["DATE-END"])
    cards.set("TELAPSE", stop - start, "[d] TSTOP - TSTART")
    cards.set("BARYERR", error, "[s] largest error of the barycentric times")
    return cards.all()
