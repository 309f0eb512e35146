"""Sources of a cube's time series: frames, or an older cube. Each source fills its own cadences."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tessera.builds.conversion import cube_words, to_words
from tessera.builds.transpose import skewed, transpose_pixels
from tessera.cubes.frames import Frame
from tessera.cubes.layout import WORD, CubeLayout
from tessera.io.sources import Source
from tessera.tess.products import Product

REMOTE_READS = 32
"""Number of simultaneous range requests for one run of pixels."""

Words = NDArray[np.uint32]


class Layer(Protocol):
    """Some cadences of a cube."""

    cadences: list[int]
    """Cadences of the cube that the layer contains, in the order of the layer."""

    def fill(self, out: Words, first_pixel: int) -> None:
        """Fill ``out[:, cadences, :]`` for a run of pixels. `out` has the shape (n_pixels, n_cadences, n_planes)."""

    def check_unchanged(self) -> None:
        """Raise `tessera.io.sources.ReplacedError` when a file has changed since it was opened."""


def _select(cadences: list[int]) -> slice | NDArray[np.intp]:
    """Index of the cadences: a slice if they are adjacent, which saves a copy, or an array."""
    first = cadences[0]
    if cadences == list(range(first, first + len(cadences))):
        return slice(first, first + len(cadences))
    return np.array(cadences, dtype=np.intp)


def _put(out: Words, cadences: slice | NDArray[np.intp], series: Words) -> None:
    out[:, cadences, :] = series


class FrameLayer:
    """Frames that are read by ranges.

    Parameters
    ----------
    frames, sources : sequences of the same length
        Headers of the frames, and the files that contain them.
    cadences : list of int
        Cadence of each frame in the cube.
    """

    def __init__(self, frames: Sequence[Frame], sources: Sequence[Source], cadences: list[int]) -> None:
        self.cadences = cadences
        self.seconds = [0.0] * len(frames)
        self._frames, self._sources = frames, sources
        self._selection = _select(cadences)
        self._local = threading.local()
        self.remote = any(source.remote for source in sources)
        self._pool = ThreadPoolExecutor(REMOTE_READS) if self.remote else None

    def _buffer(self, n_planes: int, n_pixels: int) -> Words:
        buffer: Words | None = getattr(self._local, "buffer", None)
        if buffer is None or buffer.shape[2] < n_pixels:
            buffer = self._local.buffer = np.empty((len(self._frames), n_planes, skewed(n_pixels)), np.uint32)
        return buffer[:, :, :n_pixels]

    def _read(self, index: int, buffer: Words, first_pixel: int) -> None:
        started = monotonic()
        source, frame = self._sources[index], self._frames[index]
        for plane, offset in enumerate(frame.offsets):
            if frame.plain:
                source.read_into(offset + first_pixel * WORD, buffer[index, plane])
            else:
                form = frame.formats[plane]
                data = source.read_buffer(offset + first_pixel * form.word, buffer.shape[2] * form.word)
                buffer[index, plane] = to_words(data, form)
        self.seconds[index] += monotonic() - started

    def fill(self, out: Words, first_pixel: int) -> None:
        """See `Layer.fill`."""
        buffer = self._buffer(out.shape[2], out.shape[0])
        if self._pool is not None:
            list(self._pool.map(lambda index: self._read(index, buffer, first_pixel), range(len(self._frames))))
        else:
            for index in range(len(self._frames)):
                self._read(index, buffer, first_pixel)
        if isinstance(self._selection, slice):
            transpose_pixels(buffer, out[:, self._selection, :])
        else:
            series = np.empty((out.shape[0], len(self._frames), out.shape[2]), np.uint32)
            transpose_pixels(buffer, series)
            _put(out, self._selection, series)

    def check_unchanged(self) -> None:
        """See `Layer.check_unchanged`."""
        for source in self._sources:
            source.check_unchanged()


class CubeLayer:
    """The cadences of an existing cube.

    Parameters
    ----------
    source : Source
        File of the existing cube.
    layout : CubeLayout
        Shape of the existing cube.
    data_offset : int
        Position of the first byte of its array in the file.
    cadences : list of int
        Cadence in the new cube of each cadence of the existing cube.
    """

    def __init__(self, source: Source, layout: CubeLayout, data_offset: int, cadences: list[int]) -> None:
        self.cadences = cadences
        self._source, self._layout, self._data_offset = source, layout, data_offset
        self._selection = _select(cadences)
        self._local = threading.local()

    def _buffer(self, n_bytes: int) -> NDArray[np.uint8]:
        buffer: NDArray[np.uint8] | None = getattr(self._local, "buffer", None)
        if buffer is None or len(buffer) < n_bytes:
            buffer = self._local.buffer = np.empty(n_bytes, np.uint8)
        return buffer[:n_bytes]

    def fill(self, out: Words, first_pixel: int) -> None:
        """See `Layer.fill`."""
        data = self._buffer(len(out) * self._layout.pixel_bytes)
        self._source.read_into(self._data_offset + first_pixel * self._layout.pixel_bytes, data)
        _put(out, self._selection, cube_words(self._layout, data))

    def check_unchanged(self) -> None:
        """See `Layer.check_unchanged`."""
        self._source.check_unchanged()


def identity_of(product: Product, sector: int | None, sources: Sequence[Source]) -> str:
    """Digest of all that a cube is made from, by which a killed build finds its work again."""
    digest = hashlib.sha256(f"{product.name} {sector}".encode())
    for source in sources:
        digest.update(f"\n{source.name} {source.version}".encode())
    return digest.hexdigest()
