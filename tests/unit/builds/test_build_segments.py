"""Growing cubes of the service: a build of the frames that the current cube lacks, served as one cube."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import obstore
import pytest

from tessera.cubes.reader import Cube
from tessera_cloud import keys
from tessera_cloud.application.builds import growth
from tessera_cloud.application.builds.clean_up import delete_superseded
from tessera_cloud.application.index.footprint_index import read_index, read_pointer
from tessera_cloud.application.index.list_cubes import read_own_cubes
from tessera_cloud.application.sidecar import cube_ranges, open_cube, read_segment_table
from tessera_cloud.contracts import PublishedCube
from tessera_cloud.errors import ObjectChangedError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import REQUEST, SETTINGS, frame_key, put_frames, run_build, store_with
from tests.support.frames import NamedFrame, tiny_sector
from tests.support.same_bytes import assert_same_bytes, without_record

FRAMES = sorted(tiny_sector(8, (40, 30), without_wcs=[1], longer_header=[3]))
DAYS = (FRAMES[2:5], [*FRAMES[:2], *FRAMES[6:]], FRAMES[5:6])
GROW = REQUEST.model_copy(update={"grow": True})
BUCKET = SETTINGS.cube_bucket
POINTER = keys.current(REQUEST.ccd_id)


class BufferStore(MemoryStore):
    """A store whose ranges are buffers and no bytes, as those of S3 are."""

    def read_range(self, *args: Any, **options: Any) -> Any:
        return obstore.Bytes(bytes(super().read_range(*args, **options)))


def grown(*days: list[NamedFrame], store: MemoryStore | None = None) -> tuple[MemoryStore, PublishedCube]:
    """Store of frames that arrive on some days, and the cube after the last one."""
    store = store or BufferStore()
    for hour, frames in enumerate(days):
        put_frames(store, frames)
        cube = run_build(store, GROW, hours=0.1 * hour)
    return store, cube


def array_of(cube: PublishedCube, store: MemoryStore) -> bytes:
    about = open_cube(cube, store=store, cube_bucket=BUCKET)
    return bytes(cube_ranges(cube, about, store)(about.data_offset, about.layout.data_bytes))


def test_a_growing_cube_is_the_cube_of_all_its_frames() -> None:
    store, cube = grown(*DAYS)
    fresh = store_with(FRAMES)
    whole = run_build(fresh)
    assert array_of(whole, BufferStore(dict(fresh.objects))) == array_of(cube, store)
    data = without_record(fresh.objects[BUCKET, whole.key])
    table = read_segment_table(cube, store)
    assert_same_bytes(table.head + array_of(cube, store) + table.tail, data)
    assert cube.segments == tuple(dict.fromkeys(cube.segments))
    assert len(cube.segments) == 3
    served = {"key", "size", "etag", "planned_at", "generation", "segments"}
    assert cube.model_dump(exclude=served) == whole.model_dump(exclude=served)
    assert read_pointer(store, BUCKET, POINTER)[0] == cube
    assert read_index(store, BUCKET)[0].cubes == (cube,)
    assert read_own_cubes(store, BUCKET) == ([cube], [])


def test_only_the_new_frames_are_read() -> None:
    store, _ = grown(*DAYS[:2])
    put_frames(store, DAYS[2])
    store.requests.clear()
    run_build(store, GROW, hours=1)
    read = {key for operation, bucket, key in store.requests if operation == "read_range" and bucket != BUCKET}
    assert read == {frame_key(name) for name, _ in DAYS[2]}


def test_the_build_of_the_whole_cube_takes_its_place_and_the_segments_go() -> None:
    store, growing = grown(*DAYS)
    day = 86_400.0
    now = max(info.modified for info in store.list_objects(BUCKET, ""))
    gone = delete_superseded(store=store, bucket=BUCKET, now=now + 3 * day)
    assert [key.rsplit("-", 1)[1] for key in gone] == ["cube.json"]  # the table of the second day
    assert len(array_of(growing, store)) == 8 * 40 * 30 * 8
    whole = run_build(store, hours=30)
    assert whole.segments == ()
    assert whole.build_id == growing.build_id
    assert read_pointer(store, BUCKET, POINTER)[0] == whole
    gone = delete_superseded(store=store, bucket=BUCKET, now=now + 9 * day)
    assert {key for key in gone if key.endswith("-cube.fits")} == {
        keys.cube(REQUEST.cube_id, build) for build in growing.segments
    }
    left = [info.key for info in store.list_objects(BUCKET, keys.CUBES)]
    assert sorted(left) == sorted([POINTER, whole.key])


@pytest.mark.parametrize("change", ["replaced", "removed", "plans gone", "many segments", "first"])
def test_a_cube_that_cannot_grow_is_built_as_a_whole(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore() if change == "first" else grown(FRAMES[:3], FRAMES[3:5])[0]
    old = (SETTINGS.ffi_bucket, frame_key(FRAMES[0][0]))
    if change == "replaced":
        store.write(*old, FRAMES[0][1] + bytes(2880))
    elif change == "removed":
        store.delete(*old)
    elif change == "plans gone":
        for info in list(store.list_objects(BUCKET, "builds/")):
            store.delete(BUCKET, info.key)
    elif change == "many segments":
        monkeypatch.setattr(growth, "MOST_SEGMENTS", 2)
    put_frames(store, FRAMES[5:])
    cube = run_build(store, GROW, hours=2)
    assert cube.segments == ()
    assert cube.key.endswith("-cube.fits")
    assert cube.n_cadences == {"removed": 7, "first": 3}.get(change, 8)


def test_steps_that_are_repeated_change_nothing() -> None:
    store, cube = grown(*DAYS)
    before = dict(store.objects)
    again = run_build(store, GROW, hours=0.2)
    assert again.segments == ()  # nothing is new: it is the whole cube
    store.objects.clear()
    store.objects.update(before)
    twice = [grown(*DAYS)[1] for _ in range(2)]
    assert twice[0] == twice[1]
    assert cube == twice[0]


def test_a_segment_that_was_replaced_is_noticed() -> None:
    store, cube = grown(*DAYS)
    about = open_cube(cube, store=store, cube_bucket=BUCKET)
    key = keys.cube(REQUEST.cube_id, cube.segments[1])
    store.write(BUCKET, key, store.objects[BUCKET, key] + bytes(2880))
    with pytest.raises(ObjectChangedError):
        cube_ranges(cube, about, store)(about.data_offset, 4000)
    store.delete(BUCKET, key)
    found, failures = read_own_cubes(store, BUCKET)
    assert (found, [failure.reason for failure in failures]) == ([], [f"the segment {key} of {cube.key} is gone"])


def test_a_release_that_does_not_know_segments_refuses_the_sidecar() -> None:
    store, cube = grown(*DAYS)
    about = open_cube(cube, store=store, cube_bucket=BUCKET)
    sidecar = store.objects[BUCKET, keys.sidecar(cube.etag)]
    with np.load(io.BytesIO(sidecar)) as archive:
        assert json.loads(archive["about"].tobytes())["format"] == 2
    assert Cube.from_sidecar(sidecar).segments == about.segments
    assert len(about.segments) == 3
