"""The state of an execution has room for 256 KiB. An execution that needs more fails, and no Catch helps."""

from __future__ import annotations

import json

import pytest

from tessera.bulk.plan.costs import BandLimits
from tessera_cloud import keys
from tessera_cloud.application.bulk.documents import BulkItems
from tessera_cloud.application.images.list_images import MOST_IMAGES
from tessera_cloud.application.jobs.plans import CubeRecord
from tessera_cloud.application.jobs.steps import JobItems
from tessera_cloud.contracts import BlockOutcome, PlanRef, SizeEstimate
from tests.template.documents import Json, machines, states

ROOM = 256 * 1024
ROWS = 2_078
"""Rows of a frame. A block has at least one."""
CUBES = 5_000
"""Cubes of an index: three times those of 100 sectors with 16 CCDs."""
BANDS = 10_000
"""Bands of a list: the largest number that a plan may have."""
DATASETS = 20
MOST = {
    "BuildBlocks": ROWS,
    "CutBands": BANDS,
    "CutItems": CUBES,
    "MeasureBlocks": ROWS,
    "ReadCubes": CUBES,
    "ReadImages": DATASETS * MOST_IMAGES,
}
"""Largest number of items of each Map."""
ANSWERS: dict[str, Json] = {
    "BuildBlock": BlockOutcome(block=ROWS, parts=10_000, size=10**12, built=False).model_dump(mode="json"),
    "CutItem": CubeRecord(
        obs_id="tess-s0100-4-4", status="succeeded", name="n" * 200, bytes=10**10, reason="r" * 500
    ).model_dump(mode="json"),
    "MeasureBlock": {"measured": False},
    "CutBand": {"made": BandLimits().most_targets},
    "ReadCube": {"read": False},
    "ReadImage": {"read": False},
}
"""Large answers of the tasks inside Maps."""

MAPS = {name: state for machine in machines() for name, state in states(machine).items() if state["Type"] == "Map"}


def test_each_map_is_known() -> None:
    assert MAPS.keys() == MOST.keys()


@pytest.mark.parametrize("name", MOST)
def test_the_answers_of_a_map_have_room_in_a_state(name: str) -> None:
    """Without ResultWriter the answers of all children form a list. With it, their place in S3 is the answer."""
    if "ResultWriter" in MAPS[name]:
        return
    task = MAPS[name]["ItemProcessor"]["StartAt"]
    state = MAPS[name]["ItemProcessor"]["States"][task]
    selected = {
        key.removesuffix(".$"): ANSWERS[task][path.removeprefix("$.").removeprefix("Payload.")]
        for key, path in state["ResultSelector"].items()
    }

    assert MOST[name] * len(json.dumps(selected) + ", ") < ROOM


def test_the_answers_of_an_index_of_images_would_not_have_room() -> None:
    assert MOST["ReadImages"] * len(json.dumps(ANSWERS["ReadImage"])) > ROOM
    writer = MAPS["ReadImages"]["ResultWriter"]
    assert writer["Parameters"] == {"Bucket.$": "$.bucket", "Prefix.$": "$.results"}


@pytest.mark.parametrize(
    ("name", "path"), [("ReadCubes", "$.to_read"), ("ReadImages", "$.to_read"), ("CutBands", "$.plan.bands")]
)
def test_the_items_of_an_index_and_of_a_list_are_read_from_a_file(name: str, path: str) -> None:
    assert "ItemsPath" not in MAPS[name]
    assert MAPS[name]["ItemReader"]["Parameters"]["Key.$"] == path


def test_the_answer_of_a_plan_of_a_list_is_small_whatever_the_list_has() -> None:
    job = "f" * 32
    items = BulkItems(
        bucket="b" * 63,
        bands=keys.bulk_bands(job),
        n_bands=BANDS,
        max_concurrency=1000,
        refused="r" * 500,
    )

    assert len(items.model_dump_json()) < 1000


def test_the_items_of_builds_and_jobs_have_room_in_a_state() -> None:
    plan = PlanRef(
        bucket="b" * 63,
        prefix="p" * 200,
        ccd="s0100-4-4",
        build_id="0" * 64,
        blocks=tuple(range(ROWS)),
        max_concurrency=1000,
        planned_at="2026-11-26T00:00:00+00:00",
        remarks=("a sentence of two hundred characters".ljust(200),) * 50,
        size=2,
        memory_mb=10_240,
        sizes=(SizeEstimate(memory_mb=10_240, blocks=2_078, tasks=40, gets=10**9, seconds=10**6, usd=1e6 / 3),) * 3,
    )
    items = JobItems(items=tuple(range(CUBES)), max_concurrency=1000)

    assert len(plan.model_dump_json()) < ROOM / 4
    assert len(items.model_dump_json()) < ROOM / 4
