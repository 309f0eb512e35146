"""The Python files of the repository."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE_FOLDERS = ["layers/engine/src", "shared/src", "local/src"]
PYTHON_FOLDERS = [*SOURCE_FOLDERS, "functions", "tools", "tests"]


def python_files() -> list[Path]:
    return sorted(path for folder in PYTHON_FOLDERS for path in (ROOT / folder).rglob("*.py") if is_ours(path))


def is_ours(path: Path) -> bool:
    return "node_modules" not in path.parts


def tracked_files() -> list[Path]:
    """Files under version control; none outside of a work tree."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [path for name in filter(None, listing.stdout.split("\0")) if (path := ROOT / name).is_file()]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))
