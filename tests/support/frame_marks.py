"""What files from frames have in common with those of the later cube: all but three cards."""

from __future__ import annotations

import io

from astropy.io import fits

from tessera.framesets.facts import MARK
from tessera.provenance.fits_files import NAME as PROVENANCE


def without_marks(content: bytes | bytearray | None) -> list[tuple[str, bytes]]:
    """Headers of all HDUs but the record, without the three cards that may differ, and the bytes of their data."""
    assert content is not None
    found = []
    with fits.open(io.BytesIO(content)) as hdus:
        for hdu in hdus:
            if hdu.name == PROVENANCE:
                continue
            place = hdu.fileinfo()
            for keyword in (MARK, "DATE", "CHECKSUM"):
                hdu.header.remove(keyword, ignore_missing=True)
            data = bytes(content[place["datLoc"] : place["datLoc"] + place["datSpan"]])
            found.append((hdu.header.tostring(), data))
    return found
