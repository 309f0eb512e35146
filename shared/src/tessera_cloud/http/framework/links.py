"""Addresses in answers, in the form that the client uses."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?")


def base_url(event: APIGatewayProxyEvent) -> str:
    """Address of the API, without a slash at the end.

    Without a custom domain, API Gateway puts the stage before the path that the client sees.
    """
    headers = {name.lower(): value for name, value in (event.raw_event.get("headers") or {}).items()}
    context = event.raw_event.get("requestContext") or {}
    names = (headers.get("host"), context.get("domainName"))
    host = next((name for name in names if name and _HOST.fullmatch(name)), "localhost")
    scheme = "http" if headers.get("x-forwarded-proto") == "http" else "https"
    path, seen = event.raw_event.get("path") or "", context.get("path") or ""
    prefix = seen.removesuffix(path) if path and seen.endswith(path) else ""
    return f"{scheme}://{host}{prefix}".rstrip("/")


def link(base: str, path: str, **query: object) -> str:
    """Address of a path of the API."""
    return f"{base}{quote(path)}" + (f"?{urlencode(query)}" if query else "")
