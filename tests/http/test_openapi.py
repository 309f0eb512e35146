"""The published document: current, valid, true to the template, and shown on a page that needs nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tessera_cloud.http.documents.openapi import DOCUMENT, GROUPS, build_document, format_document
from tests.support.api import BASE, ROUTES, Api


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    paths = build_document()["paths"]
    return {(method.upper(), path): body for path, methods in paths.items() for method, body in methods.items()}


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == format_document(), (
        "run python -m tessera_cloud.http.documents.openapi"
    )


def test_it_says_which_requests_must_be_signed() -> None:
    assert {key for key, body in operations().items() if "security" in body} == {
        (method, path) for method, path, _, signed in ROUTES if signed
    }
    assert {path for _, path, _, signed in ROUTES if signed} == {"/v1/builds", "/v1/builds/{build}"}


def test_an_operation_is_behind_the_function_that_has_it() -> None:
    tags = {path: group.tag for group in GROUPS for operation, _ in group.operations for path in [operation.path]}
    for _, path, function, _ in ROUTES:
        assert (function == "cutout_api") == (tags[path] in ("TESSCut", "Cutouts", "Previews"))


def test_names_are_used_once_and_references_lead_somewhere() -> None:
    document = build_document()
    names = [body["operationId"] for body in operations().values()]
    assert len(names) == len(set(names))
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert references <= set(document["components"]["schemas"])


def test_schemas_are_those_of_json_schema() -> None:
    for schema in build_document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_says_what_goes_wrong() -> None:
    for body in operations().values():
        assert {"400", "500", "503"} <= set(body["responses"])


def test_it_is_served_with_the_address_of_the_server(api: Api) -> None:
    answer = api.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["servers"] == [{"url": BASE}]


@pytest.mark.parametrize("path", ["/docs", "/"])
def test_a_page_asks_nobody_else(api: Api, path: str) -> None:
    answer = api.get(path)
    text = answer.content.decode()
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in text
    addresses = re.findall(r'(?:href|src)="?([^"> ]+)', text)
    assert addresses
    assert all(address.startswith((BASE, "#")) for address in addresses)


def test_the_page_shows_every_operation_and_every_shape(api: Api) -> None:
    text = api.get("/docs").content.decode()
    for _, path in operations():
        assert f"<code>{path}</code>" in text
    targets = set(re.findall(r'href="#([^"]+)"', text))
    assert targets <= set(re.findall(r'id="?([^"> ]+)', text))


def test_an_address_in_a_page_is_no_way_in(api: Api) -> None:
    from tests.support.api import proxy_event  # noqa: PLC0415

    for path in ("/", "/docs"):
        event = proxy_event("GET", path, path, "")
        event["headers"]["Host"] = '"><script>alert(1)</script>'
        assert "<script" not in api.handlers.invoke("service_api", event)["body"]
