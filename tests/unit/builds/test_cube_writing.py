"""A cube is written with every byte or not at all, flushed to the disk, and of inputs that stayed the same."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tessera import CubeFactory
from tessera.errors import InvalidInputError
from tessera.io.files import write_pieces
from tessera.io.sources import ReplacedError
from tests.support.checks import checksums_hold
from tests.support.frames import tiny_sector
from tests.support.same_bytes import assert_same_bytes

pytestmark = pytest.mark.usefixtures("still_clock")  # cubes that are compared have the same DATE

SHAPE = (40, 30)
FRAMES = tiny_sector(4, SHAPE)
SMALL = 2e-5
"""Memory in GB that makes several blocks of the smallest cube."""
LONG_AGO = 1_600_000_000


def lay(folder: Path, n_frames: int = 4) -> list[Path]:
    """Frames that were last changed long ago, so that the clock of the file system is fine enough for any change."""
    folder.mkdir(exist_ok=True, parents=True)
    paths = []
    for name, data in FRAMES[:n_frames]:
        paths.append(folder / name)
        paths[-1].write_bytes(data)
        os.utime(paths[-1], (LONG_AGO, LONG_AGO))
    return paths


def run(program: str, *arguments: object, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


COMMAND = "import sys; from tessera.cli.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.mark.parametrize("n_missing", [1, 2880, 4096, 40_000])
def test_a_disk_that_is_full_near_the_end_publishes_nothing(tmp_path: Path, n_missing: int) -> None:
    paths = lay(tmp_path / "frames")
    whole = tmp_path / "whole.fits"
    CubeFactory().make_cube(paths, whole)
    folder = tmp_path / "out"
    folder.mkdir()
    CubeFactory().make_cube(paths[:2], folder / "cube.fits")
    old = (folder / "cube.fits").read_bytes()
    limit = whole.stat().st_size - n_missing
    ended = run(COMMAND, "cube", "make", *paths, "-o", folder / "cube.fits", "-q", limit=limit)
    assert ended.returncode == 1, ended
    assert "File too large" in ended.stderr
    assert [item.name for item in folder.iterdir()] == ["cube.fits"]
    assert (folder / "cube.fits").read_bytes() == old


Write = Callable[[int, memoryview, int], int]


def with_fault(monkeypatch: pytest.MonkeyPatch, place: int, fault: Write) -> list[int]:
    """Let one of the system's writes go wrong; gives the list of writes so far."""
    calls: list[int] = []
    write = os.pwrite

    def faulty(descriptor: int, data: memoryview, position: int) -> int:
        calls.append(len(data))
        return (fault if len(calls) - 1 == place else write)(descriptor, data, position)

    monkeypatch.setattr(os, "pwrite", faulty)
    return calls


def count_writes(paths: list[Path], cube: Path) -> int:
    with pytest.MonkeyPatch.context() as monkeypatch:
        calls = with_fault(monkeypatch, -1, os.pwrite)
        CubeFactory(SMALL, threads=1).make_cube(paths, cube)
    return len(calls)


def test_a_cube_is_the_same_when_any_of_its_writes_is_short(tmp_path: Path) -> None:
    paths = lay(tmp_path / "frames")
    whole, cube = tmp_path / "whole.fits", tmp_path / "cube.fits"
    n_writes, write = count_writes(paths, whole), os.pwrite
    assert n_writes > 4
    for place in range(n_writes):
        with pytest.MonkeyPatch.context() as monkeypatch:
            with_fault(monkeypatch, place, lambda file, data, start: write(file, data[: len(data) // 3], start))
            CubeFactory(SMALL, threads=1).make_cube(paths, cube)
        assert_same_bytes(cube.read_bytes(), whole.read_bytes())


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EIO, None])
def test_any_write_that_fails_ends_the_build_and_leaves_nothing(tmp_path: Path, reason: int | None) -> None:
    paths = lay(tmp_path / "frames")
    n_writes = count_writes(paths, tmp_path / "whole.fits")

    def fail(descriptor: int, data: memoryview, position: int) -> int:
        if reason is None:
            return 0
        raise OSError(reason, os.strerror(reason))

    for place in range(n_writes):
        with pytest.MonkeyPatch.context() as monkeypatch:
            with_fault(monkeypatch, place, fail)
            with pytest.raises(OSError, match=os.strerror(reason) if reason else "The system did not write"):
                CubeFactory(SMALL, threads=1).make_cube(paths, tmp_path / "out" / "cube.fits")
        assert list((tmp_path / "out").iterdir()) == [], place


def test_a_partial_file_of_another_size_is_not_published(tmp_path: Path) -> None:
    def grow(block: int, n_blocks: int) -> None:
        with (tmp_path / "out" / ".cube.fits.partial").open("r+b") as file:
            file.truncate(10_000_000)

    with pytest.raises(OSError, match="10,000,000 bytes were written instead of"):
        CubeFactory().make_cube(lay(tmp_path / "frames"), tmp_path / "out" / "cube.fits", progress=grow)
    assert list((tmp_path / "out").iterdir()) == []


TRACED = """
import os, sys
from pathlib import Path
from tessera import CubeFactory
from tessera.io.files import write_files, write_pieces
fsync, replace = os.fsync, os.replace
def traced_fsync(descriptor):
    sys.stdout.write(f"flush {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}\\n")
    fsync(descriptor)
def traced_replace(old, new):
    sys.stdout.write(f"rename {Path(old).name} {Path(new).name}\\n")
    replace(old, new)
os.fsync, os.replace = traced_fsync, traced_replace
CubeFactory().make_cube(sys.argv[2:], sys.argv[1] + "/cube.fits")
write_pieces(Path(sys.argv[1], "single.fits"), [b"content"])
write_files((Path(sys.argv[1], name), [b"content"]) for name in ("one.fits", "two.fits"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="names of open files are read from /proc")
def test_a_file_is_flushed_before_it_appears_and_its_name_afterwards(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    ended = run(TRACED, tmp_path / "out", *lay(tmp_path / "frames"))
    told = ended.stdout.splitlines()
    assert told[:6] == [
        "flush .cube.fits.partial",
        "rename .cube.fits.partial cube.fits",
        "flush out",
        "flush .single.fits.0.partial",
        "rename .single.fits.0.partial single.fits",
        "flush out",
    ], ended.stderr
    for name in ("one.fits", "two.fits"):
        assert told.index(f"flush .{name}.0.partial") < told.index(f"rename .{name}.0.partial {name}")
    assert (len(told), told[-1]) == (11, "flush out")


def change_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-2000, os.SEEK_END)
        file.write(b"other")


@pytest.mark.parametrize("block", [0, -1])
def test_a_frame_that_changes_in_place_while_it_is_read_ends_the_build(tmp_path: Path, block: int) -> None:
    paths = lay(tmp_path / "frames")

    def change(finished: int, n_blocks: int) -> None:
        if finished - 1 == block % n_blocks:
            change_in_place(paths[2])

    with pytest.raises(ReplacedError, match=f"{paths[2].name} was changed while it was read"):
        CubeFactory(SMALL).make_cube(paths, tmp_path / "out" / "cube.fits", progress=change)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("which", ["the new frame", "the cube"])
def test_an_update_whose_inputs_change_in_place_leaves_the_cube(tmp_path: Path, which: str) -> None:
    paths, cube = lay(tmp_path / "frames"), tmp_path / "out" / "cube.fits"
    CubeFactory().make_cube(paths[:3], cube)
    os.utime(cube, (LONG_AGO, LONG_AGO))
    changed = cube if which == "the cube" else paths[3]
    inode = cube.stat().st_ino
    with pytest.raises(ReplacedError, match=f"{changed.name} was changed while it was read"):
        CubeFactory(SMALL).update_cube(paths[3:], cube, progress=lambda *_: change_in_place(changed))
    assert [item.name for item in cube.parent.iterdir()] == ["cube.fits"]
    assert cube.stat().st_ino == inode


def test_a_frame_that_is_replaced_by_another_file_is_used_as_it_was_opened(tmp_path: Path) -> None:
    paths, whole, cube = lay(tmp_path / "frames"), tmp_path / "whole.fits", tmp_path / "cube.fits"
    CubeFactory().make_cube(paths, whole)

    def replace(block: int, n_blocks: int) -> None:
        (tmp_path / "new").write_bytes(b"other")
        (tmp_path / "new").replace(paths[2])

    CubeFactory(SMALL).make_cube(paths, cube, progress=replace)
    assert_same_bytes(cube.read_bytes(), whole.read_bytes())
    assert checksums_hold(cube.read_bytes())


WRITES_AT_ONCE = """
import os, sys
from pathlib import Path
from tessera.io.files import write_pieces
path = Path(sys.argv[1])
os.umask(0o027)
def outer():
    yield b"1" * 100_000
    child = os.fork()
    if child == 0:
        write_pieces(path, [b"2" * 50_000])
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert path.read_bytes() == b"2" * 50_000
    yield b"1" * 100_000
    assert path.read_bytes() == b"2" * 50_000
write_pieces(path, outer())
assert path.read_bytes() == b"1" * 200_000
"""


def test_two_processes_that_write_one_path_do_not_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "out.fits"
    ended = run(WRITES_AT_ONCE, path)
    assert ended.returncode == 0, ended.stderr
    assert [item.name for item in tmp_path.iterdir()] == ["out.fits"]
    assert path.stat().st_mode & 0o777 == 0o640


WRITES_MUCH = "import sys; from pathlib import Path; from tessera.io.files import write_pieces\n"
WRITES_MUCH += "write_pieces(Path(sys.argv[1]), [b'x' * 1000] * 100)"


def test_pieces_that_do_not_fit_on_the_disk_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "out.fits").write_bytes(b"old")
    ended = run(WRITES_MUCH, tmp_path / "out.fits", limit=99_999)
    assert "File too large" in ended.stderr
    assert [item.read_bytes() for item in tmp_path.iterdir()] == [b"old"]


OTHER = os.fsdecode(("\N{LATIN SMALL LETTER E WITH ACUTE}" * 125).encode())  # a name also where the locale is C


@pytest.mark.parametrize("name", ["c" * 250, OTHER], ids=["ascii", "other"])
def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path, name: str) -> None:
    paths, cube = lay(tmp_path / "frames"), tmp_path / "out" / f"{name}.fits"

    def stop(block: int, n_blocks: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CubeFactory(SMALL).make_cube(paths, cube, progress=stop)
    CubeFactory(SMALL).make_cube(paths, cube)
    assert checksums_hold(cube.read_bytes())
    write_pieces(cube, [b"other"])
    assert cube.read_bytes() == b"other"
    assert list(cube.parent.iterdir()) == [cube]


def test_a_cube_is_made_in_a_folder_that_may_be_written_but_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, cube = lay(tmp_path / "frames"), tmp_path / "out" / "cube.fits"
    system_open = os.open

    def refusing_open(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if Path(path) == cube.parent:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return system_open(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing_open)
    CubeFactory().make_cube(paths, cube)
    assert list(cube.parent.iterdir()) == [cube]


@pytest.mark.parametrize("name", ["out", "out/", ".", ""])
def test_a_cube_that_would_take_the_place_of_a_folder_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    paths, blocks = lay(tmp_path / "frames"), list[int]()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    allowed = "the path of a file, not of a folder" if name else "a path with at least one character"
    with pytest.raises(InvalidInputError, match=rf"cube_file is '.*'; allowed: {allowed}"):
        CubeFactory().make_cube(paths, name, progress=lambda done, _: blocks.append(done))
    assert blocks == []
    assert sorted(item.name for item in tmp_path.iterdir()) == ["frames", "out"]


@pytest.mark.parametrize("path", ["frame", "link"])
def test_a_cube_that_would_take_the_place_of_a_frame_is_refused_before_the_work(tmp_path: Path, path: str) -> None:
    paths = lay(tmp_path / "frames")
    before = paths[0].read_bytes()
    (tmp_path / "link").symlink_to(paths[0])
    cube = {"frame": paths[0], "link": tmp_path / "link"}[path]
    with pytest.raises(InvalidInputError, match=r"^cube_file is .*; allowed: a path other than"):
        CubeFactory().make_cube(paths, cube)
    assert paths[0].read_bytes() == before


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match=r"No file can be locked here: .*\.cube\.fits\.lock"):
        CubeFactory().make_cube(lay(tmp_path / "frames"), tmp_path / "out" / "cube.fits")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_link_to_a_file_stays_and_the_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "link.fits").symlink_to("elsewhere.fits")
    assert write_pieces(tmp_path / "link.fits", [b"content"]) == tmp_path / "link.fits"
    assert (tmp_path / "link.fits").is_symlink()
    assert (tmp_path / "elsewhere.fits").read_bytes() == b"content"
