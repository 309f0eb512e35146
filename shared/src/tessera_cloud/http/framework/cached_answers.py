"""Answers that clients and caches may keep. They have an ETag and are compressed."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.http.framework.operations import JSON, Answer, Request

MAX_AGE = 300
"""Time for which caches may use an answer without asking, in seconds."""
NOT_MODIFIED = Answer(304, "The copy of the client is current", content_type="")
_WORTH_CHARACTERS = 2000


def digest(content: str) -> str:
    """Text for the ETag of a content: a hash."""
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": f'W/"{tag}"', "Cache-Control": f"public, max-age={MAX_AGE}", "Vary": "Accept-Encoding"}


def _header(request: Request, name: str) -> str:
    headers = request.event.raw_event.get("headers") or {}
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")


def not_modified(request: Request, tag: str) -> Response[Any] | None:
    """Answer 304 if the client has the content with this tag; None if the content must be sent."""
    known = [text.strip().removeprefix("W/").strip('"') for text in _header(request, "if-none-match").split(",")]
    if tag not in known and "*" not in known:
        return None
    return Response(HTTPStatus.NOT_MODIFIED, headers=dict(_headers(tag)))


def cached_answer(tag: str, content: str | bytes, content_type: str = JSON, **headers: str) -> Response[Any]:
    """Answer with a content and its ETag. Text is compressed if the client accepts that."""
    compress = isinstance(content, str) and len(content) > _WORTH_CHARACTERS
    return Response(HTTPStatus.OK, content_type, content, headers=dict(_headers(tag)) | headers, compress=compress)
