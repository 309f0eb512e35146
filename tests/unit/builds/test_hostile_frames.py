"""Whatever the bytes of a frame: the right cube or one error of ours, in the library and in the cloud, in 2 GB."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tessera import CubeFactory, DataWarning
from tessera.errors import UnreadableFrameError
from tests.support import hostile
from tests.support.builds import REQUEST, SETTINGS, frame_key, plan, run_build, store_with
from tests.support.frames import tiny_sector
from tests.support.unusual import edited

SHAPE = (8, 6)
N_CASES = 40


@pytest.mark.slow
def test_a_damaged_frame_gives_the_right_cube_or_one_error_of_ours() -> None:
    ended = subprocess.run(
        [sys.executable, hostile.__file__, str(N_CASES), "0"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr[-2000:]


@pytest.mark.parametrize("data", [b"", b"SIMPLE", bytes(5000), tiny_sector(1, SHAPE)[0][1][:2880]])
def test_a_frame_without_content_is_unreadable_in_the_cloud_and_can_be_left_out(data: bytes) -> None:
    frames = tiny_sector(3, SHAPE)
    frames[1] = (frames[1][0], data)
    store = store_with(frames)
    with pytest.raises(UnreadableFrameError, match=frames[1][0]):
        plan(store)
    ref = plan(store, REQUEST.model_copy(update={"on_unreadable": "skip"}))
    assert frames[1][0].encode() in store.objects[ref.bucket, f"{ref.prefix}plan.json"]
    assert all(operation != "read_range" or frames[1][0] not in key or data for operation, _, key in store.requests)


@pytest.mark.parametrize(("suffix", "reason"), [(".gz", "packed with gzip"), (".fz", "compressed tile by tile")])
def test_a_packed_frame_is_not_missed_in_the_cloud_but_named(suffix: str, reason: str) -> None:
    frames = tiny_sector(3, SHAPE)
    name, data = frames[1]
    packed = gzip.compress(data) if suffix == ".gz" else edited(data, {"ZIMAGE": "T"})
    store = store_with([frames[0], frames[2]])
    key = frame_key(name) + suffix
    store.write(SETTINGS.ffi_bucket, key, packed)
    with pytest.raises(UnreadableFrameError, match=f"{name}{suffix}: .*{reason}"):
        plan(store)
    cube = run_build(store, REQUEST.model_copy(update={"on_unreadable": "skip"}))
    assert [item.name for item in cube.left_out] == [name + suffix]
    assert reason in cube.left_out[0].reason
    assert cube.n_cadences == 2


def test_a_header_without_an_end_costs_few_requests_in_the_cloud() -> None:
    frames = tiny_sector(2, SHAPE)
    name, data = frames[0]
    frames[0] = (name, data[:2880].replace(b"END", b"   ") + b" " * 12_000_000)
    store = store_with(frames)
    with pytest.raises(UnreadableFrameError, match=rf"{name}: .* no END card in its first 2,880,000 bytes"):
        plan(store)
    assert sum(name in key for operation, _, key in store.requests if operation == "read_range") < 15


def test_a_file_that_grows_by_seeking_ends_soon(tmp_path: Path) -> None:
    frames = tiny_sector(2, SHAPE)
    for name, data in frames:
        (tmp_path / name).write_bytes(data)
    name, data = frames[0]
    with (tmp_path / name).open("wb") as file:
        file.write(data[:2880].replace(b"END", b"   "))
        file.truncate(1 << 40)
    with pytest.warns(DataWarning, match=f"Left out {name}: the header that begins at byte"):
        CubeFactory(on_unreadable="skip").make_cube([tmp_path / item for item, _ in frames], tmp_path / "cube.fits")
