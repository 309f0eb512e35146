"""The Lambda handler in front of some groups of operations."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.http.framework import outcome
from tessera_cloud.http.framework.errors import add_error_answers
from tessera_cloud.http.framework.operations import Group

Handle = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def make_handler(*groups: Group) -> Handle:
    """A function that answers events of API Gateway, and tells of each how it was answered."""
    app = APIGatewayRestResolver()
    for group in groups:
        app.include_router(group.router)
    add_error_answers(app)

    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        started = time.perf_counter()
        outcome.forget()
        answer: dict[str, Any] = app.resolve(event, context)
        seconds = time.perf_counter() - started
        route, body = str(event.get("resource") or ""), answer.get("body") or ""
        n_bytes = len(body) * 3 // 4 if answer.get("isBase64Encoded") else len(body)
        outcome.tell(route, str(event.get("httpMethod")), int(answer["statusCode"]), n_bytes, seconds)
        return answer

    return handle
