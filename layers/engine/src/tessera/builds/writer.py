"""Write a cube to disk in blocks, with several threads. A killed run can be continued.

While the cube is made, three files are beside the output: ``.NAME.partial`` (the unfinished cube), ``.NAME.journal``
(its inputs, and a line per finished block) and ``.NAME.lock`` (see `tessera.io.outputs.lock_output`). A killed run
leaves these files. The next run with the same inputs checks the finished blocks and makes the others. A run that fails
removes these files. The cube appears at its path only when it is complete.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tessera.builds.layers import Layer, Words
from tessera.cubes.hdus import build_image_header
from tessera.cubes.layout import CubeLayout
from tessera.fits.checksum import ones_complement_add, ones_complement_sum
from tessera.io.files import begin_flush, naming, publish, write_all
from tessera.io.partials import beside

READ_BYTES = 32 << 10
"""Bytes of a local frame that are read at a time. With 64 frames, a run of pixels fits in the processor's cache. An
update reads half of it, because the pixels of the old cube need the cache, too."""
REMOTE_READ_BYTES = 1 << 20
"""Bytes of a remote frame that are read at a time, as one request."""
BLOCK_BYTES = 512_000_000
"""Largest size of a block in bytes. After an interruption, at most one block is made again."""
CHUNK_MEMORY = 2_000_000_000
"""Largest sum of all buffers in bytes. More memory does not make a build faster."""

_RUNS_BEHIND = 16
"""Runs of pixels that are written before the memory of an older one is given up."""


@dataclass(frozen=True)
class BlockPlan:
    """Division of a cube for a build on one machine.

    Parameters
    ----------
    rows_per_block : int
        Number of rows of a block. The journal gets a line after each block.
    n_blocks : int
        Number of blocks of the cube.
    chunk_pixels : int
        Number of pixels that one thread transposes at a time.
    """

    rows_per_block: int
    n_blocks: int
    chunk_pixels: int


def plan_local_blocks(layout: CubeLayout, max_memory: float, n_threads: int, read_bytes: int = READ_BYTES) -> BlockPlan:
    """Divide a cube for building on one machine.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    max_memory : float
        Memory for pixels, in GB (1e9 bytes).
    n_threads : int
        Number of threads. Each thread keeps a run of pixels twice: as read, and as written.
    read_bytes : int, optional
        Bytes of a frame to read at a time, if the memory allows it.
    """
    budget = max(max_memory * 1e9, 1e4)
    rows = max(1, min(layout.n_rows, int(min(budget, BLOCK_BYTES) // layout.row_bytes)))
    per_pixel = 2 * layout.pixel_bytes * n_threads
    pixels = min(read_bytes // 4, int(min(budget, CHUNK_MEMORY) // per_pixel))
    return BlockPlan(rows, -(-layout.n_rows // rows), max(1, pixels))


@dataclass
class CubeWriter:
    """Writes one cube to a file. The caller has locked the path with `tessera.io.outputs.lock_output`.

    Parameters
    ----------
    path : Path
        Path of the cube.
    layout : CubeLayout
        Shape of the cube.
    layers : sequence of Layer
        Sources of the pixels. Together they contain every cadence exactly once.
    primary, info : bytes
        First and last HDU of the file.
    identity : str
        Hash of the inputs, their versions and the options. Only a run with the same identity continues a killed run.
    plan : BlockPlan
        Division of the work.
    n_threads : int
        Number of threads.
    on_block : callable
        Function that is called with (index, number of blocks) after each finished block.
    keep : bool, optional
        Whether the system may keep the cube in its memory. An update reads a cube and writes another of the same size:
        without the second one in memory, it takes two thirds of the time where memory must be got from a host first.
    """

    path: Path
    layout: CubeLayout
    layers: Sequence[Layer]
    primary: bytes
    info: bytes
    identity: str
    plan: BlockPlan
    n_threads: int
    on_block: Callable[[int, int], None]
    keep: bool = True

    def __post_init__(self) -> None:
        self._partial = beside(self.path, "partial")
        self._journal = beside(self.path, "journal")
        self._data_offset = len(self.primary) + len(build_image_header(self.layout, 0))
        self.size = self._data_offset + self.layout.data_bytes + self.layout.padding + len(self.info)
        self._local = threading.local()
        self._writing = threading.Lock()
        self._begun: deque[tuple[int, int]] = deque()
        self._left = False

    def write(self) -> None:
        """Make the cube, or finish the cube of a killed run, and move it to its path.

        Raises
        ------
        OSError
            When a file cannot be read or written, or an input changed while it was read. The unfinished cube is then
            removed, and the path keeps its previous file.
        """
        with _opened(self._partial) as descriptor:
            try:
                with _opened(self._journal) as journal:
                    self._write_cube(descriptor, journal)
                publish(descriptor, self._partial, self.path, self.size)
            except Exception:  # not KeyboardInterrupt: an interrupted run can be continued
                self._discard()
                raise
        self._journal.unlink()

    def _write_cube(self, descriptor: int, journal: int) -> None:
        sums = self._finished_blocks(descriptor, journal)
        self._write_blocks(descriptor, journal, sums)
        for layer in self.layers:
            layer.check_unchanged()
        data_sum = ones_complement_add(*sums.values())
        write_all(descriptor, self.primary + build_image_header(self.layout, data_sum), 0, self.path)
        end = self._data_offset + self.layout.data_bytes
        write_all(descriptor, bytes(self.layout.padding) + self.info, end, self.path)

    def _discard(self) -> None:
        for path in (self._partial, self._journal):
            with suppress(OSError):  # the error that ended the run matters more
                path.unlink(missing_ok=True)

    def _identity_line(self) -> bytes:
        known = {"identity": self.identity, "rows_per_block": self.plan.rows_per_block, "bytes": self.size}
        return json.dumps(known).encode() + b"\n"

    def _finished_blocks(self, descriptor: int, journal: int) -> dict[int, int]:
        """Sums of the blocks that a killed run finished and whose bytes are still correct."""
        lines = self._journal.read_bytes().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):  # the run was killed while it wrote this line
            os.ftruncate(journal, os.fstat(journal).st_size - len(lines.pop()))
        if not lines or lines[0] != self._identity_line():
            self._begin_anew(descriptor, journal)
            self._note(journal, self._identity_line())
            return {}
        finished = {}
        for line in lines[1:]:
            with suppress(ValueError, KeyError, TypeError):  # a power cut may damage lines
                record = json.loads(line)
                block, known = int(record["block"]), int(record["sum"])
                if block in range(self.plan.n_blocks) and self._sum_of_block(descriptor, block) == known:
                    finished[block] = known
        return finished

    def _begin_anew(self, descriptor: int, journal: int) -> None:
        with naming(self.path):
            for file in (descriptor, journal):
                if os.fstat(file).st_size:  # a file that was cut to nothing is flushed by Linux when it is closed
                    os.ftruncate(file, 0)

    def _note(self, journal: int, line: bytes) -> None:
        write_all(journal, line, os.fstat(journal).st_size, self._journal)

    def _block_pixels(self, block: int) -> range:
        columns, rows = self.layout.n_columns, self.plan.rows_per_block
        return range(block * rows * columns, min((block + 1) * rows, self.layout.n_rows) * columns)

    def _chunks(self, block: int) -> list[range]:
        pixels = self._block_pixels(block)
        step = self.plan.chunk_pixels
        return [range(first, min(first + step, pixels.stop)) for first in range(pixels.start, pixels.stop, step)]

    def _sum_of_block(self, descriptor: int, block: int) -> int:
        total = 0
        for chunk in self._chunks(block):
            size = len(chunk) * self.layout.pixel_bytes
            data = os.pread(descriptor, size, self._data_offset + chunk.start * self.layout.pixel_bytes)
            if len(data) != size:
                return -1
            total = ones_complement_add(total, ones_complement_sum(data))
        return total

    def _buffer(self, n_pixels: int) -> Words:
        buffer: Words | None = getattr(self._local, "buffer", None)
        if buffer is None or len(buffer) < n_pixels:
            shape = (n_pixels, self.layout.n_cadences, self.layout.n_planes)
            buffer = self._local.buffer = np.empty(shape, np.uint32)
        return buffer[:n_pixels]

    def _write_chunk(self, descriptor: int, chunk: range, flushes: ThreadPoolExecutor) -> int:
        buffer = self._buffer(len(chunk))
        for layer in self.layers:
            layer.fill(buffer, chunk.start)
        view = memoryview(buffer.reshape(-1).view(np.uint8))  # type: ignore[arg-type] # numpy declares it on 3.12 only
        position = self._data_offset + chunk.start * self.layout.pixel_bytes
        with self._writing:  # the system writes one range of a file at a time; a thread that waits here costs nothing
            if self._left:
                return 0  # after a second interrupt: the descriptor may be that of another file by now
            write_all(descriptor, view, position, self.path)
        flushes.submit(self._begin_flush, descriptor, position, view.nbytes)
        return ones_complement_sum(buffer)

    def _begin_flush(self, descriptor: int, position: int, n_bytes: int) -> None:
        begin_flush(descriptor, position, n_bytes)
        if not self.keep:
            self._begun.append((position, n_bytes))
            if len(self._begun) > _RUNS_BEHIND:  # the oldest is on the disk by now
                begin_flush(descriptor, *self._begun.popleft())

    @contextmanager
    def _leaving(self) -> Iterator[None]:
        """Let no thread write after the block, although a second interrupt does not wait for them."""
        try:
            yield
        finally:
            self._left = True
            with self._writing:
                pass

    def _write_blocks(self, descriptor: int, journal: int, sums: dict[int, int]) -> None:
        with self._leaving(), _flushing() as flushes, ThreadPoolExecutor(self.n_threads) as pool:
            for block in range(self.plan.n_blocks):
                if block not in sums:
                    chunks = self._chunks(block)
                    chunk_sums = pool.map(lambda chunk: self._write_chunk(descriptor, chunk, flushes), chunks)
                    sums[block] = ones_complement_add(*chunk_sums)
                    self._note(journal, json.dumps({"block": block, "sum": sums[block]}).encode() + b"\n")
                self.on_block(block, self.plan.n_blocks)


@contextmanager
def _flushing() -> Iterator[ThreadPoolExecutor]:
    """A thread that begins flushes. Those that have not begun at the end are left to the flush of the whole file."""
    pool = ThreadPoolExecutor(1, "tessera-flush")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a file of a run, or of a killed run, and close it at the end of the block."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except PermissionError as error:
        if not path.exists():
            raise
        reason = "Another user's run left this file; remove it, or write to another path"
        raise PermissionError(errno.EACCES, reason, str(path)) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)
