"""Each state machine on moto's interpreter and on ministack's: the same states, inputs, outputs, calls and ends.

They share no code, so what both do is unlikely to be a mistake of one.
What one of them lacks is listed in CONTRIBUTING.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest

from tessera_cloud.errors import FatalError, TransientError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, RA, Api, store_of_cubes
from tests.support.builds import store_with
from tests.support.bulk_machine import ALL, BulkStack
from tests.support.histories import History, record
from tests.support.image_machine import ImageStack
from tests.support.index_machine import IndexStack
from tests.support.job_machine import JobStack
from tests.support.ministack import Ministack
from tests.support.state_machine import FRAMES, Behind, Fault, Stack, always, behind_moto, definition, no_fault

pytestmark = [
    pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning"),
    pytest.mark.filterwarnings("ignore::asdf.exceptions.AsdfConversionWarning"),
    pytest.mark.filterwarnings("ignore::asdf.exceptions.AsdfPackageVersionWarning"),
]
THROTTLED = type("Lambda.TooManyRequestsException", (Exception,), {})("Rate Exceeded.")
KILLED = type("Runtime.ExitError", (Exception,), {})("killed")
States = dict[str, dict[str, Any]]
COMPARED = ("names", "states", "calls", "children", "ends")
Run = Callable[[MemoryStore], tuple[Stack, Callable[[str], dict[str, Any]]]]
"""Makes a stack behind the interpreter, and what runs its execution with Maps in a mode."""


@pytest.fixture(scope="session")
def cubes() -> MemoryStore:
    return store_of_cubes()


def cube_build(_cubes: MemoryStore) -> tuple[Stack, Callable[[str], dict[str, Any]]]:
    stack = Stack(store_with(FRAMES))
    return stack, stack.run


def cutout_job(cubes: MemoryStore) -> tuple[Stack, Callable[[str], dict[str, Any]]]:
    stack = JobStack(Api(MemoryStore(objects=dict(cubes.objects))))

    def run(mode: str) -> dict[str, Any]:
        asked = stack.api.post("/v1/jobs", {"position": {"ra": RA, "dec": DEC}, "size": [12, 11]})
        assert asked.status == 202
        return stack.make(mode)

    return stack, run


def bulk_job(cubes: MemoryStore) -> tuple[Stack, Callable[[str], dict[str, Any]]]:
    stack = BulkStack(cubes)

    def run(mode: str) -> dict[str, Any]:
        stack.open()
        stack.world.ask(ALL)
        return stack.make(mode)

    return stack, run


def opened(stack: IndexStack | ImageStack) -> tuple[Stack, Callable[[str], dict[str, Any]]]:
    def run(mode: str) -> dict[str, Any]:
        stack.open()
        return stack.run(mode)

    return stack, run


MACHINES: dict[str, Run] = {
    "cube_build": cube_build,
    "cutout_job": cutout_job,
    "bulk_job": bulk_job,
    "footprint_index": lambda _cubes: opened(IndexStack()),
    "image_index": lambda _cubes: opened(ImageStack()),
}


def once(error: Exception) -> Callable[[], Fault]:
    """The first call of each function with each event fails."""

    def make() -> Fault:
        seen: set[str] = set()

        def fault(name: str, event: dict[str, Any], call: int) -> None:
            if (key := f"{name} {event}") not in seen:
                seen.add(key)
                raise error

        return fault

    return make


def of_first_child(function: str, error: Exception) -> Callable[[], Fault]:
    """The calls for one child of a Map fail, each time."""

    def fault(name: str, event: dict[str, Any], call: int) -> None:
        item = event.get("block", event.get("item", event.get("band")))
        if name == function and (item == 0 or "1-1" in str(event.get("cube")) or "2mass_k" in str(event.get("image"))):
            raise error

    return lambda: fault


def steadily(function: str, error: Exception) -> Callable[[], Fault]:
    return lambda: always(function, error)


FATAL = FatalError("the disk is on fire")
LASTING = TransientError("503 SlowDown")
STEPS = {
    "cube_build": ["plan_cube", "begin_upload", "complete_upload", "write_coverage", "write_measures"],
    "cutout_job": ["plan_job", "finish_job"],
    "bulk_job": ["plan_bulk", "finish_bulk"],
    "footprint_index": ["list_cubes", "write_index", "write_coverage"],
    "image_index": ["list_images", "write_image_index"],
}
CHILDREN = {
    "cube_build": "build_block",
    "cutout_job": "cut_item",
    "bulk_job": "cut_band",
    "footprint_index": "read_cube",
    "image_index": "read_image",
}
Case = tuple[str, str, Callable[[], Fault]]


def cases() -> Iterator[Any]:
    """Machine, mode of its Maps, and fault."""

    def case(name: str, machine: str, fault: Callable[[], Fault], mode: str = "DISTRIBUTED") -> Any:
        return pytest.param(machine, mode, fault, id=f"{machine}-{name}")

    for machine, steps in STEPS.items():
        child = CHILDREN[machine]
        yield case("happy", machine, lambda: no_fault)
        yield case("everything-fails-once", machine, once(LASTING))
        for step in steps:
            yield case(f"{step}-fails", machine, steadily(step, FATAL))
        yield case(f"{steps[0]}-fails-until-no-try-is-left", machine, steadily(steps[0], LASTING))
        if machine != "cube_build":  # its Maps tolerate no failure, and there moto differs
            yield case("a-child-fails", machine, of_first_child(child, FATAL))
            yield case("a-child-is-killed-each-time", machine, of_first_child(child, KILLED))
            yield case("all-children-fail", machine, steadily(child, FATAL))
    yield case("no-room-for-a-block", "cube_build", of_first_child("build_block", THROTTLED))


def history(behind: Behind, cubes: MemoryStore, machine: str, fault: Fault, mode: str = "DISTRIBUTED") -> History:
    """What an interpreter did with a machine."""
    stack, start = MACHINES[machine](cubes)
    stack.fault = fault
    with behind(stack):
        return record(stack, lambda: start(mode))


@pytest.mark.parametrize(("machine", "mode", "fault"), list(cases()))
def test_both_take_the_same_states_with_the_same_values(
    ministack: Ministack, cubes: MemoryStore, machine: str, mode: str, fault: Callable[[], Fault]
) -> None:
    of_moto = history(behind_moto, cubes, machine, fault(), mode)
    of_ministack = history(ministack.behind, cubes, machine, fault(), mode)
    assert of_moto.names == of_ministack.names
    assert of_moto.states == of_ministack.states
    assert of_moto.calls == of_ministack.calls
    assert of_moto.children == of_ministack.children
    assert of_moto.ends == of_ministack.ends


# ---------------------------------------------------------------- one that does otherwise


def tries_once(states: States) -> None:
    del states["PlanJob"]["Retry"]


def gives_up_earlier(states: States) -> None:
    states["PlanJob"]["Retry"][1]["MaxAttempts"] = 3


def catches_nothing(states: States) -> None:
    del states["FinishJob"]["Catch"]


def puts_a_result_elsewhere(states: States) -> None:
    states["PlanJob"]["ResultPath"] = "$.plans"
    states["CutItems"]["ItemsPath"] = "$.plans.items"


def loses_an_input(states: States) -> None:
    states["FinishJob"]["InputPath"] = "$.plan"


@pytest.mark.parametrize(
    ("change", "fault", "found"),
    [
        (tries_once, once(LASTING), {"names", "states", "calls", "children", "ends"}),
        (gives_up_earlier, steadily("plan_job", LASTING), {"calls"}),
        (catches_nothing, steadily("finish_job", FATAL), {"names", "states", "calls"}),
        (puts_a_result_elsewhere, lambda: no_fault, {"states", "ends"}),
        (loses_an_input, lambda: no_fault, {"names", "states", "calls", "ends"}),
    ],
)
def test_an_interpreter_that_does_otherwise_is_found(
    ministack: Ministack,
    cubes: MemoryStore,
    change: Callable[[States], None],
    fault: Callable[[], Fault],
    found: set[str],
) -> None:
    of_moto = history(behind_moto, cubes, "cutout_job", fault())
    document = json.loads(definition("DISTRIBUTED", "cutout_job"))
    change(document["States"])
    with patch("tests.support.state_machine.definition", return_value=json.dumps(document)):
        other = history(ministack.behind, cubes, "cutout_job", fault())
    assert {name for name in COMPARED if getattr(of_moto, name) != getattr(other, name)} == found
