"""Nothing grows large: a ratchet that only turns one way."""

import ast

import pytest

from tests.architecture.sources import name_of, python_files

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50

each_file = pytest.mark.parametrize("path", python_files(), ids=name_of)


def lines_without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    docstring = first.end_lineno - first.lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - docstring


@each_file
def test_a_module_is_short(path):
    assert len(path.read_text().splitlines()) <= MAX_MODULE_LINES


@each_file
def test_a_function_is_short(path):
    functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {function.name: lines_without_docstring(function) for function in functions}

    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES} == {}
