"""Cubes in a public source, in MAST's layout."""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache

from tessera_cloud.application.index.footprint_index import read_index
from tessera_cloud.application.index.list_cubes import list_cubes
from tessera_cloud.application.index.messages import CubeTask, IndexSummary
from tessera_cloud.application.index.read_cube import read_cube_row
from tessera_cloud.application.index.write_index import write_index
from tessera_cloud.application.indexing import RunRef, RunRequest
from tessera_cloud.contracts import BuildRequest, PublishedCube
from tessera_cloud.ports import ObjectStore
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support import builds
from tests.support.frames import tiny_sector
from tests.support.tica import tiny_tica_sector

BUCKET, PREFIX = "stpubdata", "tess/public/mast/"
SOURCE = f"{BUCKET}/{PREFIX}"
SETTINGS = dataclasses.replace(builds.SETTINGS, cube_sources=(SOURCE,))


@lru_cache(maxsize=64)
def small_cube(camera: int = 4, ccd: int = 2, n_frames: int = 5, sector: int = 1) -> bytes:
    """Build a cube of tiny frames with the real WCS of a CCD; sectors 1 to 108."""
    frames = tiny_sector(n_frames, sector=sector, camera=camera, ccd=ccd)
    return builds.build_cube(frames, BuildRequest(sector=sector, camera=camera, ccd=ccd))


@lru_cache(maxsize=1)
def small_tica_cube() -> bytes:
    """Build a cube of tiny TICA frames of sector 27, camera 1, CCD 4."""
    return builds.build_cube(tiny_tica_sector(), BuildRequest(sector=27, camera=1, ccd=4, product="TICA"))


def key(obs_id: str) -> str:
    """Key of the cube of a CCD at MAST."""
    return f"{PREFIX}{obs_id}-cube.fits"


def put_cube(store: ObjectStore, obs_id: str, data: bytes) -> str:
    """Write a cube under MAST's key, and return its ETag."""
    return store.write(BUCKET, key(obs_id), data)


def run_index(store: ObjectStore, run: str = "run-1") -> IndexSummary:
    """Run every step of the workflow, one after the other."""
    ref = list_cubes(RunRequest(run=run), store=store, settings=SETTINGS)
    for task in tasks_of(store, ref):
        read_cube_row(task, store=store, cube_bucket=ref.bucket)
    return write_index(ref, store=store)


def tasks_of(store: ObjectStore, ref: RunRef) -> list[CubeTask]:
    """Items of the Map."""
    return [CubeTask.model_validate(item) for item in json.loads(store.read(ref.bucket, ref.to_read)[0])]


def reads_of_sources(store: MemoryStore) -> list[tuple[str, str, str]]:
    """Requests for bytes of the source's cubes."""
    return [request for request in store.requests if request[1] == BUCKET and request[0].startswith("read")]


def two_cubes() -> MemoryStore:
    """A source with two cubes of sector 1."""
    store = MemoryStore()
    put_cube(store, "tess-s0001-4-2", small_cube())
    put_cube(store, "tess-s0001-1-1", small_cube(1, 1))
    return store


def rows(store: ObjectStore) -> dict[str, PublishedCube]:
    """Rows of the index by obs_id."""
    return {row.obs_id: row for row in read_index(store, SETTINGS.cube_bucket)[0].cubes}


def ordered(store: ObjectStore, run: str) -> tuple[RunRef, list[str]]:
    """List the cubes; returns the run, and the obs_ids of the cubes that must be read."""
    ref = list_cubes(RunRequest(run=run), store=store, settings=SETTINGS)
    return ref, [task.cube.obs_id for task in tasks_of(store, ref)]
