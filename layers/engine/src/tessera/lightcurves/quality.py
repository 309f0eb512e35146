"""Quality bits of TESS: which cadences a light curve leaves out."""

from __future__ import annotations

from typing import Literal, TypeAlias

from tessera.checks import check_choice, check_integer

Quality: TypeAlias = "Literal['default', 'hard', 'hardest', 'none'] | int"
"""A set of quality bits by its name in lightkurve, or the sum of the bits."""

BITS = {"none": 0, "default": 17087, "hard": 24319, "hardest": 65535}
"""Bits of each set, as in lightkurve 2.5."""


def quality_bits(quality: object) -> int:
    """Return the bits of an option `quality` that a user gave.

    Raises
    ------
    InvalidInputError
        When it is neither the name of a set nor a sum of bits.
    """
    if isinstance(quality, str):
        return BITS[check_choice("quality", quality, BITS)]
    names = ", ".join(map(repr, BITS))
    return check_integer("quality", quality, 0, 2**31 - 1, f", the sum of quality bits, or one of {names}")
