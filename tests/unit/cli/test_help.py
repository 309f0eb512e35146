"""Help that a newcomer understands, words that were probably meant, and completion in a real shell."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tessera.cli.main import build_parser, leaf_commands, main


def test_without_arguments_the_help_has_each_command_once_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    told = capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert capsys.readouterr().out == told
    commands = dict(leaf_commands(build_parser()))
    assert {"search", "cut", "cube make", "moving cut", "image cut", "combine", "completion"} <= commands.keys()
    for name, about in commands.items():
        assert len(about) > 10
        assert len(re.findall(rf"^  {name} +{re.escape(about)}$", told, re.MULTILINE)) == 1, name
    assert all(len(line) <= 100 for line in told.splitlines())


def test_the_help_loads_neither_astropy_nor_a_command() -> None:
    code = "import sys; from tessera.cli.main import main; main([]); print(sorted(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'tessera.cli.main'" in told
    assert not re.search(r"'astropy'|'tessera\.cli\.cut'", told)


def test_the_examples_of_the_help_can_be_parsed(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    lines = re.findall(r"^  tessera (.*?)(?:   .*)?$", capsys.readouterr().out.partition("examples:")[2], re.MULTILINE)
    assert len(lines) >= 3
    for line in lines:
        options = build_parser().parse_args([word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)])
        assert options.group == line.split()[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["serch", "x"], "tessera: argument COMMAND: invalid choice: 'serch' (choose from"),
        (["serch", "x"], "did you mean 'search'? (tessera --help shows more)"),
        (["cube", "mak"], "did you mean 'make'? (tessera cube --help shows more)"),
        (["cube", "make", "a", "--product", "spok"], "argument --product: invalid choice: 'spok'"),
        (["moving", "cut", "a", "-e", "b", "--clock", "observr"], "did you mean 'observer'?"),
        (["cut", "pi Men", "--sise", "5"], "tessera cut: unrecognized arguments: --sise 5; did you mean '--size'?"),
        (["cube", "info", "a", "b"], "tessera cube info: unrecognized arguments: b (tessera cube info --help"),
        (["cube"], "tessera cube: a command is missing; allowed: make, update, grow, info, measure, verify, plan"),
        (["--verbose"], "tessera: unrecognized arguments: --verbose; did you mean '--version'?"),
    ],
)
def test_a_wrong_word_is_one_line_with_the_word_that_was_meant(
    capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


class Bash:
    """An interactive shell on a terminal."""

    def __init__(self, folder: Path) -> None:
        self.ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 200))
        environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "PS1": "$ ", "INPUTRC": "/dev/null"}
        command = ["bash", "--norc", "--noprofile", "-i"]
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment, start_new_session=True
        )
        os.close(theirs)

    def type(self, text: str, until: str) -> str:
        """Type a text, and read until the shell shows another one."""
        os.write(self.ours, text.encode())
        told, ends = "", time.monotonic() + 20
        while until not in told:
            ready, _, _ = select.select([self.ours], [], [], max(0.0, ends - time.monotonic()))
            assert ready, f"{until!r} is not in {told!r}"
            told += os.read(self.ours, 65536).decode()
        return told

    def close(self) -> None:
        self.process.terminate()
        self.process.kill()
        self.process.wait(60)
        os.close(self.ours)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_options_choices_files_and_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", "bash"]) == 0
    (tmp_path / "script").write_text(capsys.readouterr().out, encoding="utf-8")
    (tmp_path / "stars-of-mine.csv").touch()
    (tmp_path / "only-file").touch()
    (tmp_path / "only-folder").mkdir()
    shell = Bash(tmp_path)
    try:
        shell.type("source ./script && echo rea''dy\n", "ready")
        for typed, completed in (
            ("tessera comb", "tessera combine "),
            ("tessera cube ver", "tessera cube verify "),
            ("tessera cut --lay", "tessera cut --layout "),
            ("tessera cut x --layout s", "--layout slim "),
            ("tessera search sta", "search stars-of-mine.csv "),
            ("tessera cut x -o only-", "-o only-folder"),
            ("tessera completion f", "tessera completion fish "),
        ):
            shell.type(f"{typed}\t", completed)
            shell.type("\x15", "")
    finally:
        shell.close()


@pytest.mark.parametrize("shell", ["zsh", "tcsh", "fish"])
def test_other_shells_have_scripts_with_every_command(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert main(["completion", shell]) == 0
    told = capsys.readouterr().out
    assert all(name.split()[-1] in told for name, _ in leaf_commands(build_parser()))
