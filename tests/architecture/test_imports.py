"""Imports point one way: functions -> use cases -> engine."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import ROOT, SOURCE_FOLDERS, name_of

HANDLERS = sorted(ROOT.glob("functions/*/app.py"))
MAY_IMPORT = {"tessera_cloud", "aws_lambda_powertools", "pydantic", *sys.stdlib_module_names}
MAY_NOT_IMPORT = {"tessera_cloud.adapters", "tessera_cloud.testing", "os", "io", "socket", "urllib"}


def imported_modules(source: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of what a file imports, `from a import b` counted as `a.b`."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{'.' * node.level}{node.module}.{alias.name}") for alias in node.names)


def may_import(module: str) -> bool:
    forbidden = any(f"{module}.".startswith(f"{name}.") for name in MAY_NOT_IMPORT)
    return module.split(".", maxsplit=1)[0] in MAY_IMPORT and not forbidden


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


def test_functions_import_use_cases_only() -> None:
    assert [
        f"{name_of(source)}:{line}: a handler may not import {module}: move what needs it to tessera_cloud.application"
        for source in HANDLERS
        for line, module in imported_modules(source)
        if not may_import(module)
    ] == []
