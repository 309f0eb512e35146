"""The bench of the light curve: dates, zoom, cadences that are left out, quality bits, and files of what is shown."""

from __future__ import annotations

import json
import re
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from astropy.time import Time

from tests.page.conftest import CUBES, FLAGS, N_FRAMES, Visit, run
from tests.page.test_look import preview, query_of
from tests.page.test_many_sectors import change_cubes

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

SECTOR = '.sector[data-cube="tess-s0001-4-2"]'
FIRST = min(CUBES.values())
N_SECTORS, N_POINTS = 100, 1200
MAX_TASK_MS = 100.0
"""Time of the processor that a task may take; on a machine that is free, the longest takes less than 50 ms."""
STILL = "{to: (time) => time, from: (place) => place}"


def mid(cadence: int) -> float:
    return FIRST + (cadence + 0.5) / 48


def test_dates_are_those_of_astropy(page: Any) -> None:
    times = np.array([1325.3, 1570.123456, 3999.5, 4212.25])
    found = run(page, "curve/draw/utc.js", "values[0].map((time) => m.utcOf(time) / 1000)", times.tolist())
    wanted = Time(2457000 + times, format="jd", scale="tdb").utc.unix
    assert np.abs(np.array(found) - wanted).max() < 3e-3
    for low, high in ((1325.3, 1352.0), (1326.0, 1326.4), (1325.0, 3000.0)):
        call = f"(() => {{ const at = m.utcTicks({STILL}, ...values, 6); return [at, m.utcLabels({STILL}, at)]; }})()"
        places, labels = run(page, "curve/draw/utc.js", call, low, high)
        assert 2 <= len(places) <= 8
        dates = Time(2457000 + np.array(places), format="jd", scale="tdb").utc.to_datetime()
        rounded = [date.strftime("%H:%M:%S.%f")[:5] for date in dates + np.timedelta64(5, "ms").astype(object)]
        assert {text[3:] for text in rounded} <= {"00", "10", "15", "20", "30", "40", "45", "50"}
        assert labels[0].startswith(f"{dates[0].year} ")


def test_columns_are_in_order_also_where_sectors_overlap(page: Any) -> None:
    rng = np.random.default_rng(2)
    first, second = np.sort(rng.uniform(1325, 1327, (2, 300)), axis=1)
    call = """(() => {
      const curves = values[0].map((time) => ({ time, error: time, flux: time.map((t, i) => (i === 5 ? null : t)),
        quality: time.map((t, i) => (i === 7 ? 32 : 0)) }));
      const table = m.tableOf(curves, { unit: "flux", fold: values[1] });
      return Object.fromEntries(Object.entries(table).map(([name, column]) => [name, Array.from(column)]));
    })()"""
    for fold in (None, {"period": 0.37, "epoch": 1325.2}):
        found = run(page, "curve/table.js", call, [first.tolist(), second.tolist()], fold)
        times = np.concatenate([np.delete(each, 5) for each in (first, second)])
        turns = (times - 1325.2) / 0.37
        wanted = times if fold is None else turns - np.round(turns)
        np.testing.assert_allclose(found["x"], np.sort(wanted), atol=1e-12)
        np.testing.assert_allclose(found["y"], times[np.argsort(wanted)])
        assert (sum(found["flagged"]), sum(found["curve"])) == (2, 299)


def test_cadences_are_left_out_by_lasso_and_keys_and_come_back(visit: Visit) -> None:
    page = visit.open_star()
    visit.settle()
    page.get_by_role("button", name="Leave out …").click()
    over = page.locator(f"{SECTOR} .u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box
    page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)  # a flat line: the first half
    page.mouse.up()
    expect(page.locator("#excluded-said")).to_have_text(f"{N_FRAMES // 2} cadences left out")
    page.wait_for_url("**exclude=**")
    ((first, last),) = [tuple(map(float, each.split("~"))) for each in query_of(visit)["exclude"]]
    assert (first, last) == pytest.approx((mid(0), mid(N_FRAMES // 2 - 1)), abs=2e-5)
    page.locator(f"{SECTOR} .plot").focus()
    page.keyboard.press("]")
    expect(page.locator("#announcements")).to_contain_text("excluded here")
    page.keyboard.press("x")
    expect(page.locator("#excluded-said")).to_have_text(f"{N_FRAMES // 2 - 1} cadences left out")
    page.keyboard.press("Control+z")
    expect(page.locator("#excluded-said")).to_have_text(f"{N_FRAMES // 2} cadences left out")
    page.reload()
    expect(page.locator("#excluded-said")).to_have_text(f"{N_FRAMES // 2} cadences left out")
    page.get_by_role("button", name="Take all in").click()
    expect(page.locator("#excluded-said")).to_be_empty()
    page.wait_for_url(lambda url: "exclude" not in url)


def test_the_quality_bits_that_count_are_chosen(visit: Visit) -> None:
    page = visit.open_star("&bits=32")
    visit.settle()
    plot = page.locator(f"{SECTOR} .plot")
    readout = page.locator(f"{SECTOR} .curve .readout")
    plot.focus()
    for _ in range(max(FLAGS) + 1):
        page.keyboard.press("]")
    expect(readout).not_to_contain_text("scattered light")
    page.locator("#flags summary").click()
    box = page.get_by_role("checkbox", name="scattered light")
    expect(box).not_to_be_checked()
    expect(page.locator("#flags-list li", has_text="scattered light")).to_contain_text("bit 13, 1 cadence")
    box.check()
    page.wait_for_url("**bits=4128**")
    box.press("Escape")
    expect(box).to_be_hidden()
    expect(page.locator("#flags summary")).to_be_focused()
    plot.focus()
    page.keyboard.press("[")
    page.keyboard.press("]")
    expect(readout).to_contain_text("scattered light")


def test_a_zoom_in_time_and_flux_is_in_the_link_and_can_be_undone(visit: Visit) -> None:
    page = visit.open_star()
    visit.settle()
    over = page.locator(f"{SECTOR} .u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box
    x, y, width, height = (box[name] for name in ("x", "y", "width", "height"))
    for start, end in (((0.25, 0.5), (0.75, 0.5)), ((0.5, 0.02), (0.5, 0.3))):  # along the time, then along the flux
        page.mouse.move(x + start[0] * width, y + start[1] * height)
        page.mouse.down()
        page.mouse.move(x + end[0] * width, y + end[1] * height, steps=4)
        page.mouse.up()
        page.wait_for_timeout(800)
    page.wait_for_url("**zoom=**")
    zoom = query_of(visit)["zoom"]
    first, last, low, high = map(float, zoom[0].split(","))
    assert mid(8) < first < mid(16) < mid(32) < last < mid(40)
    assert high - low < 0.4 * 2000
    page.reload()
    page.wait_for_selector(f"{SECTOR} .plot canvas")
    page.locator(f"{SECTOR} .plot").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: zoom[0] not in url)
    page.keyboard.press("Control+z")
    page.wait_for_function("zoom => location.search.replaceAll('%2C', ',').includes(zoom)", arg=zoom[0])
    page.keyboard.press("0")
    page.wait_for_url(lambda url: "zoom" not in url)


def test_what_is_shown_is_saved_as_tables_and_pictures(visit: Visit) -> None:
    page = visit.open_star("&show=folded&period=0.25&epoch=1325.4&flagged=no&bits=32&exclude=1325~1325.5")
    visit.settle()
    page.locator("#together .save summary").click()
    saved = {}
    for kind in ("CSV", "ECSV", "SVG", "PNG"):
        with page.expect_download() as found:
            page.locator("#together").get_by_role("button", name=kind, exact=True).click()
        assert found.value.suggested_filename.endswith(f"-folded.{kind.lower()}")
        saved[kind] = found.value.path().read_bytes()
    table = Table.read(saved["ECSV"].decode().splitlines(), format="ascii.ecsv")
    assert isinstance(table["time"], Time)
    assert table["flux"].unit == u.electron / u.s
    kept = sorted(mid(i) for i in range(N_FRAMES) if mid(i) > 1325.5 and FLAGS.get(i) != 32)
    np.testing.assert_allclose(np.sort(table["time"].tdb.jd - 2457000), kept, atol=1e-7)
    phase = (table["time"].tdb.jd - 2457000 - 1325.4) / 0.25
    np.testing.assert_allclose(table["phase"], phase - np.round(phase), atol=1e-5)
    assert (table.meta["period"], table.meta["ra"]) == (0.25, visit.site.ra)
    plain = Table.read(saved["CSV"].decode().splitlines(), format="ascii.csv")
    assert plain.colnames == ["time_btjd", "phase", "flux", "flux_err", "quality", "light_curve"]
    np.testing.assert_array_equal(plain["flux"], table["flux"])
    assert b"<svg" in saved["SVG"]
    assert saved["SVG"].count(b"h3v3h-3z") == len(kept)
    assert saved["PNG"].startswith(b"\x89PNG")
    page.get_by_label("Separate").check()  # two CCDs of a sector must not have the same file
    page.locator(f"{SECTOR} .save summary").click()
    with page.expect_download() as found:
        page.locator(SECTOR).get_by_role("button", name="CSV", exact=True).click()
    assert found.value.suggested_filename.endswith("-tess-s0001-4-2.csv")
    assert set(Table.read(found.value.path(), format="ascii.csv")["light_curve"]) == {"tess-s0001-4-2"}


def show_many(visit: Visit) -> None:
    """Let the page see the star in a hundred sectors."""
    change_cubes(
        visit, lambda cubes: [{**cubes[0], "cube": f"tess-s{n:04d}-4-2", "sector": n} for n in range(1, N_SECTORS + 1)]
    )
    known: dict[str, Any] = preview(visit.site)
    flux = (1000 + np.random.default_rng(1).normal(size=N_POINTS)).tolist()
    quality = [32 if i % 50 == 0 else 0 for i in range(N_POINTS)]

    def answer(route: Any) -> None:
        name = re.findall(r"tess-s\d{4}-4-2", route.request.url)[0]
        time = (FIRST + 27 * (int(name[6:10]) - 1) + np.linspace(0, 26, N_POINTS)).tolist()
        curve = known["lightcurve"] | {"time": time, "flux": flux, "error": [1.0] * N_POINTS, "quality": quality}
        route.fulfill(body=json.dumps({**known, "cube": name, "lightcurve": curve}), content_type="application/json")

    def first(route: Any) -> None:
        route.continue_(url=re.sub(r"tess-s\d{4}-4-2", "tess-s0001-4-2", route.request.url))

    visit.page.route("**/v1/preview?*", answer)
    visit.page.route("**/v1/neighbours?*", first)


def longest_task(events: list[dict[str, Any]]) -> float:
    """Milliseconds of the processor that the longest task of a page took."""
    names = [each for each in events if each["name"] == "thread_name"]
    pages = {(each["pid"], each["tid"]) for each in names if each["args"]["name"] == "CrRendererMain"}
    tasks = [each for each in events if each["name"].endswith("RunTask") and (each["pid"], each["tid"]) in pages]
    assert len(tasks) > N_SECTORS
    return float(max(each.get("tdur", 0) for each in tasks)) / 1000


def test_a_hundred_sectors_are_stitched_in_small_tasks(visit: Visit) -> None:
    show_many(visit)
    page = visit.open_star("&show=stitched")
    visit.settle()
    assert page.context.browser
    session = page.context.browser.new_browser_cdp_session()
    events: list[dict[str, Any]] = []
    ended: list[Any] = []
    session.on("Tracing.dataCollected", lambda answer: events.extend(answer["value"]))
    session.on("Tracing.tracingComplete", lambda answer: ended.append(answer))  # noqa: PLW0108 - playwright marks what it is given
    session.send("Tracing.start", {"categories": "toplevel", "transferMode": "ReportEvents"})
    page.get_by_role("checkbox", name="All sectors").check()
    expect(page.locator("#key li")).to_have_count(N_SECTORS)
    page.locator("#together .plot").focus()
    for key in ("ArrowUp", "ArrowRight", "0"):
        page.keyboard.press(key)
        page.wait_for_timeout(100)
    session.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(100)
    print(f"longest task: {longest_task(events):.0f} ms")
    assert longest_task(events) < MAX_TASK_MS
