"""The peer's own tests pass against Tessera."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_every_test_of_the_peers_that_is_listed_passes() -> None:
    command = [sys.executable, str(Path(__file__).parent / "run.py"), "-rA"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert answer.returncode == 0, answer.stdout
    assert "4 passed" in answer.stdout
