"""Errors in the form of the protocols of the Virtual Observatory."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.http.framework.operations import NO_STORE

VO = ("/sia2/", "/datalink/", "/soda/", "/registry.xml")
"""Beginnings of the paths of these protocols."""
_FAULTS = {
    HTTPStatus.NOT_FOUND: "NotFoundFault",
    HTTPStatus.FORBIDDEN: "AuthorizationError",
    HTTPStatus.TOO_MANY_REQUESTS: "TransientFault",
    HTTPStatus.SERVICE_UNAVAILABLE: "TransientFault",
    HTTPStatus.INTERNAL_SERVER_ERROR: "FatalFault",
}
"""Words that DataLink 1.1 has for errors. All other errors are of the user."""


def fault(status: HTTPStatus, message: str) -> str:
    """Text of an error: the word of its kind, and a sentence."""
    return f"{_FAULTS.get(status, 'UsageFault')}: {message}"


def complain(path: str, status: HTTPStatus, code: str, message: str, **about: Any) -> Response[str]:  # noqa: ARG001 - plain text has no more
    """Answer with an error as plain text."""
    return Response(status, "text/plain; charset=UTF-8", fault(status, message) + "\n", headers=dict(NO_STORE))
