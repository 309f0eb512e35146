"""Processes that end while the stack runs, and disks without room."""

import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from tessera_local.room import RoomError, check_room, is_full
from tessera_local.watch import Watch


@dataclass
class Sleeper:
    """A real process as a part."""

    name: str
    log: Path = Path("logs/sleeper.log")

    def __post_init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

    def status(self) -> int | None:
        return self.process.poll()


def test_a_part_that_ends_is_named_with_its_status_and_its_log() -> None:
    parts = [Sleeper("the process of A"), Sleeper("the process of B")]
    said: list[str] = []
    heard = threading.Event()

    def hear(text: str) -> None:
        said.append(text)
        heard.set()

    watch = Watch(parts, hear)
    try:
        parts[1].process.kill()
        assert heard.wait(10)
    finally:
        watch.stop()
        for part in parts:
            part.process.kill()
            part.process.wait()
    assert said == ["the process of B ended with status -9 while Tessera was running; see logs/sleeper.log"]


def test_nothing_is_said_while_all_parts_run() -> None:
    part, said = Sleeper("the process of A"), list[str]()
    watch = Watch([part], said.append)
    watch.stop()
    part.process.kill()
    part.process.wait()
    assert said == []


def test_frames_that_do_not_fit_are_refused_with_what_they_need_and_what_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=200_000_000))
    check_room(tmp_path, 70_000_000)
    with pytest.raises(RoomError, match=rf"need 210 MB, and 200 MB are free on {tmp_path}; make room"):
        check_room(tmp_path, 80_000_000)
    assert not is_full(tmp_path)


def test_nothing_to_copy_needs_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    check_room(tmp_path, 0)
    assert is_full(tmp_path)
