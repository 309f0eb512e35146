"""The repository works on any machine: no paths of one, no registry of one, no secrets."""

import re

import pytest

from tests.architecture.sources import ROOT, name_of, tracked_files

# Real files of the mission say where they were made; they are kept as they are.
NOT_OURS = "tests/data/"
# Spelled so that this file does not match itself.
SUSPECTS = {
    "machine path": rb"(?<![\w.:/])/(?:work|root|home|Users|tmp)/[\w.-]",
    "registry host": rb"pypi[.]org|python" rb"hosted[.]org|npm" rb"js[.](?:org|com)|index-" rb"url\s*=",
    "file link": rb"file:" rb"///(?!folder/|a/)\w+/",  # these two are examples
    "secret key": rb"(?:AKIA|ASIA)[A-Z0-9]{16}|BEGIN [A-Z ]*PRIVATE" rb" KEY",
}

FILES = [path for path in tracked_files() if not name_of(path).startswith(NOT_OURS)]


@pytest.mark.skipif(not FILES, reason="not a git work tree")
@pytest.mark.parametrize("kind", SUSPECTS)
def test_no_file_knows_a_machine(kind: str) -> None:
    assert [
        f"{name_of(path)}:{number}: {kind}: {match[0].decode(errors='replace')}"
        for path in FILES
        for number, line in enumerate(path.read_bytes().splitlines(), 1)
        if (match := re.search(SUSPECTS[kind], line))
    ] == []


@pytest.mark.skipif(not FILES, reason="not a git work tree")
def test_no_environment_or_build_is_tracked() -> None:
    made = re.compile(r"(?:\.venv|\.aws-sam|build/|\.local/)")

    assert [f"git rm --cached {name_of(path)}" for path in FILES if made.match(name_of(path))] == []


def test_the_licence_is_there() -> None:
    assert "BSD 3-Clause" in (ROOT / "LICENSE").read_text(encoding="utf-8")
