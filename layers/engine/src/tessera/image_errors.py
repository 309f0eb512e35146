"""What only image cutouts raise; see `tessera.errors`."""

from __future__ import annotations

from tessera.errors import TesseraError


class ImageFormatError(TesseraError):
    """An image cannot be cut: it has no celestial WCS, or is not two-dimensional; the message says what is wrong."""
