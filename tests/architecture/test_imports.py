"""Imports point one way: functions -> use cases -> engine."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, SOURCE_FOLDERS, name_of

HANDLERS = sorted(ROOT.glob("functions/*/app.py"))
MAY_IMPORT = {"tessera_cloud", "aws_lambda_powertools", "pydantic", *sys.stdlib_module_names}
MAY_NOT_IMPORT = {"tessera_cloud.adapters", "os", "io", "socket", "urllib"}


def imported_modules(source: Path) -> set[str]:
    """Full names of what a file imports, `from a import b` counted as `a.b`."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a function has no siblings"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_import_contracts_hold() -> None:
    path = os.pathsep.join(str(ROOT / folder) for folder in SOURCE_FOLDERS)
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_there_are_functions_to_look_at() -> None:
    assert HANDLERS


@pytest.mark.parametrize("source", HANDLERS, ids=name_of)
def test_a_function_imports_use_cases_only(source: Path) -> None:
    modules = imported_modules(source)

    assert {module.split(".")[0] for module in modules} <= MAY_IMPORT
    assert not {name for name in MAY_NOT_IMPORT for module in modules if f"{module}.".startswith(f"{name}.")}
