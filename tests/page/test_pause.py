"""The page says that the service is paused, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

FOLDER = Path(__file__).parents[2] / "page"
HOST = "https://page.example"
REASON = "the service is paused: we move to another region"


@pytest.mark.parametrize(("paused", "shown"), [({"reason": REASON}, REASON), (None, "")])
def test_the_page_shows_the_reason_of_a_pause(browser: Any, paused: dict[str, str] | None, shown: str) -> None:
    answers = {"/v1/health": {"paused": paused}, "/v1/map": {"sectors": []}}

    def answer(route: Any) -> None:
        path = urlsplit(route.request.url).path
        if path in answers:
            route.fulfill(body=json.dumps(answers[path]), content_type="application/json")
        else:
            route.fulfill(path=FOLDER / path.lstrip("/"))

    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/*", answer)
        with page.expect_response(f"{HOST}/v1/health"):
            page.goto(f"{HOST}/index.html")
        page.wait_for_selector("html[data-ready=yes]")
        page.wait_for_function("text => document.getElementById('pause-message').innerText === text", arg=shown)
