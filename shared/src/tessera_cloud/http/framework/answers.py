"""Answers that several parts of the API give."""

from __future__ import annotations

import datetime
import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from tessera_cloud.application.backend import Backend
from tessera_cloud.application.results import LINK_SECONDS
from tessera_cloud.http.framework.operations import JSON, NO_STORE, ZIP

ZIP_NAME = "tesscut.zip"


def message(text: str) -> Response[str]:
    """Answer 200 with a message and no zip. Clients of TESSCut show the message."""
    return tesscut_json({"msg": text})


def tesscut_json(document: dict[str, object]) -> Response[str]:
    """JSON answer with MAST's content type."""
    return Response(HTTPStatus.OK, "application/json; charset=UTF-8", json.dumps(document))


def see_other(url: str) -> Response[Any]:
    """Redirect a client with 303. After a 303, unlike a 307, a client that sent a POST sends a GET."""
    return Response(HTTPStatus.SEE_OTHER, "text/plain", b"", headers={"Location": url} | NO_STORE)


def archive(data: bytes) -> Response[Any]:
    """Answer with a zip."""
    disposition = {"Content-Disposition": f'attachment; filename="{ZIP_NAME}"'}
    return Response(HTTPStatus.OK, ZIP, data, headers=disposition)


def result_url(backend: Backend, key: str, name: str = ZIP_NAME, content_type: str = "") -> str:
    """Presigned address of a stored answer, which works for some minutes."""
    return backend.store.presign(backend.settings.result_bucket, key, LINK_SECONDS, name, content_type)


def iso(seconds: float) -> str:
    """Format a time in seconds since 1970 as ISO 8601, UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


def json_answer(text: str, status: HTTPStatus, **headers: str) -> Response[str]:
    """JSON answer with a status and headers."""
    return Response(status, JSON, text, headers=dict(NO_STORE) | headers)
