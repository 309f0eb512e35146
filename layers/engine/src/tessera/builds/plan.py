"""Plan the blocks that a build computes and the parts that it uploads, without I/O.

The plan obeys S3's rules for every shape: at most 10,000 parts, no part above 5 GiB, and all parts except the last at
least 5 MiB. The FITS headers are in part 1, before its rows. The padding and the info table are in the last part, after
the rows. So headers and info table need no parts of a legal size of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from tessera.cubes.layout import WORD, CubeLayout
from tessera.errors import PlanError

MIB = 1 << 20
PIECE_BYTES = 8 * MIB
"""Bytes of time series that `tessera.builds.transpose.RowStream` makes at a time. With 4 MiB, 20,000 cadences are
transposed more slowly. Many functions import this module without numpy, so it is here."""
MIN_PART_BYTES = 5 * MIB
MAX_PART_BYTES = 5 * 1024 * MIB
MAX_PARTS = 10_000

RUNTIME_BYTES = 350 * MIB
"""Memory in bytes of an idle task: interpreter, libraries, plan, connections."""
MAX_FRAMES = 20_000
"""Largest number of frames of a build. The functions that plan and end a build have no memory for more than 24,000.
The longest sectors of TESS have 12,000."""
PARALLEL_UPLOADS = 4
"""Number of parts of one block that are uploaded at the same time."""
_USABLE = 0.95
"""Share of a task's memory that a plan may use."""


@dataclass(frozen=True, slots=True)
class Part:
    """Whole rows of the cube that are uploaded as one part of the multipart upload.

    Parameters
    ----------
    number : int
        S3's part number, from 1.
    first_row, n_rows : int
        First row of the part, and number of its rows.
    """

    number: int
    first_row: int
    n_rows: int


@dataclass(frozen=True, slots=True)
class PartPlan:
    """Division of the rows of a cube into parts.

    Parameters
    ----------
    n_rows : int
        Number of rows of the cube.
    rows_per_part : int
        Number of rows of a part. The last part with rows has between once and twice this number.
    n_row_parts : int
        Number of parts with rows. These parts have the numbers 1 to `n_row_parts`.
    tail_number : int
        Number of the part with padding and info table. It is 1 when the whole cube fits into one part.
    """

    n_rows: int
    rows_per_part: int
    n_row_parts: int
    tail_number: int

    def part(self, number: int) -> Part:
        """Return the part with a number from 1 to `n_row_parts`."""
        first_row = (number - 1) * self.rows_per_part
        last = number == self.n_row_parts
        return Part(number, first_row, self.n_rows - first_row if last else self.rows_per_part)


@dataclass(frozen=True, slots=True)
class Block:
    """A run of whole parts, computed by one task.

    Parameters
    ----------
    index : int
        Number of the block, from 0.
    parts : tuple of Part
        Parts, in the order of rows.
    """

    index: int
    parts: tuple[Part, ...]

    @property
    def first_row(self) -> int:
        """First row of the block."""
        return self.parts[0].first_row

    @property
    def n_rows(self) -> int:
        """Number of rows of the block."""
        return sum(part.n_rows for part in self.parts)


def check_frame_number(n_frames: int) -> None:
    """Raise a PlanError when a build would have more than `MAX_FRAMES` frames."""
    if n_frames > MAX_FRAMES:
        raise PlanError(f"a build in the cloud takes at most {MAX_FRAMES:,} frames, and these are {n_frames:,}")


def plan_parts(layout: CubeLayout, part_bytes: int | None = None) -> PartPlan:
    """Divide the rows of a cube into parts.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    part_bytes : int, optional
        Wanted size of a part. The default is 32 MiB, or less if this gives fewer than 64 parts. A part is larger if
        a single row is larger, because parts contain whole rows.

    Returns
    -------
    PartPlan

    Raises
    ------
    PlanError
        When no division obeys S3's limits.
    """
    if layout.data_bytes < MIN_PART_BYTES:
        return PartPlan(layout.n_rows, layout.n_rows, 1, 1)
    aim = part_bytes or min(32 * MIB, layout.data_bytes // 64)
    legal = -(-MIN_PART_BYTES // layout.row_bytes)
    few_enough = -(-layout.n_rows // (MAX_PARTS - 1))
    rows = max(legal, few_enough, aim // layout.row_bytes)
    n_row_parts = max(1, layout.n_rows // rows)
    plan = PartPlan(layout.n_rows, rows, n_row_parts, n_row_parts + 1)
    largest = plan.part(n_row_parts).n_rows * layout.row_bytes
    if largest + MIN_PART_BYTES > MAX_PART_BYTES:
        raise PlanError(f"a part of {largest:,} bytes would exceed S3's limit of {MAX_PART_BYTES:,} bytes")
    return plan


def block_memory(layout: CubeLayout, parts: PartPlan, n_rows: int) -> int:
    """Memory in bytes of a task that builds `n_rows` rows: the block that was read, and pieces of the parts in flight.

    A piece has `PIECE_BYTES`, or one time series if that is larger.
    """
    piece = max(PIECE_BYTES, layout.pixel_bytes)
    largest_part = parts.part(parts.n_row_parts).n_rows * layout.row_bytes
    in_flight = min(PARALLEL_UPLOADS * min(piece, largest_part), n_rows * layout.row_bytes)
    return RUNTIME_BYTES + n_rows * layout.row_bytes + in_flight


def plan_blocks(
    layout: CubeLayout,
    parts: PartPlan,
    memory_bytes: int,
    *,
    wanted_blocks: int = 1,
    min_request_bytes: int = 512 << 10,
) -> tuple[Block, ...]:
    """Divide the parts of a cube into blocks that fit the memory of one task.

    Parameters
    ----------
    layout : CubeLayout
        Shape of the cube.
    parts : PartPlan
        Parts of the cube. A block is a run of whole parts.
    memory_bytes : int
        Memory of one task.
    wanted_blocks : int, optional
        Number of blocks that can run at the same time. The plan has more blocks than the memory requires, up to this
        number, as long as a range request to a frame reads at least `min_request_bytes`.
    min_request_bytes : int, optional
        See `wanted_blocks`.

    Returns
    -------
    tuple of Block
        Blocks, in the order of rows. Every part is in exactly one block.

    Raises
    ------
    PlanError
        When a single part does not fit into the memory.
    """
    numbers = range(1, parts.n_row_parts + 1)
    sizes = [parts.part(number).n_rows for number in numbers]
    if (least := block_memory(layout, parts, max(sizes))) > _USABLE * memory_bytes:
        raise PlanError(
            f"one part of this cube needs {least / MIB:,.0f} MiB in a task of {memory_bytes / MIB:,.0f} MiB; "
            f"raise the memory of build_block"
        )
    useful_rows = -(-min_request_bytes // (layout.n_columns * WORD))
    parts_per_block = max(-(-parts.n_row_parts // wanted_blocks), -(-useful_rows // parts.rows_per_part))
    blocks: list[Block] = []
    pending: list[Part] = []
    for number in numbers:
        part = parts.part(number)
        rows = sum(other.n_rows for other in pending) + part.n_rows
        too_large = block_memory(layout, parts, rows) > _USABLE * memory_bytes
        if pending and (too_large or len(pending) == parts_per_block):
            blocks.append(Block(len(blocks), tuple(pending)))
            pending = []
        pending.append(part)
    blocks.append(Block(len(blocks), tuple(pending)))
    return tuple(blocks)
