"""The document as a page: complete, and with nothing of other servers."""

from __future__ import annotations

import html
import json
import re

import pytest

from tessera_cloud.http.documents.docs_page import SITE
from tests.support.api import BASE, OPERATIONS, Api, proxy_event


def text_of(api: Api, path: str = "/docs") -> str:
    return api.get(path).content.decode()


def test_the_commands_of_the_documentation_find_something(api: Api) -> None:
    commands = re.findall(r'curl [^"]*"([^"]+)"', html.unescape(text_of(api)))
    answers = [api.get(command) for command in commands]
    assert len(answers) == 3
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len(answers[0].json()["results"]) == len(answers[2].files) == 2


@pytest.mark.parametrize("path", ["/docs", "/"])
def test_a_page_asks_nobody_else_and_has_nothing_inline(api: Api, path: str) -> None:
    answer = api.get(path)
    text = answer.content.decode()
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "<style" not in text
    assert re.findall(r"<script[^>]*></script>", text) == re.findall(r"<script.*?</script>", text, re.DOTALL)
    addresses = re.findall(r'(?:href|src)="?([^"> ]+)', text)
    assert addresses
    assert all(address.startswith((BASE, "#", "data:,")) for address in addresses)


def test_each_file_of_the_page_is_served_with_its_type(api: Api) -> None:
    named = set(re.findall(rf'(?:href|src)="{BASE}(/docs/[^"]+)"', text_of(api)))
    seen: set[str] = set()
    while waiting := named - seen:
        for path in waiting:
            answer = api.get(path)
            wanted = "text/css" if path.endswith(".css") else "text/javascript"
            assert (answer.status, answer.headers["content-type"]) == (200, f"{wanted}; charset=UTF-8")
            assert answer.headers["etag"]
            named |= {f"/docs/{name}" for name in re.findall(r'from "\./([^"]+)"', answer.content.decode())}
        seen |= waiting
    assert seen == {f"/docs/{path.name}" for path in SITE.iterdir()}


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fopenapi.json", "openapi.json", "main", "__init__.py"])
def test_no_other_file_is_served(api: Api, name: str) -> None:
    answer = api.get(f"/docs/{name}")
    assert answer.status == 404
    assert "allowed: a file that /docs names" in answer.json()["error"]["message"]


def test_the_page_shows_every_operation_and_every_shape(api: Api) -> None:
    text = text_of(api)
    for _, path in OPERATIONS:
        assert f"<code>{path}</code>" in text
    targets = set(re.findall(r'href="#([^"]+)"', text))
    identifiers = re.findall(r'id="?([^"> ]+)', text)
    assert targets <= set(identifiers)
    assert len(identifiers) == len(set(identifiers))


def test_every_operation_can_be_tried(api: Api) -> None:
    document = json.loads(text_of(api, "/openapi.json"))
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert sorted(re.findall(r'data-operation="([^"]+)"', text_of(api))) == sorted(names)


def test_the_page_shows_code_as_code(api: Api) -> None:
    text = text_of(api)
    assert "<code>layout</code>" in text
    assert "<code>slim</code> leaves out those that are constant" in text
    assert "`" not in text


def test_an_address_in_a_page_is_no_way_in(api: Api) -> None:
    for path in ("/", "/docs"):
        event = proxy_event("GET", path, path, "")
        event["headers"]["Host"] = '"><script>alert(1)</script>'
        assert "alert(1)" not in api.handlers.invoke("service_api", event)["body"]


def test_a_browser_that_has_the_page_is_told_so(api: Api) -> None:
    tag = api.get("/docs").headers["etag"]
    event = proxy_event("GET", "/docs", "/docs", "")
    event["headers"]["If-None-Match"] = tag
    assert api.handlers.invoke("service_api", event)["statusCode"] == 304
