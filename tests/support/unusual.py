"""Unusual frames: other pixel types, and cards that were edited or removed."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping

from astropy.io import fits

from tests.support.frames import NamedFrame

CARD = 80


def edited(data: bytes, cards: Mapping[str, str | None], hdu: int = 1) -> bytes:
    """A frame whose cards have other values, as they are written in the file; None removes a card.

    A card that the header does not have takes the place of a blank card at its end.
    """
    starts = [0] + [match.start() for match in re.finditer(rb"XTENSION=", data)]
    start = starts[hdu]
    end = next(place for place in range(start, len(data), CARD) if data[place : place + CARD].rstrip() == b"END")
    lines = [data[place : place + CARD] for place in range(start, end, CARD)]
    for keyword, value in cards.items():
        place = next((n for n, line in enumerate(lines) if line[:8].rstrip() == keyword.encode()), None)
        line = b"" if value is None else f"{keyword:8}= {value}".encode()
        if place is None:
            lines.append(line.ljust(CARD))
        else:
            lines[place] = line.ljust(CARD)
    text = b"".join([*(line for line in lines if line.strip()), b"END".ljust(CARD)])
    old = end + CARD - start
    text = text.ljust(-(-len(text) // 2880) * 2880)
    return data[:start] + text + data[start + -(-old // 2880) * 2880 :]


def rewritten(frame: NamedFrame, change: Callable[[fits.HDUList], None]) -> NamedFrame:
    """A frame that astropy changed."""
    name, data = frame
    content = io.BytesIO()
    with fits.open(io.BytesIO(data)) as hdus:
        change(hdus)
        hdus.writeto(content)
    return name, content.getvalue()


def with_pixels(frame: NamedFrame, dtype: str, scale: float = 1.0, zero: float = 0.0) -> NamedFrame:
    """A SPOC frame whose pixels have another type, and are ``zero + scale * value`` if they are scaled."""

    def change(hdus: fits.HDUList) -> None:
        for hdu in hdus[1:]:
            raw = ((hdu.data.astype("f8") - zero) / scale).astype(dtype)
            hdu.data = raw
            if (scale, zero) != (1, 0):
                hdu.header["BSCALE"], hdu.header["BZERO"] = scale, zero

    return rewritten(frame, change)
