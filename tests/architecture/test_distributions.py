"""What is published: two wheels with one version, the licence, and what an index shows of them."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

import tessera
from tests.architecture.sources import ROOT
from tools.build_distributions import check_members

PROJECTS = {"tessera-cubes": "layers/engine", "tessera-cloud": "shared"}
CONDA = {"isal": "python-isal", "matplotlib": "matplotlib-base"}
"""Package of the index to its name in conda, where that is another."""


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
    assert read_member(wheel, "/py.typed") == ""
    assert metadata["Keywords"]
    assert metadata.get_all("Project-URL")


def test_two_pages_list_every_extra_and_all_brings_them_all() -> None:
    extras = read_project("layers/engine")["optional-dependencies"]
    (everything,) = map(Requirement, extras.pop("all"))
    packages = {name: {Requirement(each).name for each in wanted} for name, wanted in extras.items()}
    brought = set().union(*(packages[name] for name in everything.extras))
    pages = [
        (ROOT / page).read_text(encoding="utf-8") for page in ("layers/engine/README.md", "docs/guide/installing.md")
    ]
    first, second = (re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE) for page in pages)

    assert [name for name, _ in first] == [*extras, "all"]
    assert first == second
    assert everything.name == "tessera-cubes"
    assert set().union(*packages.values()) - brought == {"fsspec"}, "s3fs brings fsspec; list other extras in [all]"


def test_the_recipe_for_conda_asks_for_what_the_project_asks_for() -> None:
    project = read_project("layers/engine")
    recipe = yaml.safe_load((ROOT / "layers/engine/conda/recipe.yaml").read_text(encoding="utf-8"))
    context, requirements = recipe["context"], recipe["requirements"]
    optional = [each for wanted in project["optional-dependencies"].values() for each in wanted]

    def in_conda(asked: list[str]) -> list[str]:
        wanted = map(Requirement, asked)
        return [f"{CONDA.get(each.name, each.name)} {each.specifier}" for each in wanted if each.specifier]

    assert f">={context['python_min']}" == project["requires-python"]
    assert requirements["run"][1:] == in_conda(project["dependencies"])
    assert requirements["run_constraints"] == sorted(set(in_conda(optional)))
    assert recipe["build"]["python"]["entry_points"] == [f"{name} = {to}" for name, to in project["scripts"].items()]
    assert (recipe["package"]["name"], recipe["about"]["license"]) == (project["name"], project["license"])
    assert (recipe["about"]["summary"], recipe["about"]["homepage"]) == (
        project["description"],
        project["urls"]["TESSCut at MAST"],
    )


def test_a_source_archive_with_other_files_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "tessera_cubes-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as members:
        for name in ("LICENSE", "src/tessera/a.py", "src/tessera/a.pyc", "tests/data/a.fits"):
            members.addfile(tarfile.TarInfo(f"tessera_cubes-1.0/{name}"))

    with pytest.raises(SystemExit, match=r"does not belong there: src/tessera/a\.pyc, tests/data/a\.fits$"):
        check_members(archive, "tessera")


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
