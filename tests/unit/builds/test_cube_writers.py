"""Several processes that write one cube: one at a time, no frame is lost, and a published file never changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path

import pytest
from astropy.io import fits

from tessera import CubeFactory
from tests.support.checks import checksums_hold
from tests.support.frames import tiny_sector

FRAMES = tiny_sector(9, (40, 30))
REFUSED = "a path that no other run is writing"

WRITER = """
import fcntl, os, sys
from tessera import CubeFactory
from tessera.errors import InvalidInputError

method, place, cube, *frames = sys.argv[1:]
told = set()

def wait(here):
    if here == place and here not in told:
        told.add(here)
        print(here, flush=True)
        sys.stdin.readline()

class Frame(os.PathLike):
    def __init__(self, path):
        self.path = path
    def __fspath__(self):
        wait("before the frames")
        return self.path

flock = fcntl.flock
def slow_flock(descriptor, operation):
    wait("before the lock")
    return flock(descriptor, operation)
fcntl.flock = slow_flock

try:
    make = getattr(CubeFactory(max_memory=2e-5, threads=1), method)
    make([Frame(path) for path in frames], cube, 1, verbose=False, progress=lambda *_: wait("in the blocks"))
except InvalidInputError as error:
    print(error, flush=True)
    sys.exit(3)
"""


def lay(folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True, parents=True)
    for name, data in FRAMES:
        (folder / name).write_bytes(data)
    return [folder / name for name, _ in FRAMES]


class Writer:
    """A process that makes or updates a cube, and waits at one place until it is told to go on."""

    def __init__(self, process: subprocess.Popen[str], place: str) -> None:
        self.process = process
        assert process.stdout
        if place:
            assert process.stdout.readline().strip() == place

    def end(self) -> tuple[int, str]:
        output, _ = self.process.communicate("\n", timeout=60)
        return self.process.returncode, output


@contextmanager
def writer(method: str, cube: Path, frames: list[Path], place: str = "") -> Iterator[Writer]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, method, place, str(cube), *map(str, frames)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Writer(process, place)
        finally:
            process.kill()


def names_of(cube: Path) -> set[str]:
    return set(fits.getdata(cube, 2)["FFI_FILE"])


def check_cube(cube: Path, frames: list[Path]) -> None:
    assert checksums_hold(cube.read_bytes())
    assert names_of(cube) == {path.name for path in frames}
    assert [item.name for item in cube.parent.iterdir()] == [cube.name]


@pytest.mark.parametrize("second", ["make_cube", "update_cube"])
def test_a_second_writer_is_refused_while_an_update_reads_its_frames(tmp_path: Path, second: str) -> None:
    paths, cube = lay(tmp_path / "frames"), tmp_path / "out" / "cube.fits"
    CubeFactory().make_cube(paths[:3], cube, 1)
    with writer("update_cube", cube, paths[3:5], "before the frames") as first:
        with writer(second, cube, paths[5:8]) as other:
            code, told = other.end()
        assert (code, told.count(REFUSED)) == (3, 1)
        assert names_of(cube) == {path.name for path in paths[:3]}
        assert first.end() == (0, "")
    check_cube(cube, paths[:5])


def test_a_second_writer_is_refused_when_it_knows_the_cube_by_a_link(tmp_path: Path) -> None:
    paths, cube = lay(tmp_path / "frames"), tmp_path / "out" / "cube.fits"
    link = tmp_path / "link.fits"
    link.symlink_to("out/cube.fits")
    CubeFactory().make_cube(paths[:3], cube, 1)
    with writer("update_cube", cube, paths[3:5], "before the frames") as first:
        with writer("update_cube", link, paths[5:8]) as second:
            assert second.end()[0] == 3
        assert first.end() == (0, "")
    CubeFactory().update_cube(paths[5:8], link, 1)
    check_cube(cube, paths[:8])
    assert link.is_symlink()


@pytest.mark.parametrize("method", ["make_cube", "update_cube"])
def test_a_writer_whose_lock_was_removed_meanwhile_begins_with_what_is_there_now(tmp_path: Path, method: str) -> None:
    paths, cube = lay(tmp_path / "frames"), tmp_path / "out" / "cube.fits"
    CubeFactory().make_cube(paths[:3], cube, 1)
    with (
        writer(method, cube, paths[3:5], "in the blocks") as first,
        writer(method, cube, paths[5:8], "before the lock") as second,
    ):
        assert first.end() == (0, "")
        with cube.open("rb") as published:
            content = published.read()
            assert second.end() == (0, "")
            published.seek(0)
            assert published.read() == content
    check_cube(cube, paths[:8] if method == "update_cube" else paths[5:8])


UPDATES = """
import sys
from tessera import CubeFactory
from tessera.errors import InvalidInputError
print("ready", flush=True)
sys.stdin.readline()
for frame in sys.argv[2:]:
    while True:
        try:
            CubeFactory(max_memory=2e-5, threads=1).update_cube([frame], sys.argv[1], verbose=False)
            break
        except InvalidInputError as error:
            assert "no other run is writing" in str(error)
"""


def test_updates_by_two_processes_lose_no_frame(tmp_path: Path) -> None:
    paths, cube = lay(tmp_path / "frames"), tmp_path / "out" / "cube.fits"
    CubeFactory().make_cube(paths[:1], cube, 1)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", UPDATES, str(cube), *map(str, frames)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for frames in (paths[1:5], paths[5:])
    ]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    with ExitStack() as stack:
        seen: dict[int, BufferedReader] = {}  # held open, so that no other file gets the number of one of them
        contents: dict[int, bytes] = {}
        while any(process.poll() is None for process in processes):
            file = stack.enter_context(cube.open("rb"))
            number = os.fstat(file.fileno()).st_ino
            content = file.read()
            seen.setdefault(number, file)
            assert contents.setdefault(number, content) == content
            if seen[number] is not file:
                file.close()
        assert [process.wait() for process in processes] == [0, 0]
        for number, file in seen.items():
            file.seek(0)
            assert file.read() == contents[number]
            assert checksums_hold(contents[number])
    for process in processes:
        process.communicate()
    check_cube(cube, paths)


def test_a_writer_that_was_killed_holds_nobody_up(tmp_path: Path) -> None:
    paths, cube = lay(tmp_path / "frames"), tmp_path / "out" / "cube.fits"
    with writer("make_cube", cube, paths, "in the blocks") as killed:
        killed.process.send_signal(signal.SIGKILL)
        killed.process.wait()
    assert sorted(item.name for item in cube.parent.iterdir()) == [
        ".cube.fits.journal",
        ".cube.fits.lock",
        ".cube.fits.partial",
    ]
    CubeFactory(2e-5).make_cube(paths, cube, 1)
    check_cube(cube, paths)
