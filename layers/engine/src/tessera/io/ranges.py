"""Ranges of bytes, plans of range requests, and file objects that are read from any position."""

from __future__ import annotations

import abc
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REQUESTS_IN_FLIGHT = 64
"""Largest number of simultaneous range requests of one cutout, or of all images of a batch together."""

Ints: TypeAlias = "NDArray[np.int64]"


@dataclass(frozen=True, slots=True, order=True)
class ByteRange:
    """Bytes `start` (included) to `start + length` (excluded) of an object."""

    start: int
    length: int

    @property
    def stop(self) -> int:
        """First byte after the range."""
        return self.start + self.length


class SeekableFile(io.RawIOBase):
    """A file object that is read from any position. A subclass reads, from `_position`, and knows the end."""

    _position = 0

    @abc.abstractmethod
    def _end(self) -> int:
        """Number of all bytes."""

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position, in bytes from the beginning."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position and return it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._end()}[whence]
        self._position = base + offset
        return self._position


def merge_ranges(
    starts: Ints, stops: Ints, max_gap: int, *, block: int | None = None, max_ranges: int | None = None
) -> tuple[Ints, Ints]:
    """Merge ranges that are close to each other, so that fewer requests are sent.

    Parameters
    ----------
    starts, stops : ndarray of int, shape (n,)
        First byte of each range, and the byte after its last byte. `starts` does not decrease. Ranges may overlap.
    max_gap : int
        Two ranges with a gap of at most this number of bytes are merged. The gap is then read, too.
    block : int, optional
        Merged ranges do not cross multiples of this number. The given ranges must not cross them either.
    max_ranges : int, optional
        Largest number of merged ranges. If there are more, ranges with the smallest gaps are merged first, also across
        gaps larger than `max_gap`. Ranges of different blocks are never merged.

    Returns
    -------
    (ndarray, ndarray)
        Starts and stops of the merged ranges, which do not overlap.
    """
    import numpy as np  # noqa: PLC0415 - functions that plan no requests start without it

    if not len(starts):
        return starts, stops
    ends = np.maximum.accumulate(stops)
    gaps = starts[1:] - ends[:-1]
    cut = np.zeros(len(gaps), np.bool_) if block is None else starts[1:] // block != starts[:-1] // block
    wide = np.flatnonzero(~cut & (gaps > max_gap))
    if max_ranges is not None:
        left = max(0, max_ranges - 1 - int(cut.sum()))
        wide = wide[np.argsort(-gaps[wide], kind="stable")][:left]
    cut[wide] = True
    return starts[np.r_[True, cut]], ends[np.r_[cut, True]]


def plan_requests(ranges: Iterable[ByteRange], max_gap: int, max_length: int) -> list[ByteRange]:
    """Plan requests for ranges of bytes: merge ranges that are close, and divide long ones.

    Parameters
    ----------
    ranges : iterable of ByteRange
        Ranges in any order; they may overlap.
    max_gap : int
        See `merge_ranges`.
    max_length : int
        Largest number of bytes of a request.

    Returns
    -------
    list of ByteRange
        Requests, in increasing order.
    """
    import numpy as np  # noqa: PLC0415 - see merge_ranges

    wanted = sorted(item for item in ranges if item.length)
    starts = np.array([item.start for item in wanted], np.int64)
    stops = np.array([item.stop for item in wanted], np.int64)
    merged = zip(*(edges.tolist() for edges in merge_ranges(starts, stops, max_gap)), strict=True)
    return [
        ByteRange(first, min(max_length, stop - first))
        for start, stop in merged
        for first in range(start, stop, max_length)
    ]
