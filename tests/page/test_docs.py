"""The page of the API: its forms ask the service itself, and the code that it shows gets the same answer."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from typing import Any

import pytest

from tests.page.conftest import Visit
from tests.template.documents import ROOT

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

AXE = ROOT / "tools/node_modules/axe-core/axe.min.js"
PHONE = {"viewport": {"width": 360, "height": 740}}


def open_docs(visit: Visit, operation: str = "") -> Any:
    """The page, with the form of an operation if one is named."""
    page = visit.open(f"{visit.site.url}/docs{f'#{operation}' if operation else ''}")
    if operation:
        page.wait_for_selector(f"#{operation} form")
        return page.locator(f"#{operation}")
    return page


def code_of(part: Any, language: str) -> str:
    part.get_by_role("radio", name=language).check()
    text: str = part.locator(".code pre").inner_text()
    return text


def run_curl(command: str) -> str:
    return subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True, timeout=30).stdout


def run_python(program: str) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(program, {})
    return said.getvalue()


def run_javascript(page: Any, program: str) -> str:
    call = (
        f"async () => {{ let said; const console = {{ log: (text) => {{ said = text; }} }}; {program}; return said; }}"
    )
    text: str = page.evaluate(call)
    return text


@pytest.mark.parametrize(
    "fields",
    [
        {"get_cubes": {"limit": "1", "product": "SPOC"}, "get_cube": {"cube": "tess-s0002-4-2"}},
        {"tesscut_sector_post": {}, "plan_list": {}},
    ],
)
def test_the_code_in_three_languages_gets_the_answer_of_the_form(
    visit: Visit, fields: dict[str, dict[str, str]]
) -> None:
    for operation, values in fields.items():
        part = open_docs(visit, operation)
        for name, value in values.items():
            field = part.locator(f"#{operation}-{name}")
            field.select_option(value) if name == "product" else field.fill(value)
        part.get_by_role("button", name="Send").click()
        expect(part.locator(".answer .message")).to_contain_text("200")
        answer = json.loads(part.locator(".answer pre").inner_text())
        assert json.loads(run_curl(code_of(part, "curl"))) == answer
        assert json.loads(run_python(code_of(part, "Python"))) == answer
        assert json.loads(run_javascript(visit.page, code_of(part, "JavaScript"))) == answer


def test_what_is_wrong_is_said_in_the_words_of_the_service(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    part = open_docs(visit, "get_footprints")
    part.locator("#get_footprints-ra").fill("400")
    part.get_by_role("button", name="Send").click()
    expect(part.locator(".answer .message.error")).to_contain_text("400")
    expect(part.locator(".answer pre")).to_contain_text("ra is '400'")
    part = open_docs(visit, "get_cube")
    part.locator("#get_cube-cube").fill(" ")
    part.get_by_role("button", name="Send").click()
    expect(part.get_by_role("alert")).to_have_text("Give cube first.")
    assert not [request for request in visit.requests if "/v1/cubes/" in request.url]


def test_a_picture_is_shown_and_a_file_can_be_saved(visit: Visit) -> None:
    part = open_docs(visit, "get_preview_png")
    for name, value in (("ra", visit.site.ra), ("dec", visit.site.dec)):
        part.locator(f"#get_preview_png-{name}").fill(str(value))
    part.get_by_role("button", name="Send").click()
    expect(part.locator(".answer img")).to_be_visible()
    assert part.locator(".answer img").evaluate("image => image.naturalWidth") > 10
    with visit.page.expect_download() as caught:
        part.get_by_role("link", name="Save").click()
    assert caught.value.suggested_filename == "answer.png"


def test_the_filter_leaves_what_has_the_words_and_a_key_leads_to_it(visit: Visit) -> None:
    page = open_docs(visit)
    page.keyboard.press("/")
    page.keyboard.type("footprint region position")
    shown = page.locator(".operation:visible")
    expect(shown).to_have_count(1)
    expect(shown).to_have_attribute("id", "get_footprints")
    expect(page.locator("#count")).to_have_text("1 operation")


def test_the_page_leads_home_and_keeps_the_theme_of_the_web_page(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="Use dark colours").click()
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("link", name="API").first.click()
    page.wait_for_selector("html[data-ready][data-base]")
    assert page.evaluate(ground) == dark
    page.get_by_role("link", name="Explore").click()
    page.wait_for_selector("#map")


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_a_phone_shows_the_page_without_scrolling_sideways(visit: Visit) -> None:
    part = open_docs(visit, "get_cutouts")
    part.get_by_role("button", name="Send").scroll_into_view_if_needed()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there: make tools/node_modules/.done")
def test_axe_finds_nothing_in_the_page_in_either_theme(visit: Visit) -> None:
    open_docs(visit, "post_cutouts")
    visit.page.evaluate(AXE.read_text(encoding="utf-8"))
    for _ in range(2):
        found: dict[str, Any] = visit.page.evaluate("axe.run()")
        assert {each["id"]: [node["html"][:160] for node in each["nodes"]][:3] for each in found["violations"]} == {}
        visit.page.locator("#theme").click()
