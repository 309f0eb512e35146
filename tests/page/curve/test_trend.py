"""The trend of a light curve, which the service takes away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tessera.lightcurves.detrending.vector_files import vectors_fits
from tessera.lightcurves.detrending.vectors import CotrendingVectors
from tessera.tess.quality import SCATTERED_LIGHT
from tessera_cloud import measure_keys
from tests.page.conftest import N_FRAMES, Site, Visit, run
from tests.page.test_look import query_of, shown

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

CUBE = "tess-s0001-4-2"


@pytest.fixture
def vectors(site: Site) -> Iterator[None]:
    """Cotrending vectors of the cube of sector 1, which is too small to have some; those of sector 2 are missing."""
    s3, bucket = site.stack.s3, site.stack.bucket("CubeBucket")
    found = s3.list_objects_v2(Bucket=bucket, Prefix="cubes/")["Contents"]
    [cube] = [each["Key"] for each in found if each["Key"].endswith(f"{CUBE}-cube.fits")]
    key = measure_keys.beside(cube, "-vectors.fits")
    values = np.sin(np.arange(N_FRAMES) / 3.0)[np.newaxis]
    made = CotrendingVectors(np.arange(N_FRAMES) / 48, None, np.zeros(N_FRAMES, bool), values)
    s3.put_object(Bucket=bucket, Key=key, Body=vectors_fits(made, [], 4, 2))
    yield
    s3.delete_object(Bucket=bucket, Key=key)


def test_the_trend_is_taken_away_or_the_panel_says_why_not(visit: Visit, vectors: None) -> None:
    visit.forgiven = "status of 400"
    page = visit.open_star(f"&cubes={CUBE},tess-s0002-4-2")
    trend = page.locator("#detrend")
    assert trend.input_value() == "none"
    page.get_by_label("Trend", exact=True).select_option("PLD")
    first, second = page.locator(shown(visit)), page.locator(shown(visit, "tess-s0002-4-2"))
    for panel in (first, second):
        expect(panel.locator(".facts")).to_contain_text("without the trend by pld: ")
        assert "detrend=pld" in str(panel.get_by_role("link", name="Light curve as CSV").get_attribute("href"))
    assert query_of(visit)["detrend"] == ["pld"]
    trend.select_option("cbv")
    expect(first.locator(".facts")).to_contain_text("without the trend by cbv: 1 cotrending vectors")
    expect(second.locator(".messages [role=status]")).to_contain_text(
        "The light curve keeps its trend: detrend is 'cbv'; allowed: none or pld for this cube, because there are no"
    )
    expect(second.locator(".facts")).not_to_contain_text("without the trend")
    expect(second.locator("canvas.frame").first).to_be_visible()
    assert "detrend" not in str(second.get_by_role("link", name="Light curve as CSV").get_attribute("href"))
    page.get_by_role("button", name="tessera", exact=True).click()
    program = page.locator("#snippet pre")
    expect(program).to_contain_text(f'"{CUBE}": urlopen("{visit.site.url}/v1/cubes/{CUBE}/vectors.fits").read(),')
    expect(program).not_to_contain_text("tess-s0002-4-2/vectors.fits")
    trend.select_option("none")
    expect(first.locator(".facts")).not_to_contain_text("without the trend")
    expect(second.locator(".messages")).to_be_empty()


def test_a_link_and_other_programs_have_the_trend(page: Page) -> None:
    assert run(page, "state.js", "m.readState('?detrend=pld').detrend") == "pld"
    assert "detrend is " in run(page, "state.js", "m.readAddress('?detrend=best').wrong")[0]
    call = "m.messagesOf('curves', values[0], [{ cube: values[1] }], { ...values[0], apertures: {} }, 'http://x')"
    order = {"ra": 1, "dec": 2, "size": [9, 9], "background": "rows", "detrend": "pld"}
    [message] = run(page, "samp/items.js", call, order, CUBE)
    assert "background=rows&detrend=pld" in message["types"][0]["params"]["url"]
    words = run(page, "curve/quality.js", "values.map(m.explain)", SCATTERED_LIGHT, SCATTERED_LIGHT + 32)
    assert words == ["scattered light at the target", "momentum dump, scattered light at the target"]
