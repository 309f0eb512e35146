"""Search, map, pixels and light curve: what people see before they download."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import requests

from tests.page.conftest import FLAGS, N_FRAMES, PERIOD, SHAPE, STAR, WANDERER, Site, Visit, fluxes

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

MAX_BYTES = 150_000
"""All that is transferred before a search, with headers and the answers of the service."""
MAX_READY_MS = 1000
PAGE = Path(__file__).parents[2] / "page"


def query_of(visit: Visit) -> dict[str, list[str]]:
    return parse_qs(urlsplit(visit.page.url).query)


def preview(site: Site, **more: str) -> dict[str, object]:
    query: dict[str, str | float] = {
        "cube": "tess-s0001-4-2",
        "ra": site.ra,
        "dec": site.dec,
        "size": "15,15",
        "background": "true",
        **more,
    }
    found: dict[str, object] = requests.get(f"{site.url}/v1/preview", params=query, timeout=30).json()
    return found


def shown(visit: Visit, cube: str = "tess-s0001-4-2") -> str:
    return f'.sector[data-cube="{cube}"]'


def test_the_page_is_ready_soon_and_small(visit: Visit) -> None:
    visit.open()
    session = visit.page.context.new_cdp_session(visit.page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    times = []
    for _ in range(3):
        sizes.clear()
        visit.open()
        times.append(visit.page.evaluate("performance.now()"))
    visit.page.wait_for_selector("#map[data-behind]")
    visit.page.wait_for_load_state("networkidle")
    print(f"page ready in {min(times):.0f} ms (best of 3), {sum(sizes) / 1000:.0f} kB in {len(sizes)} answers")
    assert sum(sizes) < MAX_BYTES
    assert min(times) < MAX_READY_MS


def imports_of(module: Path) -> set[Path]:
    """What a module needs before it runs, also through others."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        one = waiting.pop()
        named = re.findall(r'^import [^;]*? from "(\.[^"]+)";$', one.read_text(), re.MULTILINE)
        fresh = {(one.parent / name).resolve() for name in named} - found
        found |= fresh
        waiting += fresh
    return found


def test_all_modules_of_the_start_are_asked_for_at_once() -> None:
    named = re.findall(r'<link rel="modulepreload" href="([^"]+)">', (PAGE / "index.html").read_text())
    needed = imports_of(PAGE / "js/main.js")
    assert sorted(named) == sorted(str(path.relative_to(PAGE)) for path in needed)
    assert PAGE / "js/sky/projection.js" in needed  # through the map
    assert PAGE / "js/target/look.js" not in needed


def test_what_shows_a_target_is_loaded_while_the_service_looks_for_it(visit: Visit) -> None:
    """In as few steps as what is deep in it allows; on the start it is loaded once somebody types."""
    page = visit.open()
    assert not [each.url for each in visit.requests if "/target/look.js" in each.url]
    with page.expect_request("**/target/look.js"):
        page.locator("#query").press_sequentially("98")

    visit.requests.clear()
    visit.open_star()
    asked = [urlsplit(each.url).path for each in visit.requests]
    looking = asked.index("/v1/targets")
    assert {"/js/target/room.js", "/js/curve/lightcurve.js", "/vendor/uplot/uPlot.iife.min.js"} <= set(
        asked[: looking + 1]
    )
    assert asked.index("/v1/preview") > looking


def test_a_target_whose_view_cannot_be_loaded_is_told_and_found_again(visit: Visit) -> None:
    visit.forgiven = "ERR_FAILED"
    visit.page.route("**/uPlot.iife.min.js", lambda route: route.abort())
    page = visit.open(visit.site.target)
    expect(page.locator("#target-message [role=alert]")).to_contain_text("This view cannot be loaded")
    expect(page.locator("#found")).to_be_hidden()
    page.unroute("**/uPlot.iife.min.js")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(".sector:not([aria-busy]) .plot canvas")
    expect(page.locator("#target-message")).to_be_empty()


def test_the_answer_has_the_policy_of_the_template(site: Site) -> None:
    headers = requests.get(site.url, timeout=30).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("spelling", ["{ra} {dec}", "{ra}, {dec}", "{hms} {dms}"])
def test_a_position_in_the_usual_spellings_is_found(visit: Visit, spelling: str) -> None:
    from astropy.coordinates import SkyCoord  # noqa: PLC0415

    ra, dec = visit.site.ra, visit.site.dec
    star = SkyCoord(ra, dec, unit="deg")
    hms, dms = star.ra.to_string("hour", sep=":", precision=3), star.dec.to_string(sep=":", precision=2)
    page = visit.open()
    page.locator("#query").fill(spelling.format(ra=ra, dec=dec, hms=hms, dms=dms))
    page.keyboard.press("Enter")
    row = page.locator("#cubes tr").first
    expect(row).to_contain_text("4-2")
    cells = row.locator("td, th").all_inner_texts()
    assert [float(cells[index]) for index in (6, 7)] == pytest.approx(list(STAR), abs=0.11)
    assert float(query_of(visit)["ra"][0]) == pytest.approx(ra, abs=2e-5)


def test_a_name_is_resolved_by_the_service(visit: Visit) -> None:
    page = visit.open()
    page.locator("#query").fill("pulsator")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("#target-name")).to_have_text("pulsator")
    assert query_of(visit)["ra"] == ["78.2234"]


def test_a_position_that_only_the_service_reads_has_no_name(visit: Visit) -> None:
    page = visit.open()
    page.locator("#query").fill(f"({visit.site.ra}, {visit.site.dec})")
    page.keyboard.press("Enter")
    expect(page.locator("#cubes tr")).to_have_count(2)
    assert any("/v1/resolve" in request.url for request in visit.requests)
    assert "name" not in query_of(visit)


def test_where_nothing_was_observed_the_page_says_so(visit: Visit) -> None:
    page = visit.open(f"{visit.site.url}/?ra=10&dec=80")
    expect(page.locator("#target-message")).to_contain_text("No SPOC cube")
    expect(page.locator("#found")).to_be_hidden()


def test_the_other_product_is_looked_at_too(visit: Visit) -> None:
    page = visit.open(visit.site.target)
    page.get_by_label("Product").first.select_option("TICA")
    expect(page.locator("#target-message")).to_contain_text("No TICA cube")
    page.wait_for_url("**product=TICA**")
    page.get_by_label("Product").first.select_option("SPOC")
    page.wait_for_selector(".sector:not([aria-busy]) .plot canvas")


def test_what_cannot_be_a_position_is_told_without_asking(visit: Visit) -> None:
    page = visit.open()
    page.locator("#query").fill("12 98")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("declination is 98; allowed: -90 to 90")
    assert not any("resolve" in request.url for request in visit.requests)


def test_a_name_that_nobody_knows_can_be_looked_for_among_what_moves(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    page = visit.open()
    page.locator("#query").fill("no such star")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("No star is known here as “no such star”.")
    page.get_by_role("button", name="Search moving targets").click()
    expect(page.get_by_role("alert")).to_contain_text("JPL Horizons")
    page.locator("#to-list").click()
    expect(page.locator("#search-message")).to_be_empty()


def test_a_name_with_a_slip_is_corrected(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    page = visit.open()
    page.locator("#query").fill("pulsatr")
    page.keyboard.press("Enter")
    page.locator("#search-message").get_by_role("button", name="pulsator").click()
    expect(page.locator("#target-name")).to_have_text("pulsator")


def test_what_moves_is_found_with_its_sectors(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    page = visit.open()
    page.locator("#query").fill("wanderer")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Search moving targets").click()
    expect(page.locator("#target-name")).to_have_text(WANDERER)
    expect(page.locator("#cubes tr")).to_have_count(2)
    expect(page.locator("#preview")).to_be_hidden()
    page.get_by_role("checkbox", name="All sectors").check()
    with page.expect_download(timeout=60_000) as found:
        page.get_by_role("button", name="Download").click()
    assert found.value.suggested_filename.endswith(".zip")
    expect(page.locator(".job")).to_contain_text("2 of 2 cubes")
    page.reload()
    expect(page.locator("#target-name")).to_have_text(WANDERER)


def test_a_click_on_the_map_goes_there(visit: Visit) -> None:
    page = visit.open()
    box = page.locator("#map").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#map-words")).to_contain_text("not observed")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#target")).to_be_visible()
    assert float(query_of(visit)["ra"][0]) == pytest.approx(90, abs=1)
    assert float(query_of(visit)["dec"][0]) == pytest.approx(0, abs=1)


def test_the_map_is_used_by_keyboard(visit: Visit) -> None:
    page = visit.open(f"{visit.site.target}")
    page.locator("#map").focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#map-words")).to_have_text(re.compile(r"^\d"))
    page.keyboard.press("Enter")
    expect(page.locator("#target-name")).not_to_have_text("")
    assert query_of(visit)["ra"] != [str(visit.site.ra)]


def test_the_table_says_what_the_service_says(visit: Visit) -> None:
    page = visit.open_star()
    rows = page.locator("#cubes tr")
    expect(rows).to_have_count(2)
    first = rows.first.locator("td, th").all_inner_texts()
    assert (first[2], first[4], first[5]) == ("4-2", "30 min", str(N_FRAMES))
    assert page.locator("#cubes input:checked").count() == 1


def test_frames_and_light_curve_are_those_of_the_service(visit: Visit) -> None:
    page = visit.open_star()
    expect(page.locator(f"{shown(visit)} canvas.frame")).to_have_count(2)
    page.locator(f"{shown(visit)} .plot").focus()
    page.keyboard.press("]")
    words = page.locator(f"{shown(visit)} .curve .readout").inner_text()
    curve = preview(visit.site)["lightcurve"]
    assert isinstance(curve, dict)
    time, flux = map(float, re.findall(r"[\d.]+", words)[:2])
    assert time == pytest.approx(curve["time"][0], abs=1e-4)
    assert flux == pytest.approx(curve["flux"][0], rel=1e-3)
    assert np.nanmin(fluxes(curve)) / np.nanmax(fluxes(curve)) == pytest.approx(0.7, abs=0.02)


def test_flags_are_told_in_words(visit: Visit) -> None:
    page = visit.open_star()
    page.locator(f"{shown(visit)} .plot").focus()
    for _ in range(min(FLAGS) + 1):
        page.keyboard.press("]")
    expect(page.locator(f"{shown(visit)} .curve .readout")).to_contain_text("momentum dump")


def test_a_click_changes_the_aperture_and_the_light_curve(visit: Visit) -> None:
    page = visit.open_star()
    before = preview(visit.site)["aperture"]
    frame = page.locator(f"{shown(visit)} canvas.frame").first
    box = frame.bounding_box()
    assert box
    side = box["width"] / 15
    frame.click(position={"x": 1.5 * side, "y": box["height"] - 2.5 * side})
    page.wait_for_url("**aperture=**")
    visit.settle()
    mask = page.evaluate("() => new URLSearchParams(location.search).get('aperture').split(':')[1]")
    after = preview(visit.site, aperture=mask)["aperture"]
    changed = np.argwhere(np.array(before) != np.array(after))
    assert changed.tolist() == [[2, 1]]
    asked = [request.url for request in visit.requests if "/v1/preview?" in request.url]
    assert mask in asked[-1]
    page.get_by_role("button", name="Default aperture").click()
    page.wait_for_url(lambda url: "aperture" not in url)
    visit.settle()
    expect(page.get_by_role("button", name="Default aperture")).to_be_disabled()


def test_the_aperture_is_changed_by_keyboard(visit: Visit) -> None:
    page = visit.open_star()
    words = page.locator(f"{shown(visit)} .pixel-tools")
    inside = int(re.search(r"(\d+) pixel", words.inner_text()).group(1))  # type: ignore[union-attr]
    page.locator(f"{shown(visit)} canvas.frame").first.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(words).to_contain_text(f"{inside - 1} pixels")
    expect(page.locator("#announcements")).to_contain_text("not in the aperture")
    page.wait_for_url("**aperture=**")
    visit.settle()


def test_sectors_are_shown_apart_stitched_and_folded(visit: Visit) -> None:
    page = visit.open_star()
    page.locator("#cubes input").nth(1).check()
    expect(page.locator(".sector:not([aria-busy]) .curve-part:visible .plot canvas")).to_have_count(2)
    page.get_by_role("radio", name="Stitched").check()
    expect(page.locator("#together .plot canvas")).to_be_visible()
    expect(page.locator("#key li")).to_have_count(2)
    page.get_by_role("radio", name="Folded").check()
    expect(page.locator("#fold-hint")).to_be_visible()
    page.get_by_role("textbox", name="Period").fill("0,25")
    expect(page.locator("#period-error")).to_contain_text('The period is "0,25"; allowed: days from 0.0001 to 100,000')
    page.get_by_role("textbox", name="Period").fill(str(PERIOD))
    expect(page.locator("#fold-hint")).to_be_hidden()
    expect(page.locator("#period-error")).to_be_empty()
    page.locator("#together .plot").focus()
    page.keyboard.press("]")
    expect(page.locator("#together .readout")).to_contain_text("phase")
    page.wait_for_url("**period=0.25**")
    assert query_of(visit)["cubes"] == ["tess-s0001-4-2,tess-s0002-4-2"]


def test_an_address_brings_the_view_back(visit: Visit) -> None:
    cubes = "&cubes=tess-s0002-4-2&size=9,11&show=folded&period=0.25&unit=relative&flagged=no&background=no"
    page = visit.open_star(cubes)
    expect(page.locator("#rows")).to_have_value("9")
    expect(page.locator("#columns")).to_have_value("11")
    assert page.locator("#cubes input:checked").evaluate_all("boxes => boxes.map(box => box.value)") == [
        "tess-s0002-4-2"
    ]
    assert page.locator("#background").input_value() == "none"
    asked = next(request.url for request in visit.requests if "/v1/preview?" in request.url)
    assert ("size=9,11" in asked, "background=none" in asked) == (True, True)


def test_going_back_goes_back(visit: Visit) -> None:
    page = visit.open()
    page.locator("#query").fill(f"{visit.site.ra} {visit.site.dec}")
    page.keyboard.press("Enter")
    expect(page.locator("#cubes tr")).to_have_count(2)
    page.go_back()
    expect(page.locator("#start")).to_be_visible()
    expect(page.locator("#query")).to_have_value("")


def test_a_window_on_the_edge_has_pixels_without_values(visit: Visit) -> None:
    from tessera.sky.wcs import frame_wcs  # noqa: PLC0415
    from tests.support.frames import centred_wcs  # noqa: PLC0415

    ra, dec = frame_wcs(dict(centred_wcs(SHAPE))).all_pix2world([[1, 1]], 0)[0]
    page = visit.open(f"{visit.site.url}/?ra={ra:.5f}&dec={dec:.5f}")
    page.wait_for_selector(".sector:not([aria-busy]) .plot canvas")
    frame = page.locator("canvas.frame").first
    box = frame.bounding_box()
    assert box
    frame.hover(position={"x": 5, "y": box["height"] - 5})
    expect(page.locator(".frames .readout")).to_contain_text("no value")


HOSTILE = ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "javascript:alert(1)", "'; DROP TABLE stars"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(visit: Visit, name: str) -> None:
    visit.forgiven = "Failed to load resource"
    page = visit.open()
    page.locator("#query").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("#search-message [role=alert]")).to_be_visible()
    page.evaluate("name => history.replaceState(null, '', '?' + new URLSearchParams({name, ra: 10, dec: 80}))", name)
    page.reload()
    expect(page.locator("#target-name")).to_have_text(name)
    assert page.locator("main img, main script, #search-message img").count() == 0


def test_a_gateway_that_is_busy_is_told_in_a_sentence(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    visit.page.route("**/v1/preview?*", lambda route: route.fulfill(status=503, body='{"message": "busy"}'))
    page = visit.open(visit.site.target)
    expect(page.locator(".sector > .messages p")).to_have_text("The service is busy. Wait a moment, then try again.")
    expect(page.locator(".sector canvas.frame").first).to_be_hidden()


def test_the_service_out_of_reach_is_told_and_asked_again(visit: Visit) -> None:
    visit.forgiven = "ERR_FAILED"
    visit.page.route("**/v1/preview?*", lambda route: route.abort())
    page = visit.open(visit.site.target)
    expect(page.locator(".sector > .messages")).to_contain_text("cannot be reached")
    page.unroute("**/v1/preview?*")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(".sector:not([aria-busy]) .plot canvas")
    expect(page.locator(".sector > .messages")).to_be_empty()
