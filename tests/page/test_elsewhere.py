"""What the page hands to other programs. tests/ivoa/page/test_samp.py has the messages that go through a real hub."""

from __future__ import annotations

from typing import Any

import pytest

from tests.page.conftest import Visit

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

TABLE = {"type": "table.load.fits", "params": {}}
COVERAGE = {"type": "coverage.load.moc.fits", "params": {}}
CASES: list[tuple[dict[str, Any], str | None]] = [
    ({"table.load.fits": {}}, "table.load.fits"),
    ({"table.load.*": {}}, "table.load.fits"),
    ({"*": {}}, "coverage.load.moc.fits"),
    ({"coverage.load.moc.fits": {}, "table.load.fits": {}}, "coverage.load.moc.fits"),
    ({"table.load.fits.more": {}}, None),
    ({"table.load": {}}, None),
    ({"tab*": {}}, None),
    ({}, None),
]


def test_without_a_hub_the_page_says_what_to_do_and_programs_take_what_they_subscribe_to(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    visit.elsewhere = ("http://localhost:21012/",)
    visit.page.route("http://localhost:21012/**", lambda route: route.abort("connectionrefused"))
    page = visit.open_star()
    page.get_by_role("button", name="Find programs by SAMP").click()
    expect(page.locator("#samp")).to_contain_text("No SAMP hub answers on this computer. Start TOPCAT or Aladin")

    found = page.evaluate(
        """async ([types, cases]) => {
          const { kindFor } = await import("/js/samp/items.js");
          return cases.map((subscriptions) => kindFor({ types }, { name: "", subscriptions })?.type ?? null);
        }""",
        [[COVERAGE, TABLE], [subscriptions for subscriptions, _ in CASES]],
    )
    assert found == [kind for _, kind in CASES]


def test_the_sky_page_without_the_internet_says_so_and_leads_back(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    visit.page.context.route("https://**", lambda route: route.abort("internetdisconnected"))
    page = visit.open_star()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open in Aladin Lite").click()
    sky = opened.value
    sky.wait_for_selector("html[data-ready]")
    expect(sky.locator("#sky-messages")).to_contain_text("Aladin Lite cannot be loaded. It and its images come from")
    assert sky.evaluate("origin") == "null"
    sky.get_by_role("link", name="Tessera").click()
    expect(sky.locator("#target-name")).to_be_visible()
