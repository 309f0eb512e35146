"""Files: at once, by a job, and by what is copied for a terminal and for Python."""

from __future__ import annotations

import io
import shlex
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from astropy.io import fits

from tests.page.conftest import N_FRAMES, Visit
from tests.support.archives import file_names
from tests.support.client_programs import run_client

if TYPE_CHECKING:
    from playwright.sync_api import Download

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect


def open_files(content: bytes) -> dict[str, tuple[int, ...]]:
    """Shape of FLUX of each target pixel file in an archive."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    shapes = {}
    for name in file_names(archive):
        with fits.open(io.BytesIO(archive.read(name))) as hdus:
            shapes[name[:14]] = hdus["PIXELS"].data["FLUX"].shape
    return shapes


def content_of(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def test_a_download_opens_with_astropy(visit: Visit) -> None:
    page = visit.open_star()
    expect(page.locator("#what")).to_contain_text("1 target pixel file of 15")
    with page.expect_download() as found:
        page.get_by_role("button", name="Download").click()
    assert found.value.suggested_filename.endswith(".zip")
    assert open_files(content_of(found.value)) == {"tess-s0001-4-2": (N_FRAMES, 15, 15)}
    expect(page.locator("#progress")).to_contain_text("Downloaded")


def test_size_time_flags_and_layout_are_those_of_the_form(visit: Visit) -> None:
    page = visit.open_star()
    page.get_by_label("Rows").fill("5")
    page.get_by_label("Columns").fill("7")
    page.get_by_label("Columns").press("Tab")
    page.get_by_role("radio", name="Slim").check()
    page.get_by_label("First BTJD").fill("1325.3")
    page.get_by_label("Last BTJD").fill("1325.5")
    page.get_by_label("Last BTJD").press("Tab")
    page.get_by_label("Leave out flagged cadences").check()
    with page.expect_download() as found:
        page.get_by_role("button", name="Download").click()
    archive = zipfile.ZipFile(io.BytesIO(content_of(found.value)))
    with fits.open(io.BytesIO(archive.read(file_names(archive)[0]))) as hdus:
        table = hdus["PIXELS"].data
        assert table["FLUX"].shape[1:] == (5, 7)
        assert 0 < len(table) < N_FRAMES
        assert (table["TIME"].min() >= 1325.3, table["TIME"].max() <= 1325.5) == (True, True)
        assert table["QUALITY"].tolist() == [0] * len(table)
        assert "FLUX_BKG" not in table.columns.names
    visit.settle()


def test_the_range_in_view_is_taken_over(visit: Visit) -> None:
    page = visit.open_star()
    page.locator(".sector .plot").focus()
    page.keyboard.press("ArrowUp")
    page.get_by_role("button", name="Visible range").click()
    first, last = (float(page.locator(f"#{name}").input_value()) for name in ("first", "last"))
    assert 1325.3 < first < last < 1326.3
    page.wait_for_url("**time=**")


BUTTONS = ("Download", "Start a job", "curl", "astroquery")


@pytest.mark.parametrize(
    ("fields", "place", "told"),
    [
        ({"Rows": "0"}, "#size-error", "whole pixels from 1 to 10,000"),
        ({"Rows": "20000"}, "#size-error", "whole pixels from 1 to 10,000"),
        ({"Rows": "1.5"}, "#size-error", "whole pixels from 1 to 10,000"),
        ({"Rows": "600", "Columns": "600"}, "#size-error", "at most 250,000 in the window"),
        ({"First BTJD": "1500", "Last BTJD": "1400"}, "#time-error", "The first time, 1500, is after the last, 1400."),
        ({"First BTJD": "1400"}, "#time-error", "Give the first and the last BTJD, or neither."),
        ({"First BTJD": "soon", "Last BTJD": "1400"}, "#time-error", '"soon" is not'),
        ({"First BTJD": "2000", "Last BTJD": "2001"}, "#time-error", "No frames of the ticked sectors are between"),
    ],
)
def test_a_field_that_is_wrong_is_told_and_disables_what_uses_it(
    visit: Visit, fields: dict[str, str], place: str, told: str
) -> None:
    page = visit.open_star()
    expect(page.get_by_role("button", name="Download", exact=True)).to_be_enabled()
    for label, value in fields.items():
        page.get_by_label(label).fill(value)
        page.get_by_label(label).press("Tab")
    expect(page.locator(place)).to_contain_text(told)
    for name in BUTTONS:
        expect(page.get_by_role("button", name=name, exact=True)).to_be_disabled()
    for label in ("First BTJD", "Last BTJD"):
        page.get_by_label(label).fill("")
        page.get_by_label(label).press("Tab")
    for label in ("Rows", "Columns"):
        page.get_by_label(label).fill("7")
        page.get_by_label(label).press("Tab")
    expect(page.locator(place)).to_be_empty()
    expect(page.get_by_role("button", name="Download", exact=True)).to_be_enabled()
    expect(page.locator("#what")).to_contain_text("of 7 \u00d7 7 pixels")


def test_a_window_without_a_preview_has_files(visit: Visit) -> None:
    page = visit.open_star()
    page.get_by_label("Rows").fill("120")
    page.get_by_label("Rows").press("Tab")
    expect(page.locator(".sector > .messages")).to_contain_text("more than 100 pixels a side has no preview")
    expect(page.locator("#what")).to_contain_text("of 120 \u00d7 15 pixels")
    with page.expect_download(timeout=60_000) as found:
        page.get_by_role("button", name="Download", exact=True).click()
    assert open_files(content_of(found.value)) == {"tess-s0001-4-2": (N_FRAMES, 120, 15)}


def test_a_size_may_be_an_angle(visit: Visit) -> None:
    page = visit.open_star()
    page.get_by_label("Unit of the size").select_option("arcmin")
    expect(page.get_by_label("Rows")).to_have_value("5.25")
    page.get_by_label("Rows").fill("3.6")
    page.get_by_label("Rows").press("Tab")
    expect(page.get_by_label("Rows")).to_have_value("3.5")
    expect(page.locator("#what")).to_contain_text("of 10 ")
    page.wait_for_url("**size=10,15**")
    visit.settle()


def test_a_job_shows_its_progress_and_gives_its_files(visit: Visit) -> None:
    page = visit.open_star("&cubes=tess-s0001-4-2,tess-s0002-4-2&size=20,21")
    with page.expect_download(timeout=60_000) as found:
        page.get_by_role("button", name="Start a job").click()
        expect(page.locator(".job progress")).to_be_visible()
    expect(page.locator(".job")).to_contain_text("2 of 2 cubes")
    expect(page.locator(".job .files li")).to_have_count(2)
    assert open_files(content_of(found.value)) == {
        "tess-s0001-4-2": (N_FRAMES, 20, 21),
        "tess-s0002-4-2": (N_FRAMES, 20, 21),
    }


def test_an_error_of_the_service_is_told_in_its_words(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    page = visit.open_star("&time=1325.318,1325.322")
    page.get_by_role("button", name="Download").click()
    expect(page.locator("#progress [role=alert]")).to_contain_text("no cadence is left")


@pytest.mark.parametrize("visit", [{"permissions": ["clipboard-read", "clipboard-write"]}], indirect=True)
def test_the_line_for_curl_works(visit: Visit, tmp_path: Path) -> None:
    page = visit.open_star("&size=3,4")
    page.get_by_role("button", name="curl").click()
    expect(page.locator("#snippet")).to_contain_text("Copied for curl")
    line = page.evaluate("navigator.clipboard.readText()")
    assert line == page.locator("#snippet pre").inner_text()
    subprocess.run(shlex.split(line), cwd=tmp_path, check=True, capture_output=True, timeout=60)
    (file,) = tmp_path.iterdir()
    assert open_files(file.read_bytes()) == {"tess-s0001-4-2": (N_FRAMES, 3, 4)}


@pytest.mark.parametrize("moving", [False, True])
def test_the_program_for_astroquery_works(visit: Visit, tmp_path: Path, moving: bool) -> None:
    if moving:
        page = visit.open(f"{visit.site.url}/?name=wanderer&moving=yes&size=3,4")
        page.wait_for_selector("#cubes tr")
    else:
        page = visit.open_star("&size=3,4")
    page.get_by_role("button", name="astroquery").click()
    program = page.locator("#snippet pre").inner_text() + "\nprint(cutouts[0][1].data['FLUX'].shape)\n"
    printed = run_client(tmp_path, "-W", "ignore", "-c", program)
    assert printed.splitlines()[-1] == str((N_FRAMES, 3, 4))


def test_the_programs_are_those_of_the_view(visit: Visit) -> None:
    page = visit.open_star("&size=3,4&time=1325.3,1325.5&good=yes")
    page.get_by_role("button", name="astroquery").click()
    program = page.locator("#snippet pre").inner_text()
    compile(program, "astroquery", "exec")
    assert f"{visit.site.url}/tesscut/api/v0.1/" in program
    assert f"SkyCoord({visit.site.ra}, {visit.site.dec}" in program
    page.get_by_role("button", name="tessera", exact=True).click()
    expect(page.locator("#snippet pre")).to_contain_text("tessera.Client")
    program = page.locator("#snippet pre").inner_text()
    compile(program, "tessera", "exec")
    assert "CutoutOptions(time=(1325.3, 1325.5), quality_mask=65535)" in program
