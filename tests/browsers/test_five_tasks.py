"""Five things that people come for take a minute and eight actions at most. An action is a click, a key or a text."""

from __future__ import annotations

import io
import json
import re
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from astropy.io import fits

from tests.page.conftest import Site, browser
from tests.support.archives import file_names

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

MOST_ACTIONS, MOST_SECONDS = 8, 60
START_SECONDS = 300
PATIENCE = 30_000


class Person:
    """Somebody at the page, whose actions are counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.actions = page, 0

    def click(self, locator: Any) -> None:
        self.actions += 1
        locator.click()

    def press(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def search(self, text: str) -> None:
        """Type a text and press Enter, and wait for the light curve."""
        self.actions += 2
        self.page.locator("#query").fill(text)
        self.page.keyboard.press("Enter")
        self.wait_for_plot()

    def download(self, button: str) -> bytes:
        with self.page.expect_download() as found:
            self.press(button)
        return Path(found.value.path()).read_bytes()

    def wait_for_plot(self) -> None:
        self.page.wait_for_selector(".sector:not([aria-busy]) .plot canvas")


@contextmanager
def visited(browser: Browser, url: str) -> Iterator[Person]:
    """A person at the start of a page who has not been here before, and who is done in time."""
    with browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True) as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(url)
        person, began = Person(page), time.monotonic()
        yield person
        assert person.actions <= MOST_ACTIONS
        assert time.monotonic() - began <= MOST_SECONDS


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the stack that `make local` starts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("demonstration")
    words = [sys.executable, "-m", "tessera_local", "start", "--port", str(port), "--home", str(folder / "home")]
    log = folder / "start.log"
    with log.open("wb") as output, subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT) as process:
        try:
            end = time.monotonic() + START_SECONDS
            while "Tessera is ready" not in log.read_text(encoding="utf-8"):
                assert process.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < end, log.read_text(encoding="utf-8")
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()


def test_find_the_period_of_the_binary(browser: Browser, demonstration: str) -> None:
    with visited(browser, demonstration) as person:
        person.click(person.page.locator("#example-list a").first)
        person.wait_for_plot()
        person.click(person.page.get_by_role("radio", name="Folded"))
        person.press("Find the period")
        person.page.wait_for_selector("#period-search li")
        period = person.page.locator("#period")
        if float(period.input_value()) < 0.2:  # both eclipses are dips, so the best wave has half of the period
            person.click(person.page.locator("#double-period"))
        assert float(period.input_value()) == pytest.approx(0.27, abs=0.003)


def percent(text: str) -> float:
    return float(text.removeprefix("< ").removesuffix(" %"))


def test_tell_whether_a_neighbour_contaminates(browser: Browser, demonstration: str) -> None:
    with visited(browser, demonstration) as person:
        person.search("crowded")
        summary = person.page.locator(".stars summary")
        expect(summary).to_contain_text("contamination")
        person.click(summary)
        rows = person.page.locator(".stars tbody tr")
        expect(rows.first).to_contain_text("(target)")
        shares = [percent(text) for text in rows.locator("td:nth-child(2)").all_inner_texts()]
        told = re.search(r"(\S+ %) of the light", summary.inner_text())
        assert told
        assert len(shares) > 1
        assert 100 - shares[0] == pytest.approx(percent(told[1]), abs=0.6)


def files_in(archive: bytes) -> list[Any]:
    """Tables of pixels of the target pixel files in an archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        return [fits.getdata(io.BytesIO(members.read(name)), 1) for name in file_names(members)]


def test_take_all_sectors_of_a_star(browser: Browser, site: Site) -> None:
    with visited(browser, site.url) as person:
        person.search(f"{site.ra} {site.dec}")
        person.click(person.page.locator("#all-cubes"))
        assert len(files_in(person.download("Download"))) == 2


def test_take_only_quiet_cadences(browser: Browser, site: Site) -> None:
    with visited(browser, site.url) as person:
        person.search(f"{site.ra} {site.dec}")
        person.click(person.page.locator("#good"))
        file = person.download("Download")
        table = fits.getdata(io.BytesIO(file), 1) if file.startswith(b"SIMPLE") else files_in(file)[0]
        assert len(table) == 46
        assert not table["QUALITY"].any()


def test_continue_in_python(browser: Browser, site: Site) -> None:
    with visited(browser, site.url) as person:
        person.search(f"{site.ra} {site.dec}")
        notebook = json.loads(person.download("Notebook"))
        programs = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert any(str(site.ra) in program for program in programs)
        assert all(compile(program, "cell", "exec") for program in programs if not program.startswith("%"))
