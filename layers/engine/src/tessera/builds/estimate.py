"""Work of a build in the cloud, from its plan: tasks, requests, time and memory. Nothing is read."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.builds.plan import Block, PartPlan, plan_blocks, plan_parts
from tessera.cubes.layout import WORD, CubeLayout

GETS_PER_SECOND = 2000.0
"""Largest number of requests for frames per second, of all tasks of a build together, as in stacks/build.yaml."""
LINK_BYTES_PER_SECOND = 78e6
"""Network of a task: 625 Mbit/s."""
_OVERHEAD_SECONDS = 2.0
_REQUEST_SECONDS = 0.03
_REQUESTS_IN_FLIGHT = 32
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class BuildEstimate:
    """Work of the build of one cube.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    parts : PartPlan
        Parts that are uploaded.
    blocks : tuple of Block
        Blocks, one task each.
    tasks : int
        Tasks that run at the same time.
    gets, gets_of_headers : int
        Requests for pixels and for headers of frames.
    block_seconds : float
        Time of the largest task: the longest of what the network, the time of each request and the pace of the build
        need for reading, and then the network for writing.
    gb_seconds : float
        Memory times time of all tasks, in GB of 1,024 MB as Lambda counts, times seconds.
    """

    layout: CubeLayout
    parts: PartPlan
    blocks: tuple[Block, ...]
    tasks: int
    gets: int
    gets_of_headers: int
    block_seconds: float
    gb_seconds: float

    @property
    def rows(self) -> int:
        """Rows of the largest block."""
        return max(block.n_rows for block in self.blocks)

    @property
    def bytes_of_get(self) -> int:
        """Bytes of the largest request for pixels."""
        return self.rows * self.layout.n_columns * WORD

    @property
    def seconds(self) -> float:
        """Time of the build."""
        return -(-len(self.blocks) // self.tasks) * self.block_seconds

    @property
    def puts(self) -> int:
        """Parts that are uploaded, and the record of each block."""
        return self.parts.tail_number + len(self.blocks)

    @property
    def transitions(self) -> int:
        """Transitions of state machines: two for each block."""
        return 2 * len(self.blocks)


def estimate_build(layout: CubeLayout, memory_bytes: int, concurrency: int) -> BuildEstimate:
    """Estimate the work of a build.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    memory_bytes : int
        Memory of one task.
    concurrency : int
        Largest number of tasks that run at the same time.

    Raises
    ------
    PlanError
        When a single part does not fit into the memory.
    """
    parts = plan_parts(layout)
    blocks = plan_blocks(layout, parts, memory_bytes, wanted_blocks=concurrency)
    tasks = min(concurrency, len(blocks))
    gets_of_block = layout.n_cadences * layout.n_planes
    moving = layout.data_bytes / len(blocks) / LINK_BYTES_PER_SECOND
    asking = gets_of_block * max(_REQUEST_SECONDS / _REQUESTS_IN_FLIGHT, tasks / GETS_PER_SECOND)
    seconds = max(moving, asking) + moving + _OVERHEAD_SECONDS
    return BuildEstimate(
        layout=layout,
        parts=parts,
        blocks=blocks,
        tasks=tasks,
        gets=gets_of_block * len(blocks),
        gets_of_headers=2 * layout.n_cadences,
        block_seconds=seconds,
        gb_seconds=len(blocks) * seconds * memory_bytes / _GIB,
    )
