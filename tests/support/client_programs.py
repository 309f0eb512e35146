"""Programs of people who have astroquery and lightkurve, run as people run them."""

import os
import subprocess
import sys
from pathlib import Path


def run_client(folder: Path, *words: str, timeout: float = 120, **environment: str) -> str:
    """What Python prints for these words; settings and caches are those of a folder, where the program runs."""
    places = {"ASTROPY_CONFIG_DIR": str(folder), "XDG_CACHE_HOME": str(folder)}
    answer = subprocess.run(
        [sys.executable, *words],
        env=os.environ | places | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout
