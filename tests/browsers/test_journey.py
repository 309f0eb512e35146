"""The same way through the page in Firefox and in Chromium, by a driver that is not that of tests/page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browsers.conftest import find_browser, run_node
from tests.page.conftest import Site

BROWSERS = ("firefox", "chrome")
PLOT = ".sector:not([aria-busy]) .plot canvas"


def walk(browser: str, site: Site, *steps: tuple[str, Any]) -> list[Any]:
    """Take steps in a browser, and return what was read on the way; nothing else may have happened."""
    told = run_node("journey.mjs", browser, find_browser(browser), site.url, given=steps)
    assert told["troubles"] == []
    assert told["elsewhere"] == []
    return list(told["found"])


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_star_is_searched_and_its_period_found(browser: str, site: Site) -> None:
    name, cubes, periods, overflow = walk(
        browser,
        site,
        ("open", ""),
        ("type", ("#query", f"{site.ra} {site.dec}")),
        ("press", "Enter"),
        ("see", PLOT),
        ("read", "#target-name"),
        ("count", "#cubes tr"),
        ("click", "[name=show][value=folded] + *"),
        ("click", "#find-period"),
        ("see", "#period-search li"),
        ("count", "#period-search li"),
        ("width", 390),
        ("overflow", None),
    )
    assert (name, cubes, overflow) == (f"{site.ra} \N{MINUS SIGN}{-site.dec}", 2, 0)
    assert 1 <= periods <= 10


@pytest.mark.parametrize("browser", BROWSERS)
def test_every_view_opens(browser: str, site: Site) -> None:
    found = walk(
        browser,
        site,
        *(("open", "?view=list"), ("see", "#list-price"), ("overflow", None)),
        *(("open", "?view=builds"), ("see", "#builds-list tr"), ("count", "#builds-list tr")),
        *(("open", "?ra=180&dec=60"), ("read", "#cubes-count")),
        *(("width", 320), ("overflow", None)),
    )
    assert found[1] >= 2
    assert (found[0], found[3]) == (0, 0)
