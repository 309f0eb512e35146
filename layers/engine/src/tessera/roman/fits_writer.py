"""Write FITS files of many cutouts of ASDF images, with little more work than for one file.

astropy needs about 10 ms for a file of three headers. Cutouts of one image and shape differ only in their target, their
first pixel, their pixels and their tree. So astropy writes the first file, and its headers are used for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from astropy.io import fits

from tessera.fits.checksum import ones_complement_sum
from tessera.fits.hdus import format_card, format_cards, seal_header
from tessera.fits.headers import padded
from tessera.images.hdus import file_bytes
from tessera.roman.cut import AsdfPart
from tessera.roman.products import fits_object, fits_pixels
from tessera.roman.writer import AsdfWriter

_PLAIN = frozenset({"u1", "i2", "i4", "i8", "f4", "f8"})
"""Types of pixels that FITS has, so that they need no BZERO."""
_CARD = 80


@dataclass(frozen=True)
class _Head:
    """Cards of a header without its checksums, and the comment of each card."""

    text: str
    comments: Mapping[str, str]

    def hdu(self, values: Mapping[str, Any], data: bytes) -> bytes:
        """HDU with other values of some cards."""
        text = self.text
        for keyword, value in values.items():
            place = next(at for at in range(0, len(text), _CARD) if text.startswith(f"{keyword:8}=", at))
            text = text[:place] + format_card(keyword, value, self.comments[keyword]) + text[place + _CARD :]
        body = data.ljust(padded(len(data)), b"\0")
        return seal_header(text, ones_complement_sum(body)) + body


class FitsWriter:
    """Writes FITS files of cutouts; see `tessera.roman.products.fits_object`.

    Parameters
    ----------
    day : date
        Date of creation.
    embed_asdf : bool
        Whether the files have an extension with the tree without pixels.
    """

    def __init__(self, day: date, *, embed_asdf: bool) -> None:
        self._day, self._trees = day, AsdfWriter(meta_only=True) if embed_asdf else None
        self._heads: dict[tuple[str, tuple[int, ...], str], list[_Head]] = {}

    def write(self, part: AsdfPart) -> bytes:
        """Make the bytes of the FITS file of a cutout, or raise an `ImageFormatError`; see `fits_pixels`."""
        assert part.cutout is not None
        tree = None if self._trees is None else self._trees.write(part)
        data = fits_pixels(part)
        whole = None if part.cutout.image_wcs is None else part.cutout.image_wcs.fitted
        if whole is None or data.dtype.str[1:] not in _PLAIN:
            return file_bytes(fits_object(part, self._day, tree))
        place = (str(part.file), data.shape, part.cutout.data.dtype.str)
        if place not in self._heads:
            content = file_bytes(fits_object(part, self._day, tree))
            self._heads[place] = _heads(content)
            return content
        heads, sky = self._heads[place], part.sky.icrs
        first = part.cutout.first_pixel
        crpix = {f"CRPIX{axis + 1}": float(whole.wcs.crpix[axis] - first[axis]) for axis in (0, 1)}
        pieces = [
            heads[0].hdu({"RA_OBJ": float(sky.ra.deg), "DEC_OBJ": float(sky.dec.deg)}, b""),
            heads[1].hdu(crpix, np.ascontiguousarray(data, data.dtype.newbyteorder(">")).tobytes()),
        ]
        if tree is not None:
            pieces.append(heads[2].hdu({"NAXIS1": len(tree), "TFORM1": f"{len(tree)}B"}, tree))
        return b"".join(pieces)


def _heads(content: bytes) -> list[_Head]:
    heads = []
    with fits.HDUList.fromstring(content) as hdus:
        for hdu in hdus:
            header = hdu.header.copy()
            for keyword in ("CHECKSUM", "DATASUM"):
                header.remove(keyword)
            heads.append(_Head(format_cards(header), {card.keyword: card.comment for card in header.cards}))
    return heads
