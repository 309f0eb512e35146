"""Every parameter of every operation with values that are wrong: the answers are errors in people's words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import fromstring

import pytest

from tessera_cloud.http.documents.openapi import GROUPS, describe_path_parameter
from tessera_cloud.http.framework.errors import TESSCUT
from tessera_cloud.http.framework.operations import Operation
from tessera_cloud.http.vo.errors import TABLES, VO
from tessera_cloud.testing.memory_store import MemoryStore
from tests.support.api import DEC, RA, Answered, Api, store_of_cubes
from tests.support.image_service import put_place

FOREIGN = re.compile(
    r"pydantic|[Ii]nput should|[Vv]alid(ation|ated)|constrained|[a-z]_type$|_parsing|literal_error|function-|union|"
    r"Traceback|Error\b|Exception|\bstr\b|\bint\b|\bfloat\b|\bdict\b|\btuple\b|NoneType|None\b|True\b|False\b|"
    r"PanicException|Generic \{|obstore|<class|object at 0x|\\[dwS]|\^\\|utf-8' codec|Expecting|line 1 column 1 \(char"
)
"""Words of pydantic, Python, Rust and of regular expressions."""
SODA_WORDS = {"UsageError", "MultiValuedParamNotSupported", "ServiceUnavailable"}
"""Words with which errors of users, and of busy services, begin by SODA 1.0."""
TEXTS = ["", " ", "x", "nan", "-Infinity", "1e400", "1_0", "\u0661\u0662", "-1", "\x00", "\U0001f680" * 60, "a" * 5000]
VALUES: list[Any] = [*TEXTS, None, True, -1, 1e400, 10**40, [], {}, [[]], [None, "x"], {"a": {"b": [1] * 200}}]


@dataclass(frozen=True)
class Target:
    """An operation, and values with which it succeeds."""

    operation: Operation
    path: str
    good: dict[str, Any]


def _good(operation: Operation) -> dict[str, Any]:
    model = operation.query or operation.body
    if model is None:
        return {}
    schema = model.model_json_schema()
    known = {
        "ra": RA,
        "dec": DEC,
        "size": 3,
        "y": 3,
        "x": 3,
        "cube": "tess-s0001-4-2",
        "position": {"ra": RA, "dec": DEC},
    }
    found = {name: known[name] for name in schema["properties"] if name in known}
    for name in schema.get("required", []):
        found.setdefault(name, schema["properties"][name]["examples"][0])
    return found


def _targets() -> Iterator[Target]:
    for group in GROUPS:
        for operation, _ in group.operations:
            path = operation.path
            for name in operation.path_parameters:
                path = path.replace(f"{{{name}}}", str(describe_path_parameter(name)["schema"]["examples"][0]))
            yield Target(operation, path, _good(operation))


TARGETS = list(_targets())
POSTED = [each for each in TARGETS if each.operation.method == "POST"]


@pytest.fixture(scope="module")
def wide() -> Api:
    api = Api(MemoryStore(objects=store_of_cubes(tica=True).objects))
    put_place(api, "goods-north", RA, DEC)
    return api


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.http.cutouts.wait_routes.WAIT_SECONDS", 0.0)


def send(api: Api, target: Target, given: dict[str, Any], more: str = "") -> Answered:
    """Send parameters in the query string of GET, and in the JSON body of POST."""
    method = target.operation.method
    if method == "GET":
        query = urlencode({name: value for name, value in given.items() if value is not None}, doseq=True)
        return api.request(method, f"{target.path}?{query}{more}", signed=True)
    body = json.dumps(given).encode()
    return api.request(method, target.path, body=body, content_type="application/json", signed=True)


def said_by_vo(answer: Answered, path: str) -> str:
    """Sentence after the word that the protocols of the Virtual Observatory want."""
    text = answer.content.decode()
    if path in TABLES:
        text = "".join(fromstring(text).itertext())
    word, _, said = text.strip().partition(": ")
    assert word in {"UsageFault", "NotFoundFault", "TransientFault", *SODA_WORDS}, text
    assert not path.startswith("/soda/") or word in SODA_WORDS, text
    return said


def check(answer: Answered, path: str, sent: str) -> None:
    """Check that an answer is right, or an error of ours."""
    where = f"{path} with {sent[:200]}: {answer.content[:600]!r}"
    assert answer.status < 500 or answer.status == 503, where
    if answer.status < 400:
        return
    if path.startswith(VO):
        said = said_by_vo(answer, path)
    elif path.startswith(TESSCUT):
        said = answer.json()["msg"]
    else:
        document = answer.json()
        said = document["error"]["message"]
        assert list(document) == ["error"], where
        assert set(document["error"]) == {"code", "message", "parameter", "value", "allowed"}, where
        assert len(document["error"]["parameter"] or "") <= 80, where
        assert len(document["error"]["value"] or "") <= 80, where
    assert not FOREIGN.search(re.sub(r"'.*?'|\".*?\"", "", said)), where
    assert len(said) <= 600, where
    assert "\n" not in said, where


@pytest.mark.parametrize("target", TARGETS, ids=[each.operation.name for each in TARGETS])
def test_a_wrong_value_is_answered_in_words(wide: Api, target: Target) -> None:
    model = target.operation.query or target.operation.body
    for name in model.model_fields if model else ():
        for value in TEXTS if target.operation.method == "GET" else VALUES:
            check(send(wide, target, target.good | {name: value}), target.path, f"{name}={value!r}")
        check(send(wide, target, {key: each for key, each in target.good.items() if key != name}), target.path, "less")


@pytest.mark.parametrize("target", TARGETS, ids=[each.operation.name for each in TARGETS])
def test_a_wrong_name_is_answered_in_words(wide: Api, target: Target) -> None:
    for name in ("foo", "sectors", "sector", "sizee", "positions", "RA", "x" * 3000, "\x00", "\u20ac", ""):
        check(send(wide, target, target.good | {name: "1"}), target.path, name)


def _switches() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path and name of each boolean of a JSON body, and a body that is right."""
    for each in POSTED:
        schema = each.operation.body.model_json_schema()["properties"] if each.operation.body else {}
        yield from ((each.path, name, each.good) for name, field in schema.items() if field.get("type") == "boolean")


SWITCHES = list(_switches())


@pytest.mark.parametrize(("path", "name", "good"), SWITCHES, ids=[f"{path} {name}" for path, name, _ in SWITCHES])
@pytest.mark.parametrize("value", ["yes", "true", "", 1, 0.0, []])
def test_a_boolean_in_json_is_true_or_false(wide: Api, path: str, name: str, good: dict[str, Any], value: Any) -> None:
    body = json.dumps(good | {name: value}).encode()
    answer = wide.request("POST", path, body=body, content_type="application/json", signed=True)
    shown = repr(value) if isinstance(value, str) else "0" if value == 0.0 else json.dumps(value)
    assert answer.status == 400
    assert answer.json()["error"]["message"] == f"{name} is {shown}; allowed: true or false"


def test_booleans_of_bodies_are_among_those_that_are_tried() -> None:
    assert {("/v1/cutouts", "flags"), ("/v1/bulk", "best_only"), ("/v1/builds", "grow")} <= {
        (path, name) for path, name, _ in SWITCHES
    }


BODIES = [
    b"", b" ", b"x", b"{", b"[]", b"3", b"null", b'"a"', b"{}", b"\xff\xfe", b"\xef\xbb\xbf{}", b"{" * 10_000,
    b"[" * 100_000, b'{"a":' * 10_000, b'{"size": NaN}', b'{"size": 1, "size": 2}', b'{"size": ' + b"9" * 5000 + b"}",
    b'{"position": "\\ud800"}', b'{"target": {"name": "\\ud800"}}', b"a=1&a=2", b"&" * 5000, b"%ff=%00", b"x" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/xml", "", "\u00e9"])
@pytest.mark.parametrize(
    "target", [each for each in TARGETS if each.operation.method == "POST"], ids=lambda each: each.operation.name
)
def test_a_wrong_body_is_answered_in_words(wide: Api, target: Target, kind: str) -> None:
    for body in BODIES:
        answer = wide.request("POST", target.path, body=body, content_type=kind, signed=True)
        check(answer, target.path, f"{kind} {body[:60]!r}")
