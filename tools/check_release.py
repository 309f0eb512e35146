"""Refuse a release that is not ready: each reason is one line. Afterwards, say what is left to do by hand.

Usage: python check_release.py [--built FOLDER]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENGINE = Path("layers/engine")
VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
ENTRY = re.compile(r"^## \[(\S+)\] - (.+)$", re.MULTILINE)


def main(root: Path, built: Path | None) -> None:
    """Check the work tree; with a folder of distributions, say what is left."""
    refusals = list(find_refusals(root))
    if refusals:
        sys.exit("\n".join(["This is not ready for a release:", *(f"* {each}" for each in refusals)]))
    version = read_version(root)
    print(f"version {version}: the work tree is clean, the tag and the changelog have the version")
    if built is not None:
        print(
            "\n".join(["What is left, by hand (docs/operations/releasing.md says how):", *left(root, version, built)])
        )


def find_refusals(root: Path) -> Iterator[str]:
    """Yield why the work tree cannot be released, a sentence each."""
    changed = git(root, "status", "--porcelain")  # two letters and a space before each name
    if changed is None:
        yield "this is not a clone: a release is made in a work tree of git"
        return
    if changed:
        names = [line[3:] for line in changed.splitlines()]
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        yield f"the work tree has changes; commit or remove them: {', '.join(names[:5])}{more}"
    version = read_version(root)
    tags = (git(root, "tag", "--points-at", "HEAD", "v*") or "").split()
    if tags != [f"v{version}"]:
        there = f"the tag {', '.join(tags)}" if tags else "no tag of a version"
        yield f"the version is {version}, but its commit has {there}; allowed: v{version} only"
    entry = ENTRY.search((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    if entry is None or entry[1] != version or not is_date(entry[2]):
        written = "missing" if entry is None else f"[{entry[1]}] - {entry[2]}"
        yield f"the newest entry of CHANGELOG.md is {written}; allowed: [{version}] - and a date such as 2026-12-31"


def read_version(root: Path) -> str:
    """Return the version, from the one place that has it."""
    found = VERSION.search((root / ENGINE / "src/tessera/__init__.py").read_text(encoding="utf-8"))
    assert found is not None, "tessera/__init__.py has a line __version__ = ..."
    return found[1]


def git(root: Path, *arguments: str) -> str | None:
    """Return what git prints, or None where it fails."""
    done = subprocess.run(["git", *arguments], cwd=root, check=False, capture_output=True, text=True)
    return None if done.returncode else done.stdout.rstrip()


def is_date(text: str) -> bool:
    """Whether a text is a date."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def left(root: Path, version: str, built: Path) -> Iterator[str]:
    """Yield what a person has to do after the checks."""
    project = tomllib.loads((root / ENGINE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if "Source" not in project["urls"]:
        yield f"* add the address of this repository, as Source, to [project.urls] in {ENGINE}/pyproject.toml"
    files = " ".join(str(path) for path in sorted(built.glob("tessera_cubes-*")))
    yield f"* push the tag: git push origin v{version}"
    yield f"* upload: .venv-dist/bin/twine upload {files}"
    yield f"* give conda-forge {built}/recipe.yaml, with the url of the uploaded archive instead of its path"
    yield "* raise __version__ and begin the next entry of CHANGELOG.md"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Check that the work tree can be released.")
    parser.add_argument("--built", type=Path, help="folder of the distributions: say what is left to do")
    main(ROOT, parser.parse_args().built)
