"""Work and price of a build in the cloud, from its plan, and the memory that costs least. Nothing is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tessera.builds.plan import MIB, Block, PartPlan, plan_blocks, plan_parts
from tessera.cubes.layout import WORD, CubeLayout
from tessera.errors import PlanError

GETS_PER_SECOND = 2000.0
"""Largest number of requests for frames per second, of all tasks of a build together, as in stacks/build.yaml."""
LINK_BYTES_PER_SECOND = 78e6
"""Network of a task: 625 Mbit/s, at every memory size."""
MIN_BLOCKS = 8
"""Least number of blocks of a large cube. Small blocks make retries cheap and progress visible."""
ASKING_SECONDS = 120
"""Time in which a block task should send all its requests, in seconds, at the pace of the build.

Further tasks at the same time would only wait for their share of the pace, and are paid while they wait. The task may
take 900 s, so it ends in time even if S3 slows it down to a fifth.
"""
TASK_SECONDS = 300
"""Time that a block task should take by its estimate, in seconds: a third of the 900 s after which Lambda stops it."""

# US East, arm64; dollars. Source: tools/costs/prices.toml, which a test compares.
GB_SECOND_USD, INVOCATION_USD, TRANSITION_USD, PUT_USD, GET_USD = 1.33334e-5, 2e-7, 2.5e-5, 5e-6, 4e-7

_OVERHEAD_SECONDS = 2.0
_REQUEST_SECONDS = 0.03
_REQUESTS_IN_FLIGHT = 32
_MB_OF_GB = 1024


@dataclass(frozen=True, slots=True)
class BuildEstimate:
    """Work of the build of one cube.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    memory_mb : int
        Memory of a task, in MB of 1,048,576 bytes as Lambda counts.
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
    """

    layout: CubeLayout
    memory_mb: int
    parts: PartPlan
    blocks: tuple[Block, ...]
    tasks: int
    gets: int
    gets_of_headers: int
    block_seconds: float

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
    def gb_seconds(self) -> float:
        """Memory times time of all tasks, in GB of 1,024 MB as Lambda counts, times seconds."""
        return len(self.blocks) * self.block_seconds * self.memory_mb / _MB_OF_GB

    @property
    def puts(self) -> int:
        """Parts that are uploaded, and the record of each block."""
        return self.parts.tail_number + len(self.blocks)

    @property
    def transitions(self) -> int:
        """Transitions of state machines: two for each block."""
        return 2 * len(self.blocks)

    @property
    def usd_of_gets(self) -> float:
        """Price of the requests for frames in dollars, which the owner of the frames' bucket pays."""
        return (self.gets + self.gets_of_headers) * GET_USD

    @property
    def usd(self) -> float:
        """Price of the build in dollars, whoever pays for the requests for frames."""
        tasks = self.gb_seconds * GB_SECOND_USD + len(self.blocks) * INVOCATION_USD
        return tasks + self.transitions * TRANSITION_USD + self.puts * PUT_USD + self.usd_of_gets


def polite_concurrency(wanted: int, requests_per_task: int, per_build: float, task_seconds: float) -> int:
    """Number of tasks that may run at the same time, so that each can send its requests in `task_seconds`.

    The tasks share the request rate of a build.

    Parameters
    ----------
    wanted : int
        Number of tasks that the caller would like.
    requests_per_task : int
        Number of requests of the largest task.
    per_build : float
        Requests per second of all tasks together.
    task_seconds : float
        Time in which a task must have sent its requests, in seconds.
    """
    return max(1, min(wanted, int(per_build * task_seconds / max(1, requests_per_task))))


def estimate_build(
    layout: CubeLayout,
    memory_mb: int,
    concurrency: int,
    *,
    gets_per_second: float = GETS_PER_SECOND,
    usable: float = 1.0,
) -> BuildEstimate:
    """Plan the blocks of a build for tasks of one size, and estimate its work.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    memory_mb : int
        Memory of one task.
    concurrency : int
        Largest number of tasks that run at the same time. Fewer run if they would wait for the pace of the build.
    gets_per_second : float, optional
        Requests for frames per second of all tasks together.
    usable : float, optional
        Share of the memory that is for the block.

    Raises
    ------
    PlanError
        When a single part does not fit into the memory.
    """
    parts = plan_parts(layout)
    usable_bytes = int(memory_mb * MIB * usable)
    blocks = plan_blocks(layout, parts, usable_bytes, wanted_blocks=max(MIN_BLOCKS, concurrency))
    gets_of_block = layout.n_cadences * layout.n_planes
    tasks = polite_concurrency(min(concurrency, len(blocks)), gets_of_block, gets_per_second, ASKING_SECONDS)
    moving = layout.data_bytes / len(blocks) / LINK_BYTES_PER_SECOND
    asking = gets_of_block * max(_REQUEST_SECONDS / _REQUESTS_IN_FLIGHT, tasks / gets_per_second)
    return BuildEstimate(
        layout=layout,
        memory_mb=memory_mb,
        parts=parts,
        blocks=blocks,
        tasks=tasks,
        gets=gets_of_block * len(blocks),
        gets_of_headers=2 * layout.n_cadences,
        block_seconds=max(moving, asking) + moving + _OVERHEAD_SECONDS,
    )


def estimate_sizes(
    layout: CubeLayout,
    sizes_mb: Iterable[int],
    concurrency: int,
    *,
    gets_per_second: float = GETS_PER_SECOND,
    usable: float = 1.0,
) -> tuple[BuildEstimate, ...]:
    """Estimate a build for tasks of several sizes; see `estimate_build`.

    Parameters
    ----------
    sizes_mb : iterable of int
        Memory of a task, for each size.

    Returns
    -------
    tuple of BuildEstimate
        By memory, without the sizes that are too small for the cube.

    Raises
    ------
    PlanError
        When no size is large enough. The message is that of the largest.
    """
    found: list[BuildEstimate] = []
    for memory_mb in (sizes := sorted(set(sizes_mb))):
        try:
            found.append(estimate_build(layout, memory_mb, concurrency, gets_per_second=gets_per_second, usable=usable))
        except PlanError:
            if memory_mb == sizes[-1]:
                raise
    return tuple(found)


def cheapest(estimates: Iterable[BuildEstimate]) -> BuildEstimate:
    """The build that costs least, of those whose tasks take at most `TASK_SECONDS`; the quickest tasks if none do."""
    known = tuple(estimates)
    in_time = [each for each in known if each.block_seconds <= TASK_SECONDS]
    return min(in_time, key=lambda each: each.usd) if in_time else min(known, key=lambda each: each.block_seconds)
