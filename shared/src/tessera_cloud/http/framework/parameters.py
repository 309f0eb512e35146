"""Parameters of a request, from its query string or its body."""

from __future__ import annotations

import binascii
import json
from typing import Any
from urllib.parse import parse_qs

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from tessera_cloud.errors import UsageError

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


def _json_values(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _body_parameters(event: APIGatewayProxyEvent) -> dict[str, list[str]]:
    body = event.decoded_body
    if not body:
        return {}
    content_type = (event.headers.get("content-type") or _FORM).split(";")[0].strip().lower()
    if content_type == _FORM:
        return parse_qs(body, keep_blank_values=True)
    if content_type != _JSON:
        raise UsageError(f"Content-Type is {content_type!r}; allowed: {_FORM}, {_JSON}")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise UsageError("the body is not a JSON object")
    return {name: _json_values(value) for name, value in document.items() if value is not None}


def read_query(event: APIGatewayProxyEvent) -> dict[str, list[str]]:
    """Parameters of the query string, each with all its values."""
    return dict(event.resolved_query_string_parameters or {})


def read_parameters(event: APIGatewayProxyEvent) -> dict[str, list[str]]:
    """Parameters of the query string and of a form or JSON body, with names in lower case."""
    parameters: dict[str, list[str]] = {}
    try:
        found = [read_query(event), _body_parameters(event)]
    except (UnicodeDecodeError, binascii.Error) as error:
        raise UsageError("the body is not text") from error
    for source in found:
        for name, values in source.items():
            parameters.setdefault(name.lower(), []).extend(values)
    return parameters
