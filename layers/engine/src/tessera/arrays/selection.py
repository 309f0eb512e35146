"""Plan the range requests that read any pixels of a cube, and take the values out of the bytes.

A pixel has a number: row x columns of a frame + column. All cadences and planes of a pixel are adjacent in the file,
and the planes of one cadence alternate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.io.ranges import ByteRange, merge_ranges

Ints: TypeAlias = NDArray[np.int64]

GAP_REMOTE = 1 << 20
"""Largest gap in bytes inside a row that is read, too, instead of sending another request. Both take the same time."""
GAP_LOCAL = 16 << 10
"""The same for a local file."""
_PAGE = 4096
_JOINED = 8 << 20
"""Whole rows that follow each other are read with one request, up to this number of bytes."""


@dataclass(frozen=True, slots=True)
class PixelRead:
    """One range request, and the pixels whose bytes it has.

    Parameters
    ----------
    first, n : int
        First pixel and number of pixels, counted in the list of the pixels that are wanted.
    data : ByteRange
        Bytes in the file.
    """

    first: int
    n: int
    data: ByteRange


def pixel_ranges(layout: CubeLayout, pixels: Ints, cadences: tuple[int, int], max_gap: int) -> tuple[Ints, Ints]:
    """Find the ranges of bytes that have some pixels.

    Pixels that are adjacent in a row share a range. Rows do not, unless they are read whole.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    pixels : ndarray of int, shape (n,)
        Numbers of the pixels, increasing.
    cadences : (int, int)
        First cadence that is wanted, and the one after the last.
    max_gap : int
        Largest number of bytes inside a row that are read although they are not wanted.

    Returns
    -------
    (ndarray, ndarray)
        Starts and stops of the ranges, counted from the first byte of the cube's array.
    """
    if not len(pixels) or cadences[0] >= cadences[1]:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    step = layout.n_planes * layout.word
    places = pixels.astype(np.int64) * layout.pixel_bytes
    merged = merge_ranges(places + cadences[0] * step, places + cadences[1] * step, max_gap, block=layout.row_bytes)
    rows = max(1, _JOINED // layout.row_bytes)
    return merge_ranges(*merged, 0, block=rows * layout.row_bytes)


def read_cost(ranges: tuple[Ints, Ints]) -> int:
    """Bytes that reading some ranges costs: a short one costs a page of a disk."""
    return int(np.maximum(ranges[1] - ranges[0], _PAGE).sum())


def plan_pixels(layout: CubeLayout, data_offset: int, pixels: Ints, ranges: tuple[Ints, Ints]) -> tuple[PixelRead, ...]:
    """Plan the requests for some pixels.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data_offset : int
        Position of the first byte of the cube's array in the file.
    pixels : ndarray of int, shape (n,)
        Numbers of the pixels, increasing.
    ranges : (ndarray, ndarray)
        Their ranges, from `pixel_ranges`.
    """
    starts, stops = ranges
    first = np.searchsorted(pixels, starts // layout.pixel_bytes)
    counts = np.diff(np.append(first, len(pixels)))
    columns = (first.tolist(), counts.tolist(), starts.tolist(), (stops - starts).tolist())
    return tuple(
        PixelRead(number, n, ByteRange(data_offset + start, length))
        for number, n, start, length in zip(*columns, strict=True)
    )


def take_plane(
    layout: CubeLayout, read: PixelRead, data: Any, pixels: Ints, *, plane: int, out: NDArray[np.floating[Any]]
) -> None:
    """Take one plane of the pixels of a request out of its bytes.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    read : PixelRead
        The request.
    data : buffer
        Bytes that it returned.
    pixels : ndarray of int, shape (n,)
        All pixels that are wanted.
    plane : int
        0 for flux, 1 for error.
    out : ndarray, shape (n, n_cadences)
        Filled at the pixels of the request, with the cadences that were read.
    """
    wanted = pixels[read.first : read.first + read.n]
    n_pixels = int(wanted[-1] - wanted[0]) + 1
    shape = (n_pixels, out.shape[1])
    strides = (layout.pixel_bytes, layout.n_planes * layout.word)
    values = np.ndarray(shape, f">f{layout.word}", data, plane * layout.word, strides)
    place = slice(read.first, read.first + read.n)
    out[place] = values if n_pixels == read.n else values[wanted - wanted[0]]
