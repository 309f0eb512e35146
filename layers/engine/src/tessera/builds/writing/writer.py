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
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tessera.builds.layers import Layer
from tessera.builds.writing.blocks import BlockPlan
from tessera.builds.writing.pieces import LARGE, PieceWriter
from tessera.cubes.hashes.making import format_record
from tessera.cubes.hdus import build_image_header
from tessera.cubes.layout import CubeLayout
from tessera.fits.checksum import ones_complement_add, ones_complement_sum
from tessera.io.files import naming, publish, write_all
from tessera.io.partials import beside
from tessera.provenance.record import Record

_UNFINISHED = 2
"""Blocks that are made at the same time: threads begin the next one while the last runs of a block are made."""


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
        Number of threads. There is one more when one waits for the disk.
    on_block : callable
        Function that is called with (index, number of blocks) after each finished block.
    record : Record, optional
        Record of the cube that was begun, which is behind its info table; see `tessera.cubes.hashes.making`.
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
    record: Record | None = None

    def __post_init__(self) -> None:
        self._partial = beside(self.path, "partial")
        self._journal = beside(self.path, "journal")
        head = self.primary + build_image_header(self.layout, 0)
        self._data_offset = len(head)
        self.size = self._data_offset + self.layout.data_bytes + self.layout.padding + len(self._tables(head))

    def _tables(self, head: bytes) -> bytes:
        """The info table, and the record."""
        return self.info + format_record(self.record, head, self.info)

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
        direct = len(self.layers) * self.size > LARGE  # an old cube is read by way of the same memory
        with PieceWriter(descriptor, self._partial, self.path, direct=direct) as pieces:
            self._write_blocks(pieces, journal, sums)
        for layer in self.layers:
            layer.check_unchanged()
        data_sum = ones_complement_add(*sums.values())
        head = self.primary + build_image_header(self.layout, data_sum)
        write_all(descriptor, head, 0, self.path)
        end = self._data_offset + self.layout.data_bytes
        write_all(descriptor, bytes(self.layout.padding) + self._tables(head), end, self.path)

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

    def _sum_of_block(self, descriptor: int, block: int) -> int:
        total = 0
        for chunk in self.plan.chunks(self.layout, block):
            size = len(chunk) * self.layout.pixel_bytes
            data = os.pread(descriptor, size, self._data_offset + chunk.start * self.layout.pixel_bytes)
            if len(data) != size:
                return -1
            total = ones_complement_add(total, ones_complement_sum(data))
        return total

    def _write_chunk(self, pieces: PieceWriter, chunk: range) -> int:
        position = self._data_offset + chunk.start * self.layout.pixel_bytes
        piece = pieces.memory(len(chunk) * self.layout.pixel_bytes, position)
        words = piece.view(np.uint32).reshape(len(chunk), self.layout.n_cadences, self.layout.n_planes)
        for layer in self.layers:
            layer.fill(words, chunk.start)
        pieces.write(piece, position)
        return ones_complement_sum(words)

    def _write_blocks(self, pieces: PieceWriter, journal: int, sums: dict[int, int]) -> None:
        begun: deque[tuple[int, list[Future[int]]]] = deque()

        def finish_one() -> None:
            block, chunks = begun.popleft()
            if block not in sums:
                sums[block] = ones_complement_add(*(chunk.result() for chunk in chunks))
                self._note(journal, json.dumps({"block": block, "sum": sums[block]}).encode() + b"\n")
            self.on_block(block, self.plan.n_blocks)

        with ThreadPoolExecutor(self.n_threads + pieces.direct) as pool:
            try:
                for block in range(self.plan.n_blocks):
                    chunks = [] if block in sums else self.plan.chunks(self.layout, block)
                    begun.append((block, [pool.submit(self._write_chunk, pieces, chunk) for chunk in chunks]))
                    if len(begun) == _UNFINISHED:
                        finish_one()
                while begun:
                    finish_one()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


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
