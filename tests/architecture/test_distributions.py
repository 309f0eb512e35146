"""What is published: two wheels with one version, the licence, and what an index shows of them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import tessera
from tests.architecture.sources import ROOT

PROJECTS = {"tessera-cubes": "layers/engine", "tessera-cloud": "shared"}


def read_project(folder: str) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def build_wheel(folder: str, target: Path) -> zipfile.ZipFile:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT / folder, check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    return zipfile.ZipFile(wheel)


def read_member(wheel: zipfile.ZipFile, end: str) -> str:
    (name,) = [name for name in wheel.namelist() if name.endswith(end)]
    return wheel.read(name).decode()


def read_metadata(wheel: zipfile.ZipFile) -> Message:
    return Parser().parsestr(read_member(wheel, ".dist-info/METADATA"))


@pytest.mark.parametrize(("name", "folder"), PROJECTS.items())
def test_a_wheel_has_its_licence_its_readme_and_the_version(name: str, folder: str, tmp_path: Path) -> None:
    wheel = build_wheel(folder, tmp_path)
    metadata = read_metadata(wheel)

    assert (metadata["Name"], metadata["Version"]) == (name, tessera.__version__)
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert read_member(wheel, ".dist-info/licenses/LICENSE") == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert metadata.get_payload() == (ROOT / folder / "README.md").read_text(encoding="utf-8")
    assert metadata["Keywords"]
    assert metadata.get_all("Project-URL")


def test_the_readme_lists_every_extra_and_all_brings_them_all() -> None:
    extras = read_project("layers/engine")["optional-dependencies"]
    (everything,) = map(Requirement, extras.pop("all"))
    packages = {name: {Requirement(each).name for each in wanted} for name, wanted in extras.items()}
    brought = set().union(*(packages[name] for name in everything.extras))
    readme = (ROOT / "layers/engine/README.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE) == [*extras, "all"]
    assert everything.name == "tessera-cubes"
    assert set().union(*packages.values()) - brought == {"fsspec"}, "s3fs brings fsspec; list other extras in [all]"


def test_the_changelog_begins_with_the_version() -> None:
    first = re.search(r"^## \[(\S+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert first is not None
    assert first[1] == tessera.__version__, "give the newest entry of CHANGELOG.md the number of tessera.__version__"


def test_the_version_is_written_in_one_place() -> None:
    written = re.compile(rf"^version\s*[=:]\s*[\"']?{re.escape(tessera.__version__)}", re.MULTILINE)
    files = ["pyproject.toml", "CITATION.cff", *(f"{folder}/pyproject.toml" for folder in PROJECTS.values())]

    assert [
        name for name in files if (ROOT / name).exists() and written.search((ROOT / name).read_text(encoding="utf-8"))
    ] == []
