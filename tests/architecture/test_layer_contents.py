"""What is deployed imports only what the layers hold."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.architecture.sources import ROOT, name_of
from tests.architecture.test_locks import read_versions

DEPLOYED = [
    path
    for folder in ("layers/engine/src", "shared/src", "functions")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
OWN = {"tessera", "tessera_cloud"}


def imported_at_once(source: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level name of what importing a file imports; imports inside of functions come later or never."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    later = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) not in later and isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif id(node) not in later and isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.split(".")[0]


@cache
def shipped_packages() -> set[str]:
    """Top-level names that the distributions of the layer's lock bring."""
    shipped = read_versions("dependencies")
    names = packages_distributions().items()
    return {name for name, found in names if any(each.lower().replace("_", "-") in shipped for each in found)}


def test_deployed_modules_import_what_the_layer_ships() -> None:
    known = OWN | sys.stdlib_module_names | shipped_packages()

    assert [
        f"{name_of(source)}:{line}: {package} is not in the layer: import it inside of a function that Lambda never "
        "calls, or add it to requirements/dependencies.in and run make lock"
        for source in DEPLOYED
        for line, package in imported_at_once(source)
        if package not in known
    ] == []
