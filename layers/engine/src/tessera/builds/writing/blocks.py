"""Divide a cube for building on one machine."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from tessera.cubes.layout import CubeLayout

READ_BYTES = 32 << 10
"""Bytes of a local frame that are read at a time. With 64 frames, a run of pixels fits in the processor's cache. An
update reads half of it, because the pixels of the old cube need the cache, too."""
REMOTE_READ_BYTES = 1 << 20
"""Bytes of a remote frame that are read at a time, as one request."""
BLOCK_BYTES = 512_000_000
"""Largest size of a block in bytes. After an interruption, at most two blocks are made again."""
CHUNK_MEMORY = 2_000_000_000
"""Largest sum of all buffers in bytes. More memory does not make a build faster."""


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
        Largest number of pixels that one thread transposes at a time.
    """

    rows_per_block: int
    n_blocks: int
    chunk_pixels: int

    def chunks(self, layout: CubeLayout, block: int) -> list[range]:
        """Runs of pixels of a block, of about the same length."""
        first = block * self.rows_per_block * layout.n_columns
        stop = min((block + 1) * self.rows_per_block, layout.n_rows) * layout.n_columns
        n = -(-(stop - first) // self.chunk_pixels)
        ends = [first + (stop - first) * index // n for index in range(n + 1)]
        return [range(*some) for some in itertools.pairwise(ends)]


def plan_local_blocks(layout: CubeLayout, max_memory: float, n_threads: int, read_bytes: int = READ_BYTES) -> BlockPlan:
    """Divide a cube for building on one machine.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    max_memory : float
        Memory for pixels, in GB (1e9 bytes).
    n_threads : int
        Number of threads, without the one that may wait for the disk. Each thread keeps a run of pixels twice: as read,
        and as written.
    read_bytes : int, optional
        Bytes of a frame to read at a time, if the memory allows it.
    """
    budget = max(max_memory * 1e9, 1e4)
    rows = max(1, min(layout.n_rows, int(min(budget, BLOCK_BYTES) // layout.row_bytes)))
    per_pixel = 2 * layout.pixel_bytes * (n_threads + 1)
    pixels = min(read_bytes // 4, int(min(budget, CHUNK_MEMORY) // per_pixel))
    return BlockPlan(rows, -(-layout.n_rows // rows), max(1, pixels))
