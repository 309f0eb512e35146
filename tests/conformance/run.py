"""Run the peer's own tests, taken from its installed package, against Tessera.

The tests are copied beside the shim into a folder of their own for the run; nothing of the peer's code is kept.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = ["test_cube_factory.py"]
HELPERS = ["__init__.py", "utils_for_test.py", "data"]


def peer_tests() -> Path:
    """The folder of tests inside the installed peer."""
    distribution = importlib.metadata.distribution("astrocut")
    return Path(str(distribution.locate_file("astrocut/tests")))


def main() -> int:
    source = peer_tests()
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "astrocut"
        shutil.copytree(HERE / "shim" / "astrocut", package)
        (package / "tests").mkdir()
        for name in HELPERS + FILES:
            copy = shutil.copytree if (source / name).is_dir() else shutil.copy
            copy(source / name, package / "tests" / name)
        sources = [folder, str(ROOT / "layers/engine/src")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sources), "PYTHONDONTWRITEBYTECODE": "1"}
        tests = [str(package / "tests" / name) for name in FILES]
        plain = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", folder]
        command = [sys.executable, "-m", "pytest", *plain]
        return subprocess.run([*command, *sys.argv[1:], *tests], env=environment, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
