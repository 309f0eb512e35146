"""The record in JPEG: a comment (the segment COM) in front of the picture. It is a line of JSON.

A JPEG does not keep the values that were drawn. So the record has their SHA-256, and that of the file without it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.errors import ProvenanceError
from tessera.provenance.png_files import digest_levels
from tessera.provenance.record import Record, canonical_json

JPEG_START = b"\xff\xd8\xff"
"""First bytes of a JPEG."""
_PREFIX = b"provenance "
_COMMENT, _SCAN = 0xFE, 0xDA
_ABOUT = range(0xE0, 0xF0)
"""Markers of segments that say what the file is, which come first."""
_MOST = 65_535 - 2
"""Largest number of bytes of a segment."""


def digest_jpeg(content: bytes, levels: NDArray[np.uint8]) -> dict[str, Any]:
    """What a record says of the data of a picture: the values that were drawn, and the file without a record."""
    return {**digest_levels(levels), "file_sha256": hashlib.sha256(content).hexdigest()}


def add_jpeg_record(content: bytes, record: Record) -> bytes:
    """Add the record to a JPEG.

    Raises
    ------
    ProvenanceError
        When the file is no JPEG, or the record is too long for it.
    """
    text = _PREFIX + canonical_json(record.named).encode("ascii")
    if len(text) > _MOST:
        raise ProvenanceError(f"the record has {len(text):,} bytes, and a JPEG has room for {_MOST:,}")
    place = next(start for marker, start, _ in _segments(content) if marker not in _ABOUT)
    return content[:place] + bytes([0xFF, _COMMENT]) + (len(text) + 2).to_bytes(2) + text + content[place:]


def split_jpeg(content: bytes) -> tuple[bytes, Record | None]:
    """Take the record from a JPEG: the file without it, and the record; None if it has none.

    Raises
    ------
    ProvenanceError
        When the file or its record is damaged.
    """
    for marker, start, end in _segments(content):
        text = content[start + 4 : end]
        if marker == _COMMENT and text.startswith(_PREFIX):
            try:
                named = dict(json.loads(text.removeprefix(_PREFIX)))
            except (ValueError, TypeError, RecursionError) as error:
                raise ProvenanceError(f"the record of provenance cannot be read: {error}") from error
            record = Record.read(*(named.get(name) for name in ("record", "sha256", "signature")))
            return content[:start] + content[end:], record
    return content, None


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, begin and end of each segment, until that with the picture."""
    start = 2
    while True:
        head = content[start : start + 4]
        end = start + 2 + int.from_bytes(head[2:])
        if len(head) < 4 or head[0] != 0xFF or end < start + 4 or end > len(content):
            raise ProvenanceError(f"the JPEG is damaged at byte {start:,}")
        yield head[1], start, end
        if head[1] == _SCAN:
            return
        start = end
