"""What is tested is what is deployed: the locks are parts of one resolution, with hashes."""

import re

import pytest

from tests.architecture.sources import ROOT

LOCKS = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))


def read_versions(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", text, re.MULTILINE))


def read_entries(lock: str) -> list[str]:
    """Requirements with their continuation lines joined and without comments."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_every_requirement_is_pinned_and_hashed() -> None:
    assert [
        f"requirements/{lock}.txt: {entry.split()[0]} has no version or no hash: run make lock"
        for lock in LOCKS
        for entry in read_entries(lock)
        if "==" not in entry or "--hash=sha256:" not in entry
    ] == []


def test_no_lock_names_a_place() -> None:
    place = re.compile(r"://|@ |--(?:index|find-links|extra)")

    assert [
        f"requirements/{lock}.txt: {entry.split(' --hash')[0]} names a place: requirements come from the index"
        for lock in LOCKS
        for entry in read_entries(lock)
        if place.search(entry)
    ] == []


@pytest.mark.parametrize(
    ("part", "whole"), [("dependencies", "local"), ("asdf", "local"), ("tables", "local"), ("local", "dev")]
)
def test_a_lock_is_a_part_of_the_larger_one(part: str, whole: str) -> None:
    larger = read_versions(whole)

    assert [
        f"{name} is {version} in {part}.txt and {larger.get(name)} in {whole}.txt: run make lock"
        for name, version in read_versions(part).items()
        if larger.get(name) != version
    ] == []


@pytest.mark.parametrize("layer", ["asdf", "tables"])
def test_no_package_is_in_two_layers_of_a_function(layer: str) -> None:
    assert set(read_versions(layer)) & set(read_versions("dependencies")) == set(), "run make lock"


def test_s3fs_is_of_this_decade() -> None:
    assert int(read_versions("dev")["s3fs"].split(".")[0]) >= 2025


def test_the_environment_of_the_mutants_has_what_the_settings_of_the_tests_import() -> None:
    text = (ROOT / "tests/conftest.py").read_text(encoding="utf-8")
    imported = {name.replace("_", "-") for name in re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)}

    assert (imported & read_versions("dev").keys()) - read_versions("mutants").keys() == set()
