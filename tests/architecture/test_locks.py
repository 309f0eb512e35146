"""What is tested is what is deployed: the locks are parts of one resolution, with hashes."""

import re

import pytest

from tests.architecture.sources import ROOT

LOCKS = sorted(path.stem for path in (ROOT / "requirements").glob("*.in"))


def read_versions(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", text, re.MULTILINE))


def read_entries(lock: str) -> list[str]:
    """Requirements with their continuation lines joined and without comments."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_hashed(lock: str) -> None:
    assert [entry for entry in read_entries(lock) if "==" not in entry or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_a_place(lock: str) -> None:
    assert not re.search(r"://|@ |--(?:index|find-links|extra)", "\n".join(read_entries(lock)))


@pytest.mark.parametrize(("part", "whole"), [("dependencies", "local"), ("asdf", "local"), ("local", "dev")])
def test_a_lock_is_a_part_of_the_larger_one(part: str, whole: str) -> None:
    assert read_versions(part).items() <= read_versions(whole).items()


def test_no_package_is_in_two_layers() -> None:
    assert not set(read_versions("asdf")) & set(read_versions("dependencies"))


def test_s3fs_is_of_this_decade() -> None:
    assert int(read_versions("dev")["s3fs"].split(".")[0]) >= 2025
