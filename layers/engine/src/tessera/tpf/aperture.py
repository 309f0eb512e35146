"""Apertures as text: hexadecimal digits, one bit per pixel, in row order. The first pixel is the highest bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def aperture_digits(mask: NDArray[np.bool_]) -> str:
    """Hexadecimal digits of an aperture."""
    return np.packbits(mask.ravel()).tobytes().hex()[: -(-mask.size // 4)]


def aperture_bits(digits: str) -> NDArray[np.uint8]:
    """Bits of hexadecimal digits: those of the pixels, and up to seven more.

    Raises
    ------
    ValueError
        When the text has other characters.
    """
    return np.unpackbits(np.frombuffer(bytes.fromhex(digits + "0" * (len(digits) % 2)), np.uint8))
