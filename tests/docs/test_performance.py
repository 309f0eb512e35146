"""The tables of docs/performance.md are those of the committed results, and no bench is left out."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.bench import compare, quick, run
from tests.bench.page import COMMITTED, MARKED, PAGE, filled
from tests.bench.support import report, results

TEXT = PAGE.read_text(encoding="utf-8")
RESULTS = results.read_results(COMMITTED)


def a_row(**changes: object) -> report.Row:
    values = {"bench": "goals", "case": "a cutout", "measure": "time", "value": 0.1, "unit": "s", "peers": {}}
    values |= {"limit": None, "peer_ratio": None, "limit_ratio": None, "wanted": "", "ok": None}
    return results.row_of(values | changes)


def test_the_tables_of_the_page_are_those_of_the_committed_results() -> None:
    assert filled(TEXT, RESULTS) == TEXT, "run: python tests/bench/page.py"


def test_a_changed_result_is_noticed() -> None:
    first, *others = RESULTS.rows

    assert filled(TEXT, replace(RESULTS, rows=(replace(first, value=first.value * 1.5), *others))) != TEXT


def test_every_bench_has_a_table_and_a_program() -> None:
    marks = {found["name"] for found in MARKED.finditer(TEXT)} - {"machine"}
    folder = COMMITTED.parent
    programs = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.glob("*/*.py")}

    assert marks == set(run.BENCHES)
    assert set(RESULTS.benches()) <= marks
    assert [name for name in run.BENCHES if not (folder / f"{name}.py").exists()] == []
    assert {name for name in programs if not name.startswith("support/")} - marks == {"cubes/timed", "cutouts/programs"}


def test_a_row_has_its_ratios_and_says_whether_its_goal_is_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TESSERA_BENCH_ROWS", str(tmp_path / "rows"))
    peers = {"astrocut": 0.4, "tesscube": 0.9}
    slow = report.record("b", "c", "time", 0.2, "s", peer=peers, limit=0.1, wanted="peer >= 3 and limit <= 2")
    fast = report.record("b", "c", "rate", 400e6, "B/s", peer=100e6, limit=800e6, wanted="peer >= 3 and limit <= 2")

    assert (slow.peer_ratio, slow.limit_ratio, slow.ok) == (2, 2, False)
    assert (fast.peer_ratio, fast.limit_ratio, fast.ok) == (4, 2, True)
    assert report.MISSED.pop() == slow
    assert results.read_rows(tmp_path / "rows") == [slow, fast]
    assert "MISSED" in capsys.readouterr().out
    with pytest.raises(ValueError, match="wanted is 'faster'; it must be like"):
        report.record("b", "c", "time", 0.2, "s", wanted="faster")


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    written = results.Results("1.0", "a machine", "2026-11-27", (a_row(value=0.123456), a_row(case="another")))
    results.write_results(written, tmp_path / "results.json")

    read = results.read_results(tmp_path / "results.json")
    assert read == replace(written, rows=(a_row(value=0.1235), a_row(case="another")))
    assert [row.case for row in read.with_rows([a_row(bench="x"), a_row(case="new")]).rows] == ["a cutout", "new"]


def test_two_versions_are_compared_by_their_ratios() -> None:
    old = results.Results("1", "m", "d", (a_row(peer_ratio=4.0), a_row(case="rate", unit="B/s"), a_row(case="old")))
    new = replace(old, rows=(a_row(value=9.0, peer_ratio=3.0), a_row(case="rate", unit="B/s", value=0.2)))

    _, first, second, gone = compare.compared(old, new)
    assert first.startswith("  -25% to the peer")
    assert "a cutout" in first
    assert second.startswith(" +100% value")
    assert gone == "   gone  goals: old: time"


def a_bench(folder: Path, text: str) -> None:
    path = folder / "tests/bench/mine.py"
    path.parent.mkdir(parents=True)
    head = "import json, os, sys, time\nrows = open(os.environ['TESSERA_BENCH_ROWS'], 'a')\n"
    path.write_text(head + text, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("", []), ("sys.exit(1)", ["failed: mine"]), ("rows.write(MISS)\nsys.exit(1)", ["missed a goal: mine"])],
)
def test_a_bench_that_fails_and_one_that_misses_a_goal_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, wrong: list[str]
) -> None:
    miss = json.dumps(asdict(a_row(bench="mine", ok=False)))
    a_bench(tmp_path, f"MISS = {miss!r}\n{text}")
    monkeypatch.setattr(run, "ROOT", tmp_path)
    results_before = results.Results("1.0", "a machine", "2026-11-27", (a_row(),))

    assert run.measure(["mine"], results_before, tmp_path / "results.json") == wrong
    assert len(results.read_results(tmp_path / "results.json").rows) == 1 + text.count("MISS")


def test_a_bench_that_does_not_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_bench(tmp_path, "time.sleep(60)")
    monkeypatch.setattr(run, "ROOT", tmp_path)

    assert not run.run("mine", tmp_path / "rows", longest=0)


def test_a_bench_that_is_stopped_may_remove_its_files(tmp_path: Path) -> None:
    made = tmp_path / "made"
    text = f"""if True:
        import os, time
        try:
            open({str(made)!r}, "w").close()
            print(flush=True)
            time.sleep(60)
        finally:
            os.remove({str(made)!r})
    """
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, start_new_session=True) as bench:
        assert bench.stdout is not None
        bench.stdout.readline()
        assert made.exists()
        run.end(bench)

    assert not made.exists()


def test_a_quick_ratio_falls_only_below_its_limit(capsys: pytest.CaptureFixture[str]) -> None:
    kept: dict[str, dict[str, float]] = {"ratios": {"a": 4.0, "b": 2.0}, "counts": {"requests": 10}}

    assert quick.report({"a": 3.1, "b": 2.0}, {"requests": 10}, kept)
    assert not quick.report({"a": 2.9, "b": 3.0}, {"requests": 10}, kept)
    assert quick.report({"a": 2.9, "b": 3.0}, {"requests": 10}, kept, frozenset("a")), "its times vary"
    assert not quick.report({"a": 3.1, "b": 1.6}, {"requests": 10}, kept), "the mean fell"
    assert quick.report({"a": 4.0, "b": 1.0}, {"requests": 10}, kept, frozenset("b")), "the mean is that of the others"
    assert not quick.report({"a": 4.0, "b": 2.0}, {"requests": 11}, kept)
    assert capsys.readouterr().out.count("FELL") == 2


def test_a_ratio_to_the_machine_and_bytes_on_their_way_have_more_room() -> None:
    name, rows = "cutout 10x10 cold, bytes", {row.name: 1.0 for row in quick.ROWS}
    kept: dict[str, dict[str, float]] = {"ratios": rows, "counts": {name: 100}}

    assert quick.report(rows | {"make_cube, copy": 0.65}, {name: 119}, kept)
    assert not quick.report(rows | {"make_cube, astrocut": 0.74}, {name: 100}, kept)
    assert not quick.report(rows | {"make_cube, copy": 0.59}, {name: 100}, kept)
    assert not quick.report(rows, {name: 121}, kept)


def test_the_quick_bench_has_a_committed_ratio_of_each_row() -> None:
    committed = json.loads(quick.COMMITTED.read_text(encoding="utf-8"))

    assert list(committed["ratios"]) == list(committed["loaded"]) == [row.name for row in quick.ROWS]


def test_of_busy_machines_the_smallest_ratios_are_kept() -> None:
    kept: quick.Kept = {"ratios": {"a": 4.0}, "counts": {"requests": 10}}

    once = quick.kept_with({"a": 3.0}, {"requests": 11}, kept, loaded=True)
    assert once == kept | {"loaded": {"a": 3.0}}
    assert quick.kept_with({"a": 3.5}, {"requests": 11}, once, loaded=True) == once
    assert quick.kept_with({"a": 5.0}, {"requests": 11}, once, loaded=False) == {
        "ratios": {"a": 5.0},
        "counts": {"requests": 11},
        "loaded": {"a": 3.0},
    }
