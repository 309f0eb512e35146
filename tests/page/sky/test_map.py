"""The map: what is behind it, what is under the pointer, and where it zooms."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord, get_constellation

from tests.page.conftest import Visit

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

_BEHIND = """
async () => {
  const { loadBehind } = await import("/js/sky/behind.js");
  const { vectorOf } = await import("/js/sky/frames.js");
  const { fromVector } = await import("/js/sky/coordinates.js");
  const behind = await loadBehind();
  const mean = (lat) => {
    let sum = 0;
    for (let lon = 0; lon < 360; lon += 5) sum += behind.glow.at(...vectorOf("galactic", lon, lat));
    return sum / 72;
  };
  return {
    glow: [-60, -30, 0, 30, 60].map(mean),
    bulge: behind.glow.at(...vectorOf("galactic", 2, -3)),
    brightest: fromVector(behind.stars[0].vector),
    names: behind.names.map(({ text, vector }) => ({ text, ...fromVector(vector) })),
  };
}
"""
_PIXELS = """
() => {
  const canvas = document.getElementById("map");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from({ length: 2000 }, (_, i) => data[4 * Math.floor((i * data.length) / 8000)]);
}
"""


@pytest.fixture
def behind(visit: Visit) -> Any:
    visit.open().wait_for_selector("#map[data-behind]")
    return visit.page.evaluate(_BEHIND)


def test_the_milky_way_is_where_astropy_has_the_galaxy(behind: Any) -> None:
    south, below, plane, above, north = behind["glow"]
    assert max(south, below, above, north) < 2
    assert plane > 40
    assert behind["bulge"] > 150


def test_stars_and_names_are_where_they_are(behind: Any) -> None:
    sirius = SkyCoord("6:45:08.9 -16:42:58", unit=("hourangle", "deg"))
    assert SkyCoord(**behind["brightest"], unit="deg").separation(sirius).arcmin < 1
    names = {each["text"]: (each["ra"], each["dec"]) for each in behind["names"]}
    assert len(names) > 80
    for name in ("Orion", "Ursa Major", "Octans", "Mensa", "Cygnus"):
        assert get_constellation(SkyCoord(*names[name], unit="deg")) == name


def test_what_is_behind_is_painted_and_the_map_works_without_it(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    visit.page.route("**/data/sky/figures.json", lambda route: route.fulfill(status=503))
    page = visit.open()
    page.wait_for_timeout(300)
    bare = np.array(page.evaluate(_PIXELS))
    page.unroute("**/data/sky/figures.json")
    visit.open().wait_for_selector("#map[data-behind]")
    page.wait_for_timeout(300)
    painted = np.array(page.evaluate(_PIXELS))
    assert np.mean(bare != painted) > 0.05


def test_the_ccd_under_the_pointer_is_named(visit: Visit) -> None:
    page = visit.open(f"{visit.site.url}")
    page.locator("#map").focus()
    page.keyboard.press("+")
    words = page.locator("#map-words")
    expect(words).to_have_text(re.compile(r": sectors 1 \(4-2\), 2 \(4-2\)$"))
    call = 'async (ccds) => (await import("/js/sky/skymap.js")).describe({ ra: 1, dec: -2 }, ccds)'
    assert page.evaluate(call, [{"sector": 3, "camera": 1, "ccd": 4}]) == "1 \u22122: sector 3, camera 1, CCD 4"
