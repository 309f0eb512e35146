"""Pictures of image cutouts as JPEG. What is drawn again is packed again, and the values that are seen are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.extras import import_extra
from tessera.images.pictures import picture_bytes
from tessera.provenance.jpeg_files import digest_jpeg, split_jpeg
from tessera.provenance.png_files import digest_levels, read_levels
from tessera.verify.compare import compare_arrays
from tessera.verify.products.arrays import load_array
from tessera.verify.products.product import MadeAgain, Product
from tessera.verify.report import Problem

_PACKING = 3
"""Largest difference of values that come from versions of the package that packs pictures."""


def read_jpeg(content: bytes) -> Product:
    """Read a JPEG.

    Raises
    ------
    ProvenanceError
        When the file or its record is damaged.
    MissingPackageError
        When Pillow is not installed.
    """
    plain, record = split_jpeg(content)
    levels, _ = read_levels(plain, "JPEG")
    said: dict[str, Any] = {} if record is None else dict(record.data)
    problems = []
    if record is not None and said.get("file_sha256") != digest_jpeg(plain, levels)["file_sha256"]:
        problems.append(Problem("record", "the record is of another file: the SHA-256 of its bytes differs"))

    def compare(again: MadeAgain) -> tuple[list[Problem], list[str]]:
        drawn = load_array(again.content)
        seen = _packed(drawn)
        if (levels.dtype, levels.shape) != (seen.dtype, seen.shape):
            return [Problem("structure", "the picture has another shape or type")], []
        near = np.abs(levels.astype(int) - seen) <= _PACKING
        found = list(compare_arrays(np.where(near, seen, levels), seen, again.locate, name="grey value", place={}))
        if not found and said != digest_levels(drawn) | {"file_sha256": said.get("file_sha256")}:
            found.append(
                Problem("record", "the values that are drawn are not those of the record: their SHA-256 differs")
            )
        return found, [] if (levels == seen).all() else ["the values"]

    return Product(record, b"", problems, compare)


def _packed(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Values of a picture after they were packed as JPEG."""
    content = picture_bytes(import_extra("PIL.Image", "pictures").fromarray(levels), ".jpg")
    return read_levels(content, "JPEG")[0]
