"""Requests made up from the published document: no answer is a 5xx, and none is one that it does not announce."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tessera_cloud.adapters.memory import MemoryStore
from tests.support.api import Api, store_of_cubes
from tests.support.wsgi import application

API = Api(MemoryStore(objects=store_of_cubes(tica=True).objects))
schema = schemathesis.openapi.from_wsgi("/openapi.json", application(API))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera_cloud.http.job_routes.WAIT_SECONDS", 0.0)


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_announced(case: Any) -> None:
    case.call_and_validate(checks=CHECKS)
