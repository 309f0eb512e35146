"""Nothing grows large: a ratchet that only turns one way. Each test lists every place that is over its limit."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, SOURCE_FOLDERS, name_of, python_files

MAX_MODULE_LINES = 350
MAX_TEST_MODULE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_TEST_FUNCTION_LINES = 50
MAX_HANDLER_LINES = 40
MAX_FILES_IN_A_PACKAGE = 14


def is_test(path: Path) -> bool:
    return path.is_relative_to(ROOT / "tests")


def count_lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def lines_without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    documented = ast.get_docstring(function, clean=False) is not None
    return count_lines(function) - (count_lines(function.body[0]) if documented else 0)


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def modules_over(limit: int, paths: list[Path]) -> list[str]:
    lengths = {path: len(path.read_text().splitlines()) for path in paths}
    return [f"{name_of(path)}:{n}: {n} lines, at most {limit}" for path, n in lengths.items() if n > limit]


def functions_over(limit: int, paths: list[Path]) -> list[str]:
    return [
        f"{name_of(path)}:{function.lineno}: {function.name} has {n} lines without its docstring, at most {limit}"
        for path in paths
        for function in functions_of(path)
        if (n := lines_without_docstring(function)) > limit
    ]


SOURCES = [path for path in python_files() if not is_test(path)]
TESTS = [path for path in python_files() if is_test(path)]


def test_modules_are_short() -> None:
    assert modules_over(MAX_MODULE_LINES, SOURCES) == []


def test_modules_of_tests_are_short() -> None:
    assert modules_over(MAX_TEST_MODULE_LINES, TESTS) == []


def test_handlers_are_short() -> None:
    assert modules_over(MAX_HANDLER_LINES, sorted(ROOT.glob("functions/*/app.py"))) == []


def test_functions_are_short() -> None:
    assert functions_over(MAX_FUNCTION_LINES, SOURCES) == []


def test_functions_of_tests_are_short() -> None:
    assert functions_over(MAX_TEST_FUNCTION_LINES, TESTS) == []


def test_packages_have_few_files() -> None:
    packaged = [path for path in SOURCES if any(path.is_relative_to(ROOT / folder) for folder in SOURCE_FOLDERS)]
    counts = Counter(name_of(path.parent) for path in packaged)
    crowded = {folder: n for folder, n in counts.items() if n > MAX_FILES_IN_A_PACKAGE}

    assert [
        f"{folder}: {n} Python files, at most {MAX_FILES_IN_A_PACKAGE}: divide it into packages"
        for folder, n in crowded.items()
    ] == []


def test_a_long_module_and_a_long_function_are_found_with_their_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.architecture.sources.ROOT", tmp_path)
    source = tmp_path / "long.py"
    source.write_text('ONE = 1\n\n\ndef long():\n    """Say\n    much.\n    """\n    a = 1\n    return a\n')

    assert modules_over(8, [source]) == ["long.py:9: 9 lines, at most 8"]
    assert functions_over(2, [source]) == ["long.py:4: long has 3 lines without its docstring, at most 2"]
    assert modules_over(9, [source]) + functions_over(3, [source]) == []
