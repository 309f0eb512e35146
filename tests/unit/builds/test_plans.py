"""Plans: every row in exactly one part, every part in exactly one block, S3's rules kept."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.builds.plan import MAX_PART_BYTES, MAX_PARTS, MIB, MIN_PART_BYTES, block_memory, plan_blocks, plan_parts
from tessera.cubes.layout import CubeLayout
from tessera.errors import PlanError

layouts = st.builds(
    CubeLayout,
    n_rows=st.integers(1, 3000),
    n_columns=st.sampled_from([1, 30, 2136]),
    n_cadences=st.integers(1, 20_000),
    n_planes=st.sampled_from([1, 2]),
)


@given(layouts, st.integers(5, 200))
def test_parts_cover_every_row_once_and_are_legal(layout: CubeLayout, part_mib: int) -> None:
    plan = plan_parts(layout, part_mib * MIB)
    parts = [plan.part(number) for number in range(1, plan.n_row_parts + 1)]
    assert [row for part in parts for row in range(part.first_row, part.first_row + part.n_rows)] == list(
        range(layout.n_rows)
    )
    assert plan.tail_number <= MAX_PARTS
    sizes = [part.n_rows * layout.row_bytes for part in parts]
    assert all(size <= MAX_PART_BYTES for size in sizes)
    if plan.tail_number > 1:
        assert all(size >= MIN_PART_BYTES for size in sizes)


@given(layouts, st.integers(512, 10_240), st.integers(1, 64))
def test_blocks_cover_every_part_once_within_memory(layout: CubeLayout, memory_mib: int, wanted: int) -> None:
    parts = plan_parts(layout)
    try:
        blocks = plan_blocks(layout, parts, memory_mib * MIB, wanted_blocks=wanted)
    except PlanError:
        largest = max(parts.part(number).n_rows for number in (1, parts.n_row_parts))
        assert block_memory(layout, parts, largest) > 0.95 * memory_mib * MIB
        return
    assert [part.number for block in blocks for part in block.parts] == list(range(1, parts.n_row_parts + 1))
    assert [block.index for block in blocks] == list(range(len(blocks)))
    assert all(block_memory(layout, parts, block.n_rows) <= 0.95 * memory_mib * MIB for block in blocks)


@given(
    layouts,
    st.floats(0.5, 10.0).map(lambda gigabytes: int(gigabytes * 1e9)),
    st.integers(1, 100),
)
def test_every_plan_is_legal_or_says_how_much_memory_is_needed(layout: CubeLayout, memory: int, wanted: int) -> None:
    parts = plan_parts(layout)
    try:
        blocks = plan_blocks(layout, parts, memory, wanted_blocks=wanted)
    except PlanError as error:
        found = re.search(r"needs ([\d,]+) MiB in a task of ([\d,]+) MiB", str(error))
        assert found is not None
        assert int(found[1].replace(",", "")) <= 0.95 * 10_240, "no function has that much"
        enough = int(int(found[1].replace(",", "")) / 0.95) + 2
        assert plan_blocks(layout, parts, enough * MIB, wanted_blocks=wanted)
        return
    sent = [part for block in blocks for part in block.parts]
    assert [part.number for part in sent] == list(range(1, parts.n_row_parts + 1))
    assert sum(part.n_rows for part in sent) == layout.n_rows
    assert sent[0].first_row == 0
    assert parts.tail_number <= MAX_PARTS
    assert all(part.n_rows * layout.row_bytes <= MAX_PART_BYTES for part in sent)
    assert parts.tail_number == 1 or all(part.n_rows * layout.row_bytes >= MIN_PART_BYTES for part in sent)
    assert all(block_memory(layout, parts, block.n_rows) <= 0.95 * memory for block in blocks)


@given(st.integers(1, 20_000), st.integers(1, 3000), st.sampled_from([1, 2]), st.integers(1, 100))
def test_every_cube_of_2136_columns_fits_tasks_of_3008_mb(cadences: int, rows: int, planes: int, wanted: int) -> None:
    layout = CubeLayout(rows, 2136, cadences, planes)
    blocks = plan_blocks(layout, plan_parts(layout), 3008 * MIB, wanted_blocks=wanted)
    assert sum(block.n_rows for block in blocks) == rows
    assert len(blocks) <= 10_000, "items of a distributed Map at once"


def test_a_sector_of_1282_frames_fits_the_documented_numbers() -> None:
    layout = CubeLayout(2078, 2136, 1282, 2)
    assert layout.row_bytes == 21_906_816
    parts = plan_parts(layout, 88_000_000)
    assert (parts.rows_per_part, parts.n_row_parts) == (4, 519)
    assert parts.part(519).n_rows == 6


def test_a_tiny_cube_is_one_part() -> None:
    parts = plan_parts(CubeLayout(10, 10, 5, 2))
    assert (parts.n_row_parts, parts.tail_number) == (1, 1)


def test_blocks_are_made_for_parallelism_only_while_requests_stay_useful() -> None:
    layout = CubeLayout(2078, 2136, 32, 2)
    parts = plan_parts(layout)
    assert 6 <= len(plan_blocks(layout, parts, 2048 * MIB, wanted_blocks=8)) <= 8
    assert len(plan_blocks(layout, parts, 2048 * MIB, wanted_blocks=1000)) <= 2078 * 2136 * 4 // (512 << 10) + 1


def test_too_little_memory_says_what_to_do() -> None:
    layout = CubeLayout(2078, 2136, 20_000, 2)
    with pytest.raises(PlanError, match="raise the memory of build_block"):
        plan_blocks(layout, plan_parts(layout), 512 * MIB)
