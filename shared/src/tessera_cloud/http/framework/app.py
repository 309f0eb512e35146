"""Lambda handler of some groups of operations."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from tessera_cloud.application.backend import Backend
from tessera_cloud.http.clients import as_sent
from tessera_cloud.http.framework import outcome
from tessera_cloud.http.framework.cross_origin import Paths
from tessera_cloud.http.framework.errors import Complain, add_error_answers, error_answer
from tessera_cloud.http.framework.operations import Group, Handler, Operation, Request, answer_request
from tessera_cloud.observability import count_usd, logger

Provider: TypeAlias = Callable[[], Backend]
"""Returns the services of a handler."""


class LambdaHandler(Protocol):
    """Type of a Lambda handler. Tests give it their own services."""

    def __call__(self, event: dict[str, Any], context: LambdaContext, services: Provider = ...) -> dict[str, Any]:
        """Answer an event of API Gateway."""


def _rule(path: str) -> str:
    """Path as powertools writes it."""
    return path.replace("{", "<").replace("}", ">")


def _add_route(app: APIGatewayRestResolver, operation: Operation, handler: Handler, paths: Paths) -> None:
    methods = ["GET", "HEAD"] if operation.method == "GET" else [operation.method]

    @app.route(_rule(operation.path), method=methods)
    def answer(**path: str) -> Response[Any]:
        event = APIGatewayProxyEvent(app.current_event.raw_event)
        if path and event.path in paths:  # a path of its own, which has other methods
            raise NotFoundError
        return answer_request(operation, handler, Request(event, app.context["services"], path))


def _add_preflight(app: APIGatewayRestResolver, path: str, paths: Paths) -> None:
    @app.route(_rule(path), method=["OPTIONS"])
    def answer(**_path: str) -> Response[str]:
        return paths.preflight(path)


def build_handler(
    *groups: Group, services: Provider, counts_time: bool = False, complain: Complain = error_answer
) -> LambdaHandler:
    """Build a Lambda handler that answers events of API Gateway and logs each answer.

    HEAD is answered like GET; the gateway leaves out the body.

    Parameters
    ----------
    groups : Group
        Operations of the handler.
    services : callable
        Returns the services, unless a call of the handler has other ones.
    counts_time : bool, optional
        Whether the function counts the dollars of its time, because the alarm on spending has no room for its metric.
    complain : callable, optional
        Answers with an error, in the form of this API.
    """
    app = APIGatewayRestResolver()
    operations = [each for group in groups for each in group.operations]
    paths = Paths(operation for operation, _ in operations)
    for operation, handler in operations:
        _add_route(app, operation, handler, paths)
    for path in paths:
        _add_preflight(app, path, paths)
    add_error_answers(app, paths, complain)

    @logger.inject_lambda_context
    def lambda_handler(event: dict[str, Any], context: LambdaContext, services: Provider = services) -> dict[str, Any]:
        started = time.perf_counter()
        outcome.forget()
        app.append_context(services=services)
        event = as_sent(event, lambda: services().settings.origin_secret)
        answer: dict[str, Any] = app.resolve(event, context)
        seconds = time.perf_counter() - started
        route, body = str(event.get("resource") or ""), answer.get("body") or ""
        answer["multiValueHeaders"] |= {name: [value] for name, value in paths.headers(route).items()}
        n_bytes = len(body) * 3 // 4 if answer.get("isBase64Encoded") else len(body)
        outcome.tell(route, str(event.get("httpMethod")), int(answer["statusCode"]), n_bytes, seconds)
        if counts_time:
            count_usd(gb_seconds=seconds * services().settings.memory_mb / 1024)
        return answer

    return lambda_handler
