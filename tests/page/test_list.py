"""Lists of targets: give a list, see its price, begin, watch, cancel, download."""

from __future__ import annotations

from typing import Any

import pytest

from tests.page.conftest import Visit
from tests.page.test_modules import run

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def page(browser: Any, site: Any) -> Any:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.url}/?view=list")
        page.wait_for_selector("html[data-ready]")
        yield page


@pytest.mark.parametrize(
    ("head", "form"),
    [
        ("ra,dec\n1,2\n", "csv"),
        ("\ufeff# a comment\nra,dec\n", "csv"),
        ("# %ECSV 1.0\n# ---\n", "ecsv"),
        ('\ufeff<?xml version="1.0"?>\n<VOTABLE>', "votable"),
        ("\n <votable version='1.4'>", "votable"),
        ("PAR1\u0015\u0004", "parquet"),
        (' [{"ra": 1}]', "json"),
        ("pi Men\n", "csv"),
    ],
)
def test_a_list_is_known_by_its_first_characters(page: Any, head: str, form: str) -> None:
    assert run(page, "list/source.js", "m.formOf(values[0])", head) == form


def test_a_list_is_uploaded_if_its_rows_or_bytes_are_too_many_for_a_body(page: Any) -> None:
    rows = "# note\nra,dec\n" + "1,2\n" * 10_000
    call = "[m.isLong(10, values[0], 'csv'), m.isLong(10, values[0] + '3,4', 'csv'), m.isLong(4000001, '', 'parquet')]"
    assert run(page, "list/source.js", call, rows) == [False, True, True]


@pytest.mark.parametrize(
    ("typed", "sectors"), [("", None), ("all", None), ("3", [3]), ("14-16, 1;15", [1, 14, 15, 16]), ("99999", [99999])]
)
def test_sectors_are_numbers_and_ranges(page: Any, typed: str, sectors: list[int] | None) -> None:
    assert run(page, "list/options.js", "m.parseSectors(values[0])", typed) == sectors


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"rows": "0"}, {"rows": 'The height of a window is a whole number of pixels from 1 to 101; "0" is not.'}),
        (
            {"columns": "1.5"},
            {"columns": 'The width of a window is a whole number of pixels from 1 to 101; "1.5" is not.'},
        ),
        (
            {"rows": ""},
            {"rows": "The height of a window is a whole number of pixels from 1 to 101; the field is empty."},
        ),
        (
            {"columns": "102"},
            {"columns": 'The width of a window is a whole number of pixels from 1 to 101; "102" is not.'},
        ),
        ({"sectors": "0"}, {"sectors": 'Sectors are whole numbers from 1, such as 1, 14-16; "0" is not.'}),
        ({"sectors": "5-3"}, {"sectors": 'Sectors are whole numbers from 1, such as 1, 14-16; "5-3" is not.'}),
        ({"sectors": "1-99999"}, {"sectors": 'Sectors are whole numbers from 1, such as 1, 14-16; "1-99999" is not.'}),
        ({"aperture": "own", "digits": "0xff"}, {"digits": "The aperture is written in hexadecimal digits"}),
        ({"aperture": "own", "digits": ""}, {"digits": "the field is empty"}),
        ({"aperture": "all", "digits": "what"}, {}),
        ({"outputs": []}, {"outputs": "Tick at least one product."}),
    ],
)
def test_a_field_that_is_wrong_says_what_is_allowed(page: Any, fields: dict[str, Any], told: dict[str, str]) -> None:
    found = run(page, "list/options.js", "m.problemsOf({...m.DEFAULTS, ...values[0]})", fields)
    assert set(found) == set(told)
    assert all(text in found[name] for name, text in told.items())


def test_options_at_their_defaults_are_not_said_and_those_without_effect_neither(page: Any) -> None:
    call = "m.optionsOf({...m.DEFAULTS, ...values[0]})"
    assert run(page, "list/options.js", call, {}) == {"outputs": ["parquet"], "size": [11, 11]}
    no_files = {"layout": "slim", "packing": "files", "digits": "ff"}
    assert run(page, "list/options.js", call, no_files) == {"outputs": ["parquet"], "size": [11, 11]}
    all_said: dict[str, Any] = {
        "outputs": ["tpf", "lightcurves"],
        "rows": "5",
        "columns": " 7",
        "sectors": "2-3",
        "aperture": "own",
    }
    all_said |= {"digits": " FF ", "background": False, "layout": "slim", "packing": "files", "best": True}
    assert run(page, "list/options.js", call, all_said | {"product": "TICA"}) == {
        "outputs": ["tpf", "lightcurves"],
        "size": [5, 7],
        "sectors": [2, 3],
        "aperture": "ff",
        "background": False,
        "product": "TICA",
        "layout": "slim",
        "packing": "files",
        "best_only": True,
    }


def test_an_address_names_a_running_list_in_its_fragment(page: Any) -> None:
    job = "0123456789abcdef" * 2
    call = "(() => { const s = m.readState(values[0], values[1]); return [s.view, s.bulk, m.writeState(s)] })()"
    assert run(page, "state.js", call, "", f"#bulk={job}") == ["list", job, f"?view=list#bulk={job}"]
    assert run(page, "state.js", call, "?view=list", "#content") == ["list", None, "?view=list"]
    assert run(page, "state.js", call, "", "#bulk=../../v1/builds") == ["look", None, ""]


def test_a_list_that_is_missing_is_asked_for_and_wrong_fields_get_the_focus(visit: Visit) -> None:
    page = visit.open(f"{visit.site.url}/?view=list")
    page.get_by_role("button", name="Show the price").click()
    page.wait_for_selector("#list-source-error [role=alert]")
    assert page.locator("#list-source-error").inner_text() == "Give a file, or paste a table."
    page.locator("#list-text").fill("ra,dec\n1,2\n")
    page.get_by_role("textbox", name="Sectors").fill("two")
    page.get_by_role("textbox", name="Sectors").press("Tab")
    page.get_by_role("button", name="Show the price").click()
    assert "whole numbers from 1" in page.locator("#list-sectors-error").inner_text()
    assert page.evaluate("document.activeElement.id") == "list-sectors"
    assert page.locator("#list-sectors").get_attribute("aria-invalid") == "true"
    page.locator("#list-sectors").fill("2")
    assert page.locator("#list-sectors-error").inner_text() == ""
