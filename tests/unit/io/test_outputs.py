"""Where output goes is checked before the work: only regular files are replaced, and nothing is left behind."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from astropy.coordinates import SkyCoord

from tessera import CubeFactory, make_cutouts, make_image_cutouts
from tessera.cli.main import main
from tessera.errors import InvalidInputError
from tessera.io.files import FileGroup, write_files, write_pieces
from tessera.io.outputs import check_output, check_space, lock_output, output_folder
from tests.support.frames import tiny_sector

FRAMES = tiny_sector(3, (40, 30))
NOBODY = 65_534


@pytest.fixture
def frames(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "frames"
    folder.mkdir()
    for name, data in FRAMES:
        (folder / name).write_bytes(data)
    return [folder / name for name, _ in FRAMES]


def lay_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(path))


def lay_loop(path: Path) -> None:
    path.symlink_to(path.name)


def lay_link_to_text(path: Path) -> None:
    path.with_name("text").write_text("a thesis", encoding="utf-8")
    path.symlink_to("text")


def unread(path: Path) -> tuple[int, ...]:
    """What the file system knows of a file, or of a link itself, but for when it was last read."""
    status = path.lstat()
    return status.st_mode, status.st_ino, status.st_nlink, status.st_size, status.st_mtime_ns, status.st_ctime_ns


OTHERS: dict[str, Callable[[Path], object]] = {
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "socket": lay_socket,
    "link to a device": lambda path: path.symlink_to("/dev/null"),
    "loop of links": lay_loop,
    "text": lambda path: path.write_text("a thesis", encoding="utf-8"),
    "link to text": lay_link_to_text,
}


@pytest.mark.parametrize("kind", OTHERS)
def test_nothing_but_a_cube_is_replaced_by_a_cube(
    tmp_path: Path, frames: list[Path], capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    path, folder = tmp_path / "out" / "cube.fits", tmp_path / "out"
    folder.mkdir()
    OTHERS[kind](path)
    before, status = sorted(folder.iterdir()), unread(path)
    assert main(["cube", "make", *map(str, frames), "-o", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tessera: cube_file is ")
    assert (sorted(folder.iterdir()), unread(path)) == (before, status)


@pytest.mark.parametrize("kind", ["folder", "pipe", "socket"])
def test_nothing_but_a_regular_file_is_replaced_by_a_small_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out.fits"
    OTHERS[kind](path)
    with pytest.raises(FileExistsError, match="This is not a regular file, so it is not replaced"):
        write_pieces(path, [b"content"])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "path", ["s3://bucket/c.fits", "S3://b/c", "http://host/c.fits", "https://h/c", "file:///folder/c.fits", "gs://b/c"]
)
def test_output_is_not_written_to_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(tmp_path)
    said = "allowed: a path on this machine; output is not written to URLs"
    with pytest.raises(InvalidInputError, match=said):
        check_output("cube_file", path)
    with pytest.raises(InvalidInputError, match=said):
        check_output("cube_file", Path(path))
    with pytest.raises(InvalidInputError, match=said):
        make_cutouts(["cube.fits"], SkyCoord(0, 0, unit="deg"), 3, output_dir=path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["", "a\0b", b"bytes", 5, None, ["a"], "new/", "x" * 300])
def test_an_odd_path_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: object) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError, match=r"^cube_file is "):
        check_output("cube_file", path)


def test_a_dangling_link_is_written_through(tmp_path: Path, frames: list[Path]) -> None:
    (tmp_path / "link.fits").symlink_to("new/folder/cube.fits")
    CubeFactory().make_cube(frames, tmp_path / "link.fits", verbose=False)
    assert (tmp_path / "link.fits").is_symlink()
    assert [item.name for item in (tmp_path / "new/folder").iterdir()] == ["cube.fits"]


def test_an_input_given_as_a_url_is_not_replaced(frames: list[Path]) -> None:
    with pytest.raises(InvalidInputError, match="a path other than that of the input file://"):
        check_output("cube_file", frames[0], [f"file://{frames[0]}"])


def test_a_file_is_no_folder_for_cutouts(tmp_path: Path, frames: list[Path]) -> None:
    for folder in (frames[0], frames[0] / "below"):
        with pytest.raises(InvalidInputError, match=r"^output_dir is "):
            output_folder(folder)
        with pytest.raises(InvalidInputError, match=r"^output_dir is "):
            make_image_cutouts(frames[0], "1 2", 3, output_dir=folder)


def test_a_link_to_a_folder_that_does_not_exist_yet_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("new/folder")
    assert output_folder(tmp_path / "link") == tmp_path / "link"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "new" / "folder").is_dir()


def test_a_cube_that_does_not_fit_is_refused_before_its_first_pixel(
    tmp_path: Path, frames: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = os.statvfs(tmp_path)
    fields = {name: getattr(known, name) for name in dir(known) if name.startswith("f_")}
    small = type("Small", (), fields | {"f_frsize": 1, "f_bavail": 5000, "f_bfree": 5000})
    monkeypatch.setattr(os, "statvfs", lambda path: small)
    with pytest.raises(InvalidInputError, match=r"a path on a disk with 86,400 free bytes; this disk has 5,000"):
        CubeFactory().make_cube(frames, tmp_path / "out" / "cube.fits", verbose=False)
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "out" / ".cube.fits.partial").write_bytes(bytes(90_000))
    check_space("cube_file", tmp_path / "out" / "cube.fits", 86_400)


NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
AS_NOBODY = f"""
import os, sys
from pathlib import Path
import astropy.coordinates, astropy.time, astropy.wcs  # nobody may not read the Python of root
from tessera import CubeFactory
from tessera.errors import TesseraError
from tessera.io.files import write_pieces
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
try:
    CubeFactory().make_cube(sys.argv[2:], sys.argv[1], verbose=False)
    write_pieces(Path(sys.argv[1]).with_name("tpf.fits"), [b"content"])
except (TesseraError, OSError) as error:
    print(error)
"""


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder in which everybody may write, as /tmp. pytest's own folders are closed to other users."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "shared")
        folder.mkdir()
        for path, mode in ((Path(name), 0o755), (folder, 0o1777)):
            path.chmod(mode)
        for frame, data in FRAMES:
            (Path(name) / frame).write_bytes(data)
        yield folder


def as_nobody(cube: Path) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(cube), *(str(cube.parents[1] / name) for name, _ in FRAMES)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@NEEDS_ROOT
@pytest.mark.slow
def test_what_a_killed_run_of_another_user_left_is_passed_by_or_named(shared: Path) -> None:
    (shared / ".cube.fits.lock").touch()
    (shared / ".tpf.fits.0.partial").touch()
    assert as_nobody(shared / "cube.fits") == ""
    assert sorted(item.name for item in shared.iterdir()) == [
        ".cube.fits.lock",
        ".tpf.fits.0.partial",
        "cube.fits",
        "tpf.fits",
    ]
    (shared / ".other.fits.partial").touch()
    told = as_nobody(shared / "other.fits")
    assert "Another user's run left this file; remove it, or write to another path" in told
    assert ".other.fits.partial" in told
    assert not (shared / ".other.fits.journal").exists()


@NEEDS_ROOT
@pytest.mark.slow
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_may_not_be_written_is_refused_before_the_work(shared: Path, what: str) -> None:
    if what == "folder":
        shared.chmod(0o755)
    else:
        (shared / "cube.fits").touch()
    told = as_nobody(shared / "cube.fits")
    assert told.startswith("cube_file is ")
    assert "that you may write" in told
    assert {item.name for item in shared.iterdir()} <= {"cube.fits"}


def test_files_that_killed_runs_left_are_used_again_or_removed(tmp_path: Path) -> None:
    path = tmp_path / "tpf.fits"
    for number in range(3):
        (tmp_path / f".tpf.fits.{number}.partial").write_bytes(b"left by a run that was killed")
    write_pieces(path, [b"content"])
    assert path.read_bytes() == b"content"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_another_run_is_writing_is_left_alone(tmp_path: Path) -> None:
    with (tmp_path / ".tpf.fits.0.partial").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(b"of another run")
        write_pieces(tmp_path / "tpf.fits", [b"content"])
    assert (tmp_path / ".tpf.fits.0.partial").read_bytes() == b"of another run"
    assert (tmp_path / "tpf.fits").read_bytes() == b"content"


def test_small_files_need_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    (tmp_path / ".tpf.fits.0.partial").write_bytes(b"of somebody")
    write_pieces(tmp_path / "tpf.fits", [b"content"])
    assert sorted(item.name for item in tmp_path.iterdir()) == [".tpf.fits.0.partial", "tpf.fits"]


def test_a_group_publishes_every_file_that_can_be_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flush, failing = os.fsync, list[int]()

    def fsync(descriptor: int) -> None:
        if os.fstat(descriptor).st_size == 13:
            failing.append(descriptor)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with FileGroup() as group:
        for number in range(100):
            group.write(tmp_path / str(number), [b"1" * number, memoryview(b"")])
    assert list(group.failed) == [tmp_path / "13"]
    assert str(group.failed[tmp_path / "13"]) == f"[Errno 5] Input/output error: '{tmp_path / '13'}'"
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted(str(n) for n in range(100) if n != 13)
    assert all(item.stat().st_size == int(item.name) for item in tmp_path.iterdir())
    with pytest.raises(OSError, match="Input/output error"):
        write_files([(tmp_path / "a", [b"x" * 13]), (tmp_path / "b", [b"x"])])


def test_a_path_that_a_group_writes_twice_has_the_later_content(tmp_path: Path) -> None:
    write_files((tmp_path / "same", [str(number).encode()]) for number in range(30))
    assert (tmp_path / "same").read_bytes() == b"29"
    assert list(tmp_path.iterdir()) == [tmp_path / "same"]


def test_a_lock_that_cannot_be_removed_does_not_spoil_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)

    monkeypatch.setattr(os, "unlink", refuse)
    with lock_output("cube_file", tmp_path / "cube.fits"):
        pass
    monkeypatch.undo()
    with lock_output("cube_file", tmp_path / "cube.fits"):
        pass
    assert list(tmp_path.iterdir()) == []
