"""Open a local or remote cube and read windows of pixels from it.

What is found out about a cube is kept in the process, so that the next call only reads pixels. Without it, a remote
cube takes three requests one after the other: its first bytes, from which follow its shape and its size; its info
table, whose WCS says where the pixels are; and the pixels. The end of the file, with the table of most cubes, is asked
for beside the first bytes, which leaves two. The whole table is read, because its rows have all columns and its
checksum is that of all rows. A caller that knows its targets need not wait for it: the pixels are asked for as soon as
the middle row has arrived, which says where they are.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from tessera.cube_sources import open_cube_source
from tessera.cubes.glimpse import glimpse
from tessera.cubes.info_rows import InfoRows
from tessera.cubes.read_ahead import AnyRequest, read_rows, work_ahead
from tessera.cubes.read_plan import RowRead, plan_reads
from tessera.cubes.reader import Cube, read_cube_and_info, read_info_rows
from tessera.cubes.window_pixels import Cutout, PixelPlacer, Planes, empty_cutout, in_pieces
from tessera.cutouts.known.cubes import FirstAnswers, KnownCube, find_known, keep_known
from tessera.cutouts.known.folder import cache_folder
from tessera.errors import TesseraError
from tessera.framesets.source import FrameSetSource
from tessera.io.filesystems import in_filesystem
from tessera.io.ranges import REQUESTS_IN_FLIGHT
from tessera.io.sources import Location, ReplacedError, Source
from tessera.windows import Window

Foresee: TypeAlias = "Callable[[Cube], Iterable[Window]]"
"""Function that says, after a first look at a cube (`tessera.cubes.glimpse`), which windows will be read first."""
END_BYTES = 1_950_000
"""Bytes at the end of a remote cube that are asked for with the first ones: info table and record of 1,350 cadences."""
PART_BYTES = 1 << 20
"""Longer parts of a remote cube's headers and tables are read by several requests."""

_PIECE_BYTES = 750_000
"""Pixels of a row are placed when so many bytes have arrived: fewer are slower, more take memory."""
_CHUNK_BYTES = 128 << 10
"""Size in bytes of what is taken from a connection at once."""


class CubeFile:
    """An open cube.

    Parameters
    ----------
    source : Source
        File of the cube.
    cube : Cube, optional
        Headers, times and layout of the cube, from a sidecar. Without it, they are those that an earlier call read, or
        they are read from the file.
    row_reads : int, optional
        Number of simultaneous range requests to a remote cube.
    check : bool, optional
        Whether to check the file's size and the checksums of headers and info table; see `tessera.cubes.reader`.
    foresee : callable, optional
        See `Foresee`. With it, the pixels of a remote cube are asked for while its info table is read.
    """

    def __init__(
        self,
        source: Source,
        cube: Cube | None = None,
        row_reads: int = REQUESTS_IN_FLIGHT,
        *,
        check: bool = True,
        foresee: Foresee | None = None,
    ) -> None:
        self.source = source
        self._check, self._foresee = check, foresee
        self._looking, self._found = threading.Lock(), False
        self._pool = _row_pool(row_reads) if source.remote else None
        self._known = KnownCube(cube) if cube is not None else self._find()
        self.cube = self._known.cube

    def _find(self) -> KnownCube:
        """What is known of the cube, or what the file says."""
        source, check = self.source, self._check
        if isinstance(source, FrameSetSource):  # its headers were read when it was made
            return KnownCube(source.facts.cube, source.facts.info).copy()
        key = source.key  # before it is read: a change meanwhile gives another key
        known = find_known(key, check=check)
        if known is not None:
            return known
        if self._pool is not None and self._foresee is not None:
            self._look_ahead(self._pool, self._foresee)
        known = KnownCube(*read_cube_and_info(source.name, source.size, self._read_bytes, check=check))
        with self._looking:
            self._found = True
        if not source.remote:
            source.check_unchanged()  # reads of remote files are of one version
        return keep_known(key, known, check=check)

    def _look_ahead(self, pool: Executor, foresee: Foresee) -> None:
        """Let a thread find out which pixels will be read, and ask for them."""
        source = self.source

        def look() -> None:
            cube = glimpse(source.name, source.size, source.read, pool)
            shape = cube.layout.n_rows, cube.layout.n_columns
            overlaps = (window.overlap(*shape) for window in foresee(cube))
            reads = (read for overlap in overlaps for read in plan_reads(cube.layout, cube.data_offset, overlap))
            ranges = [read.data for read in islice(reads, REQUESTS_IN_FLIGHT)]
            with self._looking:
                if not self._found:
                    source.expect(ranges, pool)

        # Not in `pool`, whose threads must not wait for each other. What fails here is found out when the cube is read.
        looking = ThreadPoolExecutor(1, "tessera-ahead")
        looking.submit(look)
        looking.shutdown(wait=False)

    def _read_bytes(self, start: int, length: int) -> bytes:
        """Read bytes; many of them by several requests at the same time."""
        if self._pool is None or length <= PART_BYTES:
            return self.source.read(start, length)
        whole = bytearray(length)
        view = memoryview(whole)

        def receive(first: int) -> None:
            for piece in self.source.read_pieces(start + first, min(PART_BYTES, length - first), _CHUNK_BYTES):
                view[first : first + len(piece)] = piece
                first += len(piece)

        for _ in self._pool.map(receive, range(0, length, PART_BYTES)):
            pass
        return cast("bytes", whole)  # nobody changes it, and a copy would take as much memory

    @cached_property
    def info(self) -> InfoRows:
        """The whole info table. It is read at the first access, if it is not known."""
        if self._known.info is not None:
            return self._known.info
        return read_info_rows(self.cube, self.source.size, self._read_bytes, check=self._check)

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
        cutout = empty_cutout(self.cube.layout, window, fill_value)
        self.read_into(window, lambda: cutout.planes)
        return cutout

    def read_into(
        self,
        window: Window,
        planes: Callable[[], Planes],
        cadences: NDArray[np.intp] | None = None,
        on_sent: Callable[[], object] | None = None,
    ) -> None:
        """Read the pixels of a window into arrays, as they arrive; see `read_window`.

        Parameters
        ----------
        window : Window
            Rows and columns to read. Pixels beyond the frame are left as they are.
        planes : callable
            Function without arguments that returns the arrays; see `PixelPlacer`. Threads call it when the first
            pixels have arrived, so the arrays may be made while these are under way.
        cadences : ndarray of int, optional
            Cadences to keep, in order; by default all.
        on_sent : callable, optional
            Function that is called when the last request is sent.
        """
        layout = self.cube.layout
        overlap = window.overlap(layout.n_rows, layout.n_columns)
        if isinstance(self.source, FrameSetSource):
            self.source.read_window(window, planes, cadences)
            return
        n_bytes = max(1, _PIECE_BYTES // layout.pixel_bytes) * layout.pixel_bytes

        def read_row(read: RowRead) -> None:
            unsent.pop()
            if on_sent is not None and not unsent:
                on_sent()
            first = read.first_row * overlap.shape[1]
            chunks = self.source.read_pieces(read.data.start, read.data.length, _CHUNK_BYTES)
            for data in in_pieces(chunks, n_bytes, read.data.length):
                PixelPlacer(layout, overlap, planes(), cadences).place(first, data)
                first += len(data) // layout.pixel_bytes

        reads = plan_reads(layout, self.cube.data_offset, overlap)
        unsent = [*reads]
        for _ in map(read_row, reads) if self._pool is None else work_ahead(self._pool, read_row, reads):
            pass

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


os.register_at_fork(after_in_child=_row_pool.cache_clear)  # threads stay in the parent


def open_cube_file(
    location: Location,
    cube: Cube | None = None,
    row_reads: int = REQUESTS_IN_FLIGHT,
    *,
    check: bool = True,
    filesystem: Any = None,
    tried_again: bool = False,
    cache_dir: Location | None = None,
    foresee: Foresee | None = None,
) -> CubeFile:
    """Open a cube, which the caller closes; see `open_cube`. With `tried_again`, the caller confirms its source."""
    end = 0 if cube is not None else END_BYTES
    answers = FirstAnswers(cache_folder(cache_dir))

    def open_file() -> CubeFile:
        source = open_cube_source(in_filesystem(filesystem, location), answers=answers, n_end_bytes=end)
        try:
            file = CubeFile(source, cube, row_reads, check=check, foresee=foresee)
            if not tried_again:
                source.confirm()
        except BaseException:
            source.close()
            raise
        return file

    try:
        return open_file()
    except ReplacedError:  # since the call that knew it
        return open_file()


@contextmanager
def open_cube(
    location: Location,
    cube: Cube | None = None,
    row_reads: int = REQUESTS_IN_FLIGHT,
    *,
    check: bool = True,
    filesystem: Any = None,
    tried_again: bool = False,
    cache_dir: Location | None = None,
    foresee: Foresee | None = None,
) -> Iterator[CubeFile]:
    """Open a cube and close it at the end of the block.

    Parameters
    ----------
    location : str or Path
        Local path, ``s3://`` or ``https://`` URL of the cube.
    cube, row_reads, check, foresee
        See `CubeFile`.
    filesystem : fsspec file system, optional
        File system of the cube, such as an `s3fs.S3FileSystem`; see docs/guide/locations.md.
    tried_again : bool, optional
        Whether the caller opens the cube once more after a `ReplacedError`. That a known cube was not replaced since
        the last call is then confirmed by the reads of the block, or at its end. Otherwise it is confirmed first.
    cache_dir : str or Path, optional
        See `tessera.CutoutOptions`.

    Raises
    ------
    OSError
        When the file cannot be read, or the folder cannot be written.
    CubeFormatError
        When the file is not a cube, or is damaged.
    """
    options: Any = {"check": check, "filesystem": filesystem, "tried_again": tried_again, "cache_dir": cache_dir}
    file = open_cube_file(location, cube, row_reads, foresee=foresee, **options)
    try:
        FirstAnswers(cache_folder(cache_dir)).save(file.source.key if cube is None else None)
        yield file
        file.source.confirm()
    except TesseraError as error:
        if not isinstance(error, OSError):  # such as a target that is not on the cube as it was
            file.source.confirm()
        raise
    finally:
        file.close()
