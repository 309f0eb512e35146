"""The record of a file of image cutouts: with the image, it decides every byte of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from functools import partial
from typing import Any

from astropy.coordinates import SkyCoord

from tessera import __version__
from tessera.images.cut import ImageCut
from tessera.provenance.fits_files import add_provenance
from tessera.provenance.record import Origin, Record, to_number


def with_record(
    content: bytes, origin: Origin, cuts: Sequence[ImageCut], *, sky: SkyCoord, day: date, fill_value: float
) -> bytes:
    """Add the record to a file of cutouts of one image.

    Parameters
    ----------
    content : bytes
        The file.
    origin : Origin
        The file of the image.
    cuts : sequence of ImageCut
        The cutouts in the file.
    sky : SkyCoord
        Position of the target, as in the primary header.
    day : date
        Date of creation.
    fill_value : float
        Value of pixels beyond the image.
    """
    describe = partial(image_record, origin, cuts, sky=sky, day=day, fill_value=fill_value)
    return b"".join(add_provenance([content], describe))


def image_record(
    origin: Origin,
    cuts: Sequence[ImageCut],
    data: dict[str, Any],
    *,
    sky: SkyCoord,
    day: date,
    fill_value: float,
) -> Record:
    """The record of cutouts of one image; see `with_record`. `data` is what it says of their file."""
    request = {
        "ra": to_number(sky.icrs.ra.deg),
        "dec": to_number(sky.icrs.dec.deg),
        "date": day.isoformat(),
        "fill_value": to_number(fill_value),
        "cuts": [{"extension": cut.extension, "window": asdict(cut.overlap.window)} for cut in cuts],
    }
    return Record("image cutout", __version__, asdict(origin), request, data)
