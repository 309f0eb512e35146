"""Finds out which form a product has, and reads it."""

from __future__ import annotations

from collections.abc import Callable

from tessera.provenance.ecsv_files import ECSV_START
from tessera.provenance.jpeg_files import JPEG_START
from tessera.provenance.png_files import PNG_START
from tessera.verify.products.asdf import START as ASDF_START
from tessera.verify.products.asdf import read_asdf
from tessera.verify.products.catalogue import START as PARQUET_START
from tessera.verify.products.catalogue import read_curves
from tessera.verify.products.fits import START as FITS_START
from tessera.verify.products.fits import read_fits
from tessera.verify.products.jpeg import read_jpeg
from tessera.verify.products.measures import read_ecsv
from tessera.verify.products.previews import FRAMES_START, preview_in, read_frames, read_picture, read_preview
from tessera.verify.products.product import Product

_READERS: dict[bytes, Callable[[bytes], Product]] = {
    FITS_START: read_fits,
    ASDF_START: read_asdf,
    FRAMES_START: read_frames,
    PNG_START: read_picture,
    JPEG_START: read_jpeg,
    ECSV_START: read_ecsv,
    PARQUET_START: read_curves,
}
"""First bytes of a file to the function that reads it."""


def read_product(content: bytes) -> Product | None:
    """Read a product; None if it has no form that is known.

    Raises
    ------
    ProvenanceError
        When the product or its record is damaged.
    UnreadableFileError
        When the product is damaged so that nothing of it can be read.
    MissingPackageError
        When a package is not installed that reads this form.
    """
    for start, read in _READERS.items():
        if content.startswith(start):
            return read(content)
    preview = preview_in(content)
    return None if preview is None else read_preview(preview)
