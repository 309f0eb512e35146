"""A page of another address reads the API, its errors and the results to which it redirects, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.page.conftest import Site

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

FETCH = """async ([url, options]) => {
  const answer = await fetch(url, options);
  const body = new Uint8Array(await answer.arrayBuffer());
  return { status: answer.status, start: String.fromCharCode(...body.slice(0, 300)), size: body.length,
           headers: Object.fromEntries(answer.headers) };
}"""
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def elsewhere(browser: Any, site: Site) -> Iterator[Any]:
    """A page at another origin: the same server under another name."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(site.url.replace("127.0.0.1", "localhost") + "/openapi.json")
        yield page


def fetch(page: Any, url: str, **options: Any) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate(FETCH, [url, options])
    return answer


def test_answers_and_errors_may_be_read(elsewhere: Any, site: Site) -> None:
    place = f"ra={site.ra}&dec={site.dec}"
    for path, status in (
        ("/v1/cubes", 200),
        (f"/v1/cutouts?{place}&size=3", 200),
        (f"/tesscut/api/v0.1/sector?{place}", 200),
        ("/openapi.json", 200),
        ("/js/base/api.js", 200),
        ("/v1/cubes?limit=0", 400),
        ("/v1/cubes/none", 404),
        ("/v1/nothing", 404),
        ("/nothing", 404),
    ):
        assert fetch(elsewhere, site.url + path)["status"] == status, path


def test_a_body_that_the_browser_asks_about_first_is_sent(elsewhere: Any, site: Site) -> None:
    body = f'{{"position": {{"ra": {site.ra}, "dec": {site.dec}}}, "size": 3}}'
    answer = fetch(elsewhere, f"{site.url}/v1/cutouts", method="POST", headers=JSON, body=body)
    assert (answer["status"], answer["start"][:2]) == (200, "PK")
    assert "filename=" in answer["headers"]["content-disposition"]


def test_the_page_is_told_again_only_what_has_changed(elsewhere: Any, site: Site) -> None:
    first = fetch(elsewhere, f"{site.url}/v1/map")
    again = fetch(
        elsewhere, f"{site.url}/v1/map", headers={"If-None-Match": first["headers"]["etag"]}, cache="no-store"
    )
    assert (first["status"], again["status"]) == (200, 304)


def test_a_redirection_to_results_is_followed(elsewhere: Any, site: Site) -> None:
    body = f'{{"position": {{"ra": {site.ra}, "dec": {site.dec}}}, "size": 4}}'
    job = fetch(elsewhere, f"{site.url}/v1/jobs", method="POST", headers=JSON, body=body)
    assert (job["status"], job["headers"]["location"][:30]) == (202, f"{site.url}/v1/jobs/"[:30])
    answer = fetch(elsewhere, f"{job['headers']['location']}/wait")
    assert (answer["status"], answer["start"][:2]) == (200, "PK")
    assert answer["size"] > 1000


def test_head_has_no_body_and_a_slash_at_the_end_is_another_path(elsewhere: Any, site: Site) -> None:
    head = fetch(elsewhere, f"{site.url}/v1/cubes", method="HEAD")
    assert (head["status"], head["size"]) == (200, 0)
    answer = fetch(elsewhere, f"{site.url}/v1/cubes/")
    assert (answer["status"], '"no such path' in answer["start"]) == (404, True)


def test_builds_may_not_be_started_by_other_pages(elsewhere: Any, site: Site) -> None:
    refused = elsewhere.evaluate(
        "async (url) => { try { await fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json'},"
        " body: '{}'}); return ''; } catch (error) { return error.name; } }",
        f"{site.url}/v1/builds",
    )
    assert refused == "TypeError"
