"""Runs of bytes of an object."""

from __future__ import annotations

from dataclasses import dataclass

REQUESTS_IN_FLIGHT = 64
"""Range requests that one cutout, or all images of a batch together, have under way at the same time."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` (included) to `start + length` (excluded) of an object."""

    start: int
    length: int

    @property
    def stop(self) -> int:
        """First byte behind the range."""
        return self.start + self.length
