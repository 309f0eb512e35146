"""The record in PNG: the texts ``provenance.record``, ``.sha256`` and ``.signature``. This module needs Pillow."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.errors import ProvenanceError
from tessera.extras import import_extra
from tessera.provenance.record import Record

PNG_START = b"\x89PNG\r\n\x1a\n"
_PREFIX = "provenance."


def png_texts(record: Record) -> dict[str, str]:
    """Names and texts of a record in a PNG."""
    return {_PREFIX + name: text for name, text in record.named.items()}


def digest_levels(levels: NDArray[np.uint8]) -> dict[str, Any]:
    """What a record says of the data of a picture: the SHA-256 of its values, row by row, and the shape."""
    return {"sha256": hashlib.sha256(levels.tobytes()).hexdigest(), "shape": list(levels.shape)}


def write_png(levels: NDArray[np.uint8], record: Record | None = None) -> bytes:
    """Make a PNG of grey or coloured values, with a record if there is one.

    Parameters
    ----------
    levels : ndarray of uint8, shape (n_rows, n_columns) or (n_rows, n_columns, 3)
        Values; the first row is at the top.
    record : Record, optional
        Its record.
    """
    texts = import_extra("PIL.PngImagePlugin", "pictures").PngInfo()
    for name, text in ({} if record is None else png_texts(record)).items():
        texts.add_text(name, text)
    content = io.BytesIO()
    import_extra("PIL.Image", "pictures").fromarray(levels).save(content, format="PNG", pnginfo=texts)
    return content.getvalue()


def read_levels(content: bytes, form: str) -> tuple[NDArray[np.uint8], dict[str, str]]:
    """Values of a picture, and its texts.

    Parameters
    ----------
    content : bytes
        The file.
    form : {'PNG', 'JPEG'}
        Its format.

    Raises
    ------
    ProvenanceError
        When the file is damaged.
    """
    pil = import_extra("PIL.Image", "pictures")
    try:
        with pil.open(io.BytesIO(content), formats=[form]) as image:
            return np.array(image), dict(getattr(image, "text", {}))
    except (OSError, SyntaxError, ValueError, pil.DecompressionBombError) as error:
        raise ProvenanceError(f"the {form} cannot be read: {error}") from error


def read_png(content: bytes) -> tuple[NDArray[np.uint8], Record | None]:
    """Read a PNG: its values, and its record; None if it has none.

    Raises
    ------
    ProvenanceError
        When the file or its record is damaged.
    """
    levels, texts = read_levels(content, "PNG")
    named = [texts.get(_PREFIX + name) for name in ("record", "sha256", "signature")]
    return levels, None if named == [None, None, None] else Record.read(*named)
