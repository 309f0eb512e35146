"""Ranges of bytes, and how range requests are sent, wherever they go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REQUESTS_IN_FLIGHT = 64
"""Range requests that one cutout, or all images of a batch together, have under way at the same time."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, order=True)
class ByteRange:
    """Bytes `start` (included) to `start + length` (excluded) of an object."""

    start: int
    length: int

    @property
    def stop(self) -> int:
        """First byte behind the range."""
        return self.start + self.length


def merge_ranges(
    starts: Ints, stops: Ints, max_gap: int, *, block: int | None = None, max_ranges: int | None = None
) -> tuple[Ints, Ints]:
    """Merge ranges that are near to each other, so that fewer requests are sent.

    Parameters
    ----------
    starts, stops : ndarray of int, shape (n,)
        First byte of each range, not decreasing, and the byte behind its last. Ranges may overlap.
    max_gap : int
        Up to so many bytes between two ranges are read along.
    block : int, optional
        No merged range reaches across a multiple of this number; none of the given ones does.
    max_ranges : int, optional
        Where more ranges would be left, the smallest gaps are read along first, whatever their size. Each block keeps
        a range of its own.

    Returns
    -------
    (ndarray, ndarray)
        The same of the merged ranges, which do not overlap.
    """
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
    """Plan requests for ranges of bytes: neighbours together, long ones divided.

    Parameters
    ----------
    ranges : iterable of ByteRange
        In any order; they may overlap.
    max_gap : int
        See `merge_ranges`.
    max_length : int
        Most bytes of a request.
    """
    wanted = sorted(item for item in ranges if item.length)
    starts = np.array([item.start for item in wanted], np.int64)
    stops = np.array([item.stop for item in wanted], np.int64)
    merged = zip(*(edges.tolist() for edges in merge_ranges(starts, stops, max_gap)), strict=True)
    return [
        ByteRange(first, min(max_length, stop - first))
        for start, stop in merged
        for first in range(start, stop, max_length)
    ]
