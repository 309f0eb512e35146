"""The record of a picture of image cutouts: with the images, it decides all its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from tessera import __version__
from tessera.images.pictures import Image, PictureOptions
from tessera.provenance.png_files import digest_levels, png_texts
from tessera.provenance.record import Record


def add_picture_record(image: Image, cutouts: Sequence[Record], options: PictureOptions) -> None:
    """Add the record to the description of a picture, which a PNG holds.

    Parameters
    ----------
    image : PIL.Image.Image
        The picture.
    cutouts : sequence of Record
        Record of the cutout, or of those in red, green and blue. Each names one extension.
    options : PictureOptions
        How it is drawn.
    """
    source: dict[str, Any] = {"cutouts": [record.document for record in cutouts]}
    record = Record("image picture", __version__, source, asdict(options), digest_levels(np.asarray(image)))
    image.info.update(png_texts(record))
