"""Progress: a function hears of all items, a terminal has a bar, a log has few lines, and Ctrl-C ends all threads."""

from __future__ import annotations

import io
import sys
import threading
import time
from pathlib import Path

import pytest
from astropy.coordinates import SkyCoord

from tessera import CubeFactory, make_cutouts, make_image_cutouts
from tessera.cutouts.results import CutoutResult
from tessera.errors import InvalidInputError
from tessera.progress import Counter, Lines, counting, print_line
from tests.support.frames import tiny_sector


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_function_hears_of_every_item_by_one_thread_at_a_time() -> None:
    heard, busy = [], threading.Lock()

    def show(done: int, total: int) -> None:
        assert busy.acquire(blocking=False)
        heard.append((done, total))
        busy.release()

    def work(number: int) -> int:
        counter.add()
        return number**2

    with counting(show, "star", 200) as counter:
        squares = counter.map(work, range(200), 8)
    assert heard == [(done, 200) for done in range(1, 201)]
    assert squares == [number**2 for number in range(200)]


def test_items_that_are_done_twice_are_counted_once() -> None:
    heard: list[int] = []
    counter = Counter(lambda done, _total: heard.append(done), 6)
    for done in (1, 2, 1, 2, 3):
        counter.reach("a", done)
    counter.reach("b", 3)
    assert heard == [1, 2, 2, 2, 3, 6]


@pytest.mark.parametrize("error", [RuntimeError("enough"), OSError("disk"), KeyboardInterrupt()])
def test_an_error_of_the_function_is_raised_and_ends_the_other_threads(error: BaseException) -> None:
    worked: list[int] = []

    def show(done: int, total: int) -> None:
        raise error

    def work(number: int) -> None:
        for _ in range(1000):
            worked.append(number)
            counter.add()
            time.sleep(0.001)

    with pytest.raises(type(error)) as raised, counting(show, "star", 4000) as counter:
        counter.map(work, range(4), 4)
    assert raised.value is error
    assert len(worked) <= 4


def test_lines_are_few_and_say_how_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    told, now = io.StringIO(), [0.0]
    monkeypatch.setattr(sys, "stderr", told)
    show = Lines("cutout", lambda: now[0])
    for done in range(1, 1001):
        now[0] += 0.1
        show(done, 1000)
    lines = told.getvalue().splitlines()
    assert lines[0] == "tessera: 50 of 1,000 cutouts (5 %), 10 per second, 1 min 35 s left"
    assert lines[-1] == "tessera: 1,000 of 1,000 cutouts, 1 min 40 s"
    assert len(lines) == 20


def test_slow_jobs_have_a_line_a_minute_and_short_ones_none(monkeypatch: pytest.MonkeyPatch) -> None:
    told, now = io.StringIO(), [0.0]
    monkeypatch.setattr(sys, "stderr", told)
    slow, short = Lines("block", lambda: now[0]), Lines("cube", lambda: now[0] / 100)
    for done in range(1, 4):
        now[0] += 45.0
        slow(done, 1000)
        short(done, 3)
    assert told.getvalue().splitlines() == [
        "tessera: 2 of 1,000 blocks (0 %), 0.0222 per second, 12 h 28 min left",
    ]


def test_a_terminal_has_a_bar_with_rate_and_time_and_other_lines_go_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with counting(True, "cutout", 40) as counter:
        counter.add(10)
        print_line("tessera: a warning")
        counter.add(30)
    told = terminal.getvalue()
    assert "40/40 [00:00<00:00, " in told
    assert " cutout/s]" in told
    assert "\rtessera: a warning\n" in told


def test_a_job_of_a_single_item_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with counting(True, "cube", 1) as counter:
        counter.add()
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("value", ["yes", 1, 0, ["a"]])
def test_another_value_is_refused_before_the_work(tmp_path: Path, value: object) -> None:
    allowed = r"^progress is .*; allowed: True, False, None, or a function of \(done, total\)$"
    out = tmp_path / "out"
    with pytest.raises(InvalidInputError, match=allowed):
        make_cutouts("cube.fits", SkyCoord(1, 2, unit="deg"), 5, output_dir=out, progress=value)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match=allowed):
        make_image_cutouts("a.fits", "1 2", 5, output_dir=out, progress=value)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match=allowed):
        CubeFactory().make_cube(["a.fits"], out / "cube.fits", progress=value)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_cutouts_and_builds_count_what_they_finish(tmp_path: Path) -> None:
    paths = []
    for name, data in tiny_sector(2, (12, 10)):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(data)
    cube, heard = tmp_path / "cube.fits", list[tuple[int, int]]()
    CubeFactory(2e-5).make_cube(paths, cube, verbose=False, progress=lambda *count: heard.append(count))
    assert heard == [(done, len(heard)) for done in range(1, len(heard) + 1)]
    heard.clear()
    stars = SkyCoord([1, 2, 3], [4, 5, 6], unit="deg")
    cubes = [cube, tmp_path / "none.fits"]
    results = make_cutouts(cubes, stars, 3, progress=lambda *count: heard.append(count))
    assert len(results) == 6
    assert heard[-1] == (6, 6)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)


def test_an_error_of_the_function_is_not_taken_for_one_of_a_cube(tmp_path: Path) -> None:
    def show(done: int, total: int) -> None:
        raise OSError("mine")

    with pytest.raises(OSError, match="mine"):
        make_cutouts([tmp_path / "none.fits"], SkyCoord(1, 2, unit="deg"), 3, output_dir=tmp_path / "o", progress=show)


def test_results_are_heard_one_by_one_with_their_places(tmp_path: Path) -> None:
    heard: dict[int, CutoutResult] = {}
    cubes = [tmp_path / "a.fits", tmp_path / "b.fits"]
    results = make_cutouts(cubes, SkyCoord([1, 2, 3], [4, 5, 6], unit="deg"), 3, on_result=heard.__setitem__)
    assert [heard[number] for number in range(6)] == results
    with pytest.raises(InvalidInputError, match="on_result is 'x'; allowed: a function"):
        make_cutouts(cubes, SkyCoord(1, 2, unit="deg"), 3, on_result="x")  # type: ignore[arg-type]


def test_a_long_item_ends_at_its_next_piece_once_the_job_is_stopped() -> None:
    pieces: list[int] = []

    def work(number: int) -> None:
        if number == 0:
            raise KeyboardInterrupt
        for piece in counter.watch(range(10_000)):
            pieces.append(piece)
            time.sleep(0.001)

    with pytest.raises(KeyboardInterrupt), counting(None, "cube", 2) as counter:
        counter.map(work, [0, 1], 2)
    assert len(pieces) < 5_000


def test_targets_of_images_are_counted_once_each(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    results = make_image_cutouts(
        [tmp_path / "a.fits", tmp_path / "b.fits"], ["1 2", "3 4"], 5, progress=lambda *count: heard.append(count)
    )
    assert len(results) == 4
    assert heard[-1] == (4, 4)
