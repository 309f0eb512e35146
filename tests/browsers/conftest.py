"""Browsers and Lighthouse in front of the page of tests/page. `make test-browsers` installs their driver."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.page.conftest import chromium, chromium_path, site

__all__ = ["chromium_path", "site"]

HERE = Path(__file__).parent
SECONDS = 180
"""Patience with a browser on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.xdist_group("page"))


def find_browser(name: str) -> str:
    """The program of a browser; the test is skipped where it is not installed."""
    path = chromium() if name == "chrome" else next(filter(None, map(shutil.which, ("firefox", "firefox-esr"))), None)
    if path is None:
        pytest.skip(f"no {name} on this machine")
    return path


def run_node(*words: str, given: Any = None, environment: dict[str, str] | None = None) -> Any:
    """Run a program of this folder with node, and return what it prints as JSON."""
    if not (HERE / "node_modules").exists():
        pytest.skip("the driver of browsers is not installed: make test-browsers")
    done = subprocess.run(
        ["node", *words],
        input=None if given is None else json.dumps(given),
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
