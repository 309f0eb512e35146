"""Tells clients apart by their addresses, without keeping an address, and undoes what lies between them and the API."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

_V6_PREFIX = 64
"""A user of IPv6 has all addresses below such a prefix."""
_ORIGIN, _VIEWER, _HOST = "x-tessera-origin", "x-tessera-viewer", "x-tessera-host"
"""Headers that our distribution adds: the secret, and the address and the host of the viewer. See stacks/page.yaml."""


def client_of(event: APIGatewayProxyEvent) -> str:
    """Short hash of the address of a client. All requests from one address have the same.

    Parameters
    ----------
    event : APIGatewayProxyEvent
        Event that `as_sent` made. Headers that a client can write itself, such as X-Forwarded-For, change nothing.
    """
    identity = (event.raw_event.get("requestContext") or {}).get("identity") or {}
    return hashlib.sha256(_network(str(identity.get("sourceIp") or "")).encode()).hexdigest()[:16]


def as_sent(event: Mapping[str, Any], secret: Callable[[], str]) -> dict[str, Any]:
    """Event as if the client had sent the request to the API itself, at the address that the client sees.

    Two things may lie between. The page's distribution replaces the address and the host of the client by its own. It
    tells the true ones in headers, and proves by a secret that it wrote them. A domain with a base path puts the base
    path before the path that the API knows.

    Parameters
    ----------
    event : mapping
        Event of API Gateway, a proxy event of version 1. It stays as it is.
    secret : callable
        Returns the secret of the distribution; empty if there is none. Only requests with such a header need it.

    Returns
    -------
    dict
        The same event without our headers. Of a request through the distribution it has the client's address and host,
        and no stage; of any request the path as the template declares it.
    """
    told = _told(event.get("headers") or {})
    context = dict(event.get("requestContext") or {})
    path = _declared_path(str(event.get("path") or ""), str(event.get("resource") or ""))
    headers = _without(event.get("headers"))
    if _proven(told.get(_ORIGIN, ""), secret):
        if _is_address(told.get(_VIEWER, "")):
            context["identity"] = {**(context.get("identity") or {}), "sourceIp": told[_VIEWER]}
        if told.get(_HOST):
            headers = {name: value for name, value in headers.items() if name.lower() != "host"} | {"Host": told[_HOST]}
            context["path"] = path
    return {
        **event,
        "path": path,
        "headers": headers,
        "multiValueHeaders": _without(event.get("multiValueHeaders")),
        "requestContext": context,
    }


def _told(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in headers.items() if _is_ours(name)}


def _without(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (headers or {}).items() if not _is_ours(name)}


def _is_ours(name: str) -> bool:
    return name.lower() in (_ORIGIN, _VIEWER, _HOST)


def _proven(given: str, secret: Callable[[], str]) -> bool:
    if not given:
        return False
    expected = secret()
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _declared_path(path: str, resource: str) -> str:
    """Path without a base path: as many of its last pieces as the resource has, if they fit the resource."""
    wanted = [piece for piece in resource.split("/") if piece]
    pieces = [piece for piece in path.split("/") if piece]
    last = pieces[len(pieces) - len(wanted) :]
    if not resource or len(pieces) <= len(wanted):
        return path
    fits = all(declared.startswith("{") or declared == piece for declared, piece in zip(wanted, last, strict=True))
    return "/" + "/".join(last) if fits else path


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _network(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _V6_PREFIX), strict=False))
    return str(address)
