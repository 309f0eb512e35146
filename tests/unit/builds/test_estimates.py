"""Estimates of builds in the cloud, against arithmetic that was done by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tessera.builds.estimate import BuildEstimate, cheapest, estimate_build, estimate_sizes
from tessera.builds.plan import MIB, block_memory
from tessera.builds.report import describe_plan
from tessera.cubes.layout import CubeLayout
from tessera.errors import PlanError
from tessera_cloud.application.builds.plan_document import read_plan
from tests.support.builds import SETTINGS, plan, store_with
from tests.support.frames import tiny_sector

SIZES = (2048, 4096, 10_240)


def ccd(n_frames: int) -> CubeLayout:
    return CubeLayout(2078, 2136, n_frames, 2)


# A row of the cube has 2,136 x 8 bytes x frames. A task has 0.95 x memory - 350 MiB - 4 x 8 MiB for rows. More blocks
# than that are made while there are fewer than 40 (2,078 / 40 rows), and a request has at least 512 KiB (62 rows).
@pytest.mark.parametrize(
    ("n_frames", "memory_mb", "rows", "blocks"),
    [
        (1_282, 2_048, 62, 34),  # 74 rows of 20.9 MiB would fit into 1,563.6 MiB; 512 KiB are 61.4 rows of a frame
        (1_282, 10_240, 62, 34),
        (3_705, 2_048, 25, 84),  # 25 x 60.4 MiB = 1,509 of 1,563.6 MiB
        (3_705, 4_096, 58, 36),  # 58 x 60.4 MiB = 3,502 of 3,509.2 MiB; 40 blocks of 52 rows would ask for too little
        (11_775, 2_048, 8, 260),  # 8 x 191.9 MiB = 1,535 of 1,563.6 MiB
        (11_775, 4_096, 18, 116),  # 18 x 191.9 MiB = 3,454 of 3,509.2 MiB
        (11_775, 10_240, 48, 44),  # 48 x 191.9 MiB = 9,211 of 9,346 MiB
        (20_000, 2_048, 4, 520),  # 4 x 325.9 MiB = 1,304 of 1,563.6 MiB
        (20_000, 10_240, 28, 75),  # 28 x 325.9 MiB = 9,126 of 9,346 MiB
    ],
)
def test_blocks_are_as_large_as_a_task_allows(n_frames: int, memory_mb: int, rows: int, blocks: int) -> None:
    work = estimate_build(ccd(n_frames), memory_mb, 40)
    assert (work.rows, len(work.blocks)) == (rows, blocks)
    assert work.gets == 2 * n_frames * blocks
    assert block_memory(work.layout, work.parts, rows) <= 0.95 * memory_mb * MIB


@pytest.mark.parametrize(
    ("n_frames", "memory_mb", "tasks", "seconds", "usd"),
    [
        # 45.5 GB / 34 blocks / 78 MB/s = 17.2 s each way; 2,564 requests at 58.8 a second = 43.6 s: 62.8 s.
        # 34 x 62.8 s x 2 GB x $0.0000133334 = $0.0569; 89,740 requests = $0.0359; 2,113 PUTs and 68 steps = $0.0123
        (1_282, 2_048, 34, 62.8, 0.105),
        # 418.1 GB / 44 / 78 MB/s = 121.8 s each way; 23,550 requests at 200 a second = 117.8 s: 245.7 s, five times.
        # 44 x 245.7 s x 10 GB = $1.4413; 1,059,750 requests = $0.4239; 2,123 PUTs and 88 steps = $0.0128
        (11_775, 10_240, 10, 1_228, 1.878),
        # 418.1 GB / 260 / 78 MB/s = 20.6 s; 117.8 s for the requests: 140.4 s, 26 times.
        # 260 x 140.4 s x 2 GB = $0.9732; 6,146,550 requests = $2.4586; 2,339 PUTs and 520 steps = $0.0247
        (11_775, 2_048, 10, 3_650, 3.457),
        # 710.2 GB / 75 / 78 MB/s = 121.4 s; 40,000 requests at 2,000 / 6 a second = 120 s: 244.8 s, 13 times.
        # 75 x 244.8 s x 10 GB = $2.4480; 3,040,000 requests = $1.2160; 2,154 PUTs and 150 steps = $0.0145
        (20_000, 10_240, 6, 3_182, 3.679),
    ],
)
def test_time_and_price_are_those_of_an_account(
    n_frames: int, memory_mb: int, tasks: int, seconds: float, usd: float
) -> None:
    work = estimate_build(ccd(n_frames), memory_mb, 40)
    assert work.tasks == tasks
    assert work.seconds == pytest.approx(seconds, rel=0.002)
    assert work.usd == pytest.approx(usd, abs=0.001)


@pytest.mark.parametrize(
    ("n_frames", "memory_mb"), [(100, 2048), (1_282, 2048), (3_705, 4096), (11_775, 10_240), (20_000, 10_240)]
)
def test_the_cheapest_size_is_chosen(n_frames: int, memory_mb: int) -> None:
    found = estimate_sizes(ccd(n_frames), SIZES, 40)
    assert [each.memory_mb for each in found] == list(SIZES)
    assert cheapest(found).memory_mb == memory_mb
    assert cheapest(found).usd == min(each.usd for each in found)


def test_a_new_account_uses_what_it_has() -> None:
    assert cheapest(estimate_sizes(ccd(1_282), (2048, 2048, 3008), 40)).memory_mb == 2048
    assert cheapest(estimate_sizes(ccd(11_775), (2048, 2048, 3008), 40)).memory_mb == 3008


def test_tasks_that_would_take_too_long_are_not_chosen() -> None:
    works = estimate_sizes(ccd(11_775), SIZES, 40)
    slow = replace(works[2], block_seconds=301.0)
    assert cheapest((*works[:2], slow)).memory_mb == 4096
    all_slow = [replace(work, block_seconds=900.0 - n) for n, work in enumerate(works)]
    assert cheapest(all_slow).memory_mb == 10_240, "the quickest, if none is quick enough"


def test_sizes_that_are_too_small_are_left_out_and_the_last_one_says_why() -> None:
    wide = ccd(250_000)  # a row has 4.0 GiB
    assert [work.memory_mb for work in estimate_sizes(wide, SIZES, 40)] == [10_240]
    with pytest.raises(PlanError, match="in a task of 4,096 MiB; raise the memory of build_block"):
        estimate_sizes(wide, (2048, 4096), 40)


def test_the_number_of_requests_grows_with_the_square_of_the_frames_and_falls_with_memory() -> None:
    def work(n_frames: int, memory_mb: int) -> BuildEstimate:
        return estimate_build(ccd(n_frames), memory_mb, 40)

    assert work(20_000, 2048).gets / work(10_000, 2048).gets == pytest.approx(4, rel=0.15)
    assert work(11_775, 2048).gets / work(11_775, 10_240).gets == pytest.approx(6, rel=0.05)


def test_a_build_with_too_many_frames_is_refused_before_their_headers_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera.builds.plan.MAX_FRAMES", 2)
    store = store_with(tiny_sector(3, (40, 30)))
    with pytest.raises(PlanError, match="at most 2 frames, and these are 3"):
        plan(store)
    assert not [key for operation, _, key in store.requests if operation == "read_range"]


def test_columns_of_large_numbers_are_apart() -> None:
    lines = describe_plan(CubeLayout(20_000, 5_000, 20_000, 2), SIZES, 40)
    assert lines[2].split()[2:6] == ["1,667", "66,680,000", "1,149.6", "min"]


def test_the_plan_names_its_choice_and_what_it_compared() -> None:
    store = store_with(tiny_sector(3, (40, 30)))
    settings = replace(SETTINGS, block_sizes_mb=(10_240, 2048, 4096))
    ref = plan(store, settings=settings)
    assert (ref.size, ref.memory_mb) == (1, 2048)
    assert [each.memory_mb for each in ref.sizes] == [2048, 4096, 10_240]
    assert min(ref.sizes, key=lambda each: each.usd).memory_mb == 2048
    written = read_plan(store, ref.bucket, ref.prefix)
    assert (written.memory_mb, written.sizes) == (ref.memory_mb, ref.sizes)
