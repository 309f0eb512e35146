"""Compute FITS checksums, also from the sums of pieces.

A DATASUM is a 32-bit ones-complement sum over big-endian words. So the sum of a file is the sum of the sums of its
pieces, if the pieces consist of whole words.
Source: FITS Standard 4.0, appendix J.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_MASK = 0xFFFFFFFF
_EXCLUDED = frozenset([*range(0x3A, 0x41), *range(0x5B, 0x61)])


def ones_complement_add(*sums: int) -> int:
    """Add 32-bit sums with end-around carry."""
    total = sum(sums)
    while total > _MASK:
        total = (total & _MASK) + (total >> 32)
    return total


def ones_complement_sum(data: Any) -> int:
    """Sum the 32-bit big-endian words of a buffer.

    Parameters
    ----------
    data : buffer
        Bytes or a C-contiguous array; the number of bytes is a multiple of four.

    Returns
    -------
    int
        The 32-bit ones-complement sum.
    """
    total = int(np.frombuffer(data, dtype=">u4").sum(dtype=np.uint64))  # exact up to 16 GiB
    return ones_complement_add(total)


def encode_checksum(total: int) -> str:
    """Encode the complement of a sum as the 16 ASCII characters of a CHECKSUM card.

    Parameters
    ----------
    total : int
        Ones-complement sum of the whole HDU with sixteen zeros as value of its CHECKSUM card.
    """
    columns = []
    for byte in ((~total) & _MASK).to_bytes(4, "big"):
        quarter = byte // 4 + 0x30
        values = [quarter + byte % 4, quarter, quarter, quarter]
        while any(value in _EXCLUDED for value in values):
            for pair in (0, 2):
                if values[pair] in _EXCLUDED or values[pair + 1] in _EXCLUDED:
                    values[pair] += 1
                    values[pair + 1] -= 1
        columns.append(values)
    text = "".join(chr(columns[byte][position]) for position in range(4) for byte in range(4))
    return text[-1] + text[:-1]
