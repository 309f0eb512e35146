"""Rules for pages of other origins (CORS)."""

from fnmatch import fnmatchcase
from xml.etree.ElementTree import Element

from aiohttp import web

from tessera_local.s3.disk_store import DiskStore
from tessera_local.s3.protocol.answers import S3Error, parse_xml
from tessera_local.s3.protocol.calls import Call


def allow(call: Call, store: DiskStore, answer: web.StreamResponse) -> None:
    """Add the headers to an answer by which a page of another origin may read it."""
    if rule := _rule(call, store, call.request.method):
        answer.headers.update(_headers(call, rule))


async def preflight(call: Call, store: DiskStore) -> web.StreamResponse:
    """Answer to the question of a browser whether a page may send a request.

    Raises
    ------
    S3Error
        If it may not.
    """
    asked = call.header("Access-Control-Request-Headers") or ""
    rule = _rule(call, store, call.header("Access-Control-Request-Method") or "")
    names = [name.strip().lower() for name in asked.split(",") if name.strip()]
    patterns = [pattern.lower() for pattern in _texts(rule, "AllowedHeader")]
    if rule is None or not all(any(fnmatchcase(name, each) for each in patterns) for name in names):
        raise S3Error("AccessForbidden", "CORSResponse: This CORS request is not allowed.")
    return web.Response(headers=_headers(call, rule) | ({"Access-Control-Allow-Headers": asked} if asked else {}))


def _rule(call: Call, store: DiskStore, method: str) -> Element | None:
    """The first rule of the bucket for the origin and a method."""
    origin, body = call.header("Origin"), store.setting(call.bucket, "cors")
    if origin is None or body is None:
        return None
    for rule in parse_xml(body).iter("CORSRule"):
        known = any(fnmatchcase(origin, pattern) for pattern in _texts(rule, "AllowedOrigin"))
        if known and method in _texts(rule, "AllowedMethod"):
            return rule
    return None


def _headers(call: Call, rule: Element) -> dict[str, str]:
    anyone = "*" in _texts(rule, "AllowedOrigin")
    headers = {
        "Access-Control-Allow-Origin": "*" if anyone else call.header("Origin") or "",
        "Access-Control-Allow-Methods": ", ".join(_texts(rule, "AllowedMethod")),
        "Access-Control-Expose-Headers": ", ".join(_texts(rule, "ExposeHeader")),
        "Access-Control-Max-Age": rule.findtext("MaxAgeSeconds") or "",
        "Access-Control-Allow-Credentials": "" if anyone else "true",
        "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    }
    return {name: text for name, text in headers.items() if text}


def _texts(rule: Element | None, name: str) -> list[str]:
    return [element.text or "" for element in rule.iter(name)] if rule is not None else []
