"""Examples in docstrings of the sources give what they show."""

from __future__ import annotations

import doctest
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from tests.architecture.sources import ROOT, SOURCE_FOLDERS


def modules_with_examples() -> list[str]:
    return [
        ".".join(path.relative_to(ROOT / folder).with_suffix("").parts).removesuffix(".__init__")
        for folder in SOURCE_FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if ">>> " in path.read_text(encoding="utf-8")
    ]


def test_examples_in_docstrings_are_true() -> None:
    with ThreadPoolExecutor(1) as pool:  # where no event loop runs, such as that of a browser
        results = {name: pool.submit(doctest.testmod, import_module(name)).result() for name in modules_with_examples()}

    assert {name: f"{each.failed} of {each.attempted} fail" for name, each in results.items() if each.failed} == {}
    assert sum(each.attempted for each in results.values()) > 0
