"""Every call that changes a file fails or kills the process in turn: the old file stays whole, or the new one is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.frames import tiny_sector

FRAMES = tiny_sector(4, (8, 6))

PROGRAM = """
import errno, fcntl, json, os, shutil, signal, sys, warnings
from pathlib import Path
import numpy as np
from astropy.coordinates import SkyCoord
from tessera import CubeFactory, make_cutouts
from tessera.builds.report import verify_cube
from tessera.cutouts.open_cube import open_cube

fault, job, folder, *frames = sys.argv[1:]
folder = Path(folder)
CALLS = ["open", "pwrite", "ftruncate", "fsync", "replace", "unlink", "mkdir"]
state = {"n": 0, "at": -1}

def strike(name, real, arguments):
    state["n"] += 1
    here = state["n"] == state["at"]
    if here and fault == "kill":
        if name == "pwrite":  # a part of the bytes is written
            real(arguments[0], arguments[1][: len(arguments[1]) // 2], arguments[2])
        os.kill(os.getpid(), signal.SIGKILL)
    if here and fault == "error":
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    if here and fault == "full" and name in ("pwrite", "fsync", "ftruncate"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

def wrap(name):
    real = getattr(os, name)
    def call(*arguments, **options):
        target = str(arguments[0])
        ours = name in ("pwrite", "ftruncate", "fsync") or "/out" in target
        if ours:
            strike(name, real, arguments)
        return real(*arguments, **options)
    setattr(os, name, call)

def work(out):
    if job == "make":
        CubeFactory(2e-6, threads=1).make_cube(frames, out / "cube.fits", 1, verbose=False)
    elif job == "update":
        CubeFactory(2e-6, threads=1).update_cube(frames[2:], out / "cube.fits", verbose=False)
    else:
        results = make_cutouts([folder / "whole.fits"], SkyCoord(*POSITIONS, unit="deg"), 2, output_dir=out)
        failed = [result.reason for result in results if result.status != "ok"]
        if failed:
            raise OSError(failed[0])

def prepare(out):
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    if job != "cut":
        shutil.copy(folder / "old.fits", out / "cube.fits")

def contents(out):
    return {item.name: item.read_bytes() for item in out.iterdir() if not item.name.startswith(".")}

def attempt(out, at):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    for name in CALLS:
        wrap(name)
    state["at"] = at
    try:
        work(out)
    except OSError as error:
        os.write(2, f"{error}\\n".encode())
        os._exit(1)
    finally:
        (folder / "n").write_text(str(state["n"]))
    os._exit(0)

warnings.simplefilter("ignore")
out = folder / "out"
CubeFactory().make_cube(frames[:2], folder / "old.fits", 1, verbose=False)
CubeFactory().make_cube(frames, folder / "whole.fits", 1, verbose=False)
with open_cube(folder / "whole.fits") as file:
    POSITIONS = file.cube.wcs.all_pix2world([2.0, 3.0, 4.0], [3.0, 3.0, 4.0], 0)
prepare(out)
before = contents(out)
work(out)
after = contents(out)
assert before != after
at = 0
while True:
    at += 1
    prepare(out)
    status = attempt(out, at)
    if (folder / "n").exists() and int((folder / "n").read_text()) < at:
        assert status == 0
        break
    (folder / "n").unlink(missing_ok=True)
    now = contents(out)
    for name in now.keys() | before.keys():
        assert now.get(name) in (before.get(name), after[name]), (at, name, len(now.get(name, b"")))
    if status == 0:
        assert now == after, at
    if os.WIFEXITED(status):
        left = {item.name for item in out.iterdir()} - after.keys()
        assert fault == "error" or left == set(), (at, left)
    if job == "update" and now == after:  # there is nothing to do again
        assert {item.name for item in out.iterdir()} - after.keys() <= {".cube.fits.journal", ".cube.fits.lock"}, at
        continue
    work(out)
    assert contents(out) == after, at
    assert {item.name for item in out.iterdir()} == after.keys(), (at, list(out.iterdir()))
print(at)
"""


@pytest.mark.parametrize(
    ("fault", "job"),
    [("kill", "make"), ("kill", "update"), ("kill", "cut"), ("error", "make"), ("full", "make"), ("full", "cut")],
)
@pytest.mark.slow
def test_no_call_that_fails_or_kills_harms_a_file(tmp_path: Path, fault: str, job: str) -> None:
    paths = []
    for name, data in FRAMES:
        paths.append(tmp_path / name)
        paths[-1].write_bytes(data)
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, fault, job, str(tmp_path), *map(str, paths)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert int(ended.stdout) > 12
    assert "Traceback" not in ended.stderr
