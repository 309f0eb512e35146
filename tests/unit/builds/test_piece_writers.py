"""Large files are written past the system's memory where that is possible, and have the same bytes everywhere."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tessera import CubeFactory
from tessera.builds.layers import Words
from tessera.builds.writing import writer
from tessera.builds.writing.blocks import BlockPlan
from tessera.builds.writing.pieces import PieceWriter
from tessera.builds.writing.writer import CubeWriter
from tessera.cubes.layout import CubeLayout
from tests.support.frames import tiny_sector
from tests.support.same_bytes import assert_same_bytes

DIRECT = getattr(os, "O_DIRECT", 0)
UNIT = 4096
ENDS = [0, 5, 60, 60 + UNIT, 5 * UNIT, 9 * UNIT - 4, 9 * UNIT + 8, 40 * UNIT + 2880, 41 * UNIT, 41 * UNIT + 7]
"""Pieces of all kinds: within a unit of the disk, at its edges, and over many units."""
CONTENT = np.random.default_rng(3).integers(0, 256, ENDS[-1], np.uint8)
FRAMES = tiny_sector(16, (80, 60))

Write = Callable[[int, memoryview, int], int]


def is_direct(descriptor: int) -> bool:
    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & DIRECT)


@pytest.fixture
def _direct_files(tmp_path: Path) -> None:
    """Skip a test that needs direct writes where the system, or the file system of its folder, has none."""
    if not DIRECT:
        pytest.skip("this system has no direct writes (os.O_DIRECT), like macOS")
    try:
        os.close(os.open(tmp_path / "probe", os.O_RDWR | os.O_CREAT | DIRECT))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        pytest.skip(f"the file system of {tmp_path} refuses direct writes (O_DIRECT); choose another with --basetemp")


needs_direct_writes = pytest.mark.usefixtures("_direct_files")


def written(path: Path) -> bytes:
    """The content, piece by piece, by several threads."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    with PieceWriter(descriptor, path, path, direct=True) as pieces, ThreadPoolExecutor(3) as pool:

        def write(start: int, stop: int) -> None:
            piece = pieces.memory(stop - start, start)
            piece[:] = CONTENT[start:stop]
            pieces.write(piece, start)

        list(pool.map(write, ENDS[:-1], ENDS[1:]))
    os.close(descriptor)
    return path.read_bytes()


def watch(monkeypatch: pytest.MonkeyPatch, answer: Write | None = None) -> list[int]:
    """Sizes of the writes past the system's memory, which `answer` answers if it is given."""
    sizes: list[int] = []
    write = os.pwrite

    def traced(descriptor: int, data: memoryview, start: int) -> int:
        if not is_direct(descriptor):
            return write(descriptor, data, start)
        sizes.append(len(data))
        return (answer or write)(descriptor, data, start)

    monkeypatch.setattr(os, "pwrite", traced)
    return sizes


@needs_direct_writes
def test_all_whole_units_of_pieces_go_past_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = watch(monkeypatch)
    assert written(tmp_path / "file") == CONTENT.tobytes()
    whole = [end // UNIT - -(-start // UNIT) for start, end in itertools.pairwise(ENDS)]
    assert sorted(sizes) == sorted(n * UNIT for n in whole if n > 0)


def refuse(*_: object) -> int:
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


@needs_direct_writes
def test_a_disk_that_refuses_or_stops_within_a_unit_gets_the_rest_in_the_usual_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite = os.pwrite

    def stop_early(descriptor: int, data: memoryview, start: int) -> int:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) & ~DIRECT)
        return pwrite(descriptor, data[:100], start)

    for answer in (refuse, stop_early):
        with monkeypatch.context() as patch:
            sizes = watch(patch, answer)
            assert written(tmp_path / answer.__name__) == CONTENT.tobytes()
            assert len(sizes) == 1


def test_a_file_system_without_direct_writes_gets_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "O_DIRECT", os.O_DIRECTORY, raising=False)  # this file cannot be opened in such a way
    assert written(tmp_path / "file") == CONTENT.tobytes()


@needs_direct_writes
def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    watch(monkeypatch, full)
    with pytest.raises(OSError, match=r"No space left on device: .*file") as caught:
        written(tmp_path / "file")
    assert caught.value.errno == errno.ENOSPC


@needs_direct_writes
@pytest.mark.usefixtures("still_clock")
def test_large_cubes_are_written_past_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for name, data in FRAMES:
        paths.append(tmp_path / name)
        paths[-1].write_bytes(data)
    sizes = watch(monkeypatch)
    CubeFactory().make_cube(paths, tmp_path / "cube.fits")
    CubeFactory().make_cube(paths[:-1], tmp_path / "old.fits")
    assert sizes == []
    size = (tmp_path / "cube.fits").stat().st_size
    monkeypatch.setattr(writer, "LARGE", 1.5 * size)
    CubeFactory().make_cube(paths, tmp_path / "other.fits")
    assert sizes == []
    CubeFactory().update_cube(paths[-1:], tmp_path / "old.fits")  # the old cube counts, too
    assert sum(sizes) > 0.8 * size
    monkeypatch.setattr(writer, "LARGE", 0)
    sizes.clear()
    CubeFactory().make_cube(paths, tmp_path / "other.fits")
    assert sum(sizes) > 0.8 * size
    assert_same_bytes((tmp_path / "other.fits").read_bytes(), (tmp_path / "cube.fits").read_bytes())


class MeetingLayer:
    """A source that delivers when two threads read it."""

    def __init__(self) -> None:
        self.cadences = [0, 1]
        self._barrier = threading.Barrier(2)

    def fill(self, out: Words, first_pixel: int) -> None:
        self._barrier.wait(30)
        out[:] = first_pixel

    def check_unchanged(self) -> None:
        pass


def test_threads_work_on_two_blocks_when_each_is_one_run_of_pixels(tmp_path: Path) -> None:
    layout, hdu, told = CubeLayout(4, 6, 2, 2), b" " * 2880, []
    cube = CubeWriter(
        tmp_path / "cube.fits",
        layout,
        [MeetingLayer()],
        hdu,
        hdu,
        "id",
        BlockPlan(1, 4, 6),
        2,
        lambda *to: told.append(to),
    )
    cube.write()
    assert told == [(block, 4) for block in range(4)]
