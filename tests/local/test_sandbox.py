"""What a Lambda environment does not let a function do: change its code, fill its disk, and work between calls."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tessera_local.lambdas.sandbox import FREEZES, changed_paths, is_writable
from tessera_local.lambdas.service import LambdaService
from tessera_local.lambdas.worker import Outcome
from tessera_local.stack import Stack
from tessera_local.template.deployed import Template
from tests.support.coroutines import run_coroutine

ACT, STRAIN = "ActFunction", "StrainFunction"


@asynccontextmanager
async def small(toy: Path, home: Path, mb: int) -> AsyncIterator[LambdaService]:
    """A service whose function has a temporary folder of some MB."""
    functions = Template(toy).functions
    service = LambdaService({STRAIN: replace(functions[STRAIN], temporary_mb=mb)}, home)
    try:
        yield service
    finally:
        await service.close()


async def strain(service: LambdaService, **event: Any) -> Outcome:
    return await service.invoke(STRAIN, json.dumps(event).encode())


def test_code_cannot_be_changed_and_the_temporary_folder_can(stack: Stack, toy: Path) -> None:
    own = toy.parent / "functions" / "strain" / "written.txt"
    refused = stack.invoke(STRAIN, {"do": "change", "path": str(own)})
    assert refused == dict.fromkeys(("write", "make", "move", "delete"), "Read-only file system")
    assert not list(own.parent.glob("written*"))
    folder = stack.invoke(STRAIN, {"do": "fill", "mb": 0, "named": True})["folder"]
    assert stack.invoke(STRAIN, {"do": "change", "path": f"{folder}/written.txt"}) == {}


@pytest.mark.parametrize("named", [True, False])
def test_a_function_that_fills_its_temporary_folder_fails_and_is_replaced(
    toy: Path, tmp_path: Path, *, named: bool
) -> None:
    async def use() -> list[Outcome]:
        async with small(toy, tmp_path, mb=3) as service:
            return [await strain(service, do="fill", mb=mb, named=named) for mb in (2, 2, 1)]

    fits, full, again = run_coroutine(use())
    assert fits.function_error is None
    assert (full.function_error, full.error_type) == ("Unhandled", "OSError")
    assert "No space left on device" in json.loads(full.payload)["errorMessage"]
    assert json.loads(again.payload)["pid"] != json.loads(fits.payload)["pid"]
    assert json.loads(again.payload)["files"] == named  # nothing of the worker before


def test_each_worker_has_a_temporary_folder_of_its_own_which_goes_with_it(toy: Path, tmp_path: Path) -> None:
    async def use() -> list[Path]:
        async with small(toy, tmp_path, mb=3) as service:
            kept = json.loads((await strain(service, do="fill", mb=1, named=True)).payload)
            same = json.loads((await strain(service, do="fill", mb=1, named=True)).payload)
            assert same["folder"] == kept["folder"]
            assert same["files"] == 2
            return [Path(kept["folder"])]

    (folder,) = run_coroutine(use())
    assert folder.parent == tmp_path / "tmp" / "workers"
    assert not folder.exists()


@pytest.mark.skipif(not FREEZES, reason="only Linux ends a stopped process together with its parent")
def test_nothing_runs_between_two_calls(stack: Stack) -> None:
    stack.invoke(STRAIN, {"do": "tick"})
    time.sleep(0.1)
    before = stack.invoke(STRAIN, {"do": "tick"})
    time.sleep(0.4)
    after = stack.invoke(STRAIN, {"do": "tick"})
    assert after - before < 20  # 80 if it ran
    stack.invoke(STRAIN, {"do": "work", "seconds": 0.3})
    assert stack.invoke(STRAIN, {"do": "tick"}) - after > 5


def test_the_size_of_the_temporary_folder_is_read_from_the_template(stack: Stack) -> None:
    assert [stack.template.functions[name].temporary_mb for name in (ACT, STRAIN)] == [512, 600]


def test_only_the_first_call_of_a_worker_is_a_cold_start(toy: Path, tmp_path: Path) -> None:
    async def use() -> list[float | None]:
        async with small(toy, tmp_path, mb=3) as service:
            for _ in range(2):
                await strain(service, do="work", seconds=0)
            return [report.init_ms for report in service.reports]

    cold, warm = run_coroutine(use())
    assert cold is not None
    assert cold > 10
    assert warm is None


@pytest.mark.parametrize(
    ("event", "arguments", "paths"),
    [
        ("open", ("a", "r", 0), []),
        ("open", ("a", "w", 0o1101), ["a"]),
        ("open", (b"a", None, 2), ["a"]),
        ("open", (3, "w", 0o1101), []),
        ("os.rename", ("a", "b", -1, -1), ["a", "b"]),
        ("os.rename", ("a", "b", 5, 5), []),
        ("os.link", ("a", "b", -1, -1), ["b"]),
        ("os.symlink", ("a", "b", -1), ["b"]),
        ("os.remove", (Path("a"), -1), ["a"]),
        ("os.remove", ("a", 7), []),
        ("os.mkdir", ("a", 511, -1), ["a"]),
        ("os.listdir", ("a",), []),
    ],
)
def test_events_of_python_name_what_they_change(event: str, arguments: tuple[Any, ...], paths: list[str]) -> None:
    assert changed_paths(event, arguments) == paths


def test_compiled_modules_and_nothing_may_be_written(tmp_path: Path) -> None:
    own, link = tmp_path / "own", tmp_path / "own" / "link"
    own.mkdir()
    link.symlink_to(tmp_path)
    writable = ["/dev/null", "/code/__pycache__", "/code/__pycache__/a.pyc", str(own / "a"), str(own)]
    refused = ["/code/a", f"{own}2/a", str(own / ".." / "a"), str(link / "a"), "/code/__pycache__/a/b"]
    assert [is_writable(path, str(own)) for path in writable] == [True] * len(writable)
    assert [is_writable(path, str(own)) for path in refused] == [False] * len(refused)
