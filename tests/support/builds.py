"""Builds over a store in memory, and astrocut's cube of the same frames."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

from astrocut import CubeFactory

from tessera_cloud import keys
from tessera_cloud.application.builds.build_block import build_block
from tessera_cloud.application.builds.complete_upload import complete_upload
from tessera_cloud.application.builds.plan_cube import plan_cube
from tessera_cloud.application.builds.uploads import begin_upload
from tessera_cloud.contracts import (
    BlockPlanRef,
    BlockTask,
    BuildRequest,
    BuildState,
    PlanRef,
    PublishedCube,
    UploadRef,
)
from tessera_cloud.ports import ObjectStore
from tessera_cloud.settings import Settings
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.frames import NamedFrame

SETTINGS = Settings(
    ffi_bucket="frames",
    ffi_prefix="tess/public/ffi/",
    tica_prefix="tess/public/tica/",
    cube_bucket="cubes",
    result_bucket="results",
    block_sizes_mb=(2048,),
    block_concurrency=4,
    max_gets_per_second=2000.0,
    memory_mb=2048,
    spend_alarm="SpendAlarm",
)
REQUEST = BuildRequest(sector=1, camera=4, ccd=2)
NOW = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.UTC)


def at(hours: float) -> Callable[[], datetime.datetime]:
    """Clock that always returns the same time, some hours after `NOW`."""
    return lambda: NOW + datetime.timedelta(hours=hours)


def frame_key(name: str) -> str:
    """Key of a SPOC or TICA frame."""
    if name.startswith("hlsp_tica"):
        return keys.frame(SETTINGS.tica_prefix, name, "TICA")
    return keys.frame(SETTINGS.ffi_prefix, name)


def put_frames(store: ObjectStore, frames: list[NamedFrame]) -> None:
    """Write frames under MAST's keys."""
    for name, data in frames:
        store.write(SETTINGS.ffi_bucket, frame_key(name), data)


def store_with(frames: list[NamedFrame]) -> MemoryStore:
    store = MemoryStore()
    put_frames(store, frames)
    return store


def plan(
    store: ObjectStore, request: BuildRequest = REQUEST, settings: Settings = SETTINGS, hours: float = 0.0
) -> PlanRef:
    return plan_cube(request, store=store, settings=settings, now=at(hours))


def task(ref: PlanRef, upload: UploadRef, block: int) -> BlockTask:
    return BlockTask(
        plan=BlockPlanRef(bucket=ref.bucket, prefix=ref.prefix, max_concurrency=ref.max_concurrency),
        upload=upload,
        block=block,
    )


def run_build(
    store: ObjectStore, request: BuildRequest = REQUEST, settings: Settings = SETTINGS, hours: float = 0.0
) -> PublishedCube:
    """Run every step of a build, one after the other."""
    ref = plan(store, request, settings, hours)
    upload = begin_upload(ref, store=store)
    for block in ref.blocks:
        build_block(task(ref, upload, block), store=store)
    return complete_upload(BuildState(plan=ref, upload=upload), store=store)


def build_cube(frames: list[NamedFrame], request: BuildRequest = REQUEST, settings: Settings = SETTINGS) -> bytes:
    """Build the cube of some frames through every step, and return its bytes."""
    store = store_with(frames)
    cube = run_build(store, request, settings)
    return store.objects[cube.bucket, cube.key]


def peer_cube(frames: list[NamedFrame], folder: Path, sector: int = 1) -> Path:
    """Build the cube of some frames with astrocut, and return its path."""
    paths = []
    for name, data in frames:
        (folder / name).write_bytes(data)
        paths.append(str(folder / name))
    return Path(CubeFactory().make_cube(paths, str(folder / "peer-cube.fits"), sector=sector, verbose=False))
