"""Take pictures of every view of the page, at three widths and in both themes, for people to look at.

Usage: python take_screenshots.py [FOLDER] [--home HOME] [--pictures]

The pictures show the one-machine stack with its demonstration: the stack that runs on HOME, or else one that this
script starts. With --pictures, it replaces the two pictures in the README and the strip of docs/guide/service/page.md
instead.
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]
WIDTHS = {"wide": (1440, 900), "tablet": (820, 1100), "phone": (390, 844)}
THEMES = ("light", "dark")
BINARY = "?name=binary&ra=98.2164&dec=-75.9018"
PLOT = ".sector:not([aria-busy]) .plot canvas, .together:not([hidden]) .plot canvas"
_UNSTICK = "bars => { for (const bar of bars) bar.style.position = 'static'; }"
"""The bar would be amid the picture."""
START_SECONDS = 600
SETTLE_MS = 500


def _start(_page: "Page") -> None:
    """Do nothing."""


def _wait_for_plot(page: "Page") -> None:
    page.wait_for_selector(PLOT)


def _take_job(page: "Page") -> None:
    _wait_for_plot(page)
    page.get_by_role("button", name="Start a job").click()
    page.wait_for_selector(".job[data-status='succeeded']", timeout=120_000)


def _change_aperture(page: "Page") -> None:
    _wait_for_plot(page)
    frame = page.locator("canvas.frame").first
    frame.focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp", "Space", "ArrowRight", "Space"):
        page.keyboard.press(key)
    page.wait_for_timeout(SETTLE_MS)
    _wait_for_plot(page)


def _open_neighbours(page: "Page") -> None:
    _wait_for_plot(page)
    page.locator(".stars summary").click()


def _copy(page: "Page") -> None:
    _wait_for_plot(page)
    page.get_by_role("button", name="astroquery").click()


def _search_in_vain(page: "Page") -> None:
    page.locator("#query").fill("no such star")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-message [role=alert]")


def _suggest(page: "Page") -> None:
    page.locator("#query").press_sequentially("wasp")
    page.locator("#suggestions li").nth(1).wait_for()
    page.keyboard.press("ArrowDown")


def _point_at_ccd(page: "Page") -> None:
    page.wait_for_selector("#map[data-behind]")
    page.locator("#map").focus()
    for _ in range(4):
        page.keyboard.press("+")


def _wait_for_message(page: "Page") -> None:
    page.wait_for_selector("#target-message p")


def _wait_for_builds(page: "Page") -> None:
    page.wait_for_selector("#builds-list progress, #builds-list .state")


def _find_period(page: "Page") -> None:
    page.wait_for_selector(".together:not([hidden]) .plot canvas, " + PLOT)
    page.get_by_role("button", name="Find the period").click()
    page.wait_for_selector("#period-search li")


def _show_price(page: "Page") -> None:
    page.locator("#list-text").fill(
        "name,ra,dec\nbinary,98.2164,-75.9018\npulsator,78.2234,-74.6666\nnorth,10,80\nwhere,x,1\n"
    )
    page.get_by_role("button", name="Show the price").click()
    page.wait_for_selector("#list-plan:not([hidden])")


def _try_preview(page: "Page") -> None:
    form = page.locator("#get_preview form")
    for name, value in (("ra", "98.2164"), ("dec", "-75.9018")):
        form.locator(f"#get_preview-{name}").fill(value)
    form.get_by_role("button", name="Send").click()
    page.wait_for_selector("#get_preview .answer pre")


View = tuple[str, Callable[["Page"], None]]
VIEWS: dict[str, View] = {
    "builds": ("?view=builds", _wait_for_builds),
    "start": ("", _start),
    "target": (BINARY, _wait_for_plot),
    "aperture": (BINARY, _change_aperture),
    "neighbours": ("?name=crowded&ra=104.1508&dec=-74.2061", _open_neighbours),
    "folded": (f"{BINARY}&show=folded&period=0.27", _wait_for_plot),
    "periods": (f"{BINARY}&show=folded", _find_period),
    "grey": (f"{BINARY}&colours=negative&unit=relative&size=9,21", _wait_for_plot),
    "nothing": ("?ra=10&dec=80", _wait_for_message),
    "error": ("", _search_in_vain),
    "suggestions": ("", _suggest),
    "map": ("", _point_at_ccd),
    "job": (BINARY, _take_job),
    "copy": (BINARY, _copy),
    "list": ("?view=list", _show_price),
    "api": ("docs#get_preview", _try_preview),
}
PICTURES = {"page-light.png": ("folded", "light"), "page-dark.png": ("target", "dark")}
"""View and theme of the pictures in the README."""
STRIP = [
    ("suggestions", "body"),
    ("target", ".frames"),
    ("neighbours", ".stars"),
    ("periods", "#period-search"),
    ("target", "#notebook"),
]
"""Views of the strip, on a phone, and what each shows at the top."""
GAP = 10


def _shoot(browser: "Browser", url: str, path: Path, *, view: str, width: str, theme: str) -> None:
    address, prepare = VIEWS[view]
    size = dict(zip(("width", "height"), WIDTHS[width], strict=True))
    with browser.new_context(viewport=size, color_scheme=theme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{url}/{address}")
        page.wait_for_selector("html[data-ready]")
        prepare(page)
        page.locator(".take").evaluate_all(_UNSTICK)
        page.wait_for_timeout(SETTLE_MS)
        page.screenshot(path=path, full_page=view != "api")


def _make_strip(browser: "Browser", url: str, path: Path) -> None:
    """Put the steps from a name to a notebook beside each other, as on a film."""
    width, height = WIDTHS["phone"]
    with Image.new("RGB", (len(STRIP) * (width + GAP) + GAP, height + 2 * GAP), "#1c232b") as strip:
        for number, (view, top) in enumerate(STRIP):
            address, prepare = VIEWS[view]
            with browser.new_context(viewport={"width": width, "height": height}, color_scheme="light") as context:
                page = context.new_page()
                page.goto(f"{url}/{address}")
                prepare(page)
                page.locator(top).first.evaluate(
                    "(each) => each.scrollIntoView({ block: 'start', behavior: 'instant' })"
                )
                page.evaluate("scrollBy(0, -12)")
                page.wait_for_timeout(SETTLE_MS)
                strip.paste(Image.open(io.BytesIO(page.screenshot())), (GAP + number * (width + GAP), GAP))
        strip.quantize(256).save(path, optimize=True)


@contextlib.contextmanager
def _service(home: Path) -> Iterator[str]:
    """Address of the service on a home. If none runs, it is started, and stopped at the end."""
    running = home / "running.json"
    process = None
    if not running.exists():
        command = [sys.executable, "-m", "tessera_local", "start", "--port", "0", "--home", str(home)]
        process = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not running.exists():
            if time.monotonic() > deadline or (process and process.poll() is not None):
                raise SystemExit("the one-machine stack does not start")
            time.sleep(0.5)
        yield str(json.loads(running.read_text(encoding="utf-8"))["url"])
    finally:
        if process:
            process.terminate()
            process.wait()


def _start_build(url: str) -> None:
    """Start a build, so that the view of builds has one."""
    body = json.dumps({"sector": 1, "camera": 4, "ccd": 2}).encode()
    request = urllib.request.Request(f"{url}/v1/builds", data=body, headers={"Content-Type": "application/json"})  # noqa: S310
    urllib.request.urlopen(request).close()  # noqa: S310 - of loopback


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "build" / "screenshots")
    parser.add_argument("--home", type=Path, default=ROOT / ".local")
    parser.add_argument("--pictures", action="store_true", help="make the pictures of the README and the docs")
    options = parser.parse_args()
    chromium = os.environ.get("TESSERA_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")  # noqa: TID251
    if not chromium:
        raise SystemExit("no Chromium on this machine: install it, or name it in TESSERA_CHROMIUM")
    options.folder.mkdir(parents=True, exist_ok=True)
    with _service(options.home) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        if options.pictures:
            for name, (view, theme) in PICTURES.items():
                _shoot(browser, url, ROOT / "docs" / "pictures" / name, view=view, width="wide", theme=theme)
            _make_strip(browser, url, ROOT / "docs" / "pictures" / "page-strip.png")
            return
        _start_build(url)
        for view in VIEWS:
            for theme in THEMES:
                for width in WIDTHS:
                    path = options.folder / f"{view}-{width}-{theme}.png"
                    _shoot(browser, url, path, view=view, width=width, theme=theme)
        print(f"{len(VIEWS) * len(THEMES) * len(WIDTHS)} pictures in {options.folder}")


if __name__ == "__main__":
    main()
