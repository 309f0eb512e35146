"""Targets on many CCDs, and on CCDs that do not have their light."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.page.conftest import Visit

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

PHONE = {"viewport": {"width": 360, "height": 740}}

Cube = dict[str, Any]


def change_cubes(visit: Visit, change: Callable[[list[Cube]], list[Cube]]) -> None:
    """Let the page see another list of CCDs than the service's."""

    def answer(route: Any) -> None:
        document = route.fetch().json()
        route.fulfill(
            body=json.dumps({**document, "cubes": change(document["cubes"])}), content_type="application/json"
        )

    visit.page.route("**/v1/targets?*", answer)


def test_a_target_beyond_the_silicon_is_not_ticked_and_has_a_warning(visit: Visit) -> None:
    change_cubes(visit, lambda cubes: [{**cubes[0], "on_silicon": False, "edge_distance_px": -3.0}, *cubes[1:]])
    page = visit.open_star()
    ticked = page.locator("#cubes input:checked")
    assert ticked.evaluate_all("boxes => boxes.map((box) => box.value)") == ["tess-s0002-4-2"]
    page.get_by_role("checkbox", name="All sectors").check()
    expect(ticked).to_have_count(1)
    page.locator("#cubes input").first.check()
    warned = page.locator('.sector[data-cube="tess-s0001-4-2"] > .message')
    expect(warned).to_contain_text("beyond the edge of the silicon")
    expect(page.locator("#what")).to_contain_text("; 1 without the target on silicon.")
    expect(page.locator("#cubes-count")).to_have_text("2 CCDs in 2 sectors, 1 without the target on silicon; 2 ticked.")
    visit.settle()


def test_a_target_beyond_all_silicon_has_nothing_ticked(visit: Visit) -> None:
    change_cubes(visit, lambda cubes: [{**cube, "on_silicon": False} for cube in cubes])
    page = visit.open(visit.site.target)
    expect(page.locator("#target-message")).to_contain_text("no file has its light")
    expect(page.locator("#cubes input:checked")).to_have_count(0)
    expect(page.get_by_role("button", name="Download", exact=True)).to_be_disabled()


N_CUBES = 30


def multiply(visit: Visit) -> None:
    """Let the page see the first CCD as often as a star near the pole has sectors; each has the first one's pixels."""
    change_cubes(
        visit, lambda cubes: [{**cubes[0], "cube": f"tess-s{n:04d}-4-2", "sector": n} for n in range(1, N_CUBES + 1)]
    )

    def first(route: Any) -> None:
        route.continue_(url=re.sub(r"tess-s\d{4}-4-2", "tess-s0001-4-2", route.request.url))

    for path in ("**/v1/preview?*", "**/v1/cubes/*", "**/v1/neighbours?*"):
        visit.page.route(path, first)


def test_many_sectors_are_small_and_asked_for_when_they_are_scrolled_to(visit: Visit) -> None:
    multiply(visit)
    page = visit.open_star()
    expect(page.locator("#cubes-count")).to_have_text(f"{N_CUBES} CCDs in {N_CUBES} sectors; 1 ticked.")
    page.get_by_role("checkbox", name="All sectors").check()
    sectors = page.locator(".sector")
    expect(sectors).to_have_count(N_CUBES)
    expect(sectors.nth(3).locator(".plot canvas")).to_be_visible()
    visit.settle()
    expect(sectors.last.locator(".plot canvas")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollHeight") < 7000
    sectors.last.scroll_into_view_if_needed()
    expect(sectors.last.locator(".plot canvas")).to_be_visible()
    visit.settle()
    page.get_by_role("button", name=f"Larger: Sector {N_CUBES}").click()
    expect(sectors.last.locator("canvas.frame")).to_have_count(2)
    expect(sectors.last.locator("canvas.frame").last).to_be_visible()


@pytest.mark.parametrize("visit", [{"viewport": {"width": 1280, "height": 900}}, PHONE], indirect=True)
def test_the_files_are_in_reach_however_long_the_page_is(visit: Visit) -> None:
    multiply(visit)
    page = visit.open_star(f"&cubes={','.join(f'tess-s{n:04d}-4-2' for n in range(1, 7))}")
    expect(page.locator("#what")).to_contain_text("6 target pixel files")
    for place in (0, 0.3, 0.6):
        page.evaluate("place => scrollTo(0, place * document.documentElement.scrollHeight)", place)
        expect(page.get_by_role("button", name="Download", exact=True)).to_be_in_viewport(ratio=1)
        expect(page.locator("#what")).to_be_in_viewport(ratio=1)
    visit.settle()


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_a_phone_shows_all_columns_of_the_builds(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"  # a build that another test lets fail has no cube
    page = visit.open(f"{visit.site.url}/?view=builds")
    page.wait_for_selector("#builds-list tr")
    cells = page.locator("#builds-list tr").first.locator("th, td:not(:empty)")
    boxes = [cells.nth(i).bounding_box() for i in range(cells.count())]
    assert len(boxes) >= 4
    for box in boxes:
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["viewport"]["width"]


def test_a_window_with_pixels_that_see_no_sky_says_how_many_do(visit: Visit) -> None:
    def answer(route: Any) -> None:
        document = route.fetch().json()
        window = document["window"] | {"science_pixels": 7}
        route.fulfill(body=json.dumps(document | {"window": window}), content_type="application/json")

    visit.page.route("**/v1/preview?cube=tess-s0001-4-2*", answer)
    page = visit.open_star()
    first, second = (page.locator(f'.sector[data-cube="tess-s000{sector}-4-2"] .facts') for sector in (1, 2))
    expect(first).to_have_text(re.compile(r" · 7 of \d+ pixels see the sky$"))
    page.locator("#cubes input").nth(1).check()
    expect(second).to_have_text(re.compile(r"cadences$"))
