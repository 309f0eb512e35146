"""The frame player: the numbers against numpy, and the film beside its light curve."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
import requests

from tessera.lightcurves.photometry import PixelSeries, background_series
from tests.page.conftest import CUBES, FLAGS, N_FRAMES, PERIOD, STAR, Site, Visit, run

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

N_LONG = 12_000
MAX_WORK_MS = 30.0
"""On a machine that is busy; one that is free needs some 2 ms."""
RECORD = [("time", "<f8"), ("cadence", "<i4"), ("quality", "<i4"), ("flux", "<f4", (4, 5))]
MASK = [[0, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
_MAKE = """(() => {
  const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0)).buffer;
  const cadences = new m.Cadences(values[1], 4, 5);
  let first = 0;
  for (const text of values[0]) first += cadences.add(first, bytes(text));
  return cadences;
})()"""
_LONG = """
async ([n, seconds]) => {
  const { Cadences } = await import("/js/player/cadences.js");
  const { Player } = await import("/js/player/player.js");
  const { LightCurve } = await import("/js/curve/lightcurve.js");
  const cadences = new Cadences(n, 15, 15);
  for (let i = 0; i < n; i += 1) cadences.time[i] = 1325 + i * 200 / 86400;
  cadences.flux.forEach((_, i) => { cadences.flux[i] = 100 + (i * 7919) % 997; });
  const curve = new LightCurve({ title: "long" });
  const onFrame = (time) => curve.marker.mark("long", time);
  const place = { first: { row: 0, column: 0 }, target: { row: 7, column: 7 }, wcs: null };
  const about = { title: "long", place, units: "e-/s", timeSystem: "BTJD" };
  const player = new Player({ ...about, cadences, onFrame, onStill: () => {}, onClose: () => {} });
  document.querySelector("main").prepend(player.node, curve.node);
  const time = Array.from(cadences.time);
  const ones = time.map(() => 1);
  curve.show([{ time, flux: time.map(Math.sin), error: ones, quality: time.map(() => 0), name: "long" }]);
  const mask = Array.from({ length: 15 }, () => new Array(15).fill(0));
  await player.paint({ flagged: true, bits: 65535, exclude: [], stretch: "asinh", colours: "viridis" }, mask);
  player.speed = 60;
  const [work, between, seen] = [new Map(), [], new Set()];
  const ask = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (run) => ask((now) => {
    const start = performance.now();
    run(now);
    work.set(now, (work.get(now) ?? 0) + performance.now() - start);
  });
  player.toggle();
  let before = null;
  for (const start = performance.now(); performance.now() - start < seconds * 1000;) {
    const now = await new Promise(ask);
    if (before !== null) between.push(now - before);
    before = now;
    seen.add(player.course.index);
  }
  player.close();
  window.requestAnimationFrame = ask;
  curve.node.remove();
  const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
  return { work: middle([...work.values()]), between: middle(between), frames: seen.size / seconds };
}
"""


@pytest.fixture(scope="module")
def records() -> Any:
    """Some cadences with flags, stray light, and a column beyond the edge."""
    rng = np.random.default_rng(3)
    made = np.zeros(31, RECORD)
    made["time"], made["cadence"] = 1325.3 + np.arange(31) / 48, 4697 + np.arange(31)
    made["quality"][[3, 20]] = 32, 4096
    made["flux"] = rng.normal(100, 5, (31, 4, 5)) + 10 * np.arange(31)[:, None, None]
    made["flux"][:, 1, 1] += 500 * rng.random(31)
    made["flux"][:, :, 4] = np.nan
    return made


def packed(records: Any, *cuts: int) -> list[str]:
    """Answers of the service, cut into pieces; the second and later ones have a record of provenance behind them."""
    files: list[str] = []
    for piece in np.split(records, cuts):
        content = io.BytesIO()
        np.save(content, piece)
        if files:
            np.save(content, np.array([(b"{}", b"4c3e")], [("record", "S2"), ("sha256", "S4")]))
        files.append(base64.b64encode(content.getvalue()).decode())
    return files


def numbers(page: Any, records: Any, call: str) -> Any:
    """Call a function of values.js with the cadences `c`, NaN as None."""
    made = f"(async () => {{ const c = {_MAKE}; const v = await import('/js/player/values.js'); return {call} }})()"
    return run(page, "player/cadences.js", made, packed(records, 10), len(records), MASK)


def test_pieces_of_a_numpy_file_are_read_as_numpy_reads_them(page: Any, records: Any) -> None:
    call = "(({time, cadence, quality, flux}) => [time, cadence, quality, flux].map((each) => Array.from(each)))"
    found = run(page, "player/cadences.js", f"{call}({_MAKE})", packed(records, 7, 19), len(records))
    for name, values in zip(("time", "cadence", "quality", "flux"), found, strict=True):
        assert np.array_equal(np.array(values, records[name].dtype), records[name].ravel(), equal_nan=True), name


def test_what_is_no_file_of_frames_is_told(page: Any, records: Any) -> None:
    call = "((make) => { try { make() } catch (error) { return error.message } })(() => " + _MAKE + ")"
    whole = base64.b64decode(packed(records)[0])
    for content, message in [(b"<html>", "something else"), (whole[:-1], "not complete")]:
        text = base64.b64encode(content).decode()
        assert message in run(page, "player/cadences.js", call, [text], len(records))
    assert "not those of this window" in run(page, "player/cadences.js", call, packed(records), len(records) - 1)


def test_background_median_and_limits_are_those_of_numpy(page: Any, records: Any) -> None:
    series = PixelSeries(np.moveaxis(records["flux"], 0, -1), None, np.isfinite(records["flux"][0]))
    background = background_series(series, np.array(MASK, bool))
    assert background is not None
    assert numbers(page, records, "Array.from(await v.backgroundOf(c, values[2]))") == pytest.approx(
        background.tolist()
    )
    good = records["quality"] == 0
    clean = records["flux"].astype(float) - background[:, None, None]
    median = np.median(clean[good], axis=0).ravel()
    measured = "const b = await v.backgroundOf(c, values[2]), d = await v.medianOf(c, b)"
    both = "[d, v.valuesOf(c, 5, { background: b, median: d })].map((each) => Array.from(each))"
    found = numbers(page, records, f"(async () => {{ {measured}; return {both} }})()")
    np.testing.assert_allclose(np.array(found[0], float), median, rtol=1e-6)
    np.testing.assert_allclose(np.array(found[1], float), clean[5].ravel() - median, atol=1e-4)
    low, high = numbers(page, records, "v.limitsOf(c, {})")
    assert (low, high) == pytest.approx(tuple(np.nanpercentile(records["flux"][good], [0.5, 99.5])))
    reach = np.nanpercentile(np.abs(clean[good] - median.reshape(4, 5)), 99.5)
    limits = numbers(
        page, records, f"(async () => {{ {measured}; return v.limitsOf(c, {{ background: b, median: d }}) }})()"
    )
    assert limits == pytest.approx([-reach, reach])


def test_the_course_of_time_begins_again_and_stops_at_the_ends_by_hand(page: Any) -> None:
    call = """(() => {
      const cadences = { time: Float64Array.of(1, 2, 3, 4, 5), quality: Int32Array.of(0, 0, 32, 0, 0) };
      const course = new m.Course(cadences, values[0]);
      const moves = { advance: [0.6, 0.6, 1, 4], step: [-9, 99], seek: [3.2] };
      return Object.entries(moves).flatMap(([name, values]) => values.map((value) => {
        course[name](value);
        return course.index;
      }));
    })()"""
    assert run(page, "player/course.js", call, True) == [0, 1, 2, 1, 0, 4, 2]
    assert run(page, "player/course.js", call, False) == [0, 1, 3, 3, 0, 4, 3]


def test_twelve_thousand_frames_are_smooth(page: Any) -> None:
    page.add_script_tag(url="vendor/uplot/uPlot.iife.min.js")
    found = page.evaluate(_LONG, [N_LONG, 1])
    print(
        f"{found['work']:.2f} ms of work and {found['between']:.1f} ms between frames; {found['frames']:.0f} frames/s"
    )
    assert found["work"] < MAX_WORK_MS


# -- the film beside its light curve -----------------------------------------------------------------------------------


def truth(site: Site) -> Any:
    query: dict[str, str | float] = {"cube": "tess-s0001-4-2", "ra": site.ra, "dec": site.dec, "size": "15,15"}
    answer = requests.get(f"{site.url}/v1/preview.npy", params=query, timeout=30)
    return np.load(io.BytesIO(answer.content))


def open_player(visit: Visit, more: str = "") -> Any:
    """Open the player and stop it at its first frame."""
    page = visit.open_star(more)
    page.get_by_role("button", name="Play the frames of Sector 1, camera 4, CCD 2").click()
    player = page.locator(".player")
    player.get_by_role("button", name="Pause").click()
    player.get_by_role("slider").press("Home")
    return player


def marked(visit: Visit, place: str = ".sector") -> float:
    """Where the mark is in the light curve, as a part of its width."""
    box = visit.page.locator(f"{place} .marker").bounding_box()
    over = visit.page.locator(f"{place} .u-over").bounding_box()
    assert box is not None
    assert over is not None
    return float((box["x"] + box["width"] / 2 - over["x"]) / over["width"])


def part_of(frame: int) -> float:
    """Where a frame is in a light curve that shows all frames, with its margins."""
    return (frame / (N_FRAMES - 1) + 0.015) / 1.03


def test_frames_play_and_step_and_mark_the_light_curve(visit: Visit) -> None:
    player = open_player(visit)
    frames = truth(visit.site)
    slider = player.get_by_role("slider")
    expect(player.locator(".readout").first).to_contain_text(f"BTJD {frames['time'][0]:.5f}\nframe 1 of {N_FRAMES}")
    assert marked(visit) == pytest.approx(part_of(0), abs=0.01)
    slider.press("ArrowRight")
    player.get_by_role("button", name="Next frame").press("End")
    expect(player.locator(".readout").first).to_contain_text("frame 48 of 48")
    player.get_by_role("button", name="Play").press("Home")
    player.get_by_role("button", name="Frame before").press("ArrowRight")
    player.get_by_role("button", name="Next frame").click()
    expect(player.locator(".readout").first).to_contain_text("frame 3 of 48")
    assert marked(visit) == pytest.approx(part_of(2), abs=0.01)
    player.locator("canvas.frame").hover(position={"x": 3, "y": 3})
    value = f"row {STAR[0] + 7}, column {STAR[1] - 7}\n{frames['flux'][2, -1, 0]:.1f}"
    expect(player.locator(".readout").last).to_contain_text(value)
    slider.press("Space")
    expect(player.get_by_role("button", name="Pause")).to_be_visible()
    expect(player.locator(".readout").first).not_to_contain_text("frame 3 of 48")
    slider.fill("9")
    expect(player.locator(".readout").first).to_contain_text("frame 10 of 48")
    player.get_by_role("button", name="Close").click()
    expect(visit.page.locator(".marker")).to_be_hidden()
    visit.page.wait_for_url(lambda address: "frame=" not in address)
    expect(visit.page.get_by_role("button", name="Play the frames of Sector 1")).to_be_focused()


def test_the_light_curve_leads_to_frames(visit: Visit) -> None:
    player = open_player(visit)
    over = visit.page.locator(".sector .u-over")
    box = over.bounding_box()
    assert box is not None
    over.click(position={"x": part_of(30) * box["width"] + 2, "y": 40})
    expect(player.locator(".readout").first).to_contain_text("frame 31 of 48")
    y = box["y"] + 60
    visit.page.mouse.move(box["x"] + part_of(30) * box["width"], y)
    visit.page.mouse.down()
    for frame in range(29, 19, -1):
        visit.page.mouse.move(box["x"] + part_of(frame) * box["width"], y)
    visit.page.mouse.up()
    expect(player.locator(".readout").first).to_contain_text("frame 21 of 48")
    assert marked(visit) == pytest.approx(part_of(20), abs=0.01)
    visit.page.locator(".sector .plot").press("]")
    expect(player.locator(".readout").first).not_to_contain_text("frame 21 of 48")


def test_the_address_has_the_frame(visit: Visit) -> None:
    open_player(visit).get_by_role("slider").fill("12")
    visit.page.wait_for_url("**frame=tess-s0001-4-2:1325.56042*")
    player = visit.open(visit.page.url).locator(".player")
    expect(player.locator(".readout").first).to_contain_text("frame 13 of 48")
    expect(player.get_by_role("button", name="Play")).to_be_visible()
    assert marked(visit) == pytest.approx(part_of(12), abs=0.01)
    visit.open(f"{visit.site.target}&frame=tess-s0001-4-2:9999")
    expect(visit.page.get_by_role("alert")).to_contain_text("for the frame at 9999; the frames are from 13")
    visit.open(f"{visit.site.target}&frame=tess-s0001-4-2")
    expect(visit.page.get_by_role("alert")).to_contain_text("frame is")


def test_flagged_frames_are_told_or_left_out(visit: Visit) -> None:
    player = open_player(visit)
    first = min(FLAGS)
    slider = player.get_by_role("slider")
    slider.fill(str(first))
    expect(player.locator(".flags")).to_contain_text("momentum dump")
    visit.page.locator("#flagged").uncheck()
    expect(slider).to_have_attribute("max", str(N_FRAMES - len(FLAGS) - 1))
    slider.fill(str(first))
    expect(player.locator(".readout").first).to_contain_text(f"frame {first + 2} of 48")
    expect(player.locator(".flags")).to_be_empty()


def test_differences_have_the_same_limits_in_all_frames(visit: Visit) -> None:
    player = open_player(visit)
    player.get_by_label("Show").select_option("Difference from the median")
    limits = player.locator("figcaption")
    expect(limits).to_contain_text("from \u2212")
    before = limits.inner_text()
    player.get_by_role("slider").fill("20")
    assert limits.inner_text() == before
    visit.page.get_by_role("spinbutton", name="Rows").fill("9")
    visit.page.get_by_role("spinbutton", name="Rows").press("Enter")
    expect(player).to_have_count(0)


def test_the_mark_is_in_the_folded_light_curve_too(visit: Visit) -> None:
    player = open_player(visit, f"&show=folded&period={PERIOD}&epoch=1325.3&cubes=tess-s0001-4-2,tess-s0002-4-2")
    expect(visit.page.locator("#key li")).to_have_count(2)
    times = np.concatenate([first + (np.arange(N_FRAMES) + 0.5) / 48 for first in CUBES.values()])
    phases = (times - 1325.3) / PERIOD
    phases -= np.round(phases)
    margin = 0.015 * np.ptp(phases)
    for frame in (5, 7):
        player.get_by_role("slider").fill(str(frame))
        place = (phases[frame] - phases.min() + margin) / (np.ptp(phases) + 2 * margin)
        assert marked(visit, ".together") == pytest.approx(place, abs=0.01)


def test_what_cannot_be_got_is_told_and_can_be_tried_again(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    page = visit.open_star()
    page.route("**/v1/preview.npy*", lambda route: route.fulfill(status=503, json={"message": "Service Unavailable"}))
    button = page.get_by_role("button", name="Play the frames of Sector 1")
    button.click()
    expect(page.locator(".player-slot [role=alert]")).to_contain_text("busy")
    page.unroute("**/v1/preview.npy*")
    button.click()
    expect(page.locator(".player canvas.frame")).to_be_visible()
    expect(page.locator(".player-slot [role=alert]")).to_have_count(0)
