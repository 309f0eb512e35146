"""An open cube from which any pixels are read, by several threads and after it was sent to another process."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.arrays.selection import (
    GAP_LOCAL,
    GAP_REMOTE,
    Ints,
    PixelRead,
    pixel_ranges,
    plan_pixels,
    read_cost,
    take_plane,
)
from tessera.cubes.reader import Cube
from tessera.cutouts.open_cube import CubeFile, open_cube_file
from tessera.errors import InvalidQueryError, UnreadableFileError
from tessera.io.locations import OpensItself, scheme_of
from tessera.io.sources import Location, ReplacedError

Floats: TypeAlias = NDArray[np.floating[Any]]
Pieces: TypeAlias = "list[tuple[PixelRead, Any]]"

KEPT_BYTES = 64_000_000
"""Bytes that are kept for the other plane. A single selection may have more; see `LARGEST_KEPT`."""
LARGEST_KEPT = 256_000_000
"""Bytes of a selection above which nothing is kept, so that the other plane is read separately."""


class CubePixels:
    """Reads the pixels of a cube by selection.

    The planes of a cube alternate in its file, so the bytes of the flux contain the errors. They are kept until the
    errors of the same selection have been taken, too; then `dataset.load()` reads each byte once.

    Parameters
    ----------
    location : str or Path
        Local path or URL of the cube.
    filesystem : fsspec file system, optional
        File system of the cube.
    check : bool, optional
        Whether damaged headers and info tables are refused; see `tessera.cubes.reader.read_cube`.
    max_read : float, optional
        Largest number of bytes of one selection.

    Raises
    ------
    OSError
        When the file cannot be read.
    CubeFormatError
        When the file is not a cube, or is damaged.
    """

    def __init__(
        self, location: Location, filesystem: Any = None, *, check: bool = True, max_read: float = np.inf
    ) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Any, Pieces] = OrderedDict()
        self._closed = False
        named = isinstance(location, (str, os.PathLike)) and not isinstance(location, OpensItself)
        if filesystem is None and named and not scheme_of(os.fspath(location)):
            location = Path(location).absolute() if str(location).strip() else location
        self.location, self.filesystem = location, filesystem
        self.max_read = max_read
        self._file: CubeFile | None = self._open(None, check=check)
        self.cube: Cube = self._file.cube
        self.version = self._file.source.version
        """ETag, or size and time of modification."""

    def _open(self, cube: Cube | None, *, check: bool = True) -> CubeFile:
        return open_cube_file(self.location, cube, check=check, filesystem=self.filesystem)

    @property
    def file(self) -> CubeFile:
        """The open file. In another process it is opened at the first use, and must be the same version."""
        with self._lock:
            if self._closed:
                raise UnreadableFileError(self.cube.name, "it was closed; open it again with tessera.open_cube")
            if self._file is None:
                file = self._open(self.cube)
                if file.source.version != self.version:
                    file.close()
                    raise ReplacedError(self.cube.name, "replaced")
                self._file = file
            return self._file

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: the location, the version, and all that was read but pixels."""
        kept = {name: getattr(self, name) for name in ("location", "filesystem", "max_read", "version", "_closed")}
        return kept | {"cube": self.cube.to_sidecar()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"cube": Cube.from_sidecar(state["cube"])})
        self._lock, self._kept, self._file = threading.Lock(), OrderedDict(), None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return the same object: it is never changed, and copies of a dataset share the open file."""
        return self

    def close(self) -> None:
        """Close the file. Pixels that were not read before cannot be read any more."""
        with self._lock:
            self._closed = True
            self._kept.clear()
            if self._file is not None:
                self._file.close()
                self._file = None

    def read(self, plane: int, pixels: Ints, cadences: tuple[int, int]) -> Floats:
        """Read one plane of some pixels.

        Parameters
        ----------
        plane : int
            0 for flux, 1 for error.
        pixels : ndarray of int, shape (n,)
            Numbers of the pixels (see `tessera.arrays.selection`), increasing.
        cadences : (int, int)
            First cadence, and the one after the last.

        Returns
        -------
        ndarray of float, shape (n, n_cadences)
            Values in the byte order of this machine.

        Raises
        ------
        InvalidQueryError
            When more than `max_read` bytes would have to be read.
        ReplacedError
            When the cube is not the version that was opened.
        """
        file, layout = self.file, self.cube.layout
        gap = GAP_REMOTE if file.source.remote else GAP_LOCAL
        ranges = pixel_ranges(layout, pixels, cadences, gap)
        if (cost := read_cost(ranges)) > self.max_read:
            limit = f"max_read allows {self.max_read / 1e9:g} GB at once, so select fewer rows and columns first"
            raise InvalidQueryError(f"the selection needs {cost / 1e9:,.1f} GB of {self.cube.name}; {limit}")
        reads = plan_pixels(layout, self.cube.data_offset, pixels, ranges)
        out = np.empty((len(pixels), max(0, cadences[1] - cadences[0])), f"f{layout.word}")
        key = (reads, 1 - plane)
        with self._lock:
            pieces = self._kept.pop((reads, plane), None)
        keep: Pieces | None = [] if pieces is None and layout.n_planes > 1 and cost <= LARGEST_KEPT else None
        found = self._pieces(file, reads) if pieces is None else pieces
        for read, data in found:
            take_plane(layout, read, data, pixels, plane=plane, out=out)
            if keep is not None:
                keep.append((read, data))
        if keep:
            self._keep(key, keep)
        return out

    def read_bytes(self, start: int, length: int) -> bytes:
        """Read a range of bytes of the file, with the errors of `read`."""
        file = self.file
        with _unchanged(file):
            return file.source.read(start, length)

    def _pieces(self, file: CubeFile, reads: tuple[PixelRead, ...]) -> Iterator[tuple[PixelRead, Any]]:
        if reads:
            with _unchanged(file):
                yield from file.read_rows(reads)

    def _keep(self, key: Any, pieces: Pieces) -> None:
        with self._lock:
            self._kept[key] = pieces
            while len(self._kept) > 1 and sum(map(_size, self._kept.values())) > KEPT_BYTES:
                self._kept.popitem(last=False)


@contextmanager
def _unchanged(file: CubeFile) -> Iterator[None]:
    """Check after the block that the file did not change. A file that became shorter gives this error, too."""
    try:
        yield
    except OSError:
        file.source.check_unchanged()
        raise
    file.source.check_unchanged()


def _size(pieces: Pieces) -> int:
    return sum(read.data.length for read, _ in pieces)
