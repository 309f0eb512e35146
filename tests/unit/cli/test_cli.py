"""The command line, as a user runs it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tessera.cli.main import main
from tests.support.frames import NamedFrame, tiny_sector
from tests.support.tica import tiny_tica_sector

SHAPE = (40, 30)
FRAMES = tiny_sector(5, SHAPE)


def lay(folder: Path, frames: list[NamedFrame]) -> list[str]:
    folder.mkdir(exist_ok=True)
    for name, data in frames:
        (folder / name).write_bytes(data)
    return [str(folder / name) for name, _ in frames]


def test_make_then_info_then_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths, cube = lay(tmp_path / "frames", FRAMES), str(tmp_path / "cube.fits")
    assert main(["cube", "make", *paths, "-o", cube, "--sector", "1"]) == 0
    assert capsys.readouterr() == (f"{cube}\n", "")
    assert main(["cube", "info", cube]) == 0
    told = capsys.readouterr().out
    assert "SPOC cube of sector 1, camera 4, CCD 2" in told
    assert "40 rows, 30 columns, 5 cadences, 2 planes" in told
    assert "WCS         in 5 of 5 frames" in told
    assert main(["cube", "verify", cube, *paths]) == 0
    assert "checksums are correct; all pixels equal those of 5 frames" in capsys.readouterr().out


def test_update_adds_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths, cube = lay(tmp_path / "frames", FRAMES), str(tmp_path / "cube.fits")
    main(["cube", "make", *paths[:3], "-o", cube, "-q"])
    assert main(["cube", "update", *paths[2:], "-o", cube, "-q"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"tessera: Removed duplicate file: {FRAMES[2][0]}" in captured.err
    assert main(["cube", "verify", cube, *paths]) == 0


def test_tica_frames_need_their_product(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths, cube = lay(tmp_path / "frames", tiny_tica_sector(3, SHAPE)), str(tmp_path / "cube.fits")
    assert main(["cube", "make", *paths, "-o", cube]) == 1
    assert "Please input only SPOC FFI files" in capsys.readouterr().err
    assert main(["cube", "make", *paths, "-o", cube, "--product", "TICA"]) == 0
    assert main(["cube", "info", cube]) == 0
    assert "TICA cube of sector 27, camera 1, CCD 4" in capsys.readouterr().out


@pytest.mark.parametrize("place", [3000, 10_000, -3000])
def test_verify_finds_a_single_wrong_byte(tmp_path: Path, place: int, capsys: pytest.CaptureFixture[str]) -> None:
    paths, cube = lay(tmp_path / "frames", FRAMES), tmp_path / "cube.fits"
    main(["cube", "make", *paths, "-o", str(cube), "-q"])
    data = bytearray(cube.read_bytes())
    data[place] ^= 1
    cube.write_bytes(data)
    assert main(["cube", "verify", str(cube), *paths]) == 1
    assert "SUM" in capsys.readouterr().out


def test_verify_names_the_frame_whose_pixels_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths, cube = lay(tmp_path / "frames", FRAMES), str(tmp_path / "cube.fits")
    main(["cube", "make", *paths, "-o", cube, "-q"])
    path = Path(paths[3])
    data = bytearray(path.read_bytes())
    data[20_160 + 100] ^= 1
    path.write_bytes(data)
    assert main(["cube", "verify", cube, *paths]) == 1
    assert capsys.readouterr().out.splitlines() == [f"{path.name}: pixels differ from those in cube.fits"]
    assert main(["cube", "verify", cube, *paths[:3]]) == 1
    assert f"{path.name}: is in cube.fits but was not given" in capsys.readouterr().out


def test_plan_spends_nothing_and_says_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cube", "plan", "--frames", "1282", "--memory", "2048"]) == 0
    told = capsys.readouterr().out
    for text in ("34 of up to 62 rows", "87,176 of 529,728 bytes", "45.5 GB", "2079 of 1 rows", "of 2,048 MiB", "$"):
        assert text in told
    assert main(["cube", "plan", "--frames", "11775"]) == 0
    told = capsys.readouterr().out
    marked = [line for line in told.splitlines() if "chosen" in line]
    assert [line.split()[:2] for line in marked] == [["10,240", "MB"]]
    assert all(f"{size} MB" in told for size in ("2,048", "4,096", "10,240"))
    assert main(["cube", "plan", "--frames", "20000", "--memory", "512"]) == 1
    assert "raise the memory of build_block" in capsys.readouterr().err
    assert main(["cube", "plan", "--frames", "20001"]) == 1
    assert "at most 20,000 frames, and these are 20,001" in capsys.readouterr().err


@pytest.mark.slow
def test_errors_are_one_line_on_standard_error(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tessera",
        "cube",
        "make",
        str(tmp_path / "none.fits"),
        "-o",
        str(tmp_path / "c.fits"),
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert len(answer.stderr.splitlines()) == 1
    assert "none.fits" in answer.stderr


def test_a_list_of_frames_comes_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, cube = lay(tmp_path / "frames", FRAMES), str(tmp_path / "cube.fits")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(paths).encode()), encoding="utf-8"))
    assert main(["cube", "make", "-", "-o", cube, "-q"]) == 0
    assert main(["cube", "verify", cube, *paths]) == 0
