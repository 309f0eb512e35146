"""Lambda handler of some groups of operations."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.backend import Backend
from tessera_cloud.http.framework import outcome
from tessera_cloud.http.framework.errors import add_error_answers
from tessera_cloud.http.framework.operations import Group, Handler, Operation, Request, answer_request
from tessera_cloud.observability import logger

Provider: TypeAlias = Callable[[], Backend]
"""Returns the services of a handler."""


class LambdaHandler(Protocol):
    """Type of a Lambda handler. Tests give it their own services."""

    def __call__(self, event: dict[str, Any], context: LambdaContext, services: Provider = ...) -> dict[str, Any]:
        """Answer an event of API Gateway."""


def _add_route(app: APIGatewayRestResolver, operation: Operation, handler: Handler) -> None:
    rule = operation.path.replace("{", "<").replace("}", ">")

    @app.route(rule, method=[operation.method])
    def answer(**path: str) -> Response[Any]:
        event = APIGatewayProxyEvent(app.current_event.raw_event)
        return answer_request(operation, handler, Request(event, app.context["services"], path))


def build_handler(*groups: Group, services: Provider) -> LambdaHandler:
    """Build a Lambda handler that answers events of API Gateway and logs each answer.

    Parameters
    ----------
    groups : Group
        Operations of the handler.
    services : callable
        Returns the services, unless a call of the handler has other ones.
    """
    app = APIGatewayRestResolver()
    for group in groups:
        for operation, handler in group.operations:
            _add_route(app, operation, handler)
    add_error_answers(app)

    @logger.inject_lambda_context
    def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
        started = time.perf_counter()
        outcome.forget()
        app.append_context(services=services)
        answer: dict[str, Any] = app.resolve(event, context)
        seconds = time.perf_counter() - started
        route, body = str(event.get("resource") or ""), answer.get("body") or ""
        n_bytes = len(body) * 3 // 4 if answer.get("isBase64Encoded") else len(body)
        outcome.tell(route, str(event.get("httpMethod")), int(answer["statusCode"]), n_bytes, seconds)
        return answer

    return lambda_handler
