"""Throttling is weather: in a crowded account executions are slow, and no task fails."""

from __future__ import annotations

import copy
import json
import random
import tomllib
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from tessera_cloud.admin.checks.account import SMALL
from tests.template.documents import ROOT, Json, definition_text, load, state_groups
from tests.template.weather import THROTTLED, Account, Seconds, Work, serve, start

Parameters: TypeAlias = dict[str, int]
NEW, USUAL = 10, 1_000
"""Environments of a new account, and of most others."""
SECONDS = {
    "PlanCube": (20.0, 90.0),
    "BuildBlock": (38.0, 46.0),
    "CompleteUpload": (10.0, 60.0),
    "ListCubes": (10.0, 30.0),
    "ReadCube": (0.8, 2.0),
    "WriteIndex": (5.0, 15.0),
    "ListImages": (10.0, 30.0),
    "ReadImage": (0.8, 2.0),
    "PlanJob": (2.0, 20.0),
    "CutItem": (2.0, 240.0),
    "FinishJob": (5.0, 60.0),
    "PlanBulk": (20.0, 300.0),
    "CutBand": (60.0, 340.0),
    "FinishBulk": (5.0, 120.0),
}
"""Durations as measured; those of cutouts depend on their size."""
LONG_BLOCK = (400.0, 500.0)
"""Duration of a block of 11,775 frames if 40 shared 2,000 requests a second. A plan lets ten run, 130 s each."""
CHILDREN = {"BuildBlock", "ReadCube", "ReadImage", "CutItem", "CutBand"}
OLD_RULE = {"IntervalSeconds": 2, "BackoffRate": 2.0, "JitterStrategy": "FULL", "MaxAttempts": 4}
"""The only rule before decision 0033, also for throttled tasks."""
TOO_FEW = {"IntervalSeconds": 5, "BackoffRate": 1.5, "MaxDelaySeconds": 60, "JitterStrategy": "FULL", "MaxAttempts": 40}
"""A rule that waits for 18 minutes."""
NAMES = (
    "BlockConcurrency",
    "MaxBuilds",
    "IndexConcurrency",
    "JobConcurrency",
    "MaxJobs",
    "BulkConcurrency",
    "MaxBulkJobs",
)


def defaults() -> Parameters:
    """Parameters of the template when none are given."""
    parameters = load()["Parameters"]
    return {name: int(parameters[name]["Default"]) for name in NAMES}


def advised() -> Parameters:
    """Parameters for an account with 10 environments: those of `sam deploy` without an environment."""
    document = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    pairs = (pair.split("=") for pair in document["default"]["deploy"]["parameters"]["parameter_overrides"])
    return defaults() | {name: int(value) for name, value in pairs if name in NAMES}


def test_doctor_and_documentation_give_the_same_advice() -> None:
    told = dict(pair.split("=") for pair in SMALL.split())

    assert defaults() | {name: int(value) for name, value in told.items()} == advised()
    assert f"`{SMALL}`" in (ROOT / "docs/operations/deploying.md").read_text(encoding="utf-8")


def definition(machine: str, change: Json | None = None) -> Json:
    """The definition of a machine; with other rules for throttled tasks, if they are given."""
    document: Json = json.loads(definition_text(f"{machine}StateMachine"))
    for group in state_groups(document) if change else ():
        for state in group["States"].values():
            if state["Type"] == "Task":
                state["Retry"] = [{"ErrorEquals": [THROTTLED], **copy.deepcopy(change or {})}]
    return document


class Town:
    """An account in which executions of our machines run side by side."""

    def __init__(self, limit: int, parameters: Parameters, rule: Json | None = None, seed: int = 1) -> None:
        self.account = Account(limit, random.Random(seed))
        self.parameters = parameters
        self.rule = rule
        self.works: list[Work] = []

    def add(self, machine: str, items: int, width: str, seconds: Mapping[str, Seconds] | None = None) -> None:
        work = Work(definition(machine, self.rule), items, self.parameters[width], SECONDS | dict(seconds or {}))
        self.works.append(start(self.account, work))

    def builds(self, blocks: int) -> None:
        """As many builds as ingest runs at the same time."""
        for _ in range(self.parameters["MaxBuilds"]):
            self.add("CubeBuild", blocks, "BlockConcurrency")

    def index(self, cubes: int, images: int = 0) -> None:
        self.add("FootprintIndex", cubes, "IndexConcurrency")
        self.add("ImageIndex", images, "IndexConcurrency")

    def jobs(self, number: int, items: int) -> None:
        """A number of jobs, or fewer if fewer may run at the same time."""
        for _ in range(min(number, self.parameters["MaxJobs"])):
            self.add("CutoutJob", items, "JobConcurrency")

    def lists(self, number: int, bands: int) -> None:
        """A number of lists of targets, or fewer if fewer may run at the same time."""
        for _ in range(min(number, self.parameters["MaxBulkJobs"])):
            self.add("BulkJob", bands, "BulkConcurrency")

    def api(self, fewest: float, most: float) -> None:
        self.account.start(serve(self.account, (fewest, most)))

    def run(self) -> Account:
        self.account.run()
        return self.account


def new_account(town: Town) -> None:
    """A first deployment with every default: builds of a short sector, the first index, a few jobs, some users."""
    town.builds(34)
    town.index(1_600, images=300)
    town.jobs(3, 20)
    town.lists(2, 50)
    town.api(0, 4)


def long_sector(town: Town) -> None:
    """Two builds of a long sector, whose tasks wait for their share of the requests: thirteen hours of contention."""
    for _ in range(2):
        town.add("CubeBuild", 520, "BlockConcurrency", {"BuildBlock": LONG_BLOCK})
    town.index(1_600)
    town.api(0, 3)


def first_index(town: Town) -> None:
    town.index(1_600)
    town.api(0, 2)


def busy_account(town: Town) -> None:
    """Builds, jobs, and an API or a neighbour that has 600 environments."""
    town.builds(95)
    town.builds(95)
    town.index(1_600)
    town.jobs(town.parameters["MaxJobs"], 100)
    town.lists(town.parameters["MaxBulkJobs"], 272)
    town.api(550, 650)


Given: TypeAlias = Callable[[], Parameters]
Scene: TypeAlias = Callable[[Town], None]
SCENES = [
    pytest.param(NEW, defaults, new_account, id="new account with every default"),
    pytest.param(NEW, defaults, long_sector, id="new account and a long sector"),
    pytest.param(NEW, advised, new_account, id="new account with the advice"),
    pytest.param(NEW, defaults, first_index, id="first index of 1,600 cubes"),
    pytest.param(NEW, advised, first_index, id="first index with the advice"),
    pytest.param(USUAL, defaults, busy_account, id="busy account of 1,000"),
    pytest.param(700, defaults, busy_account, id="crowded account of 700"),
]
each_scene = pytest.mark.parametrize(("limit", "parameters", "scene"), SCENES)
crowded = pytest.mark.parametrize(
    ("limit", "parameters", "scene"), [scene for scene in SCENES if "advice" not in str(scene.id)]
)


@pytest.mark.parametrize("seed", [1, 2, 3])
@each_scene
def test_no_task_fails_because_it_was_throttled(limit: int, parameters: Given, scene: Scene, seed: int) -> None:
    town = Town(limit, parameters(), seed=seed)
    scene(town)

    account = town.run()

    assert account.failed == {}
    assert sum(account.done[name] for name in CHILDREN & account.done.keys()) == sum(work.items for work in town.works)
    assert {work.status for work in town.works} == {"SUCCEEDED"}
    assert all(work.took < 0.75 * work.definition["TimeoutSeconds"] for work in town.works)


@crowded
def test_tasks_failed_when_throttling_was_an_error_like_others(limit: int, parameters: Given, scene: Scene) -> None:
    town = Town(limit, parameters(), OLD_RULE)
    scene(town)

    assert sum(town.run().failed.values()) > 10


@pytest.mark.parametrize("scene", [new_account, long_sector])
def test_forty_attempts_are_too_few_for_a_new_account(scene: Scene) -> None:
    town = Town(NEW, defaults(), TOO_FEW)
    scene(town)

    assert town.run().failed["BuildBlock"] > 10


def test_a_task_that_is_not_throttled_takes_as_long_as_before() -> None:
    took = []
    for rule in (None, OLD_RULE):
        town = Town(USUAL, defaults(), rule)
        town.builds(95)
        town.index(1_600)
        assert town.run().failed == {}
        took.append([work.took for work in town.works])

    assert took[0] == took[1]


def test_the_advice_leaves_an_environment_to_the_api_at_all_times() -> None:
    town = Town(NEW, advised())
    town.builds(34)
    town.index(1_600, images=1_600)
    town.jobs(1, 50)
    town.lists(1, 20)
    town.api(0, 1)
    account = town.run()

    assert account.asked > 500
    assert account.refused == 0


def needed(parameters: Parameters) -> int:
    """Environments that our machines may occupy at the same time."""
    builds = parameters["MaxBuilds"] * parameters["BlockConcurrency"]
    jobs = parameters["MaxJobs"] * parameters["JobConcurrency"]
    lists = parameters["MaxBulkJobs"] * parameters["BulkConcurrency"]
    return builds + 2 * parameters["IndexConcurrency"] + jobs + lists


def test_defaults_and_advice_leave_environments_to_the_api() -> None:
    assert needed(defaults()) <= USUAL - 250
    assert needed(advised()) < NEW
