"""Operations for the OpenAPI document, the page that shows it, and the start page."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.http.documents.docs_page import render
from tessera_cloud.http.framework.operations import JSON, Answer, Group, Operation, Request

HTML = "text/html; charset=UTF-8"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

group = Group("Documentation", "This document, for programs and for people.")


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))
    return document


def _with_server(base: str) -> dict[str, Any]:
    return _document() | {"servers": [{"url": base}]}


def _page(html: str) -> Response[str]:
    headers: dict[str, str | list[str]] = {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "max-age=300",
    }
    return Response(200, HTML, html, headers=headers)


@group.add(
    Operation(
        "GET",
        "/openapi.json",
        "get_openapi",
        "This API in OpenAPI 3.1",
        (Answer(200, "The document", None, JSON),),
        description="Gives the document that describes all operations, for programs.",
    )
)
def get_openapi(request: Request) -> Response[str]:
    """OpenAPI document with the address of this server."""
    return Response(200, JSON, json.dumps(_with_server(request.base)), headers={"Cache-Control": "max-age=300"})


@group.add(
    Operation(
        "GET",
        "/docs",
        "get_docs",
        "This API as a page",
        (Answer(200, "The page", None, HTML),),
        description="Shows the document that describes all operations, for people.",
    )
)
def get_docs(request: Request) -> Response[str]:
    """Page that shows the document."""
    return _page(render(_with_server(request.base)))


@group.add(
    Operation(
        "GET",
        "/",
        "get_root",
        "Where to begin",
        (Answer(200, "The page", None, HTML),),
        description="Shows links to the documentation and to the cubes.",
    )
)
def get_root(request: Request) -> Response[str]:
    """Page with links to the documentation and to the cubes."""
    base = escape(request.base)
    return _page(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Tessera</title><h1>Tessera</h1>"
        "<p>Cutouts of TESS full-frame images.</p><ul>"
        f'<li><a href="{base}/docs">The API</a></li><li><a href="{base}/openapi.json">in OpenAPI 3.1</a></li>'
        f'<li><a href="{base}/v1/cubes">Cubes that are served</a></li></ul></html>'
    )
