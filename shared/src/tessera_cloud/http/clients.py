"""Tells clients apart by their addresses, without keeping an address."""

from __future__ import annotations

import hashlib
import ipaddress

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

_V6_PREFIX = 64
"""A user of IPv6 has all addresses below such a prefix."""


def client_of(event: APIGatewayProxyEvent) -> str:
    """Short hash of the address of a client. All requests from one address have the same."""
    identity = (event.raw_event.get("requestContext") or {}).get("identity") or {}
    return hashlib.sha256(_network(str(identity.get("sourceIp") or "")).encode()).hexdigest()[:16]


def _network(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _V6_PREFIX), strict=False))
    return str(address)
