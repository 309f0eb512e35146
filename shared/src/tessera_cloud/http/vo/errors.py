"""Errors in the form of the protocols of the Virtual Observatory."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.http.framework.errors import SEVERAL_VALUES
from tessera_cloud.http.framework.operations import NO_STORE
from tessera_cloud.http.vo.votable.elements import CONTENT_TYPE, Info
from tessera_cloud.http.vo.votable.writer import votable_bytes

VO = ("/sia2/", "/datalink/", "/soda/", "/registry.xml")
"""Beginnings of the paths of these protocols."""
TABLES = ("/sia2/query", "/datalink/links")
"""Paths that answer with a VOTable, also to errors (SIA 2.0, DataLink 1.1). The others answer with plain text."""
_DATALINK = {
    HTTPStatus.NOT_FOUND: "NotFoundFault",
    HTTPStatus.FORBIDDEN: "AuthorizationError",
    HTTPStatus.TOO_MANY_REQUESTS: "TransientFault",
    HTTPStatus.SERVICE_UNAVAILABLE: "TransientFault",
    HTTPStatus.INTERNAL_SERVER_ERROR: "FatalFault",
}
"""Words that DataLink 1.1 has for errors. All other errors are of the user: ``UsageFault``."""
_SODA = {
    HTTPStatus.FORBIDDEN: "AuthorizationError",
    HTTPStatus.TOO_MANY_REQUESTS: "ServiceUnavailable",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Error",
}
"""Words that SODA 1.0 has for errors (section 5.2). All other errors are of the user: ``UsageError``."""


def fault(path: str, status: HTTPStatus, code: str, message: str) -> str:
    """Text of an error: the word that the protocol of a path has for its kind, and a sentence."""
    if path.startswith("/soda/"):
        several = code == SEVERAL_VALUES
        return f"{'MultiValuedParamNotSupported' if several else _SODA.get(status, 'UsageError')}: {message}"
    return f"{_DATALINK.get(status, 'UsageFault')}: {message}"


def complain(path: str, status: HTTPStatus, code: str, message: str, **about: Any) -> Response[Any]:  # noqa: ARG001 - the protocols have no place for more
    """Answer with an error, as a VOTable where the protocol wants that, and else as plain text."""
    text, headers = fault(path, status, code, message), dict(NO_STORE)
    if path not in TABLES:
        return Response(status, "text/plain; charset=UTF-8", text + "\n", headers=headers)
    document = votable_bytes(None, [Info("QUERY_STATUS", "ERROR", text)]).decode()
    return Response(status, CONTENT_TYPE, document, headers=headers)
