"""`tessera cut`: a row for each target, a second run that makes only the rest, and nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from tessera import CubeFactory
from tessera.cli.main import main
from tessera.io.outputs import lock_output
from tests.support.cubes import target_of
from tests.support.frames import tiny_sector

SHAPE = (40, 30)
COMMAND = "import sys; from tessera.cli.main import main; sys.exit(main(sys.argv[1:]))"
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture(scope="module")
def cubes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cube of sector 1."""
    folder = tmp_path_factory.mktemp("cubes")
    paths = []
    for name, data in tiny_sector(3, SHAPE):
        paths.append(folder / name)
        paths[-1].write_bytes(data)
    CubeFactory().make_cube(paths, folder / "tess-s0001-4-2-cube.fits", verbose=False)
    for path in paths:
        path.unlink()
    return folder


@pytest.fixture(scope="module")
def stars(cubes: Path) -> list[tuple[float, float]]:
    """Eight positions on the cube."""
    middle = target_of(cubes / "tess-s0001-4-2-cube.fits")
    return [(middle.ra.deg + 0.02 * number, middle.dec.deg + 0.002 * number) for number in range(8)]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lay_table(path: Path, stars: list[tuple[float, float]]) -> str:
    lines = [f"star {number},{ra:.6f},{dec:.6f}\n" for number, (ra, dec) in enumerate(stars)]
    path.write_text("name,ra,dec\n" + "".join(lines), encoding="utf-8")
    return str(path)


def manifest(folder: Path | str = "cutouts") -> Table:
    return Table.read(Path(folder) / "manifest.ecsv", format="ascii.ecsv")


def written(folder: str = "cutouts") -> dict[str, tuple[int, int]]:
    """What changes when a file is written again."""
    found = {item.name: item.stat() for item in Path(folder).glob("*.fits")}
    return {name: (status.st_ino, status.st_mtime_ns) for name, status in found.items()}


def test_each_target_has_a_row_with_its_file_and_the_run_its_options(
    cubes: Path, stars: list[tuple[float, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    table = lay_table(Path("stars.csv"), stars[:2])
    far = "10 10"
    assert main(["cut", table, far, "--cube", str(cubes), "-s", "5x3", "--layout", "slim"]) == 1
    rows = manifest()
    assert list(rows["target"]) == ["star 0", "star 1", far]
    assert list(rows["status"]) == ["ok", "ok", "no overlap"]
    assert list(rows["sector"][:2]) == [1, 1]
    assert rows["reason"][2] == "no given cube sees it"
    assert rows.meta["tessera cut"]["--size"] == "5x3"
    for row, (ra, _) in zip(rows[:2], stars, strict=False):
        path = Path("cutouts") / row["file"]
        assert path.stat().st_size == row["bytes"]
        assert row["ra"] == pytest.approx(ra, abs=1e-6)
        with fits.open(path) as file:
            assert file[1].data["FLUX"].shape == (3, 5, 3)
            assert "RAW_CNTS" not in file[1].columns.names
            assert file[0].header["OBJECT"] == row["target"]
    captured = capsys.readouterr()
    assert captured.err == f"tessera: {far}: no given cube sees it\n"
    assert captured.out.splitlines() == [
        *(f"cutouts/{name}" for name in rows["file"][:2]),
        "cutouts/manifest.ecsv: 2 cutouts; 1 without overlap",
    ]
    assert sorted(item.name for item in Path("cutouts").iterdir()) == sorted([*rows["file"][:2], "manifest.ecsv"])


def test_a_second_run_makes_what_is_missing_or_damaged_and_nothing_else(
    cubes: Path, stars: list[tuple[float, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["cut", lay_table(Path("stars.csv"), stars), "--cube", str(cubes), "-s", "3"]
    assert main(command) == 0
    before, text = written(), Path("cutouts/manifest.ecsv").read_bytes()
    capsys.readouterr()
    assert main(command) == 0
    assert written() == before
    assert Path("cutouts/manifest.ecsv").read_bytes() == text
    assert capsys.readouterr().out == "cutouts/manifest.ecsv: 8 cutouts, of which 8 were there\n"
    gone, short, *_ = sorted(before)
    Path("cutouts", gone).unlink()
    os.truncate(Path("cutouts", short), 100)
    assert main(command) == 0
    assert "8 cutouts, of which 6 were there" in capsys.readouterr().out
    changed = {name for name, when in written().items() if when != before[name]}
    assert changed == {gone, short}
    assert all(row["bytes"] == Path("cutouts", row["file"]).stat().st_size for row in manifest())


def test_errors_are_tried_again(
    cubes: Path, stars: list[tuple[float, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["cut", lay_table(Path("stars.csv"), stars[:3]), "--cube", str(cubes), "-s", "3", "-q"]
    assert main(command) == 0
    name = str(manifest()["file"][1])
    Path("cutouts", name).unlink()
    Path("cutouts", name).mkdir()
    assert main(command) == 1
    assert list(manifest()["status"]) == ["ok", "error", "ok"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tessera: star 1, ")
    assert "is kept, because it is not a target pixel file" in captured.err
    Path("cutouts", name).rmdir()
    assert main(command) == 0
    assert list(manifest()["status"]) == ["ok", "ok", "ok"]


def test_other_options_are_refused_and_more_targets_are_added(
    cubes: Path, stars: list[tuple[float, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [f"{ra} {dec}" for ra, dec in stars[:2]]
    where = ["--cube", str(cubes)]
    assert main(["cut", texts[0], *where, "-s", "99999"]) == 1  # makes no file, so the next run may have other options
    assert main(["cut", texts[0], *where, "-s", "3"]) == 0
    before = written()
    capsys.readouterr()
    assert main(["cut", texts[0], *where, "-s", "5", "--time", "1", "2"]) == 1
    told = capsys.readouterr().err
    assert "options is '--size 5, --time 1.0 2.0'; allowed: the options of the run that began" in told
    assert "(--size 3, --time not given), or another folder with -o" in told
    assert written() == before
    assert main(["cut", texts[1], *where, "-s", "3"]) == 0
    assert list(manifest()["target"]) == texts


def test_targets_of_one_place_share_a_file_and_a_table_may_have_sizes(
    cubes: Path, stars: list[tuple[float, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    ra, dec = stars[0]
    rows = [
        f"{name},{ra},{dec},{size}\n" for name, size in (("a", "3"), ("b", "3"), ("c", ""), ("d", "5x7"), ("e", "0"))
    ]
    Path("stars.csv").write_text("name,ra,dec,Size\n" + "".join(rows), encoding="utf-8")
    assert main(["cut", "stars.csv", "--cube", str(cubes), "-s", "9"]) == 1
    table = manifest()
    assert list(table["size"]) == ["3", "3", "9", "5x7", "0"]
    assert [str(name).rsplit("_", 2)[1] for name in table["file"][:4]] == ["3x3", "3x3", "9x9", "7x5"]
    assert table["file"][0] == table["file"][1]
    assert main(["cut", f"{ra} {dec}", f"{ra} {dec}", "--cube", str(cubes), "-o", "twice"]) == 0
    assert capsys.readouterr().out.endswith("twice/manifest.ecsv: 1 cutout\n")
    assert table["status"][4] == "error"
    assert "size is '0'; allowed: pixels or angles" in table["reason"][4]


def test_two_cubes_of_one_ccd_are_refused(
    cubes: Path, stars: list[tuple[float, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    (cube,) = cubes.iterdir()
    Path("copy-cube.fits").write_bytes(cube.read_bytes())
    assert main(["cut", "{} {}".format(*stars[0]), "--cube", str(cube), "--cube", "copy-cube.fits"]) == 1
    assert "allowed: one cube of each CCD and sector" in capsys.readouterr().err
    assert not Path("cutouts").exists()


@pytest.mark.parametrize(
    "content", [b"mine\n", b"# %ECSV 1.0\n# ---\n# datatype:\n# - {name: a, datatype: int64}\na\n1\n"]
)
def test_a_table_of_another_kind_is_kept(
    cubes: Path, stars: list[tuple[float, float]], capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    Path("cutouts").mkdir()
    Path("cutouts/manifest.ecsv").write_bytes(content)
    assert main(["cut", "{} {}".format(*stars[0]), "--cube", str(cubes)]) == 1
    assert "it is not a manifest of tessera cut" in capsys.readouterr().err
    assert Path("cutouts/manifest.ecsv").read_bytes() == content
    assert len(list(Path("cutouts").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--time", "5", "1"), "time is [5.0, 1.0]"),
        (("--quality-mask", "soft"), "argument --quality-mask: 'soft'; allowed: none, default, hard, hardest, or"),
        (("--size", "1parsec"), "size is '1parsec'"),
        (("--layout", "thin"), "invalid choice: 'thin'"),
        (("--cadences", "-1", "3"), "cadences is"),
        (("-o", "file"), "-o is 'file'; allowed: the path of a folder, not of a file"),
    ],
)
def test_options_are_refused_before_the_work(
    cubes: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    Path("file").touch()
    try:
        code: object = main(["cut", "1 2", "--cube", str(cubes), *arguments])
    except SystemExit as ended:
        code = ended.code
    assert code in (1, 2)
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert not Path("cutouts").exists()


KILLED = """
import os, signal, tessera.cli.manifest as m
save = m.Manifest.save
m._SECONDS = 0.0
def stop(self, *, now=False):
    save(self, now=True)
    if len(self.rows) == 5:
        os.kill(os.getpid(), signal.SIGNAL)
m.Manifest.save = stop
signal.signal(signal.SIGINT, signal.default_int_handler)
"""


@pytest.mark.slow
def test_a_run_that_is_killed_or_interrupted_goes_on(
    cubes: Path, stars: list[tuple[float, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    table = lay_table(Path("stars.csv"), stars)
    arguments = {name: ["cut", table, "--cube", str(cubes), "-s", "3", "-o", name] for name in ("SIGKILL", "SIGINT")}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", KILLED.replace("SIGNAL", name) + COMMAND, *words],
            env=ENVIRONMENT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, words in arguments.items()
    ]
    told = [run.communicate(timeout=60)[1] for run in runs]
    assert [run.returncode for run in runs] == [-signal.SIGKILL, 130]
    went_on = "run the same command again to go on"
    *progress, last = told[1].splitlines()
    assert last == f"tessera: interrupted; the cutouts that are complete are in SIGINT/manifest.ecsv; {went_on}"
    assert all(" of 8 cutouts (" in line for line in progress), (
        "a run that takes longer than a moment tells its progress"
    )
    assert not list(Path("SIGINT").glob(".*"))
    for name, words in arguments.items():
        rows = manifest(name)
        assert 3 <= len(rows) <= 6
        assert all(row["bytes"] == Path(name, row["file"]).stat().st_size for row in rows)
        before = {row["file"]: written(name)[row["file"]] for row in rows}
        assert main(words) == 0
        assert f"8 cutouts, of which {len(rows)} were there" in capsys.readouterr().out
        assert {file: written(name)[file] for file in before} == before
        assert not list(Path(name).glob(".*"))


def test_two_runs_do_not_write_one_folder(
    cubes: Path, stars: list[tuple[float, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    ready, go = threading.Event(), threading.Event()

    def hold() -> None:
        with lock_output("x", Path("cutouts/manifest.ecsv")):
            ready.set()
            go.wait()

    other = threading.Thread(target=hold)
    other.start()
    ready.wait()
    try:
        assert main(["cut", "{} {}".format(*stars[0]), "--cube", str(cubes)]) == 1
    finally:
        go.set()
        other.join()
    assert "a path that no other run is writing" in capsys.readouterr().err


def test_a_kept_time_range_is_in_the_files(cubes: Path, stars: list[tuple[float, float]]) -> None:
    assert main(["cut", "{} {}".format(*stars[0]), "--cube", str(cubes), "-s", "3", "--cadences", "1", "1", "-q"]) == 0
    with fits.open(Path("cutouts") / manifest()["file"][0]) as file:
        assert len(file[1].data) == 1
        assert np.isfinite(file[1].data["FLUX"]).all()
