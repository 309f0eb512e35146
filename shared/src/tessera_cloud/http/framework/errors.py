"""Answers to errors. The answer explains errors of the user; the log explains our own."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, Protocol

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from tessera.errors import InvalidValueError
from tessera_cloud.errors import (
    BusyError,
    ConflictError,
    MultiValuedError,
    NotAllowedError,
    NotFoundError,
    ObjectChangedError,
    PausedError,
    TooLargeError,
    TooManyRequestsError,
    TransientError,
    UsageError,
)
from tessera_cloud.http.framework.cross_origin import Paths
from tessera_cloud.http.framework.operations import JSON, NO_PATH, NO_STORE
from tessera_cloud.observability import logger

TESSCUT = ("/tesscut/", "/zcut/", "/hapcut/")
"""Beginnings of paths whose errors have the form ``{"msg": ...}``, as at MAST."""
RETRY_SECONDS = 3
PAUSED_RETRY_SECONDS = 600
"""Time after which a client may ask a paused service again, in seconds. An operator may resume it at any time."""
SEVERAL_VALUES = "several_values"
"""Code of the error of a parameter that is given several times."""
_KINDS: dict[type[Exception], tuple[HTTPStatus, str]] = {
    NotFoundError: (HTTPStatus.NOT_FOUND, "not_found"),
    ConflictError: (HTTPStatus.CONFLICT, "conflict"),
    MultiValuedError: (HTTPStatus.BAD_REQUEST, SEVERAL_VALUES),
    TooLargeError: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"),
    NotAllowedError: (HTTPStatus.FORBIDDEN, "forbidden"),
    TooManyRequestsError: (HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests"),
}


class Complain(Protocol):
    """Type of a function that answers with an error, in the form of an API."""

    def __call__(self, path: str, status: HTTPStatus, code: str, message: str, **about: Any) -> Response[str]:
        """Answer to a request for a path: the status, our code, a sentence, and what it is about."""


def error_answer(path: str, status: HTTPStatus, code: str, message: str, **about: Any) -> Response[str]:
    """Answer with an error, in the form that the path's part of the API uses."""
    if path.startswith(TESSCUT):
        return Response(status, "application/json; charset=UTF-8", json.dumps({"msg": message}))
    document = {"code": code, "message": message, "parameter": None, "value": None, "allowed": None} | about
    return Response(status, JSON, json.dumps({"error": document}), headers=dict(NO_STORE))


def _retry(app: APIGatewayRestResolver, complain: Complain, code: str, message: str, seconds: int) -> Response[str]:
    """Answer 503, and say when to ask again."""
    answer = complain(app.current_event.path, HTTPStatus.SERVICE_UNAVAILABLE, code, message)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def add_error_answers(app: APIGatewayRestResolver, paths: Paths, complain: Complain = error_answer) -> None:
    """Let an app answer all errors, in the form of `complain`."""

    @app.exception_handler([UsageError, InvalidValueError])
    def usage(error: Exception) -> Response[str]:
        found = (known for kind, known in _KINDS.items() if isinstance(error, kind))
        status, code = next(found, (HTTPStatus.BAD_REQUEST, "invalid_request"))
        names = ("parameter", "value", "allowed", "limits", "parts")
        about = {name: value for name in names if (value := getattr(error, name, None)) is not None}
        about = {name: value for name, value in about.items() if value or name == "value"}
        answer = complain(app.current_event.path, status, code, str(error), **about)
        if isinstance(error, TooManyRequestsError):
            answer.headers["Retry-After"] = str(error.retry_seconds)
        return answer

    @app.exception_handler([TransientError, ObjectChangedError])
    def transient(error: Exception) -> Response[str]:
        if isinstance(error, PausedError):
            return _retry(app, complain, "paused", str(error), PAUSED_RETRY_SECONDS)
        logger.warning("transient", error=str(error))
        busy = f"busy; try again in {RETRY_SECONDS} seconds"
        message = str(error) if isinstance(error, BusyError) else busy
        return _retry(app, complain, "busy", message, RETRY_SECONDS)

    @app.not_found
    def unknown(_error: Exception) -> Response[str]:
        path, method = app.current_event.path, app.current_event.http_method
        allowed = paths.other_methods(path, method)
        if not allowed:
            return complain(path, HTTPStatus.NOT_FOUND, "not_found", NO_PATH)
        about = {"parameter": "method", "value": method, "allowed": allowed}
        message = f"the method is {method}; allowed: {allowed}"
        answer = complain(path, HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", message, **about)
        answer.headers["Allow"] = allowed
        return answer

    @app.exception_handler(Exception)
    def fatal(error: Exception) -> Response[str]:
        logger.exception("fatal", error=str(error))
        return complain(app.current_event.path, HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "internal error")
