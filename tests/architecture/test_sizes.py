"""Nothing grows large: a ratchet that only turns one way."""

import ast
from pathlib import Path

import pytest

from tests.architecture.sources import name_of, python_files

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50

each_file = pytest.mark.parametrize("path", python_files(), ids=name_of)


def count_lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def lines_without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    documented = ast.get_docstring(function, clean=False) is not None
    return count_lines(function) - (count_lines(function.body[0]) if documented else 0)


@each_file
def test_a_module_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_MODULE_LINES


@each_file
def test_a_function_is_short(path: Path) -> None:
    functions = [
        n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = {function.name: lines_without_docstring(function) for function in functions}

    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES} == {}
