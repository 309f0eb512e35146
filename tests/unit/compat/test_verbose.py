"""What `verbose` prints, and that loggers are left as their user made them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.frames import tiny_sector
from tests.support.images import coded, plain_image

Run = Callable[[str], list[str]]
MAKE_CUBE = "tessera.CubeFactory().make_cube(frames, folder / 'tess-s0001-4-2-cube.fits'"
CUT = "tessera.FITSCutout(folder / 'image.fits', '150 2.2', 5"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a program in a process of its own, with loggers as Python makes them, and give the lines of its stderr."""
    for name, data in tiny_sector(2):
        (tmp_path / name).write_bytes(data)
    plain_image(tmp_path / "image.fits", coded((20, 20)))
    start = "import logging, pathlib, tessera\n"
    start += f"folder = pathlib.Path({str(tmp_path)!r})\n"
    start += "frames = sorted(folder.glob('*ffic.fits'))\n"

    def run_program(program: str) -> list[str]:
        environment = {"PYTHONPATH": ":".join(sys.path)}
        command = [sys.executable, "-c", start + program]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        assert not done.stdout
        return done.stderr.splitlines()

    return run_program


def test_verbose_prints_the_lines_that_users_of_astrocut_know(run: Run) -> None:
    lines = run(f"{MAKE_CUBE}, verbose=True)")

    assert all(re.fullmatch(r"DEBUG: .+ \[cube_factory\]", line) for line in lines)
    assert sum(bool(re.match(r"DEBUG: Completed file \d in \d\.\d{3} sec\.", line)) for line in lines) == 2
    assert "DEBUG: Completed block 1 of 1 [cube_factory]" in lines


def test_images_tell_their_shapes_and_files(run: Run) -> None:
    lines = run(f"{CUT}, verbose=True).write_as_fits(folder / 'out')")

    assert "DEBUG: Original image shape: (20, 20) [fits_cutout]" in lines
    assert any(re.fullmatch(r"DEBUG: Image cutout shape: \(\d, \d\) \[fits_cutout\]", line) for line in lines)
    assert lines[-1].startswith("DEBUG: Cutout filepaths: [")


@pytest.mark.parametrize("call", [MAKE_CUBE, CUT])
def test_nothing_is_printed_for_who_does_not_ask(run: Run, call: str) -> None:
    assert run(f"{call}, verbose=False)") == []


@pytest.mark.parametrize("verbose", [True, False])
@pytest.mark.parametrize("call", [MAKE_CUBE, CUT])
def test_levels_and_handlers_of_loggers_stay(run: Run, call: str, verbose: bool) -> None:
    run(f"""
mine, root, handler = logging.getLogger("tessera"), logging.getLogger(), logging.StreamHandler()
mine.setLevel(logging.ERROR)
mine.addHandler(handler)
{call}, verbose={verbose})
assert (mine.level, mine.handlers, mine.propagate) == (logging.ERROR, [handler], True)
assert (root.level, root.handlers, handler.level) == (logging.WARNING, [], logging.NOTSET)
""")


@pytest.mark.parametrize("verbose", [True, False])
def test_a_user_who_shows_debug_messages_gets_each_once(run: Run, verbose: bool) -> None:
    lines = run(f"logging.basicConfig(level='DEBUG', format='mine: %(message)s')\n{MAKE_CUBE}, verbose={verbose})")

    assert all(line.startswith("mine: ") for line in lines)
    assert lines.count("mine: Completed block 1 of 1") == 1


@pytest.mark.parametrize(
    "config",
    [
        "logging.basicConfig(level='INFO')",
        "logging.basicConfig(level='DEBUG'); logging.getLogger().handlers[0].setLevel('INFO')",
        "logging.getLogger('tessera').addHandler(logging.NullHandler()); logging.getLogger().setLevel('DEBUG')",
        "logging.basicConfig(level='DEBUG'); logging.getLogger('tessera').propagate = False",
    ],
)
def test_verbose_prints_where_no_handler_would(run: Run, config: str) -> None:
    lines = run(f"{config}\n{MAKE_CUBE}, verbose=True)")

    assert lines.count("DEBUG: Completed block 1 of 1 [cube_factory]") == 1


@pytest.mark.parametrize("stderr", ["None", "open(writing, 'w'); sys.stderr.close()", "open(writing, 'w', 1)"])
def test_work_goes_on_where_stderr_takes_nothing(run: Run, stderr: str) -> None:
    run(f"""
import os, sys
reading, writing = os.pipe()
os.close(reading)
kept, sys.stderr = sys.stderr, {stderr}
{MAKE_CUBE}, verbose=True)
sys.stderr = kept
""")
