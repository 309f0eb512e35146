"""What the primary header of a target pixel file says about the target and the observation."""

from __future__ import annotations

from typing import Any

from astropy.io import fits

_NAMES = {
    "OBJECT": "target",
    "TICID": "tic",
    "RA_OBJ": "ra",
    "DEC_OBJ": "dec",
    "TESSMAG": "tess_magnitude",
    "SECTOR": "sector",
    "CAMERA": "camera",
    "CCD": "ccd",
    "FFI_TYPE": "product",
}
"""Card, and the name of the fact."""
_PLACE = (("sector", "sector"), ("camera", "camera"), ("ccd", "CCD"))


def facts_of(header: fits.Header) -> dict[str, Any]:
    """Facts by name. Files have 0 and empty texts in place of facts that are not known, so these are left out."""
    values = {name: header.get(card) for card, name in _NAMES.items()}
    return {name: value for name, value in values.items() if isinstance(value, (str, int, float)) and value}


def target_text(facts: dict[str, Any]) -> str:
    """Name of the target, otherwise its position; empty if neither is known."""
    if "target" in facts:
        return str(facts["target"])
    return f"{facts['ra']:.5f} {facts['dec']:+.5f}" if {"ra", "dec"} <= facts.keys() else ""


def place_texts(facts: dict[str, Any]) -> list[str]:
    """Sector, camera and CCD, as far as they are known: "sector 1" and so on."""
    return [f"{word} {facts[name]}" for name, word in _PLACE if name in facts]
