"""Build the wheels and source archives of both projects, and the recipe for conda.

Usage: python build_distributions.py FOLDER

The bytes depend on the sources only. Files in the archives have the time SOURCE_DATE_EPOCH, or a fixed one.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
PROJECTS = {"layers/engine": "tessera", "shared": "tessera_cloud"}
"""Folder of each project to its package."""
BESIDE = {".gitignore", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
"""What a source archive holds beside the package."""
SUFFIXES = {".py", ".typed", ".json", ".js", ".css"}
RECIPE = ROOT / "layers/engine/conda/recipe.yaml"


def main(target: Path) -> None:
    """Build into an empty folder."""
    shutil.rmtree(target, ignore_errors=True)
    for folder, package in PROJECTS.items():
        archive, wheel = build(ROOT / folder, target / package)
        check_members(archive, package)
        check_rebuilt(archive, wheel)
        for path in (archive, wheel):
            path.rename(target / path.name)
        (target / package).rmdir()
    write_recipe(target)
    for path in sorted(target.iterdir()):
        print(f"{path.name:44}{path.stat().st_size / 1000:8.1f} kB  sha256 {hash_of(path)}")


def build(project: Path, target: Path) -> tuple[Path, Path]:
    """Build the source archive and the wheel of a project."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(target.resolve())]
    done = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    (archive,), (wheel,) = target.glob("*.tar.gz"), target.glob("*.whl")
    return archive, wheel


def check_members(archive: Path, package: str) -> None:
    """Fail if a source archive holds anything but the package, its readme and its licence."""
    with tarfile.open(archive) as members:
        names = [PurePosixPath(*PurePosixPath(name).parts[1:]) for name in members.getnames()]
    strange = [
        str(name)
        for name in names
        if not (str(name) in BESIDE or (name.parts[:2] == ("src", package) and name.suffix in SUFFIXES))
    ]
    if strange:
        sys.exit(f"{archive.name} holds what does not belong there: {', '.join(strange)}")


def check_rebuilt(archive: Path, wheel: Path) -> None:
    """Fail unless the unpacked source archive gives the same archive and the same wheel again, byte for byte."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as members:
            members.extractall(folder, filter="data")
        (project,) = Path(folder).iterdir()
        for first, second in zip((archive, wheel), build(project, Path(folder, "again")), strict=True):
            if first.read_bytes() != second.read_bytes():
                sys.exit(f"{first.name} has other bytes when it is built from the source archive")


def write_recipe(target: Path) -> None:
    """Write the recipe with the version and the hash of the engine's source archive."""
    (archive,) = target.glob("tessera_cubes-*.tar.gz")
    version = archive.name.removeprefix("tessera_cubes-").removesuffix(".tar.gz")
    text, versions = re.subn(r'version: "0"', f'version: "{version}"', RECIPE.read_text(encoding="utf-8"))
    text, hashes = re.subn(r'sha256: "0{64}"', f'sha256: "{hash_of(archive)}"', text)
    assert (versions, hashes) == (1, 1), f"{RECIPE} has one place for the version and one for the hash"
    (target / "recipe.yaml").write_text(text, encoding="utf-8")


def hash_of(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
