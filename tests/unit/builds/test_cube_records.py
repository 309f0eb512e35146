"""The cubes of the service say which frames they were built of, by their ETags, and builds of two releases agree."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tessera.provenance.fits_files import read_provenance
from tessera.provenance.signing import PublicKey, sign_records
from tessera.verify.verify import verify_product
from tessera_cloud.application.builds.build_block import build_block
from tessera_cloud.application.builds.complete_upload import complete_upload
from tessera_cloud.application.builds.plan_document import RECORD
from tessera_cloud.application.builds.uploads import begin_upload
from tessera_cloud.application.sidecar import open_cube, read_segment_table
from tessera_cloud.contracts import BuildState, PublishedCube
from tessera_cloud.errors import IncompleteUploadError
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.builds import REQUEST, frame_key, plan, put_frames, run_build, store_with, task
from tests.support.checks import checksums_hold
from tests.support.frames import tiny_sector
from tests.support.keys import key_files
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


def test_a_service_that_has_a_key_signs_its_cubes(tmp_path: Path) -> None:
    private, public = key_files(tmp_path)
    signed, plain, again = store_with(FRAMES), store_with(FRAMES), store_with(FRAMES)
    with sign_records(private):
        content = bytes_of(cube := run_build(signed), signed)
        assert bytes_of(run_build(again), again) == content  # so that executions send equal parts
        assert run_build(signed, hours=1).etag == cube.etag
    assert run_build(signed, hours=2).etag == cube.etag  # nor does a build without a key replace it
    assert_same_bytes(without_record(content), without_record(bytes_of(run_build(plain), plain)))
    (path := tmp_path / "tess-s0001-4-2-cube.fits").write_bytes(content)
    for name, data in FRAMES:
        (tmp_path / name).write_bytes(data)
    found = verify_product(path, [tmp_path / name for name, _ in FRAMES], public)
    assert (found.status, found.problems, found.signed_by) == ("same", [], PublicKey(public).id)


def test_a_service_that_has_a_key_signs_the_table_of_a_growing_cube(tmp_path: Path) -> None:
    private, public = key_files(tmp_path)
    store = store_with(FRAMES[:2])
    cube = run_build(store)
    put_frames(store, FRAMES[2:])
    with sign_records(private):
        cube = run_build(store, REQUEST.model_copy(update={"grow": True}))
    assert cube.key.endswith(".json")
    folder = cube.key.rpartition("/")[0].rpartition("/")[0]
    for (_, key), data in store.objects.items():
        if key.startswith(folder):
            (path := tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    for name, data in FRAMES:
        (tmp_path / name).write_bytes(data)
    found = verify_product(tmp_path / cube.key, [tmp_path / name for name, _ in FRAMES], public)
    assert (found.status, found.problems, found.signed_by) == ("same", [], PublicKey(public).id)
    assert found.record is not None
    assert len([each for each in found.record["source"]["segments"] if each["record"]]) == 2
    table = read_segment_table(cube, store)
    assert (table.layout.n_cadences, len(table.segments)) == (4, 2)


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
