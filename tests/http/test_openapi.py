"""The published document: current, valid, and true to the template."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tessera_cloud import http
from tessera_cloud.http.documents.openapi import (
    DOCUMENT,
    GROUPS,
    build_document,
    describe_path_parameter,
    format_document,
)
from tessera_cloud.http.framework.operations import Group
from tests.support.api import BASE, OPERATIONS, ROUTES, Api


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    paths = build_document()["paths"]
    return {(method.upper(), path): body for path, methods in paths.items() for method, body in methods.items()}


def test_the_document_is_current() -> None:
    is_current = DOCUMENT.read_text(encoding="utf-8") == format_document()
    assert is_current, "write the document again: make openapi"


def test_it_says_what_the_gateway_routes() -> None:
    declared, routed = {path for _, path in operations()}, {path for path, _, _ in ROUTES}
    assert not declared - routed, (
        f"add Events in stacks/service.yaml (images: stacks/images.yaml) for {sorted(declared - routed)}"
    )
    assert not routed - declared, f"declare an operation, and list its group in GROUPS, for {sorted(routed - declared)}"


def test_every_group_of_operations_is_in_the_document() -> None:
    modules = [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(http.__path__, f"{http.__name__}.")
    ]
    groups = {module.__name__: module.group for module in modules if isinstance(getattr(module, "group", None), Group)}
    missing = [name for name, group in groups.items() if group not in GROUPS]
    assert not missing, f"list in GROUPS of http/documents/openapi.py the groups of {missing}"


def test_it_says_which_requests_must_be_signed() -> None:
    signed = {path for path, _, signed in ROUTES if signed}
    assert signed == {"/v1/builds", "/v1/builds/{build}"}
    assert {key for key, body in operations().items() if "security" in body} == {
        (method, path) for method, path in operations() if path in signed
    }


def test_a_route_leads_to_a_function_that_answers_it(api: Api) -> None:
    lost = []
    functions = {path: function for path, function, _ in ROUTES}
    for method, path in OPERATIONS:
        answer = api.request(method, re.sub(r"\{\w+\}", "none", path), signed=True)
        if b"no such path" in answer.content or answer.status == 405:
            lost.append(f"{method} {path} in functions/{functions[path]}/app.py")
    assert not lost, f"hand the group of the operation to build_handler: {lost}"


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


def test_every_group_says_what_its_operations_are_for() -> None:
    tags = build_document()["tags"]
    assert {tag["name"] for tag in tags} == {tag for body in operations().values() for tag in body["tags"]}
    assert [tag["name"] for tag in tags if not tag["description"].endswith(".")] == []


def test_a_path_parameter_without_a_description_says_where_one_is_missing() -> None:
    with pytest.raises(LookupError, match="describe the path parameter planet in _PATH_PARAMETERS"):
        describe_path_parameter("planet")


def undescribed(where: str, described: dict[str, Any]) -> list[str]:
    """What a field or parameter lacks; one that refers to a shape has the example of the shape."""
    refers = "$ref" in json.dumps(described)
    lacks = [] if described.get("description") else ["description"]
    lacks += [] if described.get("examples") or refers else ["example"]
    return [f"{where} has no {name}" for name in lacks]


def test_everything_in_the_document_has_a_description_and_an_example() -> None:
    found = []
    for (method, path), body in operations().items():
        found += [] if body.get("description") else [f"{method} {path} has no description"]
        for each in body.get("parameters", ()):
            found += undescribed(f"{method} {path}: {each['name']}", each["schema"] | each)
    for name, shape in build_document()["components"]["schemas"].items():
        found += undescribed(name, shape)
        for field, schema in shape["properties"].items():
            found += undescribed(f"{name}.{field}", schema)
    assert not found, "; ".join([*found, "give each Field(description=..., examples=[...])"])


def test_every_text_in_the_document_says_what_it_is_about() -> None:
    texts = re.findall(r'"(?:description|summary)": "((?:[^"\\\\]|\\\\.)*)"', json.dumps(build_document()))
    assert len(texts) > 300
    vague = re.compile(r"^(They|It|What|Whoever|Who|Of|The same|Which|Such)\b")
    assert [text for text in texts if vague.match(text)] == []


def test_every_example_is_valid() -> None:
    document = build_document()
    shapes = {"components": document["components"]}
    for name, shape in document["components"]["schemas"].items():
        validator = Draft202012Validator({"$ref": f"#/components/schemas/{name}"} | shapes)
        for example in shape["examples"]:
            assert not [error.message for error in validator.iter_errors(example)], name
    for (method, path), body in operations().items():
        for each in body.get("parameters", ()):
            for example in each["schema"]["examples"]:
                errors = Draft202012Validator(each["schema"] | shapes).iter_errors(example)
                assert not [error.message for error in errors], (method, path, each["name"])


def test_it_is_served_with_the_address_of_the_server(api: Api) -> None:
    answer = api.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["servers"] == [{"url": BASE}]
