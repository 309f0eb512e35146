"""The stars around a target: circles, the table, and the light that they put into the aperture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tessera.sky.wcs import frame_wcs
from tessera_cloud.application.neighbours.layout import RECORD
from tessera_cloud.application.neighbours.make import remove_star_file
from tessera_cloud.application.neighbours.tables import StarTable
from tessera_cloud.bootstrap import writer_of
from tessera_local.stars import put_stars
from tests.page.conftest import SHAPE, STAR, Site, Visit
from tests.page.test_everywhere import AXE, PHONE, SERIOUS
from tests.support.frames import centred_wcs

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

CUBE = "tess-s0001-4-2"
STARS = [
    (*STAR, 10.0),
    (STAR[0] + 1.7, STAR[1] - 2.2, 11.5),
    (STAR[0] - 5, STAR[1] + 4, 9.0),
    (STAR[0] + 9, STAR[1], 9.5),
]
"""Row, column and magnitude. The first is the target, the last is outside of the window."""


@pytest.fixture
def starry(site: Site) -> Iterator[Site]:
    """The site with a catalogue of stars."""
    stars = np.zeros(len(STARS), RECORD)
    rows, columns, stars["magnitude"] = zip(*STARS, strict=True)
    stars["ra"], stars["dec"] = frame_wcs(dict(centred_wcs(SHAPE))).all_pix2world(columns, rows, 0)
    stars["id"], stars["pm_ra"], stars["pm_dec"] = np.arange(len(STARS)) + 70, np.nan, np.nan
    bucket = site.stack.bucket("CubeBucket")
    put_stars(site.stack.s3, bucket, [StarTable(stars, 2016.0)], "Test", None)
    yield site
    remove_star_file(writer_of(site.stack.s3), bucket)


def light_inside(mask: Any, row: float, column: float) -> float:
    """Part of a Gaussian of 1 pixel inside an aperture: Simpson's rule with 200 steps along each side of a pixel."""
    n = 200
    edges = np.linspace(-0.5, 0.5, n + 1)
    weights = np.array([1, *[4, 2] * (n // 2 - 1), 4, 1]) / (3 * n)

    def along(count: int, centre: float) -> Any:
        points = np.arange(count)[:, np.newaxis] + edges - centre
        return np.exp(-(points**2) / 2) @ weights / np.sqrt(2 * np.pi)

    mask = np.asarray(mask)
    return float(along(mask.shape[0], row) @ mask @ along(mask.shape[1], column))


def preview_of(visit: Visit) -> Any:
    """The preview that the page shows."""
    query = f"cube={CUBE}&ra={visit.site.ra}&dec={visit.site.dec}&size=15,15"
    return visit.page.evaluate("async (path) => (await fetch(path)).json()", f"/v1/preview?{query}")


def expected(mask: Any, window: Any) -> tuple[list[float], float]:
    """Shares of the stars in the light inside, and the contamination."""
    places = [(row - window["first_row"], column - window["first_column"]) for row, column, _ in STARS]
    inside = [light_inside(mask, *place) * 10 ** (-0.4 * star[2]) for place, star in zip(places, STARS, strict=True)]
    return [light / sum(inside) for light in inside], sum(inside[1:]) / inside[0]


def in_words(mask: Any, window: Any) -> str:
    """What the page says about an aperture."""
    shares, contamination = expected(mask, window)
    share = f"{100 * sum(shares[1:]):.0f} %"
    return f"Neighbours: {share} of the light in the aperture, contamination {contamination:.2f}"


def box_of(locator: Any) -> Any:
    return locator.bounding_box()


def group(visit: Visit) -> Any:
    return visit.page.locator(f'.sector[data-cube="{CUBE}"] .stars')


def test_the_light_inside_an_aperture_is_that_of_an_integration(visit: Visit) -> None:
    draw = np.random.default_rng(3)
    masks = [np.ones((1, 1), int), np.eye(7, dtype=int), draw.integers(0, 2, (9, 12)), np.ones((15, 15), int)]
    places = [*draw.uniform(-3, 15, (20, 2)).tolist(), [4, 4], [0, 0], [3.5, 3.5], [-1, 8]]
    visit.open()
    asked = [[mask.tolist(), {"row": row, "column": column}] for mask in masks for row, column in places]
    call = 'async (all) => { const m = await import("/js/stars/light.js"); return all.map((x) => m.shareInside(...x)) }'
    found = visit.page.evaluate(call, asked)
    by_sum = [light_inside(mask, place["row"], place["column"]) for mask, place in asked]
    np.testing.assert_allclose(found, by_sum, rtol=1e-6)
    assert max(by_sum) > 0.99999
    assert min(by_sum) < 1e-9


def test_the_target_is_one_of_the_stars(visit: Visit) -> None:
    cases = {
        "the brightest at the place": ([(4.0, 4.0, 12.0), (4.2, 4.0, 9.0), (4.5, 4.5, 5.0)], 1),
        "the nearest within a pixel": ([(4.9, 4.0, 12.0), (4.5, 4.5, 14.0), (5.0, 5.0, 5.0)], 1),
        "too far": ([(5.1, 4.0, 12.0)], -1),
        "no star": ([], -1),
    }
    visit.open()
    names = ("row", "column", "magnitude")
    given = [[dict(zip(names, star, strict=True)) for star in stars] for stars, _ in cases.values()]
    call = """async (all) => {
      const { findTarget } = await import("/js/stars/light.js");
      return all.map((stars) => findTarget(stars, { row: 4, column: 4 }));
    }"""
    assert dict(zip(cases, visit.page.evaluate(call, given), strict=True)) == {
        name: n for name, (_, n) in cases.items()
    }


def test_the_page_tells_how_much_light_neighbours_give(starry: Site, visit: Visit) -> None:
    page = visit.open_star()
    preview = preview_of(visit)
    shares, _ = expected(preview["aperture"], preview["window"])
    assert shares[1] > 0.1, "the neighbour is seen"
    summary = group(visit).locator("summary")
    expect(summary).to_have_text(in_words(preview["aperture"], preview["window"]))
    summary.click()
    rows = group(visit).locator("tbody tr")
    expect(rows).to_have_count(4)
    cells = [row.split("\t") for row in rows.all_inner_texts()]
    assert [cell[0] for cell in cells[:2]] == ["Test 70 (target)", "Test 71"]
    assert [cell[3] for cell in cells] == ["10.00", "11.50", "9.00", "9.50"]
    assert cells[0][1] == f"{100 * shares[0]:.0f} %"
    assert cells[1][1] == f"{100 * shares[1]:.0f} %"
    assert float(cells[1][4].rstrip("″")) == pytest.approx(np.hypot(1.7, 2.2) * 21, rel=0.05)
    expect(group(visit)).to_contain_text("Test, down to magnitude 11.5.")
    page.locator(f'[data-cube="{CUBE}"] canvas.frame').first.focus()
    for key in (*["ArrowUp"] * 5, *["ArrowLeft"] * 2, "Space"):
        page.keyboard.press(key)
    mask = np.array(preview["aperture"])
    row, column = STAR[0] - preview["window"]["first_row"] + 5, STAR[1] - preview["window"]["first_column"] - 2
    mask[row, column] ^= 1
    expect(summary).to_have_text(in_words(mask, preview["window"]))
    for key in (*["ArrowDown"] * 5, "ArrowRight", "Space"):
        page.keyboard.press(key)
    mask[row - 5, column + 1] ^= 1
    expect(summary).to_have_text(in_words(mask, preview["window"]))


def test_a_circle_and_a_row_name_the_same_star(starry: Site, visit: Visit) -> None:
    page = visit.open_star()
    words = group(visit).locator("output")
    expect(words).to_have_text("Point at a circle to see which star it is.")
    window = preview_of(visit)["window"]
    canvas = page.locator(f'[data-cube="{CUBE}"] canvas.frame').first
    canvas.scroll_into_view_if_needed()
    box = box_of(canvas)
    side = box["width"] / window["columns"]
    row, column, _ = STARS[1]
    before = canvas.screenshot()
    y = box["y"] + box["height"] - (row - window["first_row"] + 0.5) * side
    page.mouse.move(box["x"] + (column - window["first_column"] + 0.5) * side, y)
    expect(words).to_contain_text("Test 71 · magnitude 11.50")
    page.mouse.move(0, 0)
    expect(words).to_have_text("Point at a circle to see which star it is.")
    group(visit).locator("summary").click()
    height = box_of(group(visit))["height"]
    link = group(visit).get_by_role("link", name="Test 71")
    link.focus()
    expect(words).to_contain_text("Test 71")
    expect(group(visit).locator("tr.chosen th")).to_have_text("Test 71")
    assert canvas.screenshot() != before, "its circle stands out"
    assert box_of(group(visit))["height"] == height, "nothing moves"
    link.click()
    expect(page.locator("#target-name")).to_have_text("Test 71")
    expect(group(visit).locator("tbody tr").first).to_contain_text("Test 70")


def test_the_layer_can_be_switched_off_and_the_link_says_so(starry: Site, visit: Visit) -> None:
    page = visit.open_star()
    canvas = page.locator(f'[data-cube="{CUBE}"] canvas.frame').first
    expect(group(visit).locator("summary")).to_contain_text("contamination")
    visit.settle()
    with_stars = canvas.screenshot()
    page.get_by_label("Neighbouring stars").uncheck()
    expect(group(visit)).to_be_hidden()
    expect(page).to_have_url(re.compile("neighbours=no"))
    assert canvas.screenshot() != with_stars
    asked = [each.url for each in visit.requests if "/v1/neighbours" in each.url]
    page.reload()
    page.wait_for_selector(".sector:not([aria-busy]) .plot canvas")
    visit.settle()
    assert [each.url for each in visit.requests if "/v1/neighbours" in each.url] == asked, "it is not even asked for"
    page.get_by_label("Neighbouring stars").check()
    expect(group(visit).locator("summary")).to_contain_text("contamination")


def test_a_place_without_a_star_has_no_contamination(starry: Site, visit: Visit) -> None:
    visit.open(f"{visit.site.url}/?ra={visit.site.ra}&dec={visit.site.dec + 0.035}")
    expect(group(visit).locator("summary")).to_have_text(
        "Neighbours: Test has no star at the target, so their share is not known"
    )


def test_a_service_without_a_catalogue_says_so(site: Site, visit: Visit) -> None:
    visit.open_star()
    expect(group(visit).locator("> p")).to_have_text(
        "No neighbouring stars: This service has no catalogue of stars. "
        "Its operator can add one with the command stars."
    )


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there: make tools/node_modules/.done")
@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_the_table_is_for_everybody(starry: Site, visit: Visit) -> None:
    page = visit.open_star()
    group(visit).locator("summary").click()
    expect(group(visit).locator("tbody tr")).to_have_count(4)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        found = page.evaluate("axe.run(document.querySelector('.stars'))")
        assert [each["id"] for each in found["violations"] if each["impact"] in SERIOUS] == []
        assert len(found["passes"]) > 5
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_stars_that_cannot_be_loaded_are_told_and_asked_for_again(starry: Site, visit: Visit) -> None:
    visit.forgiven = "ERR_FAILED"
    visit.page.route("**/stars/neighbours.js", lambda route: route.abort())
    page = visit.open_star()
    expect(group(visit).get_by_role("alert")).to_contain_text("cannot be loaded")
    page.unroute("**/stars/neighbours.js")
    group(visit).get_by_role("button", name="Try again").click()
    expect(group(visit).locator("summary")).to_contain_text("contamination")
