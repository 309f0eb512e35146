"""The record of a picture of image cutouts: with the images, it decides all its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from tessera import __version__
from tessera.images.pictures import Image, PictureOptions, picture_bytes
from tessera.provenance.jpeg_files import add_jpeg_record, digest_jpeg
from tessera.provenance.png_files import digest_levels, png_texts
from tessera.provenance.record import Record

RECORDED = (".png", ".jpg", ".jpeg")
"""Ends of the names of pictures that can have a record."""


def recorded_picture(image: Image, suffix: str, cutouts: Sequence[Record], options: PictureOptions) -> bytes:
    """Convert a picture to the bytes of a file with a record.

    Parameters
    ----------
    image : PIL.Image.Image
        The picture.
    suffix : str
        One of `RECORDED`.
    cutouts : sequence of Record
        Record of the cutout, or of those in red, green and blue. Each names one extension.
    options : PictureOptions
        How it is drawn.
    """
    levels, drawn = np.asarray(image), image.copy()
    if suffix == ".png":
        drawn.info.update(png_texts(_record(cutouts, options, digest_levels(levels))))
        return picture_bytes(drawn, suffix)
    content = picture_bytes(drawn, suffix)
    return add_jpeg_record(content, _record(cutouts, options, digest_jpeg(content, levels)))


def _record(cutouts: Sequence[Record], options: PictureOptions, data: dict[str, Any]) -> Record:
    limits = ("minmax_percent", "minmax_value")
    request = asdict(options)
    request |= {name: [float(value) for value in request[name]] for name in limits if request[name] is not None}
    source = {"cutouts": [record.document for record in cutouts]}
    return Record("image picture", __version__, source, request, data)
