"""The cubes of the service say which frames they were built of, by their ETags, and builds of two releases agree."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tessera.provenance.fits_files import read_provenance
from tessera.verify.verify import verify_product
from tessera_cloud.application.builds.build_block import build_block
from tessera_cloud.application.builds.complete_upload import complete_upload
from tessera_cloud.application.builds.plan_document import RECORD
from tessera_cloud.application.builds.uploads import begin_upload
from tessera_cloud.application.sidecar import open_cube
from tessera_cloud.contracts import BuildState, PublishedCube
from tessera_cloud.errors import IncompleteUploadError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import frame_key, plan, run_build, store_with, task
from tests.support.checks import checksums_hold
from tests.support.frames import tiny_sector
from tests.support.same_bytes import assert_same_bytes, without_record

FRAMES = sorted(tiny_sector(4, (40, 30)))
VERSION = "tessera.cubes.hashes.making.__version__"


def bytes_of(cube: PublishedCube, store: MemoryStore) -> bytes:
    return store.objects[cube.bucket, cube.key]


def test_a_cube_has_the_etag_of_each_frame(tmp_path: Path) -> None:
    store = store_with(FRAMES)
    cube = run_build(store)
    content = bytes_of(cube, store)
    assert (len(content), checksums_hold(content)) == (cube.size, True)
    found = read_provenance(content)
    assert found is not None
    assert (found.record.kind, found.record.request) == ("cube", {"product": "SPOC"})
    assert found.record.source == {
        "build": cube.build_id,
        "location": f"s3://frames/{frame_key(FRAMES[0][0]).rpartition('/')[0]}",
        "frames": [{"name": name, "etag": hashlib.md5(data).hexdigest()} for name, data in FRAMES],
    }
    assert open_cube(cube, store=store, cube_bucket=cube.bucket).layout.n_cadences == 4
    path = tmp_path / "tess-s0001-4-2-cube.fits"
    path.write_bytes(content)
    alone = verify_product(path)
    assert (alone.status, alone.problems, alone.sha256) == ("unknown", [], found.record.sha256)
    assert alone.notes[0].endswith("they were in s3://frames/tess/public/ffi/s0001/2018/206/4-2")


def test_executions_of_two_releases_make_the_same_cube(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = store_with(FRAMES)
    store = store_with(FRAMES)
    plan(store)
    expected = bytes_of(run_build(whole), whole)
    monkeypatch.setattr(VERSION, "10.20.30")
    assert_same_bytes(bytes_of(run_build(store), store), expected)


@pytest.mark.parametrize("before", ["no record", "another version"])
def test_a_cube_of_the_release_before_stays(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_with(FRAMES)
    ref = plan(store)
    if before == "no record":
        store.delete(ref.bucket, ref.prefix + RECORD)
    upload = begin_upload(ref, store=store)
    for block in ref.blocks:
        build_block(task(ref, upload, block), store=store)
    cube = complete_upload(BuildState(plan=ref, upload=upload), store=store)
    content = bytes_of(cube, store)
    if before == "no record":
        fresh = store_with(FRAMES)
        assert_same_bytes(content, without_record(bytes_of(run_build(fresh), fresh)))
    else:
        store.delete(ref.bucket, ref.prefix + RECORD)  # plans live for 30 days
        monkeypatch.setattr(VERSION, "10.20.30")
    again = run_build(store, hours=1)
    assert (again.key, again.etag, again.size) == (cube.key, cube.etag, len(content))


@pytest.mark.parametrize("behind", [bytes(2880), b"END".ljust(2880)], ids=["zeros", "a header"])
def test_other_bytes_behind_a_cube_are_not_published(behind: bytes) -> None:
    store = store_with(FRAMES)
    cube = run_build(store)
    content = without_record(bytes_of(cube, store))
    store.write(cube.bucket, cube.key, content + behind)
    with pytest.raises(IncompleteUploadError, match="and a record were planned"):
        run_build(store, hours=1)
    store.write(cube.bucket, cube.key, content[:-2880])
    with pytest.raises(IncompleteUploadError, match="and a record were planned"):
        run_build(store, hours=2)
