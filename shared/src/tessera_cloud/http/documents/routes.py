"""Operations for the OpenAPI document, the page that shows it, and the start page."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.errors import NotFoundError
from tessera_cloud.http.documents.docs_page import SITE, TYPES, render
from tessera_cloud.http.framework.cached_answers import NOT_MODIFIED, cached_answer, digest, not_modified
from tessera_cloud.http.framework.operations import JSON, Answer, Group, Operation, Request
from tessera_cloud.http.models import ErrorDocument

HTML = "text/html; charset=UTF-8"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}

group = Group("Documentation", "This document, for programs and for people.")


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))
    return document


def _with_server(base: str) -> dict[str, Any]:
    return _document() | {"servers": [{"url": base}]}


def _content(request: Request, text: str, content_type: str) -> Response[Any]:
    """A text with an ETag, and with headers that keep a browser from everything that it does not need."""
    tag = digest(text)
    return not_modified(request, tag) or cached_answer(tag, text, content_type, **_SAFE)


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
        (Answer(200, "The page", None, HTML), NOT_MODIFIED),
        description="Shows the document that describes all operations, for people, with forms to try them.",
    )
)
def get_docs(request: Request) -> Response[Any]:
    """Page that shows the document."""
    return _content(request, render(_with_server(request.base)), HTML)


@group.add(
    Operation(
        "GET",
        "/docs/{asset}",
        "get_docs_file",
        "A file of this page",
        (
            Answer(200, "The file", None, TYPES[".js"]),
            Answer(200, "The file", None, TYPES[".css"]),
            NOT_MODIFIED,
            Answer(404, "The page has no such file", ErrorDocument),
        ),
        description="Gives a script or a style sheet of the page `/docs`.",
    )
)
def get_docs_file(request: Request) -> Response[Any]:
    """Script or style sheet of the page."""
    name = request.path["asset"]
    found = next((path for path in SITE.iterdir() if path.name == name and path.suffix in TYPES), None)
    if found is None:
        raise NotFoundError.named("asset", name, "a file that /docs names")
    return _content(request, found.read_text(encoding="utf-8"), TYPES[found.suffix])


@group.add(
    Operation(
        "GET",
        "/",
        "get_root",
        "Where to begin",
        (Answer(200, "The page", None, HTML), NOT_MODIFIED),
        description="Shows links to the documentation and to the cubes.",
    )
)
def get_root(request: Request) -> Response[Any]:
    """Page with links to the documentation and to the cubes."""
    base = escape(request.base)
    return _content(
        request,
        "<!doctype html><html lang=en><meta charset=utf-8><title>Tessera</title><h1>Tessera</h1>"
        "<p>Cutouts of TESS full-frame images.</p><ul>"
        f'<li><a href="{base}/docs">The API</a></li><li><a href="{base}/openapi.json">in OpenAPI 3.1</a></li>'
        f'<li><a href="{base}/v1/cubes">Cubes that are served</a></li></ul></html>',
        HTML,
    )
