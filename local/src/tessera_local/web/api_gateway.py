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
    """

    def __init__(
        self,
        routes: Sequence[Route],
        service: LambdaService,
        *,
        integration_seconds: float = INTEGRATION_SECONDS,
        page: PageServer | None = None,
        own_answers: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._routes = [(route, _pattern(route.path)) for route in routes]
        self._service = service
        self._integration_seconds = integration_seconds
        self._page = page
        self._own = OwnAnswers(own_answers or {})
        self._running: set[asyncio.Task[Outcome]] = set()

    def application(self) -> web.Application:
        """The API as an aiohttp application. The stage is not part of the path."""
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.Response:
        if len(request.raw_path) > PATH_LIMIT:
            return self._own.answer("URI_TOO_LONG")
        if self._page and self._page.is_responsible(request.path):
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
        payload = json.dumps(proxy_event(request, route, path_parameters, body)).encode()
        if len(payload) > REQUEST_LIMIT:
            return self._own.answer("REQUEST_TOO_LARGE")
        return await self._answer(route.function, payload)

    async def _answer(self, function: str, payload: bytes) -> web.Response:
        try:
            outcome = await self._invoke(function, payload)
        except ThrottledError:
            return self._own.answer("INTEGRATION_FAILURE")
        if outcome is None:
            return self._own.answer("INTEGRATION_TIMEOUT")
        return _response(outcome) or self._own.answer("INTERNAL_SERVER_ERROR")

    async def _invoke(self, function: str, payload: bytes) -> Outcome | None:
        task = asyncio.ensure_future(self._service.invoke(function, payload))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        done, _ = await asyncio.wait({task}, timeout=self._integration_seconds)
        return task.result() if done else None

    def _find(self, request: web.Request) -> tuple[Route, dict[str, str]] | None:
        for route, pattern in self._routes:
            match = pattern.fullmatch(request.path)
            if match and route.method in (request.method.lower(), "any", "x-amazon-apigateway-any-method"):
                return route, match.groupdict()
        return None

    def _overview(self, request: web.Request) -> str:
        lines = [f"{route.method.upper():5} {request.url.origin()}{route.path}" for route, _ in self._routes]
        return "\n".join(["Tessera on one machine answers:", "", *lines, ""])


def proxy_event(request: web.Request, route: Route, path_parameters: dict[str, str], body: bytes) -> dict[str, Any]:
    """Build the event that API Gateway sends. Every body is base64, because the binary media type is ``*/*``."""
    headers = _group(request.headers.items()) | {
        "X-Forwarded-For": [request.remote or "127.0.0.1"],
        "X-Forwarded-Port": [str(request.url.port)],
        "X-Forwarded-Proto": [request.scheme],
    }
    query = _group(request.query.items())
    return {
        "resource": route.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": path_parameters or None,
        "stageVariables": None,
        "requestContext": _request_context(request, route),
        "body": pybase64.b64encode_as_string(body) if body else None,
        "isBase64Encoded": bool(body),
    }


def _request_context(request: web.Request, route: Route) -> dict[str, Any]:
    now, request_id = time.time(), str(uuid.uuid4())
    return {
        "accountId": ACCOUNT,
        "apiId": "local",
        "resourceId": "local",
        "resourcePath": route.path,
        "httpMethod": request.method,
        "path": request.path,  # without the stage, as behind a custom domain
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


def _response(outcome: Outcome) -> web.Response | None:
    """Turn the function's answer into HTTP; None if it is an error or not a proxy response."""
    if outcome.function_error:
        return None
    try:
        answer = json.loads(outcome.payload)
        status, body = int(answer["statusCode"]), answer.get("body") or ""
        content = pybase64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode()
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
