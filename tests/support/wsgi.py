"""The API as a WSGI application, for programs that use HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from tessera_cloud.http.documents.openapi import build_document
from tests.support.api import Answered, Api

Start = Callable[[str, list[tuple[str, str]]], Any]


def application(api: Api) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """Build the application. It treats all requests as signed."""

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        found = _document() if path == "/openapi.json" else _ask(api, environ, path)
        headers = [(name, value) for name, value in found.headers.items() if "\n" not in value]
        start(f"{found.status} {HTTPStatus(found.status).phrase}", headers)
        return [found.content]

    return answer


def _document() -> Answered:
    return Answered(200, {"content-type": "application/json"}, json.dumps(build_document()).encode())


def _ask(api: Api, environ: dict[str, Any], path: str) -> Answered:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return api.request(
        environ["REQUEST_METHOD"],
        f"{quote(path)}?{environ.get('QUERY_STRING', '')}",
        body=body,
        content_type=environ.get("CONTENT_TYPE", ""),
        signed=True,
    )
