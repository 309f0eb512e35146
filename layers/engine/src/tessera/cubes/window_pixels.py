"""The pixels of a window, put together from the rows that were read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.layout import CubeLayout
from tessera.cubes.read_plan import RowRead
from tessera.windows import Overlap, Window

Planes: TypeAlias = "NDArray[np.float32] | Sequence[NDArray[np.float32]]"
"""Arrays of shape (n_cadences, n_rows, n_columns): flux and, if the product has errors, its error."""


@dataclass(frozen=True)
class Cutout:
    """Pixels of a window, for every cadence.

    Parameters
    ----------
    window : Window
        May reach beyond the frame.
    planes : ndarray of big-endian float32, shape (n_planes, n_cadences, n_rows, n_columns)
        Pixels; the fill value (NaN by default) beyond the frame.
    aperture : ndarray of int32, shape (n_rows, n_columns)
        1 for pixels on the frame, 0 elsewhere.
    """

    window: Window
    planes: NDArray[np.float32]
    aperture: NDArray[np.int32]


def read_floats(layout: CubeLayout, data: Any) -> NDArray[np.float32]:
    """Pixels of a cube as big-endian 32-bit floats. 64-bit floats are rounded to the nearest one.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    data : buffer
        Bytes of some pixels.
    """
    pixels = np.frombuffer(data, f">f{layout.word}")
    with np.errstate(over="ignore", invalid="ignore"):
        return pixels.astype(">f4", copy=False)


@dataclass(frozen=True)
class PixelPlacer:
    """Puts pixels of a window into arrays, in any order. Several threads may place different pixels.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    overlap : Overlap
        Part of the window that is on the frame.
    planes : sequence of ndarray of float32, shape (n, n_rows, n_columns)
        Arrays for the first planes of the window, in the n cadences.
    cadences : ndarray of int, shape (n,), optional
        Cadences to keep, in order; by default all.
    """

    layout: CubeLayout
    overlap: Overlap
    planes: Planes
    cadences: NDArray[np.intp] | None = None

    def place(self, first: int, data: Any) -> None:
        """Place pixels.

        Parameters
        ----------
        first : int
            Number of the first pixel, counted along the rows of the part that is on the frame.
        data : buffer
            Bytes of this and of the next pixels.
        """
        pixels = read_floats(self.layout, data).reshape(-1, self.layout.n_cadences, self.layout.n_planes)
        rows, columns = self.overlap.inside
        row, column = divmod(first, self.overlap.shape[1])
        while len(pixels):
            n = min(self.overlap.shape[1] - column, len(pixels))
            some, pixels = pixels[:n], pixels[n:]
            place = slice(columns.start + column, columns.start + column + n)
            kept = some if self.cadences is None else some[:, self.cadences]
            for number, plane in enumerate(self.planes):
                plane[:, rows.start + row, place] = kept[:, :, number].T
            row, column = row + 1, 0


def in_pieces(chunks: Iterable[Any], piece_bytes: int, n_bytes: int) -> Iterator[Any]:
    """Divide a stream of bytes anew.

    Parameters
    ----------
    chunks : iterable of buffers
        All bytes, in order.
    piece_bytes : int
        Size of the pieces; the last one may be smaller.
    n_bytes : int
        Number of all bytes.

    Yields
    ------
    buffer
        Pieces, in order. Each is valid until the next one is asked for.
    """
    piece_bytes = min(piece_bytes, n_bytes)
    piece, filled = memoryview(b""), 0
    for chunk in chunks:
        data = memoryview(chunk)
        while data:
            if not filled and len(data) >= piece_bytes:
                yield data[:piece_bytes]
                data = data[piece_bytes:]
                continue
            piece = piece or memoryview(bytearray(piece_bytes))
            n = min(piece_bytes - filled, len(data))
            piece[filled : filled + n] = data[:n]
            filled, data = filled + n, data[n:]
            if filled == piece_bytes:
                yield piece
                filled = 0
    if filled:
        yield piece[:filled]


def blank_cutout(layout: CubeLayout, window: Window, fill_value: float = np.nan) -> Cutout:
    """Return a cutout of which every pixel is the fill value. Its planes take no memory, and cannot be changed.

    Raises
    ------
    NoOverlapError
        When the window does not touch the frame.
    """
    aperture = np.zeros(window.shape, dtype=np.int32)
    aperture[window.overlap(layout.n_rows, layout.n_columns).inside] = 1
    shape = (layout.n_planes, layout.n_cadences, *window.shape)
    return Cutout(window, np.broadcast_to(np.array(fill_value, ">f4"), shape), aperture)


def empty_cutout(layout: CubeLayout, window: Window, fill_value: float = np.nan) -> Cutout:
    """Return a cutout whose pixels on the frame are to be placed by `PixelPlacer`; see `blank_cutout`."""
    blank = blank_cutout(layout, window, fill_value)
    if window.overlap(layout.n_rows, layout.n_columns).whole:
        return replace(blank, planes=np.empty(blank.planes.shape, ">f4"))
    return replace(blank, planes=np.full(blank.planes.shape, fill_value, ">f4"))


def assemble_cutout(
    layout: CubeLayout, window: Window, rows: Iterable[tuple[RowRead, Any]], fill_value: float = np.nan
) -> Cutout:
    """Assemble a cutout from the bytes that the range requests of `plan_reads` returned.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    window : Window
        Window that was planned.
    rows : iterable of (RowRead, buffer)
        Requests and their bytes, in any order.
    fill_value : float, optional
        Value of pixels beyond the frame.
    """
    overlap = window.overlap(layout.n_rows, layout.n_columns)
    cutout = empty_cutout(layout, window, fill_value)
    placer = PixelPlacer(layout, overlap, cutout.planes)
    for read, data in rows:
        placer.place(read.first_row * overlap.shape[1], data)
    return cutout
