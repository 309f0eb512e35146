"""A release that is not ready is refused, with each reason."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
READY = "# Changelog\n\n## [1.2.0] - 2026-12-01\n\n### Added\n\n- A thing.\n\n## [1.1.0] - 2026-10-01\n"
INIT = "layers/engine/src/tessera/__init__.py"


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone that is ready for version 1.2.0."""
    root = tmp_path / "clone"
    write(root, INIT, '"""A package."""\n\n__version__ = "1.2.0"\n')
    write(
        root, "layers/engine/pyproject.toml", '[project]\nname = "tessera-cubes"\n[project.urls]\nMAST = "https://a"\n'
    )
    write(root, "CHANGELOG.md", READY)
    write(root, "tools/check_release.py", (ROOT / "tools/check_release.py").read_text(encoding="utf-8"))
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "Begin")
    git(root, "tag", "v1.2.0")
    return root


def check(root: Path, *options: str) -> tuple[int, list[str]]:
    command = [sys.executable, str(root / "tools/check_release.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_a_tagged_and_dated_version_is_ready_and_what_is_left_is_said(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "tessera_cubes-1.2.0.tar.gz").touch()
    status, (seen, _, *left) = check(clone, "--built", str(tmp_path))

    assert status == 0
    assert seen == "version 1.2.0: the work tree is clean, the tag and the changelog have the version"
    assert "[project.urls]" in left[0]
    assert left[1:3] == [
        "* push the tag: git push origin v1.2.0",
        f"* upload: .venv-dist/bin/twine upload {tmp_path}/tessera_cubes-1.2.0.tar.gz",
    ]


def test_every_reason_is_said_at_once(clone: Path) -> None:
    write(clone, "CHANGELOG.md", READY.replace("2026-12-01", "Open"))
    git(clone, "tag", "-d", "v1.2.0")

    assert check(clone) == (
        1,
        [
            "This is not ready for a release:",
            "* the work tree has changes; commit or remove them: CHANGELOG.md",
            "* the version is 1.2.0, but its commit has no tag of a version; allowed: v1.2.0 only",
            "* the newest entry of CHANGELOG.md is [1.2.0] - Open; allowed: [1.2.0] - and a date such as 2026-12-31",
        ],
    )


def test_a_tag_of_another_version_is_refused(clone: Path) -> None:
    write(clone, INIT, '__version__ = "1.3.0"\n')
    git(clone, "commit", "-qam", "Raise the version")
    git(clone, "tag", "v1.2.9")

    status, (_, tag, entry) = check(clone)
    assert status == 1
    assert tag == "* the version is 1.3.0, but its commit has the tag v1.2.9; allowed: v1.3.0 only"
    assert entry.startswith("* the newest entry of CHANGELOG.md is [1.2.0] - 2026-12-01; allowed: [1.3.0]")


def test_a_folder_without_git_is_refused(clone: Path, tmp_path: Path) -> None:
    (clone / ".git").rename(tmp_path / "git")

    assert check(clone) == (
        1,
        ["This is not ready for a release:", "* this is not a clone: a release is made in a work tree of git"],
    )
