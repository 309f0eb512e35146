"""Open a local or remote cube and read windows of pixels from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from tessera.cubes.info_rows import InfoRows
from tessera.cubes.read_ahead import AnyRequest, read_rows
from tessera.cubes.read_plan import plan_reads
from tessera.cubes.reader import Cube, read_cube, read_info_rows
from tessera.cubes.window_pixels import Cutout, assemble_cutout
from tessera.io.filesystems import in_filesystem
from tessera.io.ranges import REQUESTS_IN_FLIGHT
from tessera.io.sources import Location, Source, open_source
from tessera.windows import Window


class CubeFile:
    """An open cube.

    Parameters
    ----------
    source : Source
        File of the cube.
    cube : Cube, optional
        Headers, times and layout of the cube, from a sidecar. Without it, they are read from the file.
    row_reads : int, optional
        Number of simultaneous range requests to a remote cube.
    check : bool, optional
        Whether to check the file's size and the checksums of headers and info table; see `tessera.cubes.reader`.
    """

    def __init__(
        self, source: Source, cube: Cube | None = None, row_reads: int = REQUESTS_IN_FLIGHT, *, check: bool = True
    ) -> None:
        self.source = source
        self._check = check
        self.cube = cube or read_cube(source.name, source.size, source.read, check=check)
        self._pool = _row_pool(row_reads) if source.remote else None

    @cached_property
    def info(self) -> InfoRows:
        """The whole info table. It is read at the first access."""
        return read_info_rows(self.cube, self.source.size, self.source.read, check=self._check)

    def close(self) -> None:
        """Close the file."""
        self.source.close()

    def read_window(self, window: Window, fill_value: float = np.nan) -> Cutout:
        """Read the pixels of a window: one contiguous range per row, all ranges at the same time.

        Parameters
        ----------
        window : Window
            Rows and columns to read; it may reach beyond the frame.
        fill_value : float, optional
            Value of pixels beyond the frame.

        Raises
        ------
        NoOverlapError
            When the window does not touch the frame. Nothing is read then.
        OSError
            When the file cannot be read.
        """
        layout = self.cube.layout
        overlap = window.overlap(layout.n_rows, layout.n_columns)
        reads = plan_reads(layout, self.cube.data_offset, overlap)
        return assemble_cutout(layout, window, self.read_rows(reads), fill_value)

    def read_rows(self, reads: Sequence[AnyRequest]) -> Iterator[tuple[AnyRequest, Any]]:
        """Read ranges of the file and yield their bytes in order. Ranges of a remote file are read simultaneously."""
        read = self.source.read_buffer
        if self._pool is None:
            return ((item, read(item.data.start, item.data.length)) for item in reads)
        return read_rows(self._pool, read, reads)


@lru_cache
def _row_pool(row_reads: int) -> ThreadPoolExecutor:
    """Threads that read rows. All cubes share them, so a batch does not create more threads."""
    return ThreadPoolExecutor(row_reads, "tessera-rows")


@contextmanager
def open_cube(
    location: Location,
    cube: Cube | None = None,
    row_reads: int = REQUESTS_IN_FLIGHT,
    *,
    check: bool = True,
    filesystem: Any = None,
) -> Iterator[CubeFile]:
    """Open a cube and close it at the end of the block.

    Parameters
    ----------
    location : str or Path
        Local path, ``s3://`` or ``https://`` URL of the cube.
    cube, row_reads, check
        See `CubeFile`.
    filesystem : fsspec file system, optional
        File system of the cube, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.

    Raises
    ------
    OSError
        When the file cannot be read.
    CubeFormatError
        When the file is not a cube, or is damaged.
    """
    source = open_source(in_filesystem(filesystem, location))
    try:
        file = CubeFile(source, cube, row_reads, check=check)
    except BaseException:
        source.close()
        raise
    try:
        yield file
    finally:
        file.close()
