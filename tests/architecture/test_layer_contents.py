"""What is deployed imports only what the layers hold."""

import ast
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, name_of
from tests.architecture.test_locks import read_versions

DEPLOYED = [
    path
    for folder in ("layers/engine/src", "shared/src", "functions")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
OWN = {"tessera", "tessera_cloud"}


def packages_imported_at_once(source: Path) -> set[str]:
    """Top-level names that importing a file imports; imports inside of functions come later or never."""
    tree = ast.parse(source.read_text())
    later = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for inner in ast.walk(node)}
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) not in later and isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif id(node) not in later and isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


@cache
def shipped_packages() -> set[str]:
    """Top-level names that the distributions of the layer's lock bring."""
    shipped = read_versions("dependencies")
    names = packages_distributions().items()
    return {name for name, found in names if any(each.lower().replace("_", "-") in shipped for each in found)}


@pytest.mark.parametrize("source", DEPLOYED, ids=name_of)
def test_a_deployed_module_imports_what_the_layer_ships(source: Path) -> None:
    foreign = packages_imported_at_once(source) - OWN - sys.stdlib_module_names

    assert foreign - shipped_packages() == set()
