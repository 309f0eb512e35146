"""The pictures of pixels: what is under the pointer, and apertures by mouse, keyboard and finger."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import requests
from astropy.coordinates import SkyCoord

from tessera.lightcurves.photometry import parse_aperture, threshold_aperture
from tessera.sky.wcs import frame_wcs
from tests.page.conftest import SHAPE, Visit
from tests.support.frames import centred_wcs

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

CUBE = "tess-s0001-4-2"
Mask = np.ndarray[Any, np.dtype[np.bool_]]


class Pixels:
    """The median frame of a visitor, and how to point at its pixels."""

    def __init__(self, visit: Visit, size: int = 15) -> None:
        self.page, self.size = visit.page, size
        self.canvas = self.page.locator("canvas.frame").first
        self.canvas.scroll_into_view_if_needed()

    def at(self, row: float, column: float) -> tuple[float, float]:
        """Where a place of the whole window is on the screen."""
        box = self.canvas.bounding_box()
        assert box
        side = box["width"] / self.size
        return box["x"] + (column + 0.5) * side, box["y"] + box["height"] - (row + 0.5) * side

    def drag(self, *places: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.at(*place))
        self.page.mouse.up()

    def mask(self) -> Mask:
        """The aperture of the address, when it is there."""
        self.page.wait_for_url(re.compile("aperture="))
        text = self.page.evaluate("new URLSearchParams(location.search).get('aperture').split(':')[1]")
        return np.asarray(parse_aperture(text, self.size, self.size))

    def changes(self, run: Callable[[], object]) -> Mask:
        """The aperture of the address after something that changes it."""
        before = self.page.url
        run()
        self.page.wait_for_url(lambda url: url != before)
        return self.mask()


def preview(visit: Visit, **more: str) -> dict[str, Any]:
    query = {"cube": CUBE, "ra": str(visit.site.ra), "dec": str(visit.site.dec), "size": "15"} | more
    found: dict[str, Any] = requests.get(f"{visit.site.url}/v1/preview", params=query, timeout=30).json()
    return found


def test_what_is_under_the_pointer_is_told_without_moving_anything(visit: Visit) -> None:
    page = visit.open_star()
    pixels, found = Pixels(visit), preview(visit)
    words, below = page.locator(".frames .readout"), page.locator(".pixel-tools")
    expect(words).to_contain_text("Click or drag")
    place = below.bounding_box()
    page.mouse.move(*pixels.at(10.3, 2.2))
    row, column = found["window"]["first_row"] + 10, found["window"]["first_column"] + 2
    expect(words).to_contain_text(f"row {row}, column {column} · ")
    assert below.bounding_box() == place
    ra, dec = map(float, words.inner_text().split("· ")[1].splitlines()[0].replace("\u2212", "-").split())
    truth = frame_wcs(dict(centred_wcs(SHAPE))).all_pix2world([[column + 0.2, row + 0.3]], 0)[0]
    distance = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(*truth, unit="deg")).arcsec
    assert distance < 21 / 10, "a pixel is 21 arcseconds wide, and the pointer stands on whole pixels of the screen"
    expect(words).to_contain_text(f"{found['median'][10][2]:.2f} e⁻/s"[:5])
    drawn = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(v => v)"
    for name in ("row-axis", "column-axis", "bar"):
        assert page.locator(f".framed .{name}").first.evaluate(drawn), name


def test_a_stroke_paints_and_is_undone(visit: Visit) -> None:
    page = visit.open_star()
    pixels, before = Pixels(visit), np.array(preview(visit)["aperture"], bool)
    after = pixels.changes(lambda: pixels.drag((1, 1), (1, 4), (3, 4)))
    assert np.argwhere(after & ~before).tolist() == [[1, 1], [1, 2], [1, 3], [1, 4], [2, 4], [3, 4]]
    erased = pixels.changes(lambda: pixels.drag((1, 2), (1, 1)))
    assert np.argwhere(after & ~erased).tolist() == [[1, 1], [1, 2]]
    page.keyboard.press("Control+z")
    expect(page.locator(".pixel-tools")).to_contain_text(f"{after.sum()} pixels")
    page.locator(".pixel-tools").get_by_role("button", name="Undo").click()
    page.wait_for_url(lambda url: "aperture=" not in url)
    expect(page.locator(".pixel-tools").get_by_role("button", name="Undo")).to_be_disabled()
    assert np.array_equal(pixels.changes(lambda: page.keyboard.press("Control+Shift+z")), after)
    assert np.array_equal(pixels.changes(page.locator(".pixel-tools").get_by_role("button", name="Redo").click), erased)
    visit.settle()
    page.reload()
    expect(page.locator(".pixel-tools")).to_contain_text(f"{erased.sum()} pixels")
    assert any(f"aperture={hex_of(erased)}" in request.url for request in visit.requests)


def hex_of(mask: Mask) -> str:
    digits = -(-mask.size // 4)
    return np.packbits(mask.ravel()).tobytes().hex()[:digits]


def test_circles_and_thresholds_are_those_that_are_drawn(visit: Visit) -> None:
    page = visit.open_star()
    pixels, found = Pixels(visit), preview(visit)
    rows, columns = np.indices((15, 15))
    page.get_by_role("radio", name="Circle").check()
    drawn = pixels.changes(lambda: pixels.drag((4, 5), (4, 7), (4, 8)))
    assert np.array_equal(drawn, np.hypot(rows - 4, columns - 5) <= 3)
    page.get_by_label("Radius").fill("0")
    expect(page.locator(".frames .message.error")).to_have_text('The radius in pixels is from 0.5 to 70; "0" is not.')
    smaller = pixels.changes(lambda: page.get_by_label("Radius").fill("1.5"))
    assert np.array_equal(smaller, np.hypot(rows - 4, columns - 5) <= 1.5)
    expect(page.locator(".frames .message.error")).to_be_hidden()
    page.get_by_role("radio", name="Threshold").check()
    page.get_by_label("Above").fill("9")
    star = pixels.changes(page.locator(".pixel-tools").get_by_role("button", name="At the target").click)
    assert np.array_equal(star, threshold_aperture(np.array(found["median"]), 7, 7, 9))
    assert 4 < star.sum() < np.sum(found["aperture"])
    alone = pixels.changes(page.locator(".pixel-tools").get_by_role("button", name="Clear").click)
    assert np.argwhere(alone).tolist() == [[7, 7]]
    visit.settle()


def test_keys_paint_and_zoom(visit: Visit) -> None:
    page = visit.open_star("&size=31")
    pixels, found = Pixels(visit, 31), preview(visit, size="31")
    row, column = (round(found["target"][name] - found["window"][f"first_{name}"]) for name in ("row", "column"))
    pixels.canvas.focus()
    for _ in range(8):
        page.keyboard.press("ArrowUp")
    after = pixels.changes(lambda: page.keyboard.press("Shift+ArrowRight"))
    before = np.array(found["aperture"], bool)
    assert np.argwhere(after ^ before).tolist() == [[row + 8, column], [row + 8, column + 1]]
    for _ in range(5):
        page.keyboard.press("+")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#announcements")).to_contain_text(f"row {found['window']['first_row'] + row + 2}, ")
    picture = pixels.canvas.screenshot()
    page.keyboard.press("0")
    page.wait_for_timeout(100)
    assert pixels.canvas.screenshot() != picture
    visit.settle()


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def fingers(visit: Visit) -> Iterator[Callable[..., None]]:
    """Puts fingers on places, moves them and lifts them."""
    session = visit.page.context.new_cdp_session(visit.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    yield touch
    session.detach()


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_a_finger_hits_a_pixel_and_scrolls_the_page(visit: Visit, fingers: Callable[..., None]) -> None:
    page = visit.open_star()
    pixels, before = Pixels(visit), np.array(preview(visit)["aperture"], bool)
    assert pixels.canvas.bounding_box()["width"] / 15 >= 24  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    after = pixels.changes(lambda: page.touchscreen.tap(*pixels.at(2, 3)))
    assert np.argwhere(before ^ after).tolist() == [[2, 3]]
    expect(page.locator(".frames .readout")).to_contain_text("row ")
    place = page.locator(".pixel-tools").evaluate("tools => tools.offsetTop")
    pixels.canvas.evaluate("canvas => canvas.blur()")
    expect(page.locator(".frames .readout")).to_contain_text("Click or drag")
    assert page.locator(".pixel-tools").evaluate("tools => tools.offsetTop") == place

    def stroke(*places: tuple[float, float]) -> None:
        fingers("touchStart", pixels.at(*places[0]))
        for place in places[1:]:
            fingers("touchMove", pixels.at(*place))
        fingers("touchEnd")

    painted = pixels.changes(lambda: stroke((1, 1), (1, 1.5), (1, 2), (1, 3), (1, 4)))
    assert np.argwhere(after ^ painted).tolist() == [[1, 1], [1, 2], [1, 3], [1, 4]]
    top = page.evaluate("scrollY")
    stroke(*((4 + step / 2, 4) for step in range(9)))
    page.wait_for_function("top => Math.abs(scrollY - top) > 20", arg=top)
    assert np.array_equal(pixels.mask(), painted)
    visit.settle()


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_pixels_that_are_too_small_for_a_finger_grow_first(visit: Visit, fingers: Callable[..., None]) -> None:
    page = visit.open_star("&size=31")
    pixels, before = Pixels(visit, 31), np.array(preview(visit, size="31")["aperture"], bool)
    place = pixels.at(4, 5)
    page.touchscreen.tap(*place)
    page.wait_for_timeout(400)
    assert "aperture=" not in page.url
    after = pixels.changes(lambda: page.touchscreen.tap(*place))
    assert np.argwhere(before ^ after).tolist() == [[4, 5]]  # what grew stays under the finger
    picture = pixels.canvas.screenshot()
    x, y = pixels.at(15, 15)
    fingers("touchStart", (x - 60, y), (x + 60, y))
    for step in range(1, 6):
        fingers("touchMove", (x - 60 + 8 * step, y), (x + 60 - 8 * step, y))
    fingers("touchEnd")
    page.wait_for_timeout(200)
    assert pixels.canvas.screenshot() != picture
    assert np.array_equal(pixels.mask(), after)
    visit.settle()
