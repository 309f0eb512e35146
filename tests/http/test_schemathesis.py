"""Requests made up from the published document: no answer is a 5xx or unannounced, and errors are in people's words."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tessera_cloud.testing.memory_store import MemoryStore
from tests.http.test_error_words import check as check_words
from tests.support.api import DEC, OPERATIONS, RA, Answered, Api, store_of_cubes
from tests.support.image_service import put_place
from tests.support.wsgi import application

pytestmark = pytest.mark.slow

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
API = Api(MemoryStore(objects=store_of_cubes(tica=True).objects))
put_place(API, "sky", RA, DEC)
SCHEMA = schemathesis.openapi.from_wsgi("/openapi.json", application(API))
TRIED = [found.ok() for found in SCHEMA.get_all_operations()]  # type: ignore[union-attr]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.http.cutouts.wait_routes.WAIT_SECONDS", 0.0)


def aim(case: Any) -> None:
    """Have a request ask for a place where there are pixels: positions that are made up never do."""
    for values in (case.query, case.body):
        if isinstance(values, dict) and "ra" in values and "dec" in values:
            values |= {"ra": RA, "dec": DEC}
        if isinstance(values, dict) and isinstance(values.get("position"), dict) and "ra" in values["position"]:
            values["position"] |= {"ra": RA, "dec": DEC}
    if "dataset" in (case.path_parameters or {}):
        case.path_parameters["dataset"] = "sky"


def test_every_route_is_tried() -> None:
    tried = {(operation.method.upper(), operation.path) for operation in TRIED}
    assert tried | {("GET", "/openapi.json")} == set(OPERATIONS)


@pytest.mark.parametrize("operation", TRIED, ids=[operation.label for operation in TRIED])
def test_every_answer_is_announced(operation: Any) -> None:
    @given(case=operation.as_strategy(), aimed=st.booleans())
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: Any, aimed: bool) -> None:
        if aimed:
            aim(case)
        answer = case.call_and_validate(checks=CHECKS)
        if answer.status_code >= 400:
            check_words(Answered(answer.status_code, {}, answer.content), operation.path, "")

    check()
