"""Builds, cutouts and a job on two S3s that have nothing in common: both give the same bytes."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tessera_cloud import keys
from tessera_cloud.contracts import BuildRequest, PublishedCube
from tessera_cloud.patience import Patience
from tessera_cloud.ports import ObjectStore
from tests.support.api import DEC, N_CADENCES, RA, SHAPE, Api, same_field_in_sector_two
from tests.support.builds import SETTINGS, put_frames, run_build
from tests.support.frames import tiny_sector
from tests.support.s3_servers import NAMED, S3Server, s3_server
from tests.support.same_bytes import assert_same_bytes

PLACE = {"ra": RA, "dec": DEC, "size": "5"}
LARGE = {"position": {"ra": RA, "dec": DEC}, "size": [12, 11]}
BUCKETS = (SETTINGS.ffi_bucket, SETTINGS.cube_bucket, SETTINGS.result_bucket)

pytestmark = pytest.mark.skipif(not NAMED, reason="TESSERA_TEST_S3 names no S3; `make test-s3` does")


@dataclass(frozen=True)
class World:
    """The service on one S3, with cubes of two sectors."""

    store: ObjectStore
    api: Api
    cubes: list[PublishedCube]


def begin(server: S3Server) -> World:
    """Build the cubes, and open the API over them."""
    for bucket in BUCKETS:
        server.empty(bucket)
    store = server.store(Patience(3, 0.01, 0.1, time.sleep, lambda low, high: high))
    put_frames(store, [*tiny_sector(N_CADENCES[1], SHAPE), *same_field_in_sector_two()])
    cubes = [run_build(store, BuildRequest(sector=sector, camera=4, ccd=2)) for sector in (1, 2)]
    return World(store, Api(store), cubes)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    home = tmp_path_factory.mktemp("s3")
    with s3_server("local", home) as ours, s3_server("named", home) as named:
        yield begin(ours), begin(named)


def test_the_cubes_have_the_same_bytes_and_names(worlds: tuple[World, World]) -> None:
    ours, named = worlds
    assert [(cube.key, cube.etag) for cube in named.cubes] == [(cube.key, cube.etag) for cube in ours.cubes]
    for cube in ours.cubes:
        assert_same_bytes(named.store.read(cube.bucket, cube.key)[0], ours.store.read(cube.bucket, cube.key)[0])


@pytest.mark.parametrize("path", ["/v1/cutouts", "/tesscut/api/v0.1/astrocut"])
def test_cutouts_have_the_same_bytes(worlds: tuple[World, World], path: str) -> None:
    own = path.startswith("/v1")  # with a description of the archive
    query = PLACE if own else {"ra": RA, "dec": DEC, "x": 5, "y": 5}
    ours, named = (world.api.get(path, **query) for world in worlds)
    assert (named.status, len(named.members)) == (200, 3 if own else 2)
    assert_same_bytes(named.content, ours.content)


def test_a_job_leaves_the_same_archive_behind_a_link_that_opens(worlds: tuple[World, World]) -> None:
    archives = []
    for world in worlds:
        order = world.api.post("/v1/jobs", LARGE)
        assert order.status == 202
        world.api.run_jobs()
        job = world.api.get(f"/v1/jobs/{order.json()['id']}").json()
        assert (job["status"], job["progress"]) == ("succeeded", {"cubes": 2, "done": 2, "failed": 0})
        link = world.store.presign(SETTINGS.result_bucket, keys.result(order.json()["id"]), 60, "cubes.zip")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(link, timeout=30) as answer:
            assert answer.headers["content-disposition"] == 'attachment; filename="cubes.zip"'
            archives.append(answer.read())
    assert_same_bytes(*archives)


def test_a_build_that_runs_again_leaves_the_cube_alone(worlds: tuple[World, World]) -> None:
    for world in worlds:
        before = world.store.head(world.cubes[0].bucket, world.cubes[0].key)
        again = run_build(world.store, BuildRequest(sector=1, camera=4, ccd=2))
        assert (again.key, again.etag) == (world.cubes[0].key, world.cubes[0].etag)
        assert world.store.head(world.cubes[0].bucket, world.cubes[0].key) == before
        assert not list(world.store.list_uploads(SETTINGS.cube_bucket, ""))
