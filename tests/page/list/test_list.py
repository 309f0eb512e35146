"""Lists of targets: give a list, see its price, begin, watch, cancel, download."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from astropy.table import Table

from tests.page.conftest import Visit, run

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect


@pytest.mark.parametrize(
    ("head", "form"),
    [
        ("ra,dec\n1,2\n", "text"),
        ("\ufeff# a comment\nra,dec\n", "text"),
        ("# %ECSV 1.0\n# ---\n", "ecsv"),
        ('\ufeff<?xml version="1.0"?>\n<VOTABLE>', "votable"),
        ("\n <votable version='1.4'>", "votable"),
        ("PAR1\u0015\u0004", "parquet"),
        (' [{"ra": 1}]', "json"),
        ("pi Men\n", "text"),
        ("SIMPLE  =                    T", "fits"),
        ("\u001f\ufffd\b", "packed"),
        ("BZh91AY", "packed"),
    ],
)
def test_a_list_is_known_by_its_first_characters(page: Any, head: str, form: str) -> None:
    assert run(page, "list/source.js", "m.formOf(values[0])", head) == form


def test_a_list_is_uploaded_if_its_rows_or_bytes_are_too_many_for_a_body(page: Any) -> None:
    rows = "# note\nra,dec\n" + "1,2\n" * 10_000
    call = (
        "[m.isLong(10, values[0], 'text'), m.isLong(10, values[0] + '3,4', 'text'), m.isLong(4000001, '', 'parquet')]"
    )
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
        ({"epoch": "B1950"}, {"epoch": 'a Julian year from 1800 to 2200, such as 2016.0; "B1950" is not.'}),
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
    all_said |= {
        "digits": " FF ",
        "background": False,
        "layout": "slim",
        "packing": "files",
        "best": True,
        "epoch": "2016.5",
    }
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
        "epoch": 2016.5,
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


def fill(visit: Visit, text: str) -> Any:
    """The view with a pasted table."""
    page = visit.open(f"{visit.site.url}/?view=list")
    page.locator("#list-text").fill(text)
    return page


def show_price(page: Any) -> None:
    page.get_by_role("button", name="Show the price").click()
    page.wait_for_selector("#list-plan:not([hidden])")


def test_a_pasted_list_is_priced(visit: Visit) -> None:
    star = f"{visit.site.ra},{visit.site.dec}"
    page = fill(visit, f"name,ra,dec\nthe star,{star}\nelsewhere,10,80\n<b>bold</b>,10,95\n")
    show_price(page)
    plan = page.locator("#list-plan-body")
    expect(plan).to_contain_text("Targets2 of 3 rows; 1 on no cube")
    expect(plan).to_contain_text("Cutouts2 from 2 cubes")
    expect(plan.locator("tbody tr")).to_contain_text(["3<b>bold</b>ra and dec are"])


def test_a_line_may_be_a_target(visit: Visit) -> None:
    page = fill(visit, f"{visit.site.ra} {visit.site.dec}\n10 80\n")
    show_price(page)
    expect(page.locator("#list-plan-body")).to_contain_text("Targets2 of 2 rows; 1 on no cube")


def test_a_request_may_be_given_as_a_file_and_its_options_count(visit: Visit) -> None:
    page = visit.open(f"{visit.site.url}/?view=list")
    content = json.dumps({"targets": [[visit.site.ra, visit.site.dec]], "sectors": [2]}).encode()
    page.locator("#list-file").set_input_files({"name": "a.json", "mimeType": "", "buffer": content})
    expect(page.locator("#list-plan-body")).to_contain_text("Cutouts1 from 1 cube")


def test_a_file_is_dropped_and_its_price_shown_at_once(visit: Visit) -> None:
    page = visit.open(f"{visit.site.url}/?view=list")
    table = Table({"ra": [visit.site.ra], "dec": [visit.site.dec], "sectors": ["2"]})
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    drop = """(text) => {
      const data = new DataTransfer();
      data.items.add(new File([text], "stars.txt"));
      const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
      document.getElementById("list-drop").dispatchEvent(drop);
    }"""
    page.evaluate(drop, text.getvalue())
    expect(page.locator("#list-chosen-name")).to_contain_text("stars.txt, ECSV")
    expect(page.locator("#list-plan-body")).to_contain_text("Cutouts1 from 1 cube")
    page.locator("#list-sectors").fill("1")
    page.locator("#list-sectors").press("Tab")
    expect(page.locator("#list-plan")).to_be_hidden()
    page.locator("#list-remove").click()
    expect(page.locator("#list-text")).to_be_enabled()


def test_a_list_that_is_too_long_for_a_body_is_uploaded(visit: Visit) -> None:
    star = f"{visit.site.ra},{visit.site.dec}\n"
    page = visit.open(f"{visit.site.url}/?view=list")
    content = ("ra,dec\n" + "10,80\n" * 10_000 + star).encode()
    page.locator("#list-file").set_input_files({"name": "long.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.locator("#list-plan-body")).to_contain_text("10,001 of 10,001 rows; 10,000 on no cube")
    (put,) = [each for each in visit.requests if each.method == "PUT"]
    assert put.url.startswith(visit.site.stack.s3_endpoint)


@pytest.fixture
def planless(site: Any) -> Iterator[None]:
    """The service plans no list meanwhile, so no list ends."""
    limits = site.stack.limits
    others = limits.reserved
    limits.reserved = {**others, "PlanBulkFunction": 0}
    yield
    limits.reserved = others


@pytest.mark.usefixtures("planless")
def test_a_list_is_cancelled_by_the_browser_that_began_it(visit: Visit) -> None:
    page = fill(visit, f"ra,dec\n{visit.site.ra},{visit.site.dec}\n")
    page.get_by_label("A light curve file for each target").check()
    show_price(page)
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".job")).to_contain_text("Cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert "#bulk=" in page.url
    page.reload()
    expect(page.locator(".job")).to_contain_text("Cancelled")
    page.get_by_role("link", name="Give another list").click()
    page.get_by_role("link", name="pasted table").click()
    expect(page.locator(".job")).to_contain_text("Cancelled")


def test_what_the_service_finds_wrong_is_told_beside_the_field(visit: Visit) -> None:
    visit.forgiven = "Failed to load resource"
    page = fill(visit, "ra,height\n1,2\n")
    page.get_by_role("button", name="Show the price").click()
    expect(page.locator("#list-source-error")).to_contain_text("dec")
    expect(page.locator("#list-plan")).to_be_hidden()


def test_a_limit_that_is_exceeded_is_named_and_begin_is_disabled(page: Any) -> None:
    plan = {"rows": 2, "targets": 2, "n_problems": 0, "problems": [], "n_on_no_cube": 0, "cubes": 1, "cutouts": 2}
    plan |= {"duplicates": 1, "requests": 3, "bytes": 4_000_000, "tasks": 1, "minutes": 0.1, "result_bytes": 5_000_000}
    plan |= {"result_files": 4, "usd": 12.5, "usd_parts": {"compute": 12.4, "requests": 0.1}, "allowed": False}
    plan["limits"] = [{"limit": "usd", "value": 12.5, "allowed": 10}, {"limit": "new", "value": 2, "allowed": 1}]
    told = run(page, "list/price.js", "m.planNodes(values[0]).map((node) => node.textContent)", plan)
    assert told[1:] == ["The price is $12.50; at most $10.00 is allowed.", "The limit new is 2; at most 1 is allowed."]
    assert "$12.50 (computing $12.40, reading $0.10)" in told[0]
    assert "1 of them of stars that another CCD of the sector sees better" in told[0]
