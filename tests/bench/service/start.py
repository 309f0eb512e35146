"""Measures how long the import of each handler takes in a new process: the part of a cold start that is ours.

    python tests/bench/service/start.py [--packages DIR]

DIR is a folder of packages, such as a built layer, that replaces those of this environment. Bytecode is there.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from tests.bench.support.report import missed, record  # noqa: E402

RUNS = 5
WANTED = dict.fromkeys(("cutout_api", "service_api", "vo_api"), 0.5) | dict.fromkeys(
    ("image_api", "cut_item", "plan_job", "read_cube", "read_image"), 0.8
)
"""Seconds of handlers that answer users, and of those that open cubes and images, which takes astropy's WCS."""
WANTED_OF_OTHERS = 0.35
PROGRAM = """
import sys, time
sys.modules |= dict.fromkeys(("asdf_astropy", "matplotlib"))  # astropy finds them here, but not in the layer
start = time.perf_counter()
import app
print(time.perf_counter() - start)
"""


def measure(function: Path, packages: str, bytecode: str) -> float:
    """Median time of some imports, in seconds."""
    sources = [str(ROOT / "layers/engine/src"), str(ROOT / "shared/src")]
    path = os.pathsep.join([packages, *sources] if packages else sources)
    command = [sys.executable, *(["-S"] if packages else []), "-c", PROGRAM]
    names = {"TESSERA_FFI_BUCKET": "a", "TESSERA_CUBE_BUCKET": "b", "TESSERA_RESULT_BUCKET": "c"}
    paths = {"PYTHONPATH": path, "PYTHONPYCACHEPREFIX": bytecode, "POWERTOOLS_TRACE_DISABLED": "true"}
    environment = os.environ | names | paths
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    times = [float(subprocess.check_output(command, cwd=function, env=environment)) for _ in range(RUNS + 1)]
    return statistics.median(times[1:])  # the first compiles


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as bytecode:
        functions = sorted(path.parent for path in ROOT.glob("functions/*/app.py"))
        measured = {each.name: measure(each, options.packages, bytecode) for each in functions}
    for name, seconds in sorted(measured.items(), key=lambda item: -item[1]):
        wanted = f"value <= {WANTED.get(name, WANTED_OF_OTHERS)}"
        record("service/start", f"import of {name}", "time", seconds, "s", wanted=wanted)
    return min(missed(), 1)


if __name__ == "__main__":
    sys.exit(main())
