"""A cube goes to the disk while it is made, in small writes, and no needless package is loaded for it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tessera import CubeFactory
from tests.support.frames import tiny_sector
from tests.support.same_bytes import assert_same_bytes

pytestmark = [
    pytest.mark.usefixtures("still_clock"),
    pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system does not begin to write parts of files"),
]

SHAPE = (80, 60)
FRAMES = tiny_sector(16, SHAPE)
SMALL = 3e-4
"""Memory in GB that makes several blocks of the cube."""
LARGEST = 32 << 10


def lay(folder: Path) -> list[Path]:
    folder.mkdir()
    for name, data in FRAMES:
        (folder / name).write_bytes(data)
    return [folder / name for name, _ in FRAMES]


def test_each_block_begins_to_go_to_the_disk_while_the_next_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda file, start, length, advice: begun.append((start, length)))

    def wait(done: int, n_blocks: int) -> None:
        assert n_blocks > 2
        until = time.monotonic() + 30
        wanted = done * SHAPE[0] // n_blocks * SHAPE[1] * len(FRAMES) * 8
        while sum(length for _, length in begun) < wanted and time.monotonic() < until:
            time.sleep(0.001)
        assert sum(length for _, length in begun) >= wanted

    CubeFactory(SMALL).make_cube(lay(tmp_path / "frames"), tmp_path / "cube.fits", progress=wait)
    assert len({start for start, _ in begun}) == len(begun)


def test_a_system_that_cannot_begin_makes_the_same_cube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = lay(tmp_path / "frames")
    CubeFactory().make_cube(paths, tmp_path / "cube.fits")

    def fail(*_: object) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "posix_fadvise", fail)
    CubeFactory().make_cube(paths, tmp_path / "other.fits")
    assert_same_bytes((tmp_path / "other.fits").read_bytes(), (tmp_path / "cube.fits").read_bytes())


def test_no_write_of_a_cube_is_large_or_crosses_a_boundary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[range] = []
    write = os.pwrite

    def traced(file: int, data: bytes | memoryview, start: int) -> int:
        writes.append(range(start, start + len(data)))
        return write(file, data, start)

    monkeypatch.setattr(os, "pwrite", traced)
    CubeFactory().make_cube(lay(tmp_path / "frames"), tmp_path / "cube.fits")
    assert max(map(len, writes)) == LARGEST
    assert all(item.start // LARGEST == item[-1] // LARGEST for item in writes)


def test_ordinary_frames_become_a_cube_without_astropys_wcs(tmp_path: Path) -> None:
    program = """if True:
        import sys
        from tessera import CubeFactory
        CubeFactory().make_cube(sys.argv[2:-1], sys.argv[1])
        CubeFactory().update_cube(sys.argv[-1:], sys.argv[1])
        sys.exit("astropy.wcs" in sys.modules or "astropy.coordinates" in sys.modules)
    """
    paths = lay(tmp_path / "frames")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [sys.executable, "-c", program, *map(str, (tmp_path / "cube.fits", *paths))]
    subprocess.run(arguments, env=environment, check=True, timeout=120)
