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
MISSING = {
    "firefox": "no Firefox on this machine: install it (Debian: firefox-esr)",
    "chrome": "no Chromium on this machine: install it (Debian: chromium), or name it in TESSERA_CHROMIUM",
}
"""Why a test of a browser is skipped, and what to do about it."""
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
        pytest.skip(f"{MISSING[name]}; the page is not tried in it")
    return path


def run_node(*words: str, given: Any = None, environment: dict[str, str] | None = None) -> Any:
    """Run a program of this folder with node, and return what it prints as JSON."""
    if not (HERE / "node_modules").exists():
        pytest.skip("no node_modules in tests/browsers: make test-browsers installs puppeteer and lighthouse there")
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
