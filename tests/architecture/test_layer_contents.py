"""What is deployed imports only what the layers hold."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.architecture.sources import ROOT, name_of
from tests.architecture.test_locks import read_versions

ENGINE = ROOT / "layers/engine/src"
OWN = {"tessera", "tessera_cloud"}


def comes_later(node: ast.AST) -> bool:
    """Whether what a statement imports is imported later or never: in a function, or for type checkers."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
        isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )


@cache
def imported_at_once(source: Path) -> list[tuple[int, str]]:
    """Line and full name of what importing a file imports."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    later = {id(inner) for node in ast.walk(tree) if comes_later(node) for inner in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if id(node) not in later and isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif id(node) not in later and isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [(node.lineno, node.module), *((node.lineno, f"{node.module}.{each.name}") for each in node.names)]
    return found


def engine_files(name: str) -> Iterator[Path]:
    """The file of a module of the engine, if the name is one."""
    path = ENGINE / name.replace(".", "/")
    yield from (each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file())


@cache
def deployed() -> list[Path]:
    """Handlers, what they share, and what these import of the engine. Its other modules are for users."""
    reached = {path for folder in ("shared/src", "functions") for path in (ROOT / folder).rglob("*.py")}
    waiting = list(reached)
    while waiting:
        for _, name in imported_at_once(waiting.pop()):
            new = set(engine_files(name)) - reached
            reached |= new
            waiting += new
    return sorted(reached)


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
        for source in deployed()
        for line, package in {(line, name.split(".")[0]) for line, name in imported_at_once(source)}
        if package not in known
    ] == []


def test_the_layer_of_lists_ships_what_the_extra_for_parquet_names() -> None:
    project = tomllib.loads((ENGINE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    named = {each.partition(">")[0] for each in project["optional-dependencies"]["parquet"]}
    assert named == set(read_versions("tables"))


def test_modules_of_the_engine_are_among_the_deployed() -> None:
    names = {name_of(path) for path in deployed()}

    assert {"layers/engine/src/tessera/cubes/reader.py", "layers/engine/src/tessera/lightcurves/photometry.py"} <= names
    assert "layers/engine/src/tessera/arrays/store.py" not in names
