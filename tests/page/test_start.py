"""The view before a search: what is here, examples with live pictures, and sectors with the newest first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.page.conftest import PERIOD, Site, Visit

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

_COLOURS = """
(canvas) => {
  const { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const count = (x, w) => {
    const { data } = copy.getImageData(x, 0, w, height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]},${data[i + 3]}`);
    return seen.size;
  };
  return { pixels: count(0, height), curve: count(height + 4, width - height - 4) };
}
"""


def with_example(visit: Visit, site: Site) -> None:
    """Make the star of the test an example; its preview is the service's own."""
    star = {"name": "our star", "ra": site.ra, "dec": site.dec, "about": "an eclipsing binary", "period": PERIOD}
    visit.page.route("**/data/examples.json", lambda route: route.fulfill(body=json.dumps({"examples": [star]})))


def previews(visit: Visit) -> list[str]:
    return [request.url for request in visit.requests if "/v1/preview" in request.url]


def test_the_start_says_what_is_here_and_how_new_it_is(visit: Visit) -> None:
    page = visit.open()
    state = page.locator("#state")
    expect(state).to_contain_text("2 CCDs of 2 sectors (SPOC)")
    expect(state).to_contain_text("sector 2, until 2018-08-24")
    expect(state).to_contain_text("UTC")
    expect(page.locator("#sector-list tr th")).to_have_text(["2", "1"])
    page.keyboard.press("/")
    expect(page.locator("#query")).to_be_focused()
    expect(page.locator("#query")).to_have_value("")


def test_a_sector_of_the_table_is_shown_on_the_map(visit: Visit) -> None:
    page = visit.open()
    page.wait_for_timeout(200)
    before = page.locator("#map").screenshot()
    page.get_by_role("button", name="Sector 1", exact=True).click()
    expect(page.locator("#sector")).to_have_value("1")
    page.wait_for_timeout(200)
    assert page.locator("#map").screenshot() != before


def test_an_example_has_a_picture_of_its_own_preview_and_leads_to_its_view(visit: Visit) -> None:
    with_example(visit, visit.site)
    page = visit.open()
    canvas = page.locator(".card canvas")
    canvas.scroll_into_view_if_needed()
    page.wait_for_selector(".card canvas[data-drawn]")
    colours: dict[str, Any] = canvas.evaluate(_COLOURS)
    assert colours["pixels"] > 5
    assert colours["curve"] > 1
    (asked,) = previews(visit)
    page.locator(".card").click()
    page.wait_for_selector(".sector:not([aria-busy]) .plot canvas")
    expect(page.locator("#target-name")).to_have_text("our star")
    assert set(previews(visit)) == {asked}  # the view asks for the same preview, which the browser has


def test_no_picture_is_asked_for_that_nobody_sees(visit: Visit) -> None:
    with_example(visit, visit.site)
    visit.open(f"{visit.site.url}/?view=list")
    visit.page.wait_for_timeout(500)
    assert previews(visit) == []
    expect(visit.page.locator(".card canvas")).to_be_hidden()
    expect(visit.page.locator(".card canvas[data-drawn]")).to_have_count(0)


def test_while_the_service_is_paused_no_picture_is_asked_for(visit: Visit) -> None:
    with_example(visit, visit.site)
    health = {"status": "ok", "version": "1.2.3", "cubes": 2, "paused": {"reason": "the service is paused: we move"}}
    visit.page.route("**/v1/health", lambda route: route.fulfill(body=json.dumps(health)))
    page = visit.open()
    expect(page.locator(".card")).to_contain_text("No picture while the service is paused")
    expect(page.locator("#state")).to_contain_text("version 1.2.3, paused")
    assert previews(visit) == []


def test_nothing_moves_when_the_pictures_arrive(visit: Visit) -> None:
    with_example(visit, visit.site)
    visit.page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => {"
        " for (const each of list.getEntries()) window.moved += each.value; })"
        ".observe({ type: 'layout-shift', buffered: true });"
    )
    page = visit.open()
    place = page.locator("#newest").bounding_box()
    page.locator(".card canvas").scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_selector(".card canvas[data-drawn]")
    assert page.locator("#newest").bounding_box() == place
    assert page.evaluate("moved") < 0.1
