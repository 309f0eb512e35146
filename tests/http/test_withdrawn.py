"""A withdrawn cube is gone from every answer, whoever writes the index meanwhile, until it is restored."""

from __future__ import annotations

import argparse
import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from tessera_cloud import keys
from tessera_cloud.admin.command import Operator
from tessera_cloud.admin.stack import Stack
from tessera_cloud.admin.withdraw import register
from tessera_cloud.application.caches import IndexCache
from tessera_cloud.application.index.footprint_index import publish
from tessera_cloud.application.index.served import served_index
from tessera_cloud.application.index.withdrawn import read_withdrawals, restore, withdraw
from tessera_cloud.bootstrap import Services
from tessera_cloud.errors import UsageError
from tessera_cloud.names import CubeId
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, RA, Api
from tests.support.builds import SETTINGS, at, put_frames, run_build
from tests.support.frames import tiny_sector
from tests.support.handlers import Handlers
from tests.support.sources import SETTINGS as SOURCES
from tests.support.sources import rows, run_index, two_cubes

NAME = "tess-s0001-4-2"
CUBE = CubeId.parse(NAME)
BUCKET = SETTINGS.cube_bucket
PLACE: dict[str, Any] = {"ra": RA, "dec": DEC}


def _withdraw(store: MemoryStore, cube_id: CubeId = CUBE) -> bool:
    return withdraw(cube_id, "stray light", store=store, bucket=BUCKET, now=1.0)


def _forget(api: Api) -> None:
    """Let the index become too old, as it does within a minute."""
    api.handlers.services.index.checked = api.handlers.services.index.hidden_read = -math.inf


def _names(api: Api) -> list[str]:
    return [cube["name"] for cube in api.get("/v1/cubes").json()["cubes"]]


def _served(store: MemoryStore) -> set[str]:
    index = served_index(IndexCache(), store=store, settings=SOURCES, now=1.0)
    return {cube.obs_id for cube in index.cubes}


def test_a_withdrawn_cube_is_in_no_answer_and_comes_back(api: Api) -> None:
    before = _names(api)
    sectors = {row["sectorName"] for row in api.get("/tesscut/api/v0.1/sector", **PLACE).json()["results"]}
    assert NAME in before
    assert NAME in sectors

    assert _withdraw(api.store)
    _forget(api)
    assert _names(api) == [name for name in before if name != NAME]
    found = api.get("/tesscut/api/v0.1/sector", **PLACE).json()["results"]
    assert {row["sectorName"] for row in found} == sectors - {NAME}
    answer = api.get(f"/v1/cubes/{NAME}")
    assert (answer.status, b"this one was withdrawn" in answer.content) == (404, True)
    assert api.get("/v1/preview", cube=NAME, size=3, **PLACE).status == 404
    assert api.get("/v1/cutouts", size=3, sectors="1", **PLACE).status == 404

    assert restore(CUBE, store=api.store, bucket=BUCKET)
    _forget(api)
    assert _names(api) == before


def test_a_job_of_before_leaves_a_withdrawn_cube_out_and_says_so(api: Api) -> None:
    job = api.post("/v1/jobs", {"position": PLACE, "size": [12, 11]}).json()
    _withdraw(api.store)
    _forget(api)
    api.run_jobs()
    ended = api.get(job["url"]).json()
    assert (ended["status"], ended["progress"]["failed"]) == ("partial", 1)
    assert f"{NAME}: the cube {NAME} was withdrawn" in json.dumps(ended)


def test_neither_the_next_index_nor_a_new_build_brings_it_back() -> None:
    store = two_cubes()
    run_index(store)
    _withdraw(store)
    assert _served(store) == {"tess-s0001-1-1"}
    run_index(store, "run-2")
    assert _served(store) == {"tess-s0001-1-1"}
    put_frames(store, tiny_sector(3))
    built = run_build(store)
    publish(built, store=store)
    assert NAME in rows(store)
    assert _served(store) == {"tess-s0001-1-1"}
    restore(CUBE, store=store, bucket=BUCKET)
    assert _served(store) == {"tess-s0001-1-1", NAME}


def test_writers_of_the_index_that_run_at_the_same_time_do_not_bring_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    store = two_cubes()
    run_index(store)
    write = store.write
    calls: list[str] = []

    def interrupt(bucket: str, key: str, *args: Any, **more: Any) -> str:
        if key == keys.FOOTPRINT_INDEX and not calls:
            calls.append(key)
            _withdraw(store)
        return write(bucket, key, *args, **more)

    monkeypatch.setattr(store, "write", interrupt)
    put_frames(store, tiny_sector(3))
    run_build(store)
    assert calls
    assert _served(store) == {"tess-s0001-1-1"}


def test_operators_who_withdraw_at_the_same_time_lose_nothing() -> None:
    store = MemoryStore()
    cubes = [CubeId.parse(f"tess-s0001-{camera}-{ccd}") for camera in (1, 2) for ccd in (1, 2, 3, 4)]
    with ThreadPoolExecutor(4) as pool:
        changed = list(pool.map(lambda cube_id: _withdraw(store, cube_id), cubes))
    assert all(changed)
    assert set(read_withdrawals(store, BUCKET).cubes) == {cube_id.obs_id for cube_id in cubes}


def test_a_second_withdrawal_keeps_the_first_reason_and_nothing_is_restored_twice() -> None:
    store = MemoryStore()
    assert _withdraw(store)
    assert not withdraw(CUBE, "another", store=store, bucket=BUCKET, now=2.0)
    assert read_withdrawals(store, BUCKET).cubes[NAME].reason == "stray light"
    assert restore(CUBE, store=store, bucket=BUCKET)
    assert not restore(CUBE, store=store, bucket=BUCKET)


def test_a_list_of_a_later_release_is_read_and_kept() -> None:
    store = MemoryStore()
    store.write(BUCKET, keys.WITHDRAWN, b'{"cubes": {"tess-s0002-1-1": {"since": 1.0, "by": "me"}}, "until": 3}')
    _withdraw(store)
    kept = json.loads(store.read(BUCKET, keys.WITHDRAWN)[0])
    assert (kept["until"], kept["cubes"]["tess-s0002-1-1"]["by"], NAME in kept["cubes"]) == (3, "me", True)


# ---------------------------------------------------------------- the command


@dataclass(frozen=True)
class OfMemory(Operator):
    """An operator whose stack is in memory."""

    of_stack: Services

    def stack(self, name: str) -> Stack:
        return Stack(name, "CREATE_COMPLETE", {}, {}, ())

    def services(self, stack: Stack) -> Services:
        assert stack.name == "tessera"
        return self.of_stack


def _run(services: Services, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    asked = parser.parse_args(["withdraw", "--stack", "tessera", *arguments])
    code: int = asked.run(asked, OfMemory(boto3.Session, at(0), services))
    return code


@pytest.fixture
def services() -> Services:
    return Handlers(MemoryStore()).services


def test_a_command_withdraws_shows_and_restores(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    put_frames(services.store, tiny_sector(3))
    run_build(services.store)
    said = []
    for arguments in ([NAME, "--reason", "stray light"], [NAME], [], [NAME, "--restore"], [NAME, "--restore"], []):
        assert _run(services, *arguments) == 0
        said.append(capsys.readouterr().out)
    assert said == [
        f"{NAME} is gone from the service within a minute\n",
        f"{NAME} was withdrawn before\n",
        f"{NAME}  stray light\n",
        f"{NAME} is served again within a minute\n",
        f"{NAME} was not withdrawn\n",
        "",
    ]


def test_a_command_says_when_the_index_does_not_list_the_cube(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(services, "tess-s0009-1-1")
    assert "(check the name: s3://cubes/index/footprints.json does not list it)" in capsys.readouterr().out


def test_a_name_that_no_cube_can_have_is_refused(services: Services) -> None:
    with pytest.raises(UsageError, match="cube is 's1'; allowed: the name of a cube, such as tess-s0001-4-2"):
        _run(services, "s1")
