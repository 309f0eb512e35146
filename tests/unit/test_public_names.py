from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import tessera

NAMES = set(tessera.__all__)


def test_every_public_name_can_be_imported() -> None:
    missing = [name for name in NAMES if getattr(tessera, name, None) is None]
    assert missing == []


def test_names_for_type_checkers_are_the_names_that_are_loaded() -> None:
    tree = ast.parse(Path(tessera.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    declared = {
        alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert declared == tessera._HOMES
    assert set(declared) | {"__version__"} == NAMES


def test_dir_shows_the_public_names_so_that_tab_completes_them() -> None:
    assert set(dir(tessera)) == NAMES


def test_importing_tessera_loads_neither_numpy_nor_astropy() -> None:
    code = "import sys, tessera; print(sorted({'numpy', 'astropy'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
