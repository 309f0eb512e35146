"""Lists on one machine: processes, killed processes, interruptions, and what goes on where it ended."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tessera import DataWarning, InvalidInputError, sign_records
from tessera.bulk import asked
from tessera.bulk.plan.costs import BandLimits
from tessera.bulk.run import cut_list, plan_list
from tessera.bulk.status import BulkStatus, parse_status
from tessera.bulk.target_rows import RowProblem, TargetRows
from tessera.bulk.work import workers
from tests.support.keys import key_files
from tests.support.paths import ROOT
from tests.support.sparse import sparse_cube
from tests.support.target_lists import rows_of, sky_of

EVERYTHING = ("parquet", "lightcurves", "tpf")


@pytest.fixture
def rows(field_cube: Path, everywhere: Any) -> TargetRows:
    return rows_of(*sky_of(field_cube, everywhere))


@pytest.fixture
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bands of at most eight targets, of which a small cube has several."""
    monkeypatch.setattr(asked, "_FEWEST_FILES", 8)
    monkeypatch.setattr(asked, "_LIMITS", BandLimits(most_extra=10.0))


def files_of(folder: Path) -> dict[str, str]:
    """Names and hashes of the products."""
    paths = [path for path in folder.rglob("*") if path.is_file() and ".tessera" not in path.parts]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def statuses(folder: Path) -> list[BulkStatus]:
    return parse_status((folder / "status.csv").read_bytes())


def children() -> list[int]:
    """Processes that this process started, without those that have ended."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if entry.name.isdigit() and int(parent) == os.getpid() and state != "Z":
            command = (entry / "cmdline").read_bytes()
            if b"tessera.bulk.work.worker" in command:
                found.append(int(entry.name))
    return found


def test_every_row_has_its_statuses_and_every_product_its_file(
    field_cube: Path, rows: TargetRows, tmp_path: Path
) -> None:
    problem = RowProblem(41, "nonsense", "no position")
    far = rows_of(rows.ra, rows.dec, problems=[problem])
    result = cut_list(far, field_cube, tmp_path / "out", outputs=EVERYTHING)
    found = statuses(tmp_path / "out")
    assert (result.n_ok, result.n_failed) == (39, 0)
    by_row = {row: [each for each in found if each.row == row] for row in range(1, 42)}
    assert all({each.product for each in by_row[row]} == {*EVERYTHING} for row in range(1, 40))
    beyond = [(each.row, each.product, each.reason) for each in found if each.status == "no overlap" and each.cube]
    no_pixel = "no pixel of the aperture is on the frame"  # but the window has some
    assert beyond == [(row, product, no_pixel) for row in (36, 37) for product in ("lightcurves", "parquet")]
    assert [each.reason for each in by_row[40] + by_row[41]] == ["no cube has this position", "no position"]
    manifest = json.loads(result.manifest.read_bytes())
    hashes = files_of(tmp_path / "out")
    assert {each["name"]: each["sha256"] for each in manifest["files"]} == {
        name: value for name, value in hashes.items() if name != "manifest.json"
    }
    assert manifest["products"] == {"parquet": 37, "lightcurves": 37, "tpf": 39}
    assert manifest["statuses"] == {"ok": 39, "no overlap": 1, "error": 1}
    assert manifest["plan"]["cutouts"] == result.plan.cutouts == 39
    assert (result.n_requests, result.n_bytes) == (result.plan.requests, result.plan.bytes)


def test_a_plan_is_that_of_the_work_and_reads_no_pixels(field_cube: Path, rows: TargetRows, tmp_path: Path) -> None:
    plan = plan_list(rows, field_cube, outputs="tpf", size=7)
    assert plan == cut_list(rows, field_cube, tmp_path / "out", outputs="tpf", size=7).plan
    assert (plan.rows, plan.targets, plan.cubes, plan.cutouts, plan.usd) == (40, 40, 1, 39, 0.0)


def test_a_list_of_files_has_more_bands_than_one_of_curves(tmp_path: Path) -> None:
    cube = sparse_cube(tmp_path, 4, (400, 700))
    rows = rows_of(*sky_of(cube, np.random.default_rng(3).uniform((5, 5), (395, 695), (300, 2))))
    curves, files = (plan_list(rows, cube, outputs=outputs) for outputs in ("parquet", "tpf"))
    assert (curves.bands, files.bands) == (1, 4)


@pytest.mark.slow
@pytest.mark.usefixtures("small_bands")
def test_processes_make_the_same_files_as_one_even_if_some_are_killed(
    field_cube: Path, rows: TargetRows, tmp_path: Path
) -> None:
    counts: list[tuple[int, int]] = []
    killed: list[int] = []

    def hear(done: int, total: int) -> None:
        counts.append((done, total))
        if not killed and (found := children()):
            killed.append(found[0])
            os.kill(found[0], signal.SIGKILL)

    with sign_records(key_files(tmp_path)[0]):  # the other processes sign, too
        one = cut_list(rows, field_cube, tmp_path / "one", outputs=EVERYTHING, processes=1)
        both = cut_list(rows, field_cube, tmp_path / "two", outputs=EVERYTHING, processes=2, progress=hear)
    assert one.plan.bands > 4
    assert len(killed) == 1
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert (one.n_ok, one.n_failed) == (both.n_ok, both.n_failed) == (39, 0)
    assert counts[-1] == (39, 39)
    assert counts == sorted(counts)
    assert children() == []


DYING = "import pickle, sys; pickle.dump(('ready', 0), sys.stdout.buffer); sys.stdout.flush(); sys.exit(7)"
"""A process that ends as soon as it has begun."""


@pytest.mark.usefixtures("small_bands")
def test_a_band_that_ends_every_process_has_a_reason_and_is_tried_again_by_the_next_call(
    field_cube: Path, everywhere: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(*sky_of(field_cube, everywhere[:14]))
    with monkeypatch.context() as patch:
        patch.setattr(workers, "_PROGRAM", DYING)
        result = cut_list(rows, field_cube, tmp_path / "out", outputs="tpf", processes=2)
    assert (result.plan.bands, result.n_ok, result.n_failed) == (2, 0, 14)
    found = statuses(tmp_path / "out")
    assert {(each.status, each.reason) for each in found} == {("error", "its process ended 3 times (status 7)")}
    assert sorted(each.row for each in found) == list(range(1, 15))
    again = cut_list(rows, field_cube, tmp_path / "out", outputs="tpf")
    assert (again.n_ok, again.n_failed) == (14, 0)


@pytest.mark.usefixtures("small_bands")
def test_the_same_call_goes_on_where_an_interrupted_one_ended(
    field_cube: Path, rows: TargetRows, tmp_path: Path
) -> None:
    class EnoughError(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done >= 25:
            raise EnoughError

    with pytest.raises(EnoughError):
        cut_list(rows, field_cube, tmp_path / "out", outputs=EVERYTHING, progress=stop)
    assert not (tmp_path / "out/status.csv").exists()
    records = sorted((tmp_path / "out/.tessera/bands").iterdir())
    times = {path: path.stat().st_mtime_ns for path in records}
    assert records
    result = cut_list(rows, field_cube, tmp_path / "out", outputs=EVERYTHING)
    assert result.n_ok == 39
    assert {path: path.stat().st_mtime_ns for path in records} == times
    cut_list(rows, field_cube, tmp_path / "one", outputs=EVERYTHING)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "one")


@pytest.mark.usefixtures("small_bands")
def test_a_band_whose_file_is_gone_is_done_again(field_cube: Path, rows: TargetRows, tmp_path: Path) -> None:
    cut_list(rows, field_cube, tmp_path / "out", outputs="tpf")
    before = files_of(tmp_path / "out")
    next(path for path in (tmp_path / "out/files").iterdir()).unlink()
    cut_list(rows, field_cube, tmp_path / "out", outputs="tpf")
    assert files_of(tmp_path / "out") == before


@pytest.mark.parametrize("change", [{"size": 7}, {"outputs": "tpf"}, {"background": False}])
def test_a_folder_of_another_request_is_refused(
    field_cube: Path, rows: TargetRows, tmp_path: Path, change: dict[str, Any]
) -> None:
    cut_list(rows, field_cube, tmp_path / "out")
    before = files_of(tmp_path / "out")
    with pytest.raises(InvalidInputError, match=r"output_dir is '.*out'; allowed: an empty folder, or the folder of"):
        cut_list(rows, field_cube, tmp_path / "out", **change)
    assert files_of(tmp_path / "out") == before


def test_a_folder_without_results_is_free_for_another_request(
    field_cube: Path, rows: TargetRows, tmp_path: Path
) -> None:
    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_list(rows, field_cube, tmp_path / "out", outputs="parquet", progress=stop)
    assert cut_list(rows, field_cube, tmp_path / "out", outputs="tpf").n_ok == 39


def test_a_folder_with_other_files_is_refused_and_kept(field_cube: Path, rows: TargetRows, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InvalidInputError, match="allowed: an empty folder"):
        cut_list(rows, field_cube, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"processes": 0}, "processes is 0"),
        ({"processes": 1.5}, "processes is 1.5"),
        ({"progress": 3}, "progress is 3"),
        ({"product": "TICA"}, "cubes is 'cubes of SPOC frames'; allowed: cubes of TICA frames"),
        ({"size": 200}, "size is 200"),
        ({"outputs": "tpfs"}, "outputs is 'tpfs'"),
    ],
)
def test_arguments_are_checked_before_the_work(
    field_cube: Path, rows: TargetRows, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        cut_list(rows, field_cube, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_window_that_needs_more_memory_than_a_process_has_is_refused(tmp_path: Path) -> None:
    cube = sparse_cube(tmp_path, 5000, (101, 101))
    rows = rows_of(*sky_of(cube, [(50.0, 50.0)]), size=101)
    message = "targets is 'a list with 408,040,000 bytes of pixels in a window'; allowed: at most 400,000,000"
    with pytest.raises(InvalidInputError, match=f"^{message}$"):
        cut_list(rows, cube, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_cube_that_cannot_be_read_is_named_and_costs_only_itself(
    field_cube: Path, rows: TargetRows, tmp_path: Path
) -> None:
    broken = tmp_path / "tess-s0002-1-1-cube.fits"
    broken.write_bytes(field_cube.read_bytes()[:50_000])
    with pytest.warns(DataWarning, match=r"tess-s0002-1-1-cube.fits is left out: "):
        result = cut_list(rows, [broken, field_cube], tmp_path / "out")
    assert result.n_ok == 37
    assert list(result.unread) == [str(broken)]
    assert json.loads(result.manifest.read_bytes())["unread_cubes"][0]["cube"] == str(broken)


def test_two_cubes_of_one_name_have_products_of_their_own(field_cube: Path, rows: TargetRows, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    other = tmp_path / "b" / field_cube.name
    other.write_bytes(field_cube.read_bytes())
    cut_list(rows, [field_cube, other], tmp_path / "out", outputs="tpf")
    cubes = {each.cube for each in statuses(tmp_path / "out")}
    assert cubes == {"tess-s0001-4-2", "tess-s0001-4-2-2", ""}
    assert len(statuses(tmp_path / "out")) == 2 * 39 + 1


SCRIPT = """
import pickle, sys
from tessera.bulk.run import cut_list
rows, cube, out = pickle.load(open(sys.argv[1], "rb"))
print("begun", flush=True)
cut_list(rows, cube, out, outputs="tpf", processes=2)
print("done")
"""


def script(tmp_path: Path, *given: Any) -> subprocess.Popen[str]:
    """A user's script, without a guard around its last lines."""
    import pickle  # noqa: PLC0415

    (tmp_path / "given").write_bytes(pickle.dumps(given))
    (tmp_path / "script.py").write_text(SCRIPT)
    places = os.pathsep.join(str(ROOT / place) for place in ("layers/engine/src", "."))
    command = [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "given")]
    environment = {**os.environ, "PYTHONPATH": places}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_script_without_a_guard_can_use_processes_and_be_interrupted(
    field_cube: Path, everywhere: Any, tmp_path: Path
) -> None:
    places = np.concatenate([np.clip(everywhere, 0, 45)] * 8)
    rows = rows_of(*sky_of(field_cube, places), size=31)
    with script(tmp_path, rows, field_cube, tmp_path / "out") as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        until = time.monotonic() + 60
        while not list((tmp_path / "out").glob("files/.*partial")) and time.monotonic() < until:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert "KeyboardInterrupt" in err
    assert "done" not in out
    assert not (tmp_path / "out/status.csv").exists()
    cut_list(rows, field_cube, tmp_path / "out", outputs="tpf")
    assert [each.status for each in statuses(tmp_path / "out")] == ["ok"] * 320
