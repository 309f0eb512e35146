"""Measures how long the import of each handler takes in a new process: the part of a cold start that is ours.

Usage: python tests/bench/service/start.py [FOLDER_OF_PACKAGES]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from tests.bench.support.report import record  # noqa: E402

RUNS = 5
LIMIT = 0.5
"""Seconds that no handler should exceed on two idle cores."""
PROGRAM = "import time; start = time.perf_counter(); import app; print(time.perf_counter() - start)"


def measure(function: Path, packages: str) -> float:
    """Shortest time of some imports, in seconds."""
    sources = [str(ROOT / "layers/engine/src"), str(ROOT / "shared/src")]
    path = os.pathsep.join([packages, *sources] if packages else sources)
    command = [sys.executable, *(["-S"] if packages else []), "-c", PROGRAM]
    environment = os.environ | {"PYTHONPATH": path}
    times = [
        float(subprocess.run(command, cwd=function, env=environment, capture_output=True, check=True).stdout)
        for _ in range(RUNS)
    ]
    return min(times)


def main() -> None:
    """Measure all handlers with the packages of this environment, or with those of a folder, such as a built layer."""
    packages = sys.argv[1] if len(sys.argv) > 1 else ""
    measured = {path.parent.name: measure(path.parent, packages) for path in sorted(ROOT.glob("functions/*/app.py"))}
    for name, seconds in sorted(measured.items(), key=lambda item: -item[1]):
        record("service/start", f"import of {name}", "time", seconds, "s", wanted=f"value <= {LIMIT}")


if __name__ == "__main__":
    main()
