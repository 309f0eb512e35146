"""Measure some rows of a cube, reading each of them once."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.cubes.reader import Cube
from tessera.cubes.window_pixels import read_floats
from tessera.measures.bins import TimeBins
from tessera.measures.stars import BrightStar, Row, brightest_allowed, brightest_of_cells, find_stars
from tessera.measures.statistics import IMAGES, PixelMeasures, measure_pixels

_READ_BYTES = 16_000_000
"""Rows are read and measured together up to so many bytes."""
ReadBuffer: TypeAlias = "Callable[[int, int], Any]"
"""``read(start, length)`` returns those bytes of a file as a buffer."""


@dataclass(frozen=True)
class BlockMeasures:
    """Measures of a block: some rows of a cube.

    Parameters
    ----------
    first_row : int
        First row of the block.
    flux, error, rms, n_good : ndarray, shape (n_rows, n_columns)
        See `tessera.measures.statistics.PixelMeasures`.
    differences : ndarray of float32, shape (n_bins, n_rows, n_columns)
        Median difference from the reference in each bin.
    stars : list of BrightStar
        The brightest star of each cell, of those whose pixel is in the block.
    """

    first_row: int
    flux: NDArray[np.float32]
    error: NDArray[np.float32]
    rms: NDArray[np.float32]
    n_good: NDArray[np.int32]
    differences: NDArray[np.float32]
    stars: list[BrightStar]

    def to_bytes(self) -> bytes:
        """All but the differences, as a file of NumPy."""
        data, stars = io.BytesIO(), self.stars
        arrays: dict[str, Any] = {name: getattr(self, name) for name in IMAGES}
        arrays["first_row"] = np.array(self.first_row)
        arrays["places"] = np.array([(star.row, star.column) for star in stars], np.int64).reshape(-1, 2)
        arrays["peaks"] = np.array([star.peak for star in stars], np.float64)
        arrays["curves"] = np.array([star.curve for star in stars], np.float32)
        np.savez(data, **arrays)
        return data.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, differences: NDArray[np.float32] | None = None) -> BlockMeasures:
        """Read what `to_bytes` wrote; without differences, the block has none."""
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        places, peaks, curves = (arrays.pop(name) for name in ("places", "peaks", "curves"))
        stars = [
            BrightStar(int(row), int(column), float(peak), curve)
            for (row, column), peak, curve in zip(places, peaks, curves, strict=True)
        ]
        if differences is None:
            differences = np.empty((0, *arrays["flux"].shape), np.float32)
        return cls(int(arrays.pop("first_row")), **arrays, differences=differences, stars=stars)


def _read_rows(cube: Cube, rows: range, read: ReadBuffer) -> Iterator[tuple[range, NDArray[np.float32]]]:
    """Some rows at a time, of shape (n_rows * n_columns, n_cadences, n_planes). The next ones are read ahead."""
    layout = cube.layout
    step = max(1, _READ_BYTES // layout.row_bytes)
    some = [range(at, min(at + step, rows.stop)) for at in range(rows.start, rows.stop, step)]

    def read_some(few: range) -> Any:
        return read(cube.data_offset + few.start * layout.row_bytes, len(few) * layout.row_bytes)

    with ThreadPoolExecutor(1, "tessera-measures") as pool:
        coming = pool.submit(read_some, some[0])
        for number, few in enumerate(some, 1):
            data = coming.result()
            if number < len(some):
                coming = pool.submit(read_some, some[number])
            yield few, read_floats(layout, data).reshape(-1, layout.n_cadences, layout.n_planes)


def _measured_rows(
    cube: Cube, rows: range, read: ReadBuffer, bins: TimeBins
) -> Iterator[tuple[int, Row, PixelMeasures]]:
    """Number, flux and measures of each row."""
    width = cube.layout.n_columns
    for few, values in _read_rows(cube, rows, read):
        flux = np.ascontiguousarray(values[:, :, 0], np.float32)
        error = values[:, :, 1] if cube.product.has_errors and values.shape[2] > 1 else None
        pixels = measure_pixels(flux, error, bins)
        for number in few:
            place = slice((number - few.start) * width, (number - few.start + 1) * width)
            row = pixels.take(place)
            yield number, Row(flux[place], row.flux, row.rms), row


def measure_block(cube: Cube, rows: range, read: ReadBuffer, bins: TimeBins) -> BlockMeasures:
    """Measure a block. The rows just before and after it are read, too, for the stars at its ends.

    Parameters
    ----------
    cube : Cube
        The cube.
    rows : range
        Rows of the block.
    read : callable
        Function that reads the cube.
    bins : TimeBins
        Good cadences and bins of time.
    """
    wanted = range(max(0, rows.start - 1), min(cube.layout.n_rows, rows.stop + 1))
    most, measured = brightest_allowed(cube), list[PixelMeasures]()
    last, stars = list[Row](), list[BrightStar]()
    for number, row, pixels in _measured_rows(cube, wanted, read, bins):
        if number in rows:
            measured.append(pixels)
        last = [*last[-2:], row]
        if len(last) == 3 and number - 1 in rows:
            stars = brightest_of_cells([*stars, *find_stars(number - 1, last[0], last[1], last[2], most)])
    images = {name: np.stack([getattr(row, name) for row in measured]) for name in IMAGES}
    differences = np.stack([row.differences for row in measured], axis=1)
    return BlockMeasures(rows.start, **images, differences=differences, stars=stars)
