"""`make check` says what a machine lacks, with its remedy."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.paths import ROOT
from tools import check_machine


@pytest.fixture
def found() -> check_machine.Findings:
    return check_machine.Findings(quiet=False)


def test_nothing_is_said_where_nothing_needed_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools/check_machine.py", "--needed", "--make", "4.3"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("version", [(3, 10), (3, 15)])
def test_a_python_that_does_not_fit_is_named_with_those_that_do(
    found: check_machine.Findings,
    version: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "version_info", version)

    check_machine.check_python(found)

    assert found.n_missing == 1
    assert "3.11 to 3.14" in capsys.readouterr().out.splitlines()[0]


def test_the_make_of_macos_is_too_old(found: check_machine.Findings, capsys: pytest.CaptureFixture[str]) -> None:
    check_machine.check_make(found, "3.81")

    assert found.n_missing == 1
    assert capsys.readouterr().out.startswith("MISSING GNU make 3.81: 3.82 or newer is needed; brew install make")


def test_a_port_in_use_is_told_with_another(found: check_machine.Findings, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        check_machine.check_port(found, port)

    assert found.n_missing == 1
    assert f"PORT={port + 1}" in capsys.readouterr().out


def test_a_full_disk_and_little_memory_are_told(
    found: check_machine.Findings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1.2e9))
    monkeypatch.setattr(check_machine, "memory_gb", lambda: 0.5)

    check_machine.check_room(found, tmp_path / "not/there")

    said = capsys.readouterr().out.splitlines()
    assert found.n_missing == 2
    assert said[0].startswith(f"MISSING 1.2 GB of free disk at {tmp_path}: make local needs 4 GB")
    assert said[2].startswith("MISSING 0.5 GB of memory: make local needs 3 GB")


def test_a_program_that_something_leaves_out_is_not_needed(
    found: check_machine.Findings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)

    check_machine.check_optional(found)

    assert found.n_missing == 0
    assert "without stilts: it is for make test-ivoa; apt-get install stilts" in capsys.readouterr().out


def test_the_versions_are_those_of_the_makefile() -> None:
    lowest, highest = check_machine.PYTHONS
    supported = f"{lowest} <= sys.version_info[:2] <= {highest}"

    assert supported in (ROOT / "Makefile").read_text(encoding="utf-8")
