"""The real page in a real Chromium, in front of the one-machine stack with two small cubes of one star."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tessera.sky.wcs import frame_wcs
from tessera.tess.ids import CcdId
from tessera_cloud import keys
from tessera_local.stack import Stack
from tests.support.frames import NamedFrame, centred_wcs, spoc_frame
from tests.support.horizons import Query, horizons, observer_table, recorded

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

SHAPE = (60, 50)
STAR = (30, 25)
"""Row and column of the star."""
N_FRAMES = 48
PERIOD = 0.25
FLAGS = {5: 32, 40: 4096}
CUBES = {CcdId(1, 4, 2): 1325.3, CcdId(2, 4, 2): 1354.1}
"""First time of each cube; both look at the same place."""
MAX_SECONDS = 15_000
"""Patience of the browser, in milliseconds: the machine may be busy."""


def chromium() -> str | None:
    """The browser that is installed."""
    named = os.environ.get("TESSERA_CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.xdist_group("page"))


def brightness(cadence: int) -> float:
    """Of the star: an eclipse of 30 % around phase 0."""
    phase = (cadence / 48 / PERIOD + 0.5) % 1 - 0.5
    return 1.0 - 0.3 * bool(abs(phase) < 0.1)


def star_frame(ccd_id: CcdId, first: float, cadence: int) -> NamedFrame:
    rows, columns = np.indices(SHAPE)
    profile = np.exp(-((rows - STAR[0]) ** 2 + (columns - STAR[1]) ** 2) / 2.0)
    noise = np.random.default_rng([ccd_id.sector, cadence]).normal(scale=0.5, size=SHAPE)
    flux = (100 + 1000 * brightness(cadence) * profile + noise).astype(np.float32)
    return spoc_frame(
        sector=ccd_id.sector,
        camera=ccd_id.camera,
        ccd=ccd_id.ccd,
        cadence_index=cadence,
        flux=flux,
        error=np.full(SHAPE, 0.5, dtype=np.float32),
        wcs_cards=centred_wcs(SHAPE),
        tstart=first + cadence / 48,
        tstop=first + (cadence + 1) / 48,
        dquality=FLAGS.get(cadence, 0),
    )


@dataclass
class Site:
    """What is served, and where the star is."""

    stack: Stack
    ra: float
    dec: float

    @property
    def url(self) -> str:
        return self.stack.url

    @property
    def target(self) -> str:
        """Address of the view of the star."""
        return f"{self.url}/?ra={self.ra}&dec={self.dec}"


WANDERER = "4242 Wanderer (2018 XY)"


def ephemeris(query: Query) -> tuple[int, str]:
    """Of something that stays close to the star; nothing else is known."""
    if "wanderer" not in query["COMMAND"].lower():
        return 200, recorded("unknown")
    first, last = (float(query[name].removeprefix("JD")) for name in ("START_TIME", "STOP_TIME"))
    days = np.arange(first, last + 1e-6, float(query["STEP_SIZE"].removesuffix("h")) / 24)
    ra, dec = star_position()
    return 200, observer_table(WANDERER, [(float(day), ra + 1e-3 * float(day % 1), dec) for day in days])


def star_position() -> tuple[float, float]:
    ra, dec = frame_wcs(dict(centred_wcs(SHAPE))).all_pix2world([[STAR[1], STAR[0]]], 0)[0]
    return float(ra), float(dec)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, chromium_path: str) -> Iterator[Site]:
    ra, dec = star_position()
    with (
        horizons(ephemeris) as (jpl, _),
        Stack(tmp_path_factory.mktemp("tessera-page"), environment={"TESSERA_HORIZONS_URL": jpl}) as stack,
    ):
        for ccd_id, first in CUBES.items():
            for cadence in range(N_FRAMES):
                name, data = star_frame(ccd_id, first, cadence)
                key = keys.frame("tess/public/ffi/", name)
                stack.s3.put_object(Bucket=stack.bucket("FfiBucket"), Key=key, Body=data)
            ended = stack.wait(stack.start_build(ccd_id.sector, ccd_id.camera, ccd_id.ccd), timeout=120)
            assert ended.status == "SUCCEEDED", ended
        yield Site(stack, round(ra, 5), round(dec, 5))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: install it, or name it in TESSERA_CHROMIUM")
    return path


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - absent where the tests are skipped

    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"]) as browser,
    ):
        expect.set_options(timeout=MAX_SECONDS)
        yield browser


@dataclass
class Visit:
    """A page, and what the browser had to say about it."""

    page: Page
    site: Site
    troubles: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    forgiven: str = "nothing"
    """Complaints with this text are what the test is about: a browser notes each answer that is an error."""
    elsewhere: tuple[str, ...] = ()
    """Addresses of other servers that the test lets the page ask."""

    def open(self, address: str = "") -> Page:
        """Go there, and wait until the page is ready."""
        self.page.goto(address or self.site.url)
        self.page.wait_for_selector("html[data-ready]")
        return self.page

    def open_star(self, more: str = "") -> Page:
        """The view of the star with its preview."""
        page = self.open(f"{self.site.target}{more}")
        page.wait_for_selector(".sector:not([aria-busy]) .plot canvas, .together .plot canvas")
        return page

    def settle(self) -> None:
        """Wait until no preview is being asked for, and all that came are in the light curve of all sectors."""
        self.page.wait_for_timeout(400)
        self.page.wait_for_selector(".sector[aria-busy], #together[aria-busy]", state="detached")


@pytest.fixture
def visit(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A fresh visitor; fails where the browser complained or something came from elsewhere."""
    options: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "accept_downloads": True}
    options |= getattr(request, "param", {})
    with browser.new_context(**options) as context:
        context.set_default_timeout(MAX_SECONDS)
        page = context.new_page()
        visitor = Visit(page, site)
        page.on("console", lambda m: visitor.troubles.extend([m.text] if m.type in ("error", "warning") else []))
        page.on("pageerror", lambda error: visitor.troubles.append(str(error)))
        page.on("dialog", lambda dialog: visitor.troubles.append(f"dialog {dialog.message}"))
        page.on("request", lambda each: visitor.requests.append(each))  # noqa: PLW0108 - playwright marks what it is given
        yield visitor
        foreign = [each.url for each in visitor.requests if not each.url.startswith((site.url, "blob:", "data:"))]
        allowed = (site.stack.s3_endpoint, *visitor.elsewhere)
        assert [url for url in foreign if not url.startswith(allowed)] == []
        assert [text for text in visitor.troubles if visitor.forgiven not in text] == []


@pytest.fixture(scope="module")
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """The page for the tests of a file that call functions of its modules."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(site.url)
        page.wait_for_selector("html[data-ready]")
        yield page


def run(page: Page, module: str, call: str, *values: Any) -> Any:
    """Evaluate an expression with `m`, a module of the page, and `values`."""
    return page.evaluate(f'async (values) => {{ const m = await import("/js/{module}"); return {call} }}', list(values))


Curve = dict[str, Any]


def fluxes(curve: Curve) -> NDArray[np.float64]:
    return np.array(curve["flux"], dtype=float)
