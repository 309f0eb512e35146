"""The search box: positions in other frames, suggestions, and lists that are dropped."""

from __future__ import annotations

from itertools import product
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from astropy.coordinates import SkyCoord

from tests.page.conftest import Visit, run

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

FRAMES = {"galactic": "galactic", "ecliptic": "barycentricmeanecliptic"}
PLACES = [(0.0, 0.0), (120.0, -30.0), (286.6, -29.7), (-10.5, 89.9), (359.99, -90.0)]
SPELLINGS = {
    "galactic": ["gal {} {}", "galactic {}, {}", "l={} b={}", "L {}, B {}", "glon={} glat={}", "{} {} galactic"],
    "ecliptic": ["ecl {} {}", "Ecliptic: {} {}", "lon={} lat={} ecliptic", "{} {} (ecl)"],
}
NO_POSITIONS = ["L 98-59", "LB 3", "GJ 357", "galaxy 12 3", "Eclipse 1 2", "gal 5h 3d", "l=12"]
NAMES = ["binary", "pi Men", "WASP-12", "WASP-121", "WASP-126", "Deneb Kaitos", "WASP-12"]


def suggestions(page: Any) -> Any:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


@pytest.mark.parametrize("frame", FRAMES)
def test_positions_in_other_frames_are_those_of_astropy(page: Any, frame: str) -> None:
    pairs = list(product(SPELLINGS[frame], PLACES))
    typed = [spelling.format(*place) for spelling, place in pairs]
    read = run(page, "sky/frames.js", "values[0].map(m.readPosition)", typed)
    for (_, place), found in zip(pairs, read, strict=True):
        sky = SkyCoord(*place, unit="deg", frame=FRAMES[frame]).icrs
        assert found["frame"] == frame
        assert sky.separation(SkyCoord(found["ra"], found["dec"], unit="deg")).arcsec < 0.01
        position = {"ra": sky.ra.deg, "dec": sky.dec.deg}
        back = run(page, "sky/frames.js", "m.fromIcrs(values[0], values[1])", frame, position)
        again = SkyCoord(back["lon"], back["lat"], unit="deg", frame=FRAMES[frame]).icrs
        assert sky.separation(again).arcsec < 0.01


def test_what_is_no_position_in_another_frame_is_told_or_left_to_the_service(page: Any) -> None:
    assert run(page, "sky/frames.js", "values[0].map(m.readPosition)", NO_POSITIONS) == [None] * len(NO_POSITIONS)
    call = "values[0].map((typed) => { try { m.readPosition(typed) } catch (error) { return error.message } })"
    assert run(page, "sky/frames.js", call, ["gal 400 0", "ecl 10 -95"]) == [
        "galactic longitude is 400; allowed: -360 to 360 degrees",
        "ecliptic latitude is -95; allowed: -90 to 90 degrees",
    ]


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("was", ["WASP-12", "WASP-121", "WASP-126"]),
        ("wasp 121", ["WASP-121"]),
        ("kait", ["Deneb Kaitos"]),
        ("binray", ["binary"]),
        ("bi", ["binary"]),
        ("xyz", []),
        ("261136679", ["TIC 261136679"]),
        ("123", []),
        ("98.2164 -75.9018", ["98.2164 \u221275.9018"]),
        ("gal 0 0", ["266.40499 \u221228.93618"]),
        ("gal 0 95", []),
    ],
)
def test_what_is_suggested(page: Any, typed: str, suggested: list[str]) -> None:
    known = [{"name": name, "about": ""} for name in NAMES]
    found = run(page, "sky/suggest.js", "m.suggest(values[0], values[1])", typed, known)
    assert [each["text"] for each in found] == suggested


def test_a_suggestion_is_chosen_by_keyboard(visit: Visit) -> None:
    page = visit.open()
    box, options = page.get_by_role("combobox", name="Position or name"), suggestions(page)
    box.press_sequentially("si")
    expect(options.filter(has_text="Sirius")).to_have_count(1)
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("Escape")
    expect(options).to_have_count(0)
    expect(box).to_have_value("si")
    box.fill("")
    box.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    star = SkyCoord(visit.site.ra, visit.site.dec, unit="deg").barycentricmeanecliptic
    box.fill(f"{star.lon.deg:.6f} {star.lat.deg:.6f} ecliptic")
    box.press("ArrowDown")
    expect(options).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", options.get_attribute("id") or "none")
    box.press("Enter")
    expect(page.locator("#cubes tr")).to_have_count(2)
    expect(options).to_have_count(0)


def test_a_suggestion_is_chosen_by_mouse_and_says_where_it_is(visit: Visit) -> None:
    star = SkyCoord(visit.site.ra, visit.site.dec, unit="deg").galactic
    page = visit.open()
    page.locator("#query").fill(f"l={star.l.deg:.6f} b={star.b.deg:.6f}")
    suggestions(page).filter(has_text="galactic").click()
    expect(page.locator("#cubes tr")).to_have_count(2)
    found = parse_qs(urlsplit(page.url).query)
    assert SkyCoord(float(found["ra"][0]), float(found["dec"][0]), unit="deg").separation(star.icrs).arcsec < 0.1


def test_a_name_with_a_slip_is_corrected_by_all_that_are_suggested(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    page = visit.open()
    box = page.locator("#query")
    box.press_sequentially("Siriu")
    expect(suggestions(page)).to_contain_text("Sirius")
    box.fill("Sirrus")
    box.press("Enter")
    expect(page.locator("#search-message").get_by_role("button", name="Sirius")).to_be_visible()


def test_a_target_has_its_place_in_other_frames(visit: Visit) -> None:
    star = SkyCoord(visit.site.ra, visit.site.dec, unit="deg")
    shown = visit.open(visit.site.target).locator("#target-place")
    for frame, astropy in FRAMES.items():
        sky = star.transform_to(astropy).spherical
        expect(shown).to_contain_text(f"{frame} {sky.lon.deg:.2f} {sky.lat.deg:+.2f}".replace("-", "\u2212"))


def test_a_list_dropped_anywhere_opens_the_lists(visit: Visit) -> None:
    page = visit.open()
    drop = """(text) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text], "stars.csv"));
      const options = { dataTransfer, bubbles: true, cancelable: true };
      const send = (kind) => document.getElementById("map").dispatchEvent(new DragEvent(kind, options));
      send("dragover");
      const shown = document.body.classList.contains("dropping");
      send("drop");
      return [shown, document.body.classList.contains("dropping")];
    }"""
    assert page.evaluate(drop, f"ra,dec\n{visit.site.ra},{visit.site.dec}\n") == [True, False]
    expect(page.locator("#list-chosen-name")).to_contain_text("stars.csv")
    expect(page.locator("#list-plan-body")).to_contain_text("Cutouts2 from 2 cubes")
    assert parse_qs(urlsplit(page.url).query)["view"] == ["list"]
