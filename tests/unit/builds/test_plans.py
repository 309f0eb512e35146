"""Plans: every row in exactly one part, every part in exactly one block, S3's rules kept."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.builds.plan import Block, Part, PartPlan, block_memory, plan_blocks, plan_parts
from tessera.cubes.layout import CubeLayout
from tessera.errors import PlanError

MIB = 1 << 20
GIB = 1 << 30

# The tall ones need more than one row in a part, or they would have more than 10,000 parts.
layouts = st.builds(
    CubeLayout,
    n_rows=st.integers(1, 3000) | st.integers(9_990, 60_000),
    n_columns=st.sampled_from([1, 30, 2136]),
    n_cadences=st.integers(1, 20_000),
    n_planes=st.sampled_from([1, 2]),
)

WIDE = CubeLayout(4096, 2048, 64, 2)
"""A row of the cube is 1 MiB, a row of a frame 8 KiB. By default, there are 128 parts of 32 rows."""


def parts_of(plan: PartPlan) -> list[Part]:
    return [plan.part(number) for number in range(1, plan.n_row_parts + 1)]


def memory_of(parts: tuple[Part, ...], row_bytes: int) -> int:
    """What a task holds: the interpreter, the rows as they were received, and 8 MiB of each of four parts."""
    sizes = sorted(part.n_rows * row_bytes for part in parts)
    return 350 * MIB + sum(sizes) + sum(min(size, 8 * MIB) for size in sizes[-4:])


@given(layouts, st.integers(5, 200))
def test_parts_cover_every_row_once_and_are_legal(layout: CubeLayout, part_mib: int) -> None:
    plan = plan_parts(layout, part_mib * MIB)
    parts = parts_of(plan)
    next_row = 0
    for number, part in enumerate(parts, 1):
        assert (part.number, part.first_row) == (number, next_row)
        assert part.n_rows > 0
        next_row += part.n_rows
    assert next_row == layout.n_rows
    assert plan.tail_number <= 10_000
    sizes = [part.n_rows * layout.row_bytes for part in parts]
    assert all(size <= 5 * GIB for size in sizes)
    if plan.tail_number > 1:
        assert all(size >= 5 * MIB for size in sizes)


@pytest.mark.parametrize(
    ("n_rows", "rows_per_part", "n_row_parts", "rows_of_the_last"),
    [
        (9_999, 1, 9_999, 1),  # and the tail is the 10,000th
        (10_000, 2, 5_000, 2),
        (29_997, 3, 9_999, 3),
        (29_998, 4, 7_499, 6),
    ],
)
def test_a_cube_has_at_most_10_000_parts(
    n_rows: int, rows_per_part: int, n_row_parts: int, rows_of_the_last: int
) -> None:
    plan = plan_parts(CubeLayout(n_rows, 2136, 1282, 2))  # rows of 21.9 MB
    assert plan == PartPlan(n_rows, rows_per_part, n_row_parts, n_row_parts + 1)
    assert plan.part(n_row_parts).n_rows == rows_of_the_last


def test_parts_are_at_least_5_mib_and_at_most_5_gib() -> None:
    one_pixel = [CubeLayout(1, 1, n_bytes // 4, 1) for n_bytes in (5 * MIB - 4, 5 * MIB, 5 * GIB - 5 * MIB)]
    assert [plan_parts(layout).tail_number for layout in one_pixel] == [1, 2, 2]
    with pytest.raises(PlanError, match="a part of 5,363,466,244 bytes would exceed"):
        plan_parts(CubeLayout(1, 1, (5 * GIB - 5 * MIB) // 4 + 1, 1))
    rows = CubeLayout(64, 1, 5 * MIB // 12 + 1, 1)  # three of them are a little more than 5 MiB
    assert plan_parts(rows) == PartPlan(64, 3, 21, 22)


@pytest.mark.parametrize(
    ("n_rows", "part_bytes", "rows_per_part", "n_row_parts"),
    [
        (4096, None, 32, 128),  # 32 MiB
        (2048, None, 32, 64),
        (1024, None, 16, 64),  # smaller, so that there are 64
        (128, None, 5, 25),  # smaller is not legal
        (1024, 10 * MIB, 10, 102),
        (1024, 11 * MIB - 1, 10, 102),
        (7, 32 * MIB, 32, 1),
    ],
)
def test_the_size_of_parts_is_the_one_that_was_aimed_at(
    n_rows: int, part_bytes: int | None, rows_per_part: int, n_row_parts: int
) -> None:
    layout = CubeLayout(n_rows, WIDE.n_columns, WIDE.n_cadences, WIDE.n_planes)
    assert plan_parts(layout, part_bytes) == PartPlan(n_rows, rows_per_part, n_row_parts, n_row_parts + 1)


@given(layouts, st.integers(512, 10_240), st.integers(1, 64))
def test_blocks_cover_every_part_once_within_memory(layout: CubeLayout, memory_mib: int, wanted: int) -> None:
    plan = plan_parts(layout)
    parts = parts_of(plan)
    try:
        blocks = plan_blocks(layout, plan, memory_mib * MIB, wanted_blocks=wanted)
    except PlanError:
        assert max(memory_of((part,), layout.row_bytes) for part in parts) > 0.95 * memory_mib * MIB
        return
    assert [part for block in blocks for part in block.parts] == parts
    assert [block.index for block in blocks] == list(range(len(blocks)))
    assert all(memory_of(block.parts, layout.row_bytes) <= 0.95 * memory_mib * MIB for block in blocks)


@pytest.mark.parametrize(("n_rows", "mib"), [(1, 352), (64, 446), (128, 510), (200, 582)])
def test_the_memory_of_a_block_is_what_it_receives_and_pieces_of_four_parts(n_rows: int, mib: int) -> None:
    assert block_memory(WIDE, plan_parts(WIDE), n_rows) == mib * MIB


@pytest.mark.parametrize(
    ("memory_mib", "wanted", "parts_per_block"),
    [
        (10_000, 1, [128]),
        (1000, 1, [17] * 7 + [9]),  # 350 + 17 * 32 + 4 * 8 = 926 of 950 MiB
        (10_000, 8, [16] * 8),
        (10_000, 60, [3] * 42 + [2]),
        (10_000, 1000, [2] * 64),  # 64 rows of a frame are 512 KiB, the least that is worth a request
    ],
)
def test_blocks_have_as_many_parts_as_memory_and_parallelism_allow(
    memory_mib: int, wanted: int, parts_per_block: list[int]
) -> None:
    blocks = plan_blocks(WIDE, plan_parts(WIDE), memory_mib * MIB, wanted_blocks=wanted)
    assert [len(block.parts) for block in blocks] == parts_per_block
    assert [block.n_rows for block in blocks] == [32 * n for n in parts_per_block]
    assert [block.first_row for block in blocks] == [32 * sum(parts_per_block[:index]) for index in range(len(blocks))]


def test_without_a_wish_there_are_as_few_blocks_as_memory_allows() -> None:
    plan = plan_parts(WIDE)
    assert plan_blocks(WIDE, plan, 10_000 * MIB) == (Block(0, tuple(parts_of(plan))),)
    more = plan_blocks(WIDE, plan, 10_000 * MIB, wanted_blocks=1000, min_request_bytes=(512 << 10) + 1)
    assert len(more[0].parts) == 3


def test_a_task_is_filled_to_95_percent_and_no_more() -> None:
    n_cadences = next(n for n in range(1000, 1019) if (350 * MIB + 8 * n) % 19 == 0)
    layout = CubeLayout(1, 1, n_cadences, 1)
    enough = (350 * MIB + 8 * n_cadences) // 19 * 20
    assert len(plan_blocks(layout, plan_parts(layout), enough)) == 1
    with pytest.raises(PlanError, match="needs 350 MiB in a task of 368 MiB; raise the memory of build_block"):
        plan_blocks(layout, plan_parts(layout), enough - 1)
    n_cadences = next(n for n in range(5 * MIB // 4, 5 * MIB // 4 + 19) if (350 * MIB + 16 * n) % 19 == 0)
    layout = CubeLayout(2, 1, n_cadences, 1)  # two parts, which are received and sent together
    enough = (350 * MIB + 16 * n_cadences) // 19 * 20
    assert [len(plan_blocks(layout, plan_parts(layout), memory)) for memory in (enough, enough - 1)] == [1, 2]


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
    assert parts.tail_number <= 10_000
    assert all(part.n_rows * layout.row_bytes <= 5 * GIB for part in sent)
    assert parts.tail_number == 1 or all(part.n_rows * layout.row_bytes >= 5 * MIB for part in sent)
    assert all(memory_of(block.parts, layout.row_bytes) <= 0.95 * memory for block in blocks)


@given(st.integers(1, 20_000), st.integers(1, 3000), st.sampled_from([1, 2]), st.integers(1, 100))
def test_every_cube_of_2136_columns_fits_tasks_of_2048_mb(cadences: int, rows: int, planes: int, wanted: int) -> None:
    layout = CubeLayout(rows, 2136, cadences, planes)
    blocks = plan_blocks(layout, plan_parts(layout), 2048 * MIB, wanted_blocks=wanted)
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
