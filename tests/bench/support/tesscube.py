"""tesscube, the second peer, in an environment of its own: .venv-tesscube-peer, which `make bench` makes.

It finds a cube only by its name in MAST's bucket, and has the positions of the spacecraft without a network for sector
4 only. SPICE, which it reads them with, takes paths of 80 characters. So the environment is used by way of a link with
a short path.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

ENVIRONMENT = Path(__file__).parents[3] / ".venv-tesscube-peer"
START = """
import io, json, logging, sys, time, warnings
warnings.simplefilter("ignore")
logging.disable()
import lkspacecraft
lkspacecraft.enable_test_mode()
from tesscube import TESSCube
"""
"""How each of its programs begins."""


@cache
def _link() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """A link to the environment, in a folder that is there until this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="tc-")
    link = Path(folder.name) / "env"
    link.symlink_to(ENVIRONMENT)
    return folder, link


@cache
def tesscube() -> Path | None:
    """Its interpreter; None, and a line that says why, if it cannot be compared with."""
    folder, link = _link()
    python = link / "bin/python"
    wrong = "it is not installed; `make .venv-tesscube-peer/.done` does that"
    if python.exists():
        alone = os.environ | {"HOME": folder.name}
        done = subprocess.run([str(python), "-c", START], env=alone, capture_output=True, text=True, check=False)
        if not done.returncode:
            return python
        wrong = f"it does not start: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}"
    print(f"no rows of tesscube: {wrong}", flush=True)
    return None


def installed_peers() -> list[str]:
    """Names of the programs to compare with."""
    return ["astrocut", *(["tesscube"] if tesscube() else [])]
