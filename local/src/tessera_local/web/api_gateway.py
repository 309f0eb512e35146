"""A REST API of API Gateway on one machine: HTTP requests become proxy events (version 1) of a Lambda function."""

import asyncio
import binascii
import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pybase64
from aiohttp import web
from multidict import CIMultiDict

from tessera_local.lambdas.concurrency import ThrottledError
from tessera_local.lambdas.service import REQUEST_LIMIT, LambdaService
from tessera_local.lambdas.worker import Outcome
from tessera_local.template.deployed import ACCOUNT, Route
from tessera_local.web.own_answers import PATH_LIMIT, OwnAnswers
from tessera_local.web.page_server import PageServer

INTEGRATION_SECONDS = 29.0
BODY_LIMIT = 10 << 20
_HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"}


class ApiGateway:
    """Routes of the template in front of the Lambda service.

    Parameters
    ----------
    routes
        API events of the template.
    service
        Service that runs the functions.
    integration_seconds
        Longest time to wait for an answer, in seconds. The client then gets a 504; the function continues, as on AWS.
    page
        Static files in front of the API, as behind CloudFront.
    own_answers
        GatewayResponses of the template.
    binary_types
        Media types of the template whose bodies are bytes, such as ``*/*``. All others are text.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        service: LambdaService,
        *,
        integration_seconds: float = INTEGRATION_SECONDS,
        page: PageServer | None = None,
        own_answers: Mapping[str, Mapping[str, Any]] | None = None,
        binary_types: Sequence[str] = ("*/*",),
    ) -> None:
        self._routes = [(route, _pattern(route.path)) for route in routes]
        self._service = service
        self._integration_seconds = integration_seconds
        self._page = page
        self._own = OwnAnswers(own_answers or {})
        self._binary_types = binary_types
        self._running: set[asyncio.Task[Outcome]] = set()

    def application(self) -> web.Application:
        """The API as an aiohttp application. Paths may begin with the stage, as at API Gateway's own address."""
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.Response:
        if len(request.raw_path) > PATH_LIMIT:
            return self._own.answer("URI_TOO_LONG")
        if self._page and self._page.is_responsible(self._path(request)):
            return self._page.answer(request) or self._own.answer("MISSING_AUTHENTICATION_TOKEN")
        return await self._ask_function(request)

    async def _ask_function(self, request: web.Request) -> web.Response:
        found = self._find(request)
        if found is None:
            if request.path == "/" and request.method in ("GET", "HEAD"):
                return web.Response(text=self._overview(request), content_type="text/plain")
            return self._own.answer("MISSING_AUTHENTICATION_TOKEN")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._own.answer("REQUEST_TOO_LARGE")
        route, path_parameters = found
        is_bytes = is_binary(self._binary_types, request.headers.get("Content-Type", ""))
        event = proxy_event(request, route, self._path(request), path_parameters) | _body(body, is_bytes=is_bytes)
        payload = json.dumps(event).encode()
        if len(payload) > REQUEST_LIMIT:
            return self._own.answer("REQUEST_TOO_LARGE")
        wants_bytes = is_binary(self._binary_types, request.headers.get("Accept", ""))
        return await self._answer(route.function, payload, wants_bytes=wants_bytes)

    async def _answer(self, function: str, payload: bytes, *, wants_bytes: bool) -> web.Response:
        try:
            outcome = await self._invoke(function, payload)
        except ThrottledError:
            return self._own.answer("INTEGRATION_FAILURE")
        if outcome is None:
            return self._own.answer("INTEGRATION_TIMEOUT")
        return _response(outcome, wants_bytes=wants_bytes) or self._own.answer("INTERNAL_SERVER_ERROR")

    async def _invoke(self, function: str, payload: bytes) -> Outcome | None:
        task = asyncio.ensure_future(self._service.invoke(function, payload))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        done, _ = await asyncio.wait({task}, timeout=self._integration_seconds)
        return task.result() if done else None

    def _find(self, request: web.Request) -> tuple[Route, dict[str, str]] | None:
        for route, pattern in self._routes:
            match = pattern.fullmatch(self._path(request))
            if match and route.method in (request.method.lower(), "any", "x-amazon-apigateway-any-method"):
                return route, match.groupdict()
        return None

    def _path(self, request: web.Request) -> str:
        """Path of a request without the stage."""
        stage = f"/{self._routes[0][0].stage}" if self._routes else ""
        return request.path.removeprefix(stage) if stage and request.path.startswith(f"{stage}/") else request.path

    def _overview(self, request: web.Request) -> str:
        lines = [f"{route.method.upper():5} {request.url.origin()}{route.path}" for route, _ in self._routes]
        return "\n".join(["Tessera on one machine answers:", "", *lines, ""])


def is_binary(types: Sequence[str], media: str) -> bool:
    """Whether bodies of a media type are bytes. Of several accepted types, API Gateway looks at the first only."""
    first = re.split("[,;]", media, maxsplit=1)[0].strip().lower() or "application/json"
    return "*/*" in types or first in types


def _body(body: bytes, *, is_bytes: bool) -> dict[str, Any]:
    if not body:
        return {"body": None, "isBase64Encoded": False}
    text = pybase64.b64encode_as_string(body) if is_bytes else body.decode(errors="replace")
    return {"body": text, "isBase64Encoded": is_bytes}


def proxy_event(request: web.Request, route: Route, path: str, path_parameters: dict[str, str]) -> dict[str, Any]:
    """Build the event that API Gateway sends, without the body. The path is without the stage."""
    headers = _group(request.headers.items()) | {
        "X-Forwarded-For": [request.remote or "127.0.0.1"],
        "X-Forwarded-Port": [str(request.url.port)],
        "X-Forwarded-Proto": [request.scheme],
    }
    query = _group(request.query.items())
    return {
        "resource": route.path,
        "path": path,
        "httpMethod": request.method,
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": path_parameters or None,
        "stageVariables": None,
        "requestContext": _request_context(request, route),
    }


def _request_context(request: web.Request, route: Route) -> dict[str, Any]:
    now, request_id = time.time(), str(uuid.uuid4())
    return {
        "accountId": ACCOUNT,
        "apiId": "local",
        "resourceId": "local",
        "resourcePath": route.path,
        "httpMethod": request.method,
        "path": request.path,  # with the stage only if the client names it
        "stage": route.stage,
        "protocol": f"HTTP/{request.version.major}.{request.version.minor}",
        "domainName": request.host,
        "domainPrefix": "local",
        "requestId": request_id,
        "extendedRequestId": request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "requestTimeEpoch": int(now * 1000),
        "identity": {"sourceIp": request.remote, "userAgent": request.headers.get("User-Agent")},
    }


def _response(outcome: Outcome, *, wants_bytes: bool) -> web.Response | None:
    """Turn the function's answer into HTTP; None if it is an error or not a proxy response."""
    if outcome.function_error:
        return None
    try:
        answer = json.loads(outcome.payload)
        status, body = int(answer["statusCode"]), answer.get("body") or ""
        is_bytes = wants_bytes and answer.get("isBase64Encoded")
        content = pybase64.b64decode(body, validate=True) if is_bytes else body.encode()
        headers = _response_headers(answer)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None
    headers.setdefault("Content-Type", "application/json")
    return web.Response(status=status, body=content, headers=headers)


def _response_headers(answer: dict[str, Any]) -> "CIMultiDict[str]":
    several = answer.get("multiValueHeaders") or {}
    covered = {name.lower() for name in several}
    headers: CIMultiDict[str] = CIMultiDict()
    for name, values in several.items():
        for value in values:
            headers.add(name, str(value))
    for name, value in (answer.get("headers") or {}).items():
        if name.lower() not in covered:
            headers.add(name, str(value))
    for name in _HOP_BY_HOP & {name.lower() for name in headers}:
        headers.popall(name)
    return headers


def _pattern(path: str) -> re.Pattern[str]:
    """Regular expression of a resource path: ``{name}`` is one segment, ``{name+}`` the rest."""
    parts = re.split(r"(\{\w+\+?\})", path)
    return re.compile("".join(_piece(part) for part in parts))


def _piece(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    name = part.strip("{}+")
    return f"(?P<{name}>.+)" if part.endswith("+}") else f"(?P<{name}>[^/]+)"


def _group(items: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in items:
        grouped.setdefault(name, []).append(value)
    return grouped


def _last(grouped: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in grouped.items()}
