"""Arrays that xarray reads when their values are needed: the planes of a cube, and the positions of its pixels."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xarray import Variable
from xarray.backends import BackendArray
from xarray.core import indexing

from tessera.arrays.pixels import CubePixels
from tessera.cubes.reader import Cube
from tessera.sky.wcs import frame_wcs

Ints: TypeAlias = NDArray[np.int64]


class PlaneArray(BackendArray):
    """One plane of a cube, with axes (time, row, column).

    Any selection of rows and columns becomes the fewest range requests: one per row of a window. So does a list of
    single pixels (``isel(row=rows, column=columns)`` with two arrays of one dimension).

    Parameters
    ----------
    pixels : CubePixels
        The open cube.
    plane : int
        0 for flux, 1 for error.
    """

    __slots__ = ("dtype", "pixels", "plane", "shape")

    def __init__(self, pixels: CubePixels, plane: int) -> None:
        layout = pixels.cube.layout
        self.pixels, self.plane = pixels, plane
        self.shape = (layout.n_cadences, layout.n_rows, layout.n_columns)
        self.dtype = np.dtype(f"f{layout.word}")

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Read a selection."""
        if not isinstance(key, indexing.VectorizedIndexer):
            return self._box(key.tuple)
        if any(isinstance(item, slice) for item in key.tuple):
            return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._box)
        return self._points(*key.tuple)

    def _box(self, key: tuple[Any, ...]) -> NDArray[Any]:
        """Cadences x rows x columns."""
        time, row, column = (np.arange(size)[item] for size, item in zip(self.shape, key, strict=True))
        pixels = np.add.outer(np.atleast_1d(row) * self.shape[2], np.atleast_1d(column))
        values = self._values(pixels, time).transpose(2, 0, 1)
        return np.asarray(values[tuple(0 if np.ndim(axis) == 0 else slice(None) for axis in (time, row, column))])

    def _points(self, time: Any, row: Any, column: Any) -> NDArray[Any]:
        """Arrays of the same shape, or of shapes that broadcast."""
        time, row, column = (np.arange(size)[axis] for size, axis in zip(self.shape, (time, row, column), strict=True))
        pixels, place = np.unique(row * self.shape[2] + column, return_inverse=True)
        cadences, moment = np.unique(time, return_inverse=True)
        values = self._values(pixels, cadences)
        return np.asarray(
            values[place.reshape(np.broadcast_shapes(row.shape, column.shape)), moment.reshape(time.shape)]
        )

    def _values(self, pixels: Ints, time: Ints) -> NDArray[Any]:
        """Values of shape (*pixels, time); neither has to be in order."""
        wanted, place = pixels.ravel(), None
        if (np.diff(wanted) <= 0).any():
            wanted, place = np.unique(wanted, return_inverse=True)
        time = np.atleast_1d(time)
        first, stop = (int(time.min()), int(time.max()) + 1) if time.size else (0, 0)
        values = self.pixels.read(self.plane, wanted, (first, stop))
        if place is not None:
            values = values[place.ravel()]
        if not np.array_equal(time, np.arange(first, stop)):
            values = values[:, time - first]
        return values.reshape(*pixels.shape, time.size)

    def __dask_tokenize__(self) -> tuple[str, ...]:
        """Name of the content for dask, which otherwise would read all of it."""
        return "tessera", str(self.pixels.location), self.pixels.version, str(self.plane)


class WorldArray(BackendArray):
    """Right ascension or declination of pixel centres, with axes (row, column). They are computed when they are used.

    Parameters
    ----------
    cards : dict
        WCS cards of the frames.
    rows, columns : ndarray of int
        Rows and columns of the pixels, counted from 0 on the frame; they may be beyond it.
    axis : int
        0 for right ascension, 1 for declination.
    """

    __slots__ = ("axis", "cards", "columns", "dtype", "rows", "shape")

    def __init__(self, cards: dict[str, Any], rows: Ints, columns: Ints, axis: int) -> None:
        self.cards, self.rows, self.columns, self.axis = cards, rows, columns, axis
        self.shape, self.dtype = (len(rows), len(columns)), np.dtype(np.float64)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Compute a selection."""
        if not isinstance(key, indexing.VectorizedIndexer):
            return self._box(key.tuple)
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._box)

    def _box(self, key: tuple[Any, ...]) -> NDArray[Any]:
        rows, columns = self.rows[key[0]], self.columns[key[1]]
        shape = rows.shape + columns.shape
        grid = np.meshgrid(np.atleast_1d(columns), np.atleast_1d(rows))
        wcs = frame_wcs(self.cards)  # each call has its own, because threads must not share one
        sky = wcs.all_pix2world(*(axis.ravel().astype(np.float64) for axis in grid), 0)[self.axis]
        return np.asarray(sky, np.float64).reshape(shape)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        """Name of the content for dask."""
        return "tessera", sorted(self.cards.items(), key=str), self.rows.tobytes(), self.columns.tobytes(), self.axis


def lazy(array: BackendArray) -> Any:
    """Wrap an array as `xarray.open_dataset` does: values are read when they are used, and kept with their variable."""
    indexed: Any = indexing.LazilyIndexedArray(array)
    return indexing.MemoryCachedArray(indexing.CopyOnWriteArray(indexed))  # type: ignore[no-untyped-call]


def world_coordinates(cube: Cube, rows: Ints, columns: Ints) -> dict[str, Variable]:
    """Coordinates ``ra`` and ``dec`` of the centres of pixels, ICRS degrees, which are computed when they are used.

    Raises
    ------
    NoWcsError
        When the WCS of the cube cannot be used.
    """
    frame_wcs(cube.wcs_cards)
    names = {"ra": "right ascension (ICRS)", "dec": "declination (ICRS)"}
    return {
        name: Variable(
            ("row", "column"),
            lazy(WorldArray(cube.wcs_cards, rows, columns, axis)),
            {"long_name": text, "units": "deg"},
        )
        for axis, (name, text) in enumerate(names.items())
    }
