"""What the command line does with terminals, pipes and names: one line for each error, and no lost work."""

from __future__ import annotations

import importlib.metadata
import io
import os
import pty
import re
import subprocess
import sys
import termios
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import tessera
from tessera.builds.report import verify_cube
from tessera.cli.arguments import read_names
from tessera.cli.main import main
from tests.support.frames import tiny_sector

FRAMES = tiny_sector(4, (40, 30))
COMMAND = "import sys; from tessera.cli.main import main; sys.exit(main(sys.argv[1:]))"
SMALL = ("--max-memory", "0.00002")
"""Arguments that make several blocks of the smallest cube."""
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def frames(tmp_path: Path) -> list[str]:
    folder = tmp_path / "frames"
    folder.mkdir()
    for name, data in FRAMES:
        (folder / name).write_bytes(data)
    return [str(folder / name) for name, _ in FRAMES]


def run(*arguments: object, given: bytes | None = b"", **more: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", COMMAND, *map(os.fsdecode, map(os.fspath, arguments))]  # type: ignore[arg-type]
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, env=ENVIRONMENT, input=given, check=False, capture_output=True, timeout=60, **more
    )


def parts_of(package: str, seen: set[str]) -> set[str]:
    """Distributions that a package needs, itself included."""
    name = re.sub(r"[-_.]+", "-", package).lower()
    if name in seen:
        return seen
    seen.add(name)
    for requirement in map(Requirement, importlib.metadata.requires(name) or []):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            parts_of(requirement.name, seen)
    return seen


def lay_environment(folder: Path, packages: tuple[str, ...]) -> Path:
    """A folder with Tessera and nothing else than some packages and what they need."""
    folder.mkdir()
    (folder / "tessera").symlink_to(Path(tessera.__file__).parent)
    seen: set[str] = set()
    for package in ("numpy", "astropy", *packages):
        parts_of(package, seen)
    for name in seen:
        for file in importlib.metadata.files(name) or []:
            top, place = file.parts[0], Path(str(file.locate()))
            if top not in ("..", "__pycache__") and not (folder / top).exists():
                (folder / top).symlink_to(place.parents[len(file.parts) - 2] if len(file.parts) > 1 else place)
    return folder


def on_terminal(site: Path, *arguments: str) -> tuple[int, str]:
    """Run the command with standard output and standard error on a terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    process = subprocess.Popen(
        [sys.executable, "-S", "-P", "-c", COMMAND, *arguments],
        env={"PYTHONPATH": str(site), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    told = b""
    try:
        while piece := os.read(ours, 65536):
            told += piece
    except OSError:  # Linux reports the end of a terminal like this
        pass
    finally:
        os.close(ours)
    return process.wait(60), told.decode()


EXTRAS = {
    "none": (),
    "remote": ("obstore",),
    "all": ("obstore", "tqdm", "pillow", "asdf", "asdf-astropy", "gwcs", "lz4", "reproject", "fsspec"),
}


@pytest.mark.slow
def test_a_cube_is_made_on_a_terminal_with_every_set_of_extras(tmp_path: Path, frames: list[str]) -> None:
    def make(item: tuple[str, tuple[str, ...]]) -> tuple[str, int, str]:
        name, packages = item
        site = lay_environment(tmp_path / f"site-{name}", packages)
        output = ["--max-memory", "1e-6", "-o", str(tmp_path / f"{name}.fits")]
        return name, *on_terminal(site, "cube", "make", *frames, *output)

    with ThreadPoolExecutor() as pool:
        made = list(pool.map(make, EXTRAS.items()))
    for name, code, told in made:
        assert code == 0, told
        assert verify_cube(tmp_path / f"{name}.fits", frames) == []
        assert told.rstrip().endswith(f"{name}.fits")
        assert ("4/4 [" in told) == (name == "all"), repr(told)


def give(monkeypatch: pytest.MonkeyPatch, given: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given), encoding="ascii"))


@pytest.mark.parametrize(
    ("end", "last"), [(b"\n", b""), (b"\n", b"\n"), (b"\r\n", b""), (b"\r", b""), (b"\n\n \n", b"\n"), (b"\0", b"\0")]
)
def test_names_on_standard_input_may_have_any_line_ends(
    frames: list[str], monkeypatch: pytest.MonkeyPatch, end: bytes, last: bytes
) -> None:
    give(monkeypatch, b"\xef\xbb\xbf" + end.join(map(os.fsencode, frames)) + last)
    assert read_names("frames", ["-"]) == frames
    give(monkeypatch, end.join(map(os.fsencode, frames[1:3])) + last)
    assert read_names("frames", [frames[0], "-", frames[3]]) == frames


def test_a_cube_has_the_frame_on_a_last_line_without_an_end(
    tmp_path: Path, frames: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cube = str(tmp_path / "cube.fits")
    for arguments in (["make", "-", "-o", cube, "-q"], ["verify", cube, "-"]):
        give(monkeypatch, "\n".join(frames).encode())
        assert main(["cube", *arguments]) == 0
    assert "all pixels equal those of 4 frames" in capsys.readouterr().out


@pytest.mark.parametrize("given", [b"", b"\n", b"\n \r\n", b"\0\0"])
def test_standard_input_without_a_name_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: bytes
) -> None:
    for arguments in (["make", "-", "-o", f"{tmp_path}/cube.fits"], ["verify", f"{tmp_path}/cube.fits", "-"]):
        give(monkeypatch, given)
        assert main(["cube", *arguments]) == 1
        told = "tessera: frames is '-'; allowed: a list of names on standard input, which is empty\n"
        assert capsys.readouterr().err == told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems need names of valid characters")
def test_names_may_have_blanks_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff and blanks "
    Path(os.fsdecode(folder)).mkdir()
    names = []
    for name, data in FRAMES:
        names.append(folder + b"/" + name.encode())
        Path(os.fsdecode(names[-1])).write_bytes(data)
    cube = folder + b"/cube.fits"
    ended = run("cube", "make", "-", *names[2:], "-o", cube, given=b"\n".join(names[:2]))
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert cube in ended.stdout.replace(b"\\udcff", b"\xff")  # a terminal of ASCII shows an escape
    ended = run("cube", "info", folder + b"/none.fits")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)


def test_a_reader_that_ends_does_not_end_the_build(tmp_path: Path, frames: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", COMMAND, "cube", "make", *frames, "-o", str(tmp_path / "cube.fits"), *SMALL]
    ended = subprocess.run(command, env=ENVIRONMENT, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert verify_cube(tmp_path / "cube.fits", frames) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_results_that_cannot_be_printed_are_an_error(tmp_path: Path, frames: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-c", COMMAND, "cube", "plan", "--frames", "3"]
        ended = subprocess.run(command, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (1, b"tessera: standard output: No space left on device\n")


def test_without_a_path_the_cube_has_a_name_that_is_said(
    tmp_path: Path, frames: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["cube", "make", *frames, "-q"]) == 0
    assert capsys.readouterr().err == "tessera: without -o, the cube is img-cube.fits\n"
    assert (tmp_path / "img-cube.fits").exists()
    with pytest.raises(SystemExit):
        main(["cube", "make", "--help"])
    assert "(default img-cube.fits)" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (("make", "x", "--threads", "-3"), "from 1 to 1024"),
        (("make", "x", "--threads", "1.5"), "from 1 to 1024"),
        (("make", "x", "--max-memory", "nan"), "a number above 0"),
        (("make", "x", "--max-memory", "0"), "a number above 0"),
        (("make", "x", "--sector", "0"), "from 1 to 9999"),
        (("plan", "--frames", "-3"), "from 1 to 1000000"),
        (("plan", "--frames", "9" * 5000), "from 1 to 1000000"),
        (("plan", "--frames", "3", "--rows", "0"), "from 1 to 100000"),
        (("plan", "--frames", "3", "--columns", "x"), "from 1 to 100000"),
        (("plan", "--frames", "3", "--concurrency", "0"), "from 1 to 10000"),
        (("plan", "--frames", "3", "--memory", "0"), "from 128 to 10240"),
        (("plan", "--frames", "3", "--product", "spoc"), "choose from"),
        (("mak",), "choose from"),
    ],
)
def test_a_number_or_word_that_is_not_allowed_is_one_line_with_what_is(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], allowed: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["cube", *arguments])
    (line,) = capsys.readouterr().err.splitlines()
    assert allowed in line
    assert len(line) < 700


def test_an_error_that_nobody_expected_is_one_line_unless_its_place_is_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(options: object) -> int:
        raise KeyError("several\nlines\x1b[0m")

    monkeypatch.setattr("tessera.cli.cubes._info", fail)
    assert main(["cube", "info", "x"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        r"tessera: unexpected KeyError: 'several\nlines\x1b[0m' (TESSERA_TRACEBACK=1 shows where it comes from)"
    )
    monkeypatch.setenv("TESSERA_TRACEBACK", "1")
    with pytest.raises(KeyError):
        main(["cube", "info", "x"])


def test_an_interrupted_build_says_that_it_can_be_continued_and_continues(tmp_path: Path, frames: list[str]) -> None:
    cube = tmp_path / "cube.fits"
    command = [sys.executable, "-c", COMMAND, "cube", "make", *frames, "-o", str(cube), *SMALL]
    slow = "import os, signal\nimport tessera.progress as p\n"
    slow += "def stop(*counts):\n    os.kill(os.getpid(), signal.SIGINT)\np.Lines.__call__ = stop\n"
    slow += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # shells let background jobs ignore it
    command[2] = slow + COMMAND
    ended = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)
    told = f"tessera: interrupted; run the same command again to continue {cube}\n"
    assert (ended.returncode, ended.stderr) == (130, told)
    assert run("cube", "make", *frames, "-o", cube, "-q", *SMALL).returncode == 0
    assert verify_cube(cube, frames) == []
    assert sorted(item.name for item in tmp_path.iterdir()) == ["cube.fits", "frames"]


@pytest.mark.parametrize("arguments", [("moving", "cut", "x", "-e", "y"), ("image", "cut", "x", "-t", "1 2")])
def test_interrupted_cutouts_say_where_the_complete_files_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    def interrupt(options: object) -> None:
        raise KeyboardInterrupt

    for name in ("moving", "images"):
        monkeypatch.setattr(f"tessera.cli.{name}._run", interrupt)
    assert main([*arguments, "-o", "folder"]) == 130
    assert capsys.readouterr().err == "tessera: interrupted; the files that are complete are in folder\n"
